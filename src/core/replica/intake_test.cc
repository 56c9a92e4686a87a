#include <gtest/gtest.h>

#include "core/replica/replica_testing.h"

namespace quorate::replica::testing {
namespace {

std::vector<int32_t> xids(Peer& peer) {
  std::vector<int32_t> all;
  for (const Reply& reply : peer.replies()) all.push_back(reply.xid);
  return all;
}

using Xids = std::vector<int32_t>;

std::string auth_packet(std::string_view scheme, std::string_view data) {
  return Bytes().i32(0).text(scheme).text(data);
}

// Spec: client 9.1: a connection's reads wait behind its own writes, and behind nobody else's.
TEST(Intake, ReadsWaitBehindTheirOwnWritesOnly) {
  Bench bench;
  Peer& writer = bench.join();
  Peer& reader = bench.join();
  bench.send(writer, 1, Op::Exists, path_watch("/a", false));
  bench.send(writer, 2, Op::Create, ask::create("/a"));
  bench.send(writer, 3, Op::Exists, path_watch("/a", false));
  bench.send(writer, 4, Op::SetData, ask::set_data("/a", "new"));
  bench.send(writer, 5, Op::GetData, path_watch("/a", false));
  bench.send(reader, 6, Op::Exists, path_watch("/a", false));
  bench.flush();
  EXPECT_EQ(xids(writer), (Xids{1}));
  EXPECT_EQ(xids(reader), (Xids{6}));
  EXPECT_EQ(bench.replica.requests_in_process(), 4U);
  bench.run();
  const auto replies = writer.replies();
  ASSERT_EQ(replies.size(), 4U);
  EXPECT_EQ(replies[1].xid, 3);
  EXPECT_EQ(replies[1].code, Code::Ok);
  EXPECT_EQ(replies[3].xid, 5);
  EXPECT_TRUE(replies[3].body.starts_with(Bytes().text("new").operator std::string()));
  EXPECT_EQ(bench.replica.requests_in_process(), 0U);
}

// Spec: client 9.6. Two of them do not fit; once the first is durable there is room again.
TEST(Intake, LargeRequestsAreBoundedTogether) {
  Bench bench(ask::with([](ReplicaSettings& s) {
    s.large_request_threshold = 1000;
    s.large_request_max_bytes = 5000;
  }));
  Peer& first = bench.join();
  Peer& second = bench.join();
  const std::string large(3000, 'x');
  bench.send(first, 1, Op::SetData, ask::set_data("/", large));
  bench.send(second, 1, Op::SetData, ask::set_data("/", large));
  bench.flush();
  EXPECT_TRUE(second.closed);
  EXPECT_EQ(bench.replica.stats().large_requests_rejected, 1);
  bench.run();
  bench.send(first, 2, Op::SetData, ask::set_data("/", large));
  bench.send(first, 3, Op::SetData, ask::set_data("/", "small"));
  bench.run();
  EXPECT_EQ(xids(first), (Xids{1, 2, 3}));
}

// One batch at a time: what the first makes durable is answered, reads between included; the rest goes on waiting.
TEST(Intake, EachBatchLetsGoWhatStoodBehindIt) {
  Bench bench;
  Peer& peer = bench.join();
  bench.send(peer, 1, Op::Create, ask::create("/a"));
  bench.send(peer, 2, Op::Ping);
  bench.begin_persist();
  bench.send(peer, 3, Op::Create, ask::create("/b"));
  bench.send(peer, 4, Op::Exists, path_watch("/b", false));
  bench.end_persist();
  bench.flush();
  EXPECT_EQ(xids(peer), (Xids{1, -2}));
  EXPECT_TRUE(bench.persist());
  bench.flush();
  EXPECT_EQ(xids(peer), (Xids{3, 4}));
}

// Spec: client 3.1 rule 2, 8.3.
TEST(Intake, PingsKeepTheSession) {
  Bench bench;
  Peer& peer = bench.join(6000);
  for (int64_t ms = 3000; ms < 60000; ms += 3000) {
    bench.at(ms);
    bench.send(peer, 99, Op::Ping);
    bench.tick_at(ms);
    EXPECT_EQ(peer.replies(), (std::vector<Reply>{{-2, 1, Code::Ok, ""}}));
  }
  bench.tick_at(57000 + 9000);
  EXPECT_TRUE(peer.closed);
}

// Spec: client 10.1: ahead of what was asked before, zxid 0, any xid; and it does not touch the session.
TEST(Intake, AuthIsAnsweredAhead) {
  Bench bench;
  Peer& peer = bench.join();
  bench.send(peer, 1, Op::Create, ask::create("/a"));
  bench.at(4000);
  bench.send(peer, 5, Op::Auth, auth_packet("digest", "bob:pw"));
  bench.send(peer, 6, Op::Sasl, Bytes().text("token"));
  bench.flush();
  EXPECT_EQ(peer.replies(), (std::vector<Reply>{{5, 0, Code::Ok, ""}, {6, 0, Code::Ok, hex("ffffffff")}}));
  EXPECT_EQ(peer.connection->identities.back(), (auth::Identity{"digest", "bob:ikIaKsbtGweaHnb/jKn7OHqbunM="}));
  EXPECT_EQ(peer.connection->outstanding, 1);
  EXPECT_TRUE(bench.said("auth success for scheme digest and address /127.0.0.1:5000"));
  bench.send(peer, -4, Op::Auth, auth_packet("digest", "bob:pw"));
  EXPECT_EQ(peer.connection->identities.size(), 2U);
  EXPECT_EQ(bench.replica.session_table().next_expiry(), Millis{12000});
}

// Spec: client 10.1: an auth that overtakes requests which wait does not speak for them.
TEST(Intake, RequestsCarryTheIdentitiesOfTheirArrival) {
  const std::string bobs = acl_bytes(wire::kPermAll, "digest", "bob:ikIaKsbtGweaHnb/jKn7OHqbunM=");
  ReplicaSettings settings;
  settings.request_throttle.max_requests = 1;
  for (const bool throttled : {false, true}) {
    Bench bench(throttled ? settings : ReplicaSettings());
    Peer& peer = bench.join();
    bench.must(peer, Op::Create, ask::create({.path = "/bobs", .acl = bobs}));
    bench.send(peer, 1, Op::Create, ask::create("/a"));
    bench.send(peer, 2, Op::GetData, path_watch("/bobs", false));
    if (throttled) bench.send(peer, 3, Op::SetAcl, ask::set_acl("/bobs", bobs));
    bench.send(peer, -4, Op::Auth, auth_packet("digest", "bob:pw"));
    bench.send(peer, 4, Op::GetData, path_watch("/bobs", false));
    bench.run();
    std::vector<Code> codes;
    for (const Reply& reply : peer.replies()) codes.push_back(reply.code);
    const std::vector<Code> plain = {Code::Ok, Code::Ok, Code::NoAuth, Code::Ok};
    EXPECT_EQ(codes, throttled ? (std::vector<Code>{Code::Ok, Code::Ok, Code::NoAuth, Code::NoAuth, Code::Ok}) : plain);
  }
}

TEST(Intake, FailedAuthCloses) {
  for (const auto& [body, line] : std::vector<std::pair<std::string, std::string_view>>{
           {auth_packet("nobody", ""), "No authentication provider for scheme: nobody has"},
           {auth_packet("world", ""), "world"},
           {Bytes().i32(0).null().text("x"), "scheme: ?"},
           {"", "scheme: ?"}}) {
    Bench bench;
    Peer& peer = bench.join();
    bench.send(peer, -4, Op::Auth, body);
    bench.send(peer, 1, Op::Create, ask::create("/a"));
    bench.run();
    EXPECT_EQ(peer.replies(), (std::vector<Reply>{{-4, 0, Code::AuthFailed, ""}}));
    EXPECT_TRUE(peer.closed);
    EXPECT_EQ(bench.last_zxid(), 1);
    EXPECT_TRUE(bench.said(line));
  }
}

// Spec: client 10.5.
TEST(Intake, EnforcedSchemesAreAskedOfEveryRequest) {
  for (const Op op : {Op::Ping, Op::CloseSession, Op::SetWatches, Op::Create}) {
    BenchFields fields;
    fields.auth.enforce = true;
    fields.auth.enforce_schemes = {"digest"};
    Bench bench(std::move(fields));
    Peer& refused = bench.join();
    bench.send(refused, 3, op);
    bench.run();
    EXPECT_EQ(refused.replies(), (std::vector<Reply>{{3, 0, Code::SessionClosedRequireSaslAuth, ""}}));
    EXPECT_TRUE(refused.closed);
    Peer& admitted = bench.join();
    bench.send(admitted, -4, Op::Auth, auth_packet("digest", "bob:pw"));
    bench.send(admitted, 3, Op::Ping);
    bench.run();
    EXPECT_EQ(xids(admitted), (Xids{-4, -2}));
  }
}

// Spec: client 3.3; HARDEN-3, 4, 5: in turn, zxid -1, then the connection goes.
TEST(Intake, UnknownTypesAreAnsweredInTurnAndClose) {
  for (const int32_t type : {999, 0, -1, 10, 13, 20, -10, INT32_MIN}) {
    Bench bench;
    Peer& peer = bench.join();
    bench.send(peer, 1, Op::Create, ask::create("/a"));
    bench.send(peer, 2, static_cast<Op>(type), ask::path_only("/a"));
    bench.send(peer, 3, Op::Exists, path_watch("/a", true));
    bench.flush();
    EXPECT_EQ(peer.received, "");
    bench.run();
    const auto replies = peer.replies();
    ASSERT_EQ(replies.size(), 2U) << type;
    EXPECT_EQ(replies[0].xid, 1);
    EXPECT_EQ(replies[1], (Reply{2, -1, Code::Unimplemented, ""}));
    EXPECT_TRUE(peer.closed);
    EXPECT_TRUE(bench.replica.watches().empty());
    EXPECT_EQ(bench.replica.requests_in_process(), 0U);
  }
}

TEST(Intake, HeaderTooShortCloses) {
  for (const size_t bytes : {0, 1, 7}) {
    Bench bench;
    Peer& peer = bench.join();
    bench.send(peer, std::string(bytes, '\0'));
    bench.run();
    EXPECT_TRUE(peer.closed);
    EXPECT_EQ(peer.received, "");
  }
}

// Spec: client 3.5: a record that cannot be read is refused, and the connection stays.
TEST(Intake, UndecodableRecordsAreRefused) {
  Bench bench;
  Peer& peer = bench.join();
  bench.send(peer, 1, Op::GetData, "x");
  bench.send(peer, 2, Op::Create, "x");
  bench.run();
  EXPECT_EQ(peer.replies(),
            (std::vector<Reply>{{1, 1, Code::MarshallingError, ""}, {2, 2, Code::MarshallingError, ""}}));
  EXPECT_FALSE(peer.closed);
}

// Spec: client 3.5: once the session is ending, requests get no answer.
TEST(Intake, RequestsOfAnEndingSessionAreDropped) {
  Bench bench;
  Peer& peer = bench.join(6000);
  bench.at(12000);
  bench.replica.on_tick();
  bench.send(peer, 1, Op::Create, ask::create("/a"));
  bench.send(peer, 2, Op::GetData, path_watch("/", true));
  bench.run();
  EXPECT_EQ(peer.received, "");
  EXPECT_TRUE(peer.closed);
  EXPECT_EQ(bench.last_zxid(), 2);
  EXPECT_TRUE(bench.replica.watches().empty());
}

TEST(Intake, RequestsOfAConnectionThatWentAreCarriedOutSilently) {
  Bench bench;
  Peer& peer = bench.join();
  bench.send(peer, 1, Op::Create, ask::create("/a"));
  bench.send(peer, 2, Op::GetData, path_watch("/", true));
  bench.hang_up(peer);
  bench.run();
  EXPECT_NE(bench.replica.tree().find("/a"), tree::kNoNode);
  EXPECT_EQ(peer.received, "");
  EXPECT_TRUE(bench.replica.watches().empty());
  EXPECT_EQ(bench.replica.requests_in_process(), 0U);
}

ReplicaSettings with_limit(int32_t limit) {
  return ask::with([limit](ReplicaSettings& s) { s.outstanding_limit = limit; });
}

// Spec: client 9.4.
TEST(OutstandingLimit, PausesThoseWithRequestsAndResumes) {
  Bench bench(with_limit(2));
  Peer& busy = bench.join();
  Peer& idle = bench.join();
  for (int32_t xid = 1; xid <= 5; ++xid) bench.send(busy, xid, Op::SetData, ask::set_data("/", "x"));
  EXPECT_EQ(busy.unread.size(), 2U);
  EXPECT_FALSE(busy.connection->accepts_frames());
  bench.send(idle, -2, Op::Ping);  // has nothing outstanding
  bench.send(idle, 7, Op::Exists, path_watch("/", false));
  EXPECT_TRUE(idle.connection->accepts_frames());
  bench.run();
  EXPECT_EQ(xids(busy), (Xids{1, 2, 3, 4, 5}));
  EXPECT_EQ(xids(idle), (Xids{-2, 7}));
  EXPECT_TRUE(busy.connection->accepts_frames());
  EXPECT_EQ(busy.connection->outstanding, 0);
}

// Waiting reads count too, or one write would let a client pile up any number of them.
TEST(OutstandingLimit, CountsReadsThatWait) {
  Bench bench(with_limit(2));
  Peer& peer = bench.join();
  bench.send(peer, 1, Op::SetData, ask::set_data("/", "x"));
  for (int32_t xid = 2; xid <= 9; ++xid) bench.send(peer, xid, Op::Exists, path_watch("/", false));
  EXPECT_EQ(peer.unread.size(), 6U);
  bench.run();
  EXPECT_EQ(xids(peer), (Xids{1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_TRUE(peer.connection->accepts_frames());
}

TEST(OutstandingLimit, LeavesXidsBelowOneAlone) {
  Bench bench(with_limit(0));
  Peer& peer = bench.join();
  for (int32_t i = 0; i < 5; ++i) bench.send(peer, -i, Op::SetData, ask::set_data("/", "x"));
  EXPECT_TRUE(peer.unread.empty());
  bench.run();
  EXPECT_EQ(xids(peer).size(), 5U);
}

TEST(OutstandingLimit, ForgetsTheWaitingOfClosedConnections) {
  Bench bench(with_limit(2));
  Peer& gone = bench.join();
  bench.send(gone, 1, Op::SetData, ask::set_data("/", "x"));
  bench.send(gone, 2, Op::Ping);
  bench.send(gone, 3, Op::Ping);
  EXPECT_EQ(bench.replica.requests_in_process(), 3U);
  bench.hang_up(gone);
  EXPECT_EQ(bench.replica.requests_in_process(), 1U);
  bench.run();
  EXPECT_EQ(bench.replica.requests_in_process(), 0U);
}

}  // namespace
}  // namespace quorate::replica::testing
