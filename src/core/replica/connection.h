#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "base/byte_buffer.h"
#include "base/fifo.h"
#include "base/ids.h"
#include "core/auth/auth.h"
#include "core/tree/watch_table.h"
#include "wire/codes.h"

/// One client connection as the core sees it: phase, session, identities, the order of its replies, the bytes to send.
/// Everything registered for it dies with it (known-faults MUST-9). Owned by Replica; the shell only empties `out`.
namespace quorate::replica {

enum class Phase : uint8_t {
  New,         ///< Nothing but a ConnectRequest is looked at.
  Confirming,  ///< The session is not yet known to be good; nothing is looked at (client 7.8).
  Live,
  Ending,  ///< closeSession is under way: later requests are dropped, its reply still goes out.
  Closed,  ///< No more input or output; kept only until its last write in flight is applied.
};

/// Counters shown by cons and stat. Spec: operations 2.4.
struct ConnectionStats {
  int64_t received = 0;
  int64_t sent = 0;
  int64_t established_wall_ms = 0;
  wire::Op last_op = wire::Op::Notification;  ///< Notification: none yet ("NA").
  int32_t last_cxid = -1;
  Zxid last_zxid{-1};
  Millis last_response{0};
  int64_t latency_count = 0;
  int64_t latency_sum = 0;
  int64_t latency_last = 0;
  int64_t latency_min = 0;
  int64_t latency_max = 0;
};

/// A request that waits for its turn behind this connection's own writes: a read (or a refused request) with its frame,
/// or the place of a write in flight.
struct Waiting {
  bool is_write = false;
  Zxid zxid;          ///< Of a write in flight; of a read, what has to be applied before it.
  std::string frame;  ///< Of a read, header included.
  Millis received;
  wire::Code refusal = wire::Code::Ok;  ///< A request that is only refused when its turn comes.
  size_t identities = 0;                ///< How many the connection had when it was read.
};

struct Connection {
  ConnId id;
  std::string remote_ip;    ///< "127.0.0.1", "0:0:0:0:0:0:0:1"
  std::string remote_text;  ///< "/127.0.0.1:39328", as Apache prints addresses
  bool secure = false;

  Phase phase = Phase::New;
  SessionId session;
  int32_t timeout_ms = 0;
  bool knows_read_only = true;  ///< The ConnectRequest had the flag; the answer has it too.
  auth::Identities identities;
  std::optional<tree::WatcherId> watcher;  ///< Set with the first watch.

  Fifo<Waiting> waiting;
  int32_t writes_in_flight = 0;
  int32_t outstanding = 0;  ///< Requests with xid > 0 not yet answered. Spec: client 9.4.
  bool reading_paused = false;
  bool released = false;  ///< The shell has let go; freed once no write is in flight.

  ByteBuffer out;      ///< Whole frames, in order.
  bool dirty = false;  ///< Listed in Outbox::dirty.
  ConnectionStats stats;
  void* shell = nullptr;  ///< The shell's own; the core never looks at it.

  /// May the link hand over the next frame? What follows a ConnectRequest stays unread until the session is known to
  /// be good (client 7.8).
  bool accepts_frames() const { return (phase == Phase::New || phase == Phase::Live) && !reading_paused; }
};

}  // namespace quorate::replica
