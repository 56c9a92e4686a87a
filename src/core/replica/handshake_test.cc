#include <gtest/gtest.h>

#include "core/replica/replica_testing.h"

namespace quorate::replica::testing {
namespace {

std::string connect_response(int32_t timeout_ms, SessionId session, const std::string& password) {
  return Bytes().i32(37).i32(0).i32(timeout_ms).i64(session.value).text(password).i8(0);
}

// Spec: client appendix C.
const std::string& refusal() {
  static const std::string bytes =
      hex("00000025 00000000 00000000 0000000000000000 00000010") + std::string(16, '\0') + hex("00");
  return bytes;
}

SessionId first_id() { return session::first_session_id(Millis{Bench::kWallMs}, 1); }

// Spec: client 2.1, 2.2: answered when its txn is applied, not before.
TEST(Handshake, NewSession) {
  Bench bench;
  Peer& peer = bench.open();
  bench.send(peer, connect_request());
  bench.flush();
  EXPECT_EQ(peer.received, "");
  EXPECT_FALSE(bench.replica.sessions().contains(first_id()));
  EXPECT_TRUE(bench.persist());
  bench.flush();
  EXPECT_EQ(peer.received, connect_response(10000, first_id(), session::password_of(first_id())));
  EXPECT_EQ(bench.replica.sessions().all().at(first_id()), 10000);
  EXPECT_EQ(bench.last_zxid(), 1);
  EXPECT_EQ(bench.join().session().value, first_id().value + 1);
}

TEST(Handshake, ClientsWithoutTheFlagGetNone) {
  Bench bench;
  Peer& peer = bench.open();
  bench.send(peer, connect_request({.with_read_only = false}));
  bench.run();
  const std::string full = connect_response(10000, first_id(), session::password_of(first_id()));
  EXPECT_EQ(peer.received, Bytes().i32(36).raw(full.substr(4, 36)).operator std::string());
}

TEST(Handshake, AnyPasswordOpensANewSession) {
  Bench bench;
  for (const std::string& password : {std::string(), std::string("x"), std::string(100, 'x')}) {
    Peer& peer = bench.open();
    bench.send(peer, connect_request({.password = password}));
    bench.run();
    EXPECT_EQ(peer.received.size(), 41U);
  }
  Peer& null = bench.open();
  bench.send(null, Bytes().i32(0).i64(0).i32(10000).i64(0).null().i8(0));
  bench.run();
  EXPECT_EQ(null.received.size(), 41U);
}

// Spec: client 2.2 step 4.
TEST(Handshake, TimeoutIsBroughtWithinLimits) {
  constexpr std::pair<int32_t, int32_t> kCases[] = {{INT32_MIN, 6000}, {-1, 6000},     {0, 6000},
                                                    {5999, 6000},      {6000, 6000},   {30000, 30000},
                                                    {60000, 60000},    {60001, 60000}, {INT32_MAX, 60000}};
  Bench bench;
  for (const auto& [wanted, granted] : kCases) {
    Peer& peer = bench.join(wanted);
    EXPECT_EQ(peer.connection->timeout_ms, granted) << wanted;
    EXPECT_EQ(bench.replica.sessions().all().at(peer.session()), granted) << wanted;
  }
}

// Spec: client 2.2 step 7.
TEST(Handshake, RenewalCutsTheOldConnection) {
  Bench bench;
  Peer& old = bench.join();
  const SessionId id = old.session();
  Peer& renewed = bench.open();
  bench.send(renewed, connect_request(
                          {.last_zxid = 1, .timeout_ms = 20000, .session = id, .password = session::password_of(id)}));
  EXPECT_FALSE(bench.replica.journal().has_batch());
  bench.flush();
  EXPECT_EQ(renewed.received, connect_response(20000, id, session::password_of(id)));
  EXPECT_TRUE(old.closed);
  EXPECT_EQ(old.received, "");
  EXPECT_EQ(bench.replica.session_table().timeout_ms(id), 20000);
  EXPECT_EQ(bench.replica.sessions().all().at(id), 10000);  // as it was created
  renewed.received.clear();
  bench.send(renewed, 1, Op::Ping);
  bench.run();
  EXPECT_EQ(renewed.replies().size(), 1U);
}

TEST(Handshake, UnknownSessionIsRefused) {
  Bench bench;
  const SessionId id{0x100000000000009};
  Peer& peer = bench.open();
  bench.send(peer, connect_request({.session = id, .password = session::password_of(id)}));
  bench.run();
  EXPECT_EQ(peer.received, refusal());
  EXPECT_TRUE(peer.closed);
  EXPECT_TRUE(bench.said("Invalid session 0x100000000000009 for client /127.0.0.1:5000, probably expired"));
}

// HARDEN-6, known-faults V6: to know an id is not enough to cut its connection.
TEST(Handshake, WrongPasswordDoesNotTouchTheOwner) {
  Bench bench;
  Peer& owner = bench.join();
  const SessionId id = owner.session();
  const std::string right = session::password_of(id);
  for (const std::string& wrong : {std::string(), std::string(16, '\0'), right.substr(0, 15), right + "x"}) {
    Peer& peer = bench.open();
    bench.send(peer, connect_request({.timeout_ms = 60000, .session = id, .password = wrong}));
    bench.run();
    EXPECT_EQ(peer.received, refusal());
    EXPECT_TRUE(peer.closed);
    ASSERT_FALSE(owner.closed);
  }
  EXPECT_EQ(bench.replica.session_table().timeout_ms(id), 10000);
  EXPECT_TRUE(bench.said("Incorrect password from /127.0.0.1:5000 for session 0x"));
  bench.send(owner, 1, Op::Ping);
  bench.run();
  EXPECT_EQ(owner.replies().size(), 1U);
}

// Spec: client 2.2 step 3; R-N9.
TEST(Handshake, ClientThatHasSeenMoreIsSentAway) {
  Bench bench;
  Peer& owner = bench.join();
  const SessionId id = owner.session();
  Peer& ahead = bench.open();
  bench.send(ahead, connect_request({.last_zxid = 2, .session = id, .password = session::password_of(id)}));
  bench.run();
  EXPECT_TRUE(ahead.closed);
  EXPECT_EQ(ahead.received, "");
  EXPECT_FALSE(owner.closed);
  EXPECT_TRUE(bench.said("as it has seen zxid 0x2 our last zxid is 0x1 client must try another server"));
}

TEST(Handshake, MalformedRequestsClose) {
  Bench bench;
  for (const std::string& bytes : {std::string(), std::string(27, '\0'), connect_request().substr(0, 40)}) {
    Peer& peer = bench.open();
    bench.send(peer, bytes);
    bench.run();
    EXPECT_TRUE(peer.closed);
    EXPECT_EQ(peer.received, "");
  }
  EXPECT_EQ(bench.replica.sessions().size(), 0U);
}

// Spec: client 2.2 step 5, 7.8.
TEST(Handshake, FramesBehindItWaitForTheSession) {
  Bench bench;
  Peer& peer = bench.open();
  bench.send(peer, connect_request());
  bench.send(peer, 1, Op::GetData, path_watch("/", true));
  EXPECT_FALSE(peer.connection->accepts_frames());
  EXPECT_EQ(peer.unread.size(), 1U);
  bench.run();
  const auto frames = frames_in(peer.received);
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames[0].size(), 37U);
  EXPECT_EQ(bench.replica.watches().data_watches(), 1U);
}

/// A burst as Java clients send it: the renewal, then their watches, without waiting for the answer.
void send_burst(Bench& bench, Peer& peer, const ConnectFields& fields) {
  bench.send(peer, connect_request(fields));
  const std::string lists = Bytes().i64(0).texts({"/a"}).texts({"/b"}).texts({"/c"}).texts({"/d"}).texts({"/e"});
  bench.send(peer, -8, Op::SetWatches2, lists);
  bench.send(peer, 1, Op::GetData, path_watch("/", true));
}

// SIM-1382 in small: whatever the reason of the refusal, nothing behind it is looked at.
TEST(Handshake, WatchesOfARefusedRenewalAreNeverRegistered) {
  Bench bench;
  Peer& gone = bench.join(6000);
  const SessionId id = gone.session();
  bench.hang_up(gone);
  bench.tick_at(12000);
  ASSERT_EQ(bench.replica.sessions().size(), 0U);
  const std::string password = session::password_of(id);
  const ConnectFields kCases[] = {{.session = id, .password = password},
                                  {.session = id, .password = std::string(16, 'x')},
                                  {.last_zxid = 99, .session = id, .password = password}};
  for (const ConnectFields& fields : kCases) {
    Peer& peer = bench.open();
    send_burst(bench, peer, fields);
    bench.run();
    EXPECT_TRUE(peer.closed);
    EXPECT_EQ(peer.unread.size(), 2U);
    EXPECT_EQ(peer.received, fields.last_zxid > 0 ? "" : refusal());
    EXPECT_TRUE(bench.replica.watches().empty());
    EXPECT_TRUE(bench.replica.connections().empty());
  }
}

// A session that is ending is refused from the moment its end was prepared (R-N6).
TEST(Handshake, ClosingSessionIsRefused) {
  Bench bench;
  Peer& owner = bench.join();
  const SessionId id = owner.session();
  bench.send(owner, 1, Op::CloseSession);
  Peer& peer = bench.open();
  bench.send(peer, connect_request({.session = id, .password = session::password_of(id)}));
  bench.flush();
  EXPECT_EQ(peer.received, refusal());
  bench.run();
  EXPECT_EQ(bench.replica.sessions().size(), 0U);
  EXPECT_TRUE(bench.replica.connections().empty());
}

// The txn is on its way; the session then waits for its client until it expires.
TEST(Handshake, ClientGoneBeforeItsSessionIsMade) {
  Bench bench;
  Peer& peer = bench.open();
  bench.send(peer, connect_request());
  bench.hang_up(peer);
  bench.run();
  EXPECT_EQ(bench.replica.sessions().size(), 1U);
  EXPECT_EQ(peer.received, "");
  Peer& renewed = bench.open();
  bench.send(renewed, connect_request({.session = first_id(), .password = session::password_of(first_id())}));
  bench.run();
  EXPECT_EQ(renewed.received, connect_response(10000, first_id(), session::password_of(first_id())));
}

// The wall clock went back between two starts: ids of sessions that live on are passed over.
TEST(Handshake, IdsOfTrackedSessionsAreNotGivenAgain) {
  BenchFields fields;
  const int64_t first = first_id().value;
  for (const int64_t taken : {first, first + 1, first + 3}) fields.sessions.add(SessionId{taken}, 30000);
  Bench bench(std::move(fields));
  EXPECT_EQ(bench.join().session().value, first + 2);
  EXPECT_EQ(bench.join().session().value, first + 4);
}

// Spec: client 9.5.
TEST(Handshake, ConnectionThrottleClosesWithoutAnswer) {
  Bench bench(ask::with([](ReplicaSettings& s) {
    s.connection_throttle.tokens = 1;
    s.connection_throttle.fill_time = Millis{1000};
  }));
  bench.join();
  Peer& refused = bench.open();
  bench.send(refused, connect_request());
  bench.run();
  EXPECT_TRUE(refused.closed);
  EXPECT_EQ(refused.received, "");
  EXPECT_EQ(bench.replica.stats().connection_rejected, 1);
  bench.at(1001);
  bench.join();
}

}  // namespace
}  // namespace quorate::replica::testing
