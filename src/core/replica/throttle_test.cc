#include <gtest/gtest.h>

#include "core/replica/replica_testing.h"

namespace quorate::replica::testing {
namespace {

/// One write in process at most.
template <class Edit>
ReplicaSettings throttled(Edit&& edit) {
  ReplicaSettings settings;
  settings.request_throttle.max_requests = 1;
  edit(settings.request_throttle);
  return settings;
}
ReplicaSettings throttled() {
  return throttled([](RequestThrottleSettings&) {});
}

void fill(Bench& bench, Peer& peer) { bench.send(peer, 100, Op::SetData, ask::set_data("/", "x")); }

// Spec: client 9.7.
TEST(RequestThrottle, FramesOfAllConnectionsWaitInOrder) {
  Bench bench(throttled());
  Peer& first = bench.join();
  Peer& second = bench.join();
  fill(bench, first);
  bench.send(second, 1, Op::Exists, path_watch("/a", false));
  bench.send(first, 2, Op::Create, ask::create("/a"));
  bench.send(second, 3, Op::Exists, path_watch("/a", false));
  bench.send(first, 4, Op::Create, ask::create("/b"));
  bench.flush();
  EXPECT_EQ(second.received, "");
  EXPECT_EQ(bench.replica.requests_in_process(), 5U);
  EXPECT_EQ(bench.replica.stats().request_throttle_wait_count, 4);

  EXPECT_TRUE(bench.persist());
  EXPECT_TRUE(bench.replica.journal().has_batch());
  bench.flush();
  EXPECT_EQ(second.replies(), (std::vector<Reply>{{1, 3, Code::NoNode, ""}}));
  bench.run();
  const auto replies = second.replies();
  ASSERT_EQ(replies.size(), 1U);
  EXPECT_EQ(replies[0].xid, 3);
  EXPECT_EQ(replies[0].code, Code::Ok);
  EXPECT_EQ(first.replies().size(), 3U);
  EXPECT_EQ(bench.replica.requests_in_process(), 0U);
}

TEST(RequestThrottle, OffLetsEverythingPass) {
  Bench bench;
  Peer& peer = bench.join();
  for (int i = 0; i < 100; ++i) fill(bench, peer);
  EXPECT_EQ(bench.replica.journal().open_txns(), 100);
  EXPECT_EQ(bench.replica.stats().request_throttle_wait_count, 0);
}

// Spec: client 9.7: in order, without being carried out; pings and closeSession are exempt.
TEST(RequestThrottle, ThoseThatWaitedTooLongAreRefusedInTheirTurn) {
  Bench bench(throttled([](auto& t) { t.throttled_op_wait_time = Millis{50}; }));
  Peer& peer = bench.join();
  fill(bench, peer);
  bench.send(peer, 1, Op::Create, ask::create("/early"));
  bench.at(30);
  bench.send(peer, 2, Op::Ping);
  bench.at(60);
  bench.send(peer, 3, Op::Create, ask::create("/fine"));
  bench.persist();
  bench.flush();
  EXPECT_EQ(bench.replica.stats().throttled_ops, 1);
  bench.run();
  auto replies = peer.replies();
  ASSERT_EQ(replies.size(), 4U);
  EXPECT_EQ(replies[1], (Reply{1, 2, Code::ThrottledOp, ""}));
  EXPECT_EQ(replies[2].xid, -2);
  EXPECT_EQ(replies[3].code, Code::Ok);
  EXPECT_EQ(bench.replica.tree().find("/early"), tree::kNoNode);
  EXPECT_NE(bench.replica.tree().find("/fine"), tree::kNoNode);
  EXPECT_EQ(peer.connection->outstanding, 0);
}

// The refusal of the second must not overtake the first, which went to the log.
TEST(RequestThrottle, RefusalWaitsBehindAWriteOfItsConnection) {
  Bench bench(throttled([](auto& t) { t.throttled_op_wait_time = Millis{50}; }));
  Peer& other = bench.join();
  Peer& peer = bench.join();
  fill(bench, other);
  bench.at(10);
  bench.send(other, 101, Op::Ping);
  bench.at(60);
  bench.send(peer, 1, Op::Create, ask::create("/a"));
  bench.at(100);
  bench.persist();  // /a goes to the log
  bench.send(peer, 2, Op::Create, ask::create("/b"));
  bench.at(200);
  bench.flush();
  EXPECT_EQ(peer.received, "");
  bench.run();
  const auto replies = peer.replies();
  ASSERT_EQ(replies.size(), 2U);
  EXPECT_EQ(replies[0].xid, 1);
  EXPECT_EQ(replies[0].code, Code::Ok);
  EXPECT_EQ(replies[1], (Reply{2, replies[0].zxid, Code::ThrottledOp, ""}));
}

// A paused connection whose last requests are all refused must be read again.
TEST(RequestThrottle, RefusalsResumeAPausedConnection) {
  ReplicaSettings settings = throttled([](auto& t) { t.throttled_op_wait_time = Millis{50}; });
  settings.outstanding_limit = 1;
  Bench bench(settings);
  Peer& other = bench.join();
  Peer& peer = bench.join();
  fill(bench, other);
  bench.send(peer, 1, Op::Create, ask::create("/a"));
  EXPECT_FALSE(peer.connection->accepts_frames());
  bench.at(100);
  bench.persist();
  bench.flush();
  EXPECT_EQ(peer.replies(), (std::vector<Reply>{{1, 3, Code::ThrottledOp, ""}}));
  EXPECT_TRUE(peer.connection->accepts_frames());
}

TEST(RequestThrottle, FramesOfClosedConnectionsAreDropped) {
  Bench bench(throttled());
  Peer& peer = bench.join();
  Peer& gone = bench.join();
  fill(bench, peer);
  bench.send(gone, 1, Op::Create, ask::create("/a"));
  bench.hang_up(gone);
  bench.run();
  EXPECT_EQ(bench.replica.tree().find("/a"), tree::kNoNode);
  EXPECT_EQ(bench.replica.stats().stale_requests_dropped, 1);
  EXPECT_EQ(bench.replica.connections().size(), 1U);
}

TEST(RequestThrottle, StaleRequestsCloseTheirConnection) {
  Bench bench(throttled([](auto& t) { t.stale_latency_check = true; }));
  Peer& peer = bench.join(6000);
  Peer& other = bench.join(60000);
  fill(bench, other);
  bench.send(peer, 1, Op::Create, ask::create("/a"));
  bench.send(peer, 2, Op::Create, ask::create("/b"));
  bench.at(6001);
  bench.run();
  EXPECT_TRUE(peer.closed);
  EXPECT_EQ(peer.received, "");
  EXPECT_EQ(bench.replica.stats().stale_requests_dropped, 2);
  EXPECT_EQ(bench.replica.tree().find("/a"), tree::kNoNode);
  EXPECT_TRUE(bench.replica.sessions().contains(other.session()));
}

TEST(RequestThrottle, CloseSessionIsNeverStale) {
  Bench bench(throttled([](auto& t) { t.stale_latency_check = true; }));
  Peer& peer = bench.join(6000);
  Peer& other = bench.join(60000);
  fill(bench, other);
  bench.send(peer, 1, Op::CloseSession);
  bench.send(peer, 2, Op::Create, ask::create("/a"));
  bench.at(6001);
  bench.run();
  EXPECT_EQ(peer.replies(), (std::vector<Reply>{{1, 4, Code::Ok, ""}}));
  EXPECT_TRUE(peer.closed);
  EXPECT_EQ(bench.replica.tree().find("/a"), tree::kNoNode);
}

// Spec: client 8.3: the session is looked at when the frame leaves the throttle.
TEST(RequestThrottle, FramesOfAnEndingSessionAreDropped) {
  ReplicaSettings settings = throttled();
  settings.request_throttle.max_requests = 2;
  Bench bench(settings);
  Peer& peer = bench.join(6000);
  Peer& other = bench.join(60000);
  fill(bench, other);
  fill(bench, other);
  bench.send(peer, 1, Op::GetData, path_watch("/", true));
  bench.send(peer, 2, Op::Create, ask::create("/a"));
  bench.begin_persist();
  bench.at(12000);
  bench.replica.on_tick();  // the end of the session is prepared, not yet applied
  bench.end_persist();
  bench.flush();
  EXPECT_EQ(peer.received, "");
  EXPECT_FALSE(peer.closed);
  EXPECT_TRUE(bench.replica.watches().empty());
  EXPECT_TRUE(bench.persist());
  bench.flush();
  EXPECT_TRUE(peer.closed);
  EXPECT_EQ(bench.replica.tree().find("/a"), tree::kNoNode);
  EXPECT_EQ(bench.replica.requests_in_process(), 0U);
}

}  // namespace
}  // namespace quorate::replica::testing
