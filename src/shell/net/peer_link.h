#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/byte_buffer.h"
#include "base/ids.h"
#include "base/result.h"
#include "shell/env/stream.h"
#include "shell/net/unread.h"
#include "wire/quorum.h"

/// One connection of the quorum port, to the leader or to a learner: cuts packets off what arrives, one at a time and
/// only as they are asked for; hands the tree behind SNAP out as raw bytes; sends what others have queued. Who leads
/// and who learns is decided elsewhere. No clock of its own. Loop thread. Spec: quorum 3.1, 3.6; known-faults 4074.
namespace quorate::net {

struct PeerLinkSettings {
  size_t max_data_bytes = 0;  ///< jute.maxbuffer + extrasize; also how far a raw piece that nobody uses may grow.
  Millis send_limit{10000};   ///< syncLimit: so long may bytes wait without any of them leaving.
};

enum class PeerInbound : uint8_t {
  None,  ///< No whole packet is there.
  Packet,
  Bad,  ///< Nothing more can be read: see reason().
};

class PeerLink {
 public:
  PeerLink(std::unique_ptr<env::Stream> stream, PeerLinkSettings settings)
      : stream_(std::move(stream)), settings_(settings) {}

  /// Receives once. Returns the number of bytes; 0 when none are there, or enough are unread: call next() until it says
  /// None, or use_raw(), before. Invalidates packets and raw bytes. Errors: Closed, Io; Corrupt for a raw piece that
  /// grew over its limit. The reason is kept.
  Result<size_t> receive();
  /// The next whole packet; its views are valid until receive() or settle(). Requires: not raw.
  PeerInbound next(wire::QuorumPacket& packet);

  /// From the byte behind the last packet on, bytes are handed out as they are; until end_raw(), where packets go on.
  void begin_raw();
  void end_raw() { raw_ = false; }
  bool raw() const { return raw_; }
  /// All that is there. What is not used comes again, with more behind it.
  std::string_view raw_bytes() const { return unread_.view(); }
  void use_raw(size_t n);

  /// Back-pressure: while nothing is taken, the loop does not ask. Taken again, what is unread must be looked at.
  void want_readable(bool wanted);
  /// Gives memory back that a burst left.
  void settle();

  /// Sends from the front of `out`. True when nothing is left; else the stream says when to go on. Sent bytes may stay
  /// in `out` for a while, see unsent(). Requires: until it says true, always the same `out`, and nothing was done to
  /// it but appending. Errors: Closed, Io; the reason is kept.
  Result<bool> send(ByteBuffer& out, Millis now);
  size_t unsent(const ByteBuffer& out) const { return out.size() - sent_; }
  /// Errors: Closed when bytes have waited too long without any leaving; the reason is kept.
  Result<void> on_time(Millis now);
  /// When on_time() has something to say; far away while nothing waits.
  Millis next_time() const { return send_deadline_; }

  /// Why nothing more can be read or sent.
  const std::string& reason() const { return reason_; }
  env::Stream& stream() { return *stream_; }

 private:
  static constexpr Millis kNever{INT64_MAX};

  bool wants_bytes() const;
  std::unexpected<Error> broken(Fault fault, std::string reason);
  void want_writable(bool wanted);

  std::unique_ptr<env::Stream> stream_;
  PeerLinkSettings settings_;
  Unread unread_;
  wire::PacketCut cut_;  ///< What is known of the packet that `unread_` begins with.
  bool first_ = true;    ///< No packet was cut yet.
  bool raw_ = false;
  bool readable_wanted_ = true;
  bool writable_wanted_ = false;
  size_t sent_ = 0;  ///< Of the buffer that is being sent.
  Millis send_deadline_ = kNever;
  std::string reason_;
};

}  // namespace quorate::net
