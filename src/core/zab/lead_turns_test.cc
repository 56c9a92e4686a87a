#include <gtest/gtest.h>

#include "core/zab/lead_established_testing.h"

/// Learners that wait for others' syncs to end, as pages: a tree is read for one at a time, and observers' syncs are
/// limited (known-faults R-S5). A tick is 2 s, initLimit 10, syncLimit 5; a beat half a tick.
namespace quorate::zab::lead_testing {
namespace {

using Page = std::vector<std::string>;

/// 3 receives the tree, 7 waits for it.
struct Busy : Leader {
  explicit Busy(Start start = {}) : Leader(std::move(start)) {
    EXPECT_EQ(come(3, {-1}), (Page{"3 < SNAP 0x200000002", "3 tree"}));
    EXPECT_EQ(come(7, {-1}, true), Page{});
    EXPECT_EQ(phase_of(7), LearnerPhase::AwaitingTurn);
  }
  /// Time passes; the server that the quorum needs goes on living.
  void pass(int beats) {
    say(1, ack(zxid(2, 3)));
    for (; beats > 0; --beats) {
      say(1, ping());
      beat();
    }
  }
};

// The journal has moved on while it waited: the tree is as of now, and what was proposed meanwhile is in it or behind.
TEST(LeadTurns, OneTreeAtATime) {
  Busy leader;
  leader.say(1, ack(zxid(2, 3)));
  leader.propose_durable(1);
  leader.say(1, ack(zxid(2, 4)));
  leader.persist();
  leader.pass(1);
  EXPECT_EQ(leader.take(7), Page{});
  leader.send_tree(3);
  EXPECT_EQ(leader.take(7), (Page{"7 < SNAP 0x200000004", "7 tree"}));
  leader.send_tree(7);
  leader.say(7, ack(zxid(2, 0)));
  EXPECT_EQ(leader.take(7), (Page{"7 < the tree", "7 < NEWLEADER 0x200000000", "7 > ACK 0x200000000",
                                  "7 < UPTODATE 0xffffffffffffffff"}));
}

TEST(LeadTurns, TheTurnComesWhenTheOneInFrontIsGone) {
  const std::pair<const char*, void (*)(Busy&)> cases[] = {
      {"hung up", [](Busy& leader) { leader.leave(3); }},
      {"spoke out of turn", [](Busy& leader) { leader.say(3, ack(zxid(2, 0))); }},
      {"fell silent", [](Busy& leader) { leader.pass(20); }},
      {"came again",
       [](Busy& leader) {
         leader.lead.on_learner({31}, leader.now);
         wire::QuorumPacket hello;
         const std::string bytes = follower_info(3, 1);
         wire::cut_packet(bytes, 1 << 20, hello);
         leader.lead.on_packet({31}, hello, leader.now);
         leader.look();
       }},
  };
  for (const auto& [why, end] : cases) {
    SCOPED_TRACE(why);
    Busy leader;
    end(leader);
    EXPECT_FALSE(leader.knows(3));
    EXPECT_EQ(leader.take(7), (Page{"7 < SNAP 0x200000002", "7 tree"}));
  }
}

// What was dropped between two inputs of the network gives its turn with the next beat.
TEST(LeadTurns, TheTurnOfOneThatIsTooSlow) {
  Start start;
  start.settings.max_queued_bytes = 1000;
  Busy leader(start);
  for (int64_t counter = 4; counter <= 6; ++counter) leader.propose(zxid(2, counter), txn(zxid(2, counter), 400));
  EXPECT_FALSE(leader.knows(3));
  EXPECT_EQ(leader.phase_of(7), LearnerPhase::AwaitingTurn);
  leader.beat();
  EXPECT_EQ(leader.phase_of(7), LearnerPhase::ReceivingTree);
}

TEST(LeadTurns, VotersGoFirst) {
  Leader leader;
  leader.come(6, {-1}, true);
  leader.come(7, {-1}, true);
  EXPECT_EQ(leader.come(3, {-1}), Page{});
  leader.send_tree(6);
  EXPECT_EQ(leader.phase_of(3), LearnerPhase::ReceivingTree);
  EXPECT_EQ(leader.phase_of(7), LearnerPhase::AwaitingTurn);
  leader.leave(7);
  leader.send_tree(3);
  EXPECT_FALSE(leader.knows(7));
}

TEST(LeadTurns, WhoWaitsIsNotToldAnything) {
  Busy leader;
  leader.take();
  leader.propose_durable(2);
  leader.say(1, ack(zxid(2, 3)));
  leader.pass(2);
  EXPECT_EQ(leader.take(7), Page{});
  leader.say(7, ping());
  EXPECT_FALSE(leader.knows(7));
}

TEST(LeadTurns, OthersWaitAsLongAsTheTreeInFrontGetsOn) {
  Busy leader;
  for (int round = 0; round < 10; ++round) {
    leader.pass(15);
    leader.lead.on_tree_progress(Bench::link(3), leader.now);
  }
  ASSERT_TRUE(leader.knows(3));
  ASSERT_TRUE(leader.knows(7));
  leader.pass(20);
  EXPECT_FALSE(leader.knows(3));
  EXPECT_EQ(leader.phase_of(7), LearnerPhase::ReceivingTree);
  leader.pass(20);
  EXPECT_FALSE(leader.knows(7));
}

// A follower that needs its tree for the quorum is not taken for a lost one while another's tree is on its way.
TEST(LeadTurns, ANewLeaderHasPatienceWithThoseWhoWait) {
  Bench bench({.voters = 5});
  for (const int64_t sid : {1, 3, 4, 5}) {
    bench.arrive(sid);
    bench.say(sid, follower_info(sid, 1));
  }
  bench.finish_disk();
  for (const int64_t sid : {4, 5}) bench.say(sid, ack_epoch(zxid(1, 5), 1));
  bench.finish_disk();
  bench.say(4, ack(zxid(2, 0)));
  bench.leave(5);
  for (const int64_t sid : {1, 3}) bench.say(sid, ack_epoch({-1}, 0));
  bench.leave(1);
  bench.arrive(7);
  bench.say(7, observer_info(7, 1) + ack_epoch({-1}, 0));
  bench.leave(3);
  ASSERT_EQ(bench.phase_of(7), LearnerPhase::ReceivingTree);
  bench.arrive(1);
  bench.say(1, follower_info(1, 2) + ack_epoch({-1}, -1));
  ASSERT_EQ(bench.phase_of(1), LearnerPhase::AwaitingTurn);
  for (int round = 0; round < 10; ++round) {
    bench.say(4, ping());
    bench.beat(15);
    bench.lead.on_tree_progress(Bench::link(7), bench.now);
  }
  ASSERT_EQ(bench.lead.phase(), LeadPhase::Synchronising);
  bench.send_tree(7);
  bench.send_tree(1);
  bench.say(1, ack(zxid(2, 0)));
  EXPECT_EQ(bench.lead.phase(), LeadPhase::Broadcast);
}

// The log was asked once and did not serve: that is remembered while the learner waits.
TEST(LeadTurns, ATreeInPlaceOfHistoryWaitsToo) {
  Leader leader;
  EXPECT_EQ(leader.come(3, zxid(1, 3)), Page{"3 history 0x100000003 to 0x100000005"});
  leader.come(7, {-1}, true);
  leader.lead.on_no_history(Bench::link(3), leader.now);
  leader.look();
  EXPECT_EQ(leader.phase_of(3), LearnerPhase::AwaitingTurn);
  leader.take();
  leader.send_tree(7);
  EXPECT_EQ(leader.take(3), (Page{"3 < SNAP 0x200000002", "3 tree"}));
}

// What it needs may be less by then.
TEST(LeadTurns, TheSyncIsChosenAnew) {
  Start start;
  start.settings.sync.max_diff_syncs = 1;
  Leader leader(start);
  leader.come(6, zxid(2, 1), true);
  EXPECT_EQ(leader.come(7, zxid(2, 1), true), Page{});
  leader.propose_durable(1);
  leader.say(1, ack(zxid(2, 3)));
  leader.take();
  leader.say(6, ack(zxid(2, 0)));
  EXPECT_EQ(leader.take(7), (Page{"7 < DIFF 0x200000003", "7 < PROPOSAL 0x200000002", "7 < COMMIT 0x200000002",
                                  "7 < PROPOSAL 0x200000003", "7 < COMMIT 0x200000003", "7 < NEWLEADER 0x200000000"}));
}

// Spec: quorum 3.5, throttling: a sync ends with ACK(NEWLEADER), and followers are exempt.
TEST(LeadTurns, ObserversWaitForSyncsOfTheirKind) {
  struct Case {
    Zxid last;
    bool tree;
  };
  for (const auto& [last, tree] : {Case{{-1}, true}, Case{zxid(2, 1), false}}) {
    SCOPED_TRACE(tree);
    Start start;
    start.settings.sync.max_trees = 5;
    (tree ? start.settings.sync.max_snap_syncs : start.settings.sync.max_diff_syncs) = 1;
    Leader leader(start);
    leader.come(6, last, true);
    if (tree) leader.send_tree(6);
    EXPECT_EQ(leader.phase_of(6), LearnerPhase::Synchronising);
    EXPECT_EQ(leader.come(7, last, true), Page{});
    EXPECT_NE(leader.come(8, tree ? zxid(2, 1) : Zxid{-1}, true), Page{});
    EXPECT_NE(leader.come(3, last), Page{});
    leader.say(6, ack(zxid(2, 0)));
    EXPECT_EQ(leader.phase_of(7), LearnerPhase::AwaitingTurn);  // 3 counts, too
    leader.leave(3);
    EXPECT_GT(leader.phase_of(7), LearnerPhase::AwaitingTurn);
  }
}

}  // namespace
}  // namespace quorate::zab::lead_testing
