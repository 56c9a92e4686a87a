#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "core/replica/prepare_testing.h"
#include "core/replica/reads_testing.h"
#include "core/replica/replica.h"

/// What the tests of the whole replica share: a shell of a few lines around one. Peers send frames and collect what
/// comes back, frames wait where the core does not accept them, and batches become durable when the test says so.
namespace quorate::replica::testing {

namespace ask = prepare_testing;
using wire::Code;
using wire::Event;
using wire::Op;

/// A reply or notification as it came.
struct Reply {
  int32_t xid = 0;
  int64_t zxid = 0;
  Code code = Code::Ok;
  std::string body{};
  friend bool operator==(const Reply&, const Reply&) = default;
  friend void PrintTo(const Reply& reply, std::ostream* out) {
    *out << "{xid " << reply.xid << ", zxid " << reply.zxid << ", err " << static_cast<int32_t>(reply.code) << ", "
         << ::testing::PrintToString(reply.body) << "}";
  }
};

inline Reply event(Event type, std::string_view path, int64_t zxid) {
  return {-1, zxid, Code::Ok, Bytes().i32(static_cast<int32_t>(type)).i32(3).text(path)};
}

/// Cuts frames off `bytes`.
inline std::vector<std::string> frames_in(std::string_view bytes) {
  std::vector<std::string> frames;
  while (bytes.size() >= 4) {
    const size_t length = wire::load_be32(bytes.data());
    frames.emplace_back(bytes.substr(4, length));
    bytes.remove_prefix(std::min(bytes.size(), 4 + length));
  }
  return frames;
}

struct ConnectFields {
  int64_t last_zxid = 0;
  int32_t timeout_ms = 10000;
  SessionId session{};
  std::string password = std::string(16, '\0');
  bool with_read_only = true;
  bool read_only = false;
};

inline std::string connect_request(const ConnectFields& fields = {}) {
  Bytes bytes;
  bytes.i32(0).i64(fields.last_zxid).i32(fields.timeout_ms).i64(fields.session.value).text(fields.password);
  if (fields.with_read_only) bytes.i8(fields.read_only ? 1 : 0);
  return bytes;
}

inline std::string request(int32_t xid, Op op, const std::string& body = "") {
  return Bytes().i32(xid).i32(static_cast<int32_t>(op)).raw(body);
}

/// A client's end.
struct Peer {
  Connection* connection = nullptr;  ///< Dead once `closed`.
  std::deque<std::string> unread;    ///< Frames that the core has not accepted yet.
  std::string received;
  bool closed = false;

  SessionId session() const { return connection->session; }
  /// What came since the last call, handshakes excepted.
  std::vector<Reply> replies() {
    std::vector<Reply> all;
    for (const std::string& bytes : frames_in(std::exchange(received, {}))) {
      wire::Decoder in(bytes);
      Reply reply;
      reply.xid = in.i32();
      reply.zxid = in.i64();
      reply.code = static_cast<Code>(in.i32());
      reply.body = std::string(in.rest());
      EXPECT_TRUE(in.ok());
      all.push_back(std::move(reply));
    }
    return all;
  }
};

struct BenchFields {
  ReplicaSettings settings{};
  auth::AuthSettings auth{};
  std::unique_ptr<tree::Tree> tree{};
  tree::SessionList sessions{};
};

class Bench {
  Zxid last_persisted_;     // Before `replica`, whose making sets it.
  std::deque<Peer> peers_;  // References to its items stay good.

 public:
  static constexpr int64_t kWallMs = 1795159393679;

  explicit Bench(BenchFields fields = {})
      : journal(last_of(fields), 0),
        replica(fields.settings, *auth::Auth::make(std::move(fields.auth)), start(fields), journal) {}
  explicit Bench(const ReplicaSettings& settings) : Bench(BenchFields{.settings = settings}) {}
  ~Bench() { EXPECT_EQ(replica.stats().digest_mismatches_count, 0); }

  Peer& open(const std::string& ip = "127.0.0.1") {
    Peer& peer = peers_.emplace_back();
    peer.connection = &replica.open({ip, "/" + ip + ":5000", false});
    peer.connection->shell = &peer;
    return peer;
  }
  /// A frame arrives.
  void send(Peer& peer, std::string frame) {
    peer.unread.push_back(std::move(frame));
    feed(peer);
  }
  void send(Peer& peer, int32_t xid, Op op, const std::string& body = "") { send(peer, request(xid, op, body)); }
  void hang_up(Peer& peer) {
    replica.close(*peer.connection);
    let_go(peer);
  }

  /// One batch becomes durable. False: there was none.
  bool persist() {
    if (!replica.journal().has_batch()) return false;
    begin_persist();
    end_persist();
    return true;
  }
  /// The same in two steps, for what happens during a sync.
  void begin_persist() {
    const zab::LogBatch& batch = replica.journal().take_batch();
    EXPECT_EQ(batch.first, last_persisted_.next());
    last_persisted_ = batch.last;
  }
  void end_persist() { replica.on_persisted(); }
  /// What the core wants done. What is sent after it has to be flushed again.
  void flush() {
    Outbox& outbox = replica.outbox();
    for (size_t i = 0; i < outbox.gates.size(); ++i) {
      if (outbox.gates[i]->phase != Phase::Closed) feed(*static_cast<Peer*>(outbox.gates[i]->shell));
    }
    outbox.gates.clear();
    for (Connection* connection : outbox.dirty) {
      connection->dirty = false;
      static_cast<Peer*>(connection->shell)->received += connection->out.view();
      connection->out.clear();
    }
    outbox.dirty.clear();
    for (Connection* connection : std::exchange(outbox.closes, {})) let_go(*static_cast<Peer*>(connection->shell));
    for (LogLine& line : outbox.lines) lines.push_back(std::move(line.text));
    outbox.lines.clear();
  }
  /// Until nothing is left to do.
  void run() {
    do {
      flush();
    } while (persist() || !replica.outbox().gates.empty() || !replica.outbox().dirty.empty());
    flush();
  }
  void at(int64_t ms) { replica.set_now({Millis{ms}, kWallMs + ms}); }
  void tick_at(int64_t ms) {
    at(ms);
    replica.on_tick();
    run();
  }

  /// A new session.
  Peer& join(int32_t timeout_ms = 10000) {
    Peer& peer = open();
    send(peer, connect_request({.timeout_ms = timeout_ms}));
    run();
    EXPECT_EQ(frames_in(peer.received).size(), 1U);
    peer.received.clear();
    return peer;
  }
  /// Sends, lets everything happen, expects Ok.
  void must(Peer& peer, Op op, const std::string& body) {
    send(peer, 77, op, body);
    run();
    const auto replies = peer.replies();
    ASSERT_FALSE(replies.empty());
    EXPECT_EQ(replies.back().code, Code::Ok);
  }
  int64_t last_zxid() { return replica.tree().last_zxid().value; }
  bool said(std::string_view text) const {
    return std::ranges::any_of(lines, [text](const std::string& line) { return line.contains(text); });
  }

  zab::Journal journal;
  Replica replica;
  std::vector<std::string> lines;

 private:
  static Zxid last_of(BenchFields& fields) {
    if (!fields.tree) fields.tree = std::make_unique<tree::Tree>(tree::HashKey{1, 2}, ask::options_of(fields.settings));
    return fields.tree->last_zxid();
  }
  StartingPoint start(BenchFields& fields) {
    last_persisted_ = fields.tree->last_zxid();
    return {std::move(fields.tree), std::move(fields.sessions), {Millis{0}, kWallMs}, 7, {}};
  }
  void feed(Peer& peer) {
    while (!peer.closed && !peer.unread.empty() && peer.connection->accepts_frames()) {
      const std::string frame = std::move(peer.unread.front());
      peer.unread.pop_front();
      replica.on_frame(*peer.connection, frame);
    }
  }
  void let_go(Peer& peer) {
    peer.closed = true;
    replica.release(*std::exchange(peer.connection, nullptr));
  }
};

}  // namespace quorate::replica::testing
