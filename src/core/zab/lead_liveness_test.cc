#include <gtest/gtest.h>

#include "core/zab/lead_testing.h"

/// Pings, limits and the quorum, as pages. A tick is 2 s, initLimit 10, syncLimit 5; a beat half a tick.
namespace quorate::zab::lead_testing {
namespace {

using Page = std::vector<std::string>;

std::string last_of(const Page& page) { return page.empty() ? "" : page.back(); }

// Spec: quorum 3.10.
TEST(LeadLiveness, PingsCarryTheLastProposal) {
  Bench bench;
  bench.join(1);
  bench.join(7, true);
  bench.take();
  bench.beat();
  bench.propose(zxid(2, 1));
  bench.beat();
  EXPECT_EQ(bench.take(), (Page{"time 1000", "1 < PING 0x200000000", "7 < PING 0x200000000", "1 < PROPOSAL 0x200000001",
                                "time 2000", "1 < PING 0x200000001", "7 < PING 0x200000001"}));
}

// Rule 27: from NEWLEADER on, though the quorum is not there; not before, for the first packet has to be the sync.
TEST(LeadLiveness, PingsBeforeUpToDate) {
  Bench bench({.voters = 5});
  for (const int64_t sid : {1, 3, 4}) {
    bench.arrive(sid);
    bench.say(sid, follower_info(sid, 1));
  }
  bench.finish_disk();
  bench.beat();
  bench.say(1, ack_epoch(zxid(1, 5), 1));
  bench.say(3, ack_epoch({-1}, -1));
  bench.say(4, ack_epoch(zxid(1, 5), 1));
  bench.finish_disk();
  bench.say(1, ack(zxid(2, 0)));
  bench.take();
  bench.beat();
  EXPECT_EQ(bench.take(), (Page{"time 2000", "1 < PING 0x200000000", "4 < PING 0x200000000"}));
  EXPECT_EQ(bench.lead.phase(), LeadPhase::Synchronising);
}

// Who has acknowledged has to wait for the others, so no word of it is expected for longer than the sync limit.
TEST(LeadLiveness, ALearnerThatWaitsForTheOthersIsNotSilent) {
  Bench bench({.voters = 5});
  for (const int64_t sid : {1, 3}) {
    bench.arrive(sid);
    bench.say(sid, follower_info(sid, 1));
  }
  bench.finish_disk();
  for (const int64_t sid : {1, 3}) bench.say(sid, ack_epoch(zxid(1, 5), 1));
  bench.finish_disk();
  bench.say(1, ack(zxid(2, 0)));
  bench.beat(19);
  EXPECT_TRUE(bench.knows(1));
  bench.say(3, ack(zxid(2, 0)));
  bench.beat(2);
  EXPECT_EQ(bench.lead.phase(), LeadPhase::Broadcast);
  EXPECT_EQ(bench.phase_of(1), LearnerPhase::Live);
}

TEST(LeadLiveness, PhasesHaveALimit) {
  struct Case {
    const char* why;
    int steps;
  };
  const Case cases[] = {
      {"Timeout while waiting for epoch from quorum", 0},
      {"Timeout while waiting for an epoch file to be written", 1},
      {"Timeout while waiting for epoch to be acked by quorum", 2},
      {"Timeout while waiting for an epoch file to be written", 3},
      {"Timeout while waiting for NEWLEADER to be acked by quorum", 4},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    Bench bench;
    bench.beat(3);
    bench.arrive(1);
    if (c.steps >= 1) bench.say(1, follower_info(1, 1));
    if (c.steps >= 2) bench.finish_disk();
    if (c.steps >= 3) bench.say(1, ack_epoch(zxid(1, 5), 1));
    if (c.steps >= 4) bench.finish_disk();
    bench.beat(c.steps == 0 ? 16 : 19);
    EXPECT_NE(bench.lead.phase(), LeadPhase::Over);
    bench.beat();
    EXPECT_EQ(bench.lead.phase(), LeadPhase::Over);
    EXPECT_EQ(bench.lead.reason(), c.why);
    EXPECT_EQ(last_of(bench.take()), "1 closed");
  }
}

// Known-faults 1697: a large tree takes its time; who takes none of it does not get more.
TEST(LeadLiveness, LimitsAreForProgress) {
  Bench bench;
  bench.arrive(1);
  bench.say(1, follower_info(1, 1));
  bench.arrive(3);
  bench.say(3, follower_info(3, 1));
  bench.finish_disk();
  bench.say(3, ack_epoch({-1}, 1));
  bench.say(1, ack_epoch(zxid(1, 5), 1));
  bench.finish_disk();
  bench.leave(1);
  for (int count = 0; count < 10; ++count) {
    bench.beat(15);
    bench.lead.on_tree_progress(Bench::link(3), bench.now);
  }
  EXPECT_EQ(bench.phase_of(3), LearnerPhase::ReceivingTree);
  bench.send_tree(3);
  bench.beat(19);
  bench.say(3, ack(zxid(2, 0)));
  EXPECT_EQ(bench.lead.phase(), LeadPhase::Broadcast);
  bench.arrive(1);
  bench.say(1, follower_info(1, 1));
  bench.say(1, ack_epoch({-1}, -1));
  for (int count = 0; count < 20; ++count) {
    bench.say(3, ping());
    EXPECT_TRUE(bench.knows(1));
    bench.beat();
  }
  EXPECT_FALSE(bench.knows(1));
}

TEST(LeadLiveness, SilentLearners) {
  struct Case {
    const char* why;
    int steps;
    int beats;
  };
  const Case cases[] = {
      {"it does not say who it is", 0, 20},
      {"it does not answer LEADERINFO", 1, 20},
      {"it does not acknowledge NEWLEADER", 2, 20},
      {"it does not answer pings", 3, 10},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    Bench bench;
    bench.join(1);
    bench.arrive(3);
    if (c.steps >= 1) bench.say(3, follower_info(3, 1));
    if (c.steps >= 2) bench.say(3, ack_epoch(zxid(1, 5), 1));
    if (c.steps >= 3) bench.say(3, ack(zxid(2, 0)));
    for (int beat = 0; beat < c.beats; ++beat) {
      EXPECT_TRUE(bench.knows(3));
      bench.say(1, ping());
      bench.take();
      bench.beat();
    }
    EXPECT_FALSE(bench.knows(3));
    EXPECT_TRUE(bench.knows(1));
    EXPECT_TRUE(std::ranges::count_if(
        bench.take(), [](const std::string& line) { return line.ends_with("it was silent for too long"); }));
  }
}

// Rule 49.
TEST(LeadLiveness, WithoutAQuorumItStepsDown) {
  Bench bench;
  bench.join(1);
  bench.join(7, true);
  bench.beat(4);
  bench.say(1, ping());
  bench.say(7, ping());
  bench.leave(1);
  bench.take();
  bench.beat();
  EXPECT_EQ(bench.lead.phase(), LeadPhase::Broadcast);
  bench.beat();
  EXPECT_EQ(bench.take(),
            (Page{"time 5000", "7 < PING 0x200000000", "time 6000",
                  "Shutdown called. For the reason Not sufficient followers synced, only synced with sids: [ 2 ]",
                  "7 closed"}));
  EXPECT_GT(bench.lead.next_time().value, int64_t{1} << 50);
}

// A learner that is being synchronised counts for a while.
TEST(LeadLiveness, TheQuorumWhileOneLearnerTakesThePlaceOfAnother) {
  Bench bench;
  bench.join(1);
  bench.arrive(3);
  bench.say(3, follower_info(3, 1));
  bench.say(3, ack_epoch({-1}, 1));
  bench.leave(1);
  bench.beat(10);
  EXPECT_EQ(bench.lead.phase(), LeadPhase::Broadcast);
  bench.beat(2);
  EXPECT_EQ(bench.lead.phase(), LeadPhase::Over);
}

// Spec: quorum 3.10. It answers pings, so its network is well; its disk is not.
TEST(LeadLiveness, AProposalThatALearnerDoesNotAcknowledge) {
  Bench bench;
  bench.join(1);
  bench.join(3);
  const auto beat = [&] {
    for (const int64_t sid : {1, 3}) bench.say(sid, ping());
    bench.beat();
  };
  for (int64_t counter = 1; counter <= 3; ++counter) {
    bench.propose(zxid(2, counter));
    bench.persist();
    bench.say(1, ack(zxid(2, counter)));
    for (int count = 0; count < 3; ++count) beat();
  }
  bench.say(3, ack(zxid(2, 1)));  // from now on the newest one is timed
  for (int count = 0; count < 9; ++count) beat();
  EXPECT_TRUE(bench.knows(3));
  bench.take();
  beat();
  EXPECT_FALSE(bench.knows(3));
  EXPECT_TRUE(bench.knows(1));
  EXPECT_TRUE(std::ranges::count(bench.take(),
                                 "Closing connection to learner sid: 3: proposal 0x200000003 was not "
                                 "acknowledged in time"));
}

// A proposal of its sync that a learner acknowledged before ACK(NEWLEADER) is not awaited again.
TEST(LeadLiveness, ProposalsOfTheSyncAreNotTimed) {
  Bench bench({.voters = 5});
  for (const int64_t sid : {1, 3, 4}) {
    bench.arrive(sid);
    bench.say(sid, follower_info(sid, 1));
  }
  bench.finish_disk();
  for (const int64_t sid : {1, 3}) bench.say(sid, ack_epoch(zxid(1, 5), 1));
  bench.finish_disk();
  for (const int64_t sid : {1, 3}) bench.say(sid, ack(zxid(2, 0)));
  bench.propose(zxid(2, 1));  // lacks a third disk
  bench.say(4, ack_epoch(zxid(1, 5), 1));
  bench.say(4, ack(zxid(2, 1)));
  bench.say(4, ack(zxid(2, 0)));
  for (int count = 0; count < 20; ++count) {
    bench.say(4, ping());
    bench.say(3, ping());
    bench.say(1, ping());
    if (count == 5) {
      for (const int64_t sid : {1, 3}) bench.say(sid, ack(zxid(2, 1)));
    }
    bench.beat();
  }
  for (const int64_t sid : {1, 3, 4}) EXPECT_TRUE(bench.knows(sid));
}

// What learners sent while this process slept is read after the wake-up: a pause of ours is not their silence.
TEST(LeadLiveness, APauseOfTheLeaderItself) {
  Bench bench;
  bench.join(1);
  bench.propose(zxid(2, 1));
  bench.now = {30000};
  bench.lead.on_time(bench.now);
  bench.look();
  EXPECT_TRUE(bench.knows(1));
  EXPECT_EQ(bench.lead.next_time(), Millis{31000});
  bench.beat(8);
  EXPECT_TRUE(bench.knows(1));
  bench.beat(2);
  EXPECT_FALSE(bench.knows(1));
}

// Beats come in time, whoever asks.
TEST(LeadLiveness, TimeThatHasNotCome) {
  Bench bench;
  bench.join(1);
  bench.take();
  bench.lead.on_time({999});
  bench.look();
  EXPECT_EQ(bench.take(), Page{});
  EXPECT_EQ(bench.lead.next_time(), Millis{1000});
}

}  // namespace
}  // namespace quorate::zab::lead_testing
