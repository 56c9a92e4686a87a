#include <gtest/gtest.h>

#include <functional>

#include "core/zab/elect.h"
#include "core/zab/elect_testing.h"

/// What a server decides, and when.
namespace quorate::zab {
namespace {

using testing::kFollowing;
using testing::kLeading;
using testing::kLooking;
using testing::kObserving;
using testing::Lines;
using testing::majority_of;
using testing::Probe;
using testing::vote;
using testing::voters_to;
using wire::PeerState;

TEST(ElectDecides, AloneWeLeadAtOnce) {
  Probe probe(7, Electorate(majority_of({7})));
  probe.look(0x105, 1);
  EXPECT_EQ(probe.outcome(), "leads 7");
  EXPECT_EQ(probe.said(), Lines{});
  EXPECT_EQ(probe.elect.current(), vote(7, 0x105, 1, 1));
}

// Spec: quorum 2.5, rule 14.
TEST(ElectDecides, QuorumOfLookingVotesIsFollowedByAWait) {
  Probe probe(2, voters_to(3));
  probe.look(0x105, 1);
  probe.wait(50);
  probe.hear(1, kLooking, vote(2, 0x105, 1, 1));
  probe.wait(199);
  EXPECT_EQ(probe.outcome(), "looks");
  probe.wait(1);
  EXPECT_EQ(probe.outcome(), "leads 2");
  EXPECT_EQ(probe.elect.current(), vote(2, 0x105, 1, 1));
}

// Known-faults R-D6: others may not have noticed that their leader has been away, and what it has lost.
TEST(ElectDecides, WithoutAHistoryNobodyLeadsThoughOthersFollow) {
  for (const bool lost : {true, false}) {
    Probe probe(3, voters_to(3));
    probe.look(lost ? -1 : 0x105, 1);
    for (const int64_t voter : {1, 2}) probe.hear(voter, kFollowing, vote(3, 0x105, 1, 1));
    EXPECT_EQ(probe.outcome(), lost ? "looks" : "leads 3");
  }
}

TEST(ElectDecides, WithoutAHistoryWeAskHowTheElectionOfOthersWent) {
  Probe probe(3, voters_to(3));
  probe.look(-1, 1);
  probe.wait(100000);
  probe.said();
  probe.hear(1, kLooking, vote(1, 0x105, 1, 1));
  probe.wait(999);
  EXPECT_EQ(probe.said(), Lines{});
  probe.wait(1);
  EXPECT_EQ(probe.said().size(), 2U);
  for (const int64_t voter : {2, 1}) probe.hear(voter, voter == 2 ? kLeading : kFollowing, vote(2, 0x105, 1, 1));
  EXPECT_EQ(probe.outcome(), "follows 2");
}

TEST(ElectDecides, OwnVoteCountsOnce) {
  Probe probe(2, voters_to(5));
  probe.look(0x105, 1);
  probe.hear(2, kLooking, vote(2, 0x105, 1, 1));
  probe.hear(1, kLooking, vote(2, 0x105, 1, 1));
  probe.hear(1, kLooking, vote(2, 0x105, 1, 1));
  probe.wait(5000);
  EXPECT_EQ(probe.outcome(), "looks");
  probe.hear(4, kLooking, vote(2, 0x105, 1, 1));
  probe.wait(200);
  EXPECT_EQ(probe.outcome(), "leads 2");
}

TEST(ElectDecides, BetterVoteDuringTheWaitBeginsANewOne) {
  Probe probe(2, voters_to(5));
  probe.look(0x105, 1);
  for (const int64_t voter : {1, 3}) probe.hear(voter, kLooking, vote(2, 0x105, 1, 1));
  probe.wait(150);
  probe.hear(4, kLooking, vote(4, 0x105, 1, 1));
  probe.wait(150);
  EXPECT_EQ(probe.outcome(), "looks");
  for (const int64_t voter : {1, 3}) probe.hear(voter, kLooking, vote(4, 0x105, 1, 1));
  probe.wait(199);
  EXPECT_EQ(probe.outcome(), "looks");
  probe.wait(1);
  EXPECT_EQ(probe.outcome(), "follows 4");
}

// Also when there is a quorum for the better one at once: who proposed it has not spoken itself.
TEST(ElectDecides, BetterVoteWithAQuorumIsWaitedForAsLong) {
  Probe probe(2, voters_to(3));
  probe.look(0x105, 1);
  probe.hear(1, kLooking, vote(2, 0x105, 1, 1));
  probe.wait(150);
  probe.hear(1, kLooking, vote(3, 0x105, 1, 1));
  probe.wait(199);
  EXPECT_EQ(probe.outcome(), "looks");
  probe.wait(1);
  EXPECT_EQ(probe.outcome(), "follows 3");
}

// The wait has a fixed end: who repeats a worse vote does not hold us up.
TEST(ElectDecides, WorseVotesDoNotProlongTheWait) {
  Probe probe(4, voters_to(5));
  probe.look(0x105, 1);
  for (const int64_t voter : {1, 3}) probe.hear(voter, kLooking, vote(4, 0x105, 1, 1));
  for (int i = 0; i < 4; ++i) {
    probe.wait(45);
    probe.hear(2, kLooking, vote(2, 0x105, 1, 1));
  }
  EXPECT_EQ(probe.outcome(), "looks");
  probe.wait(20);
  EXPECT_EQ(probe.outcome(), "leads 4");
}

TEST(ElectDecides, LaterRoundDuringTheWaitBeginsAnew) {
  Probe probe(2, voters_to(3));
  probe.look(0x105, 1);
  probe.hear(1, kLooking, vote(2, 0x105, 1, 1));
  probe.wait(100);
  probe.hear(1, kLooking, vote(1, 0x105, 2, 1));
  probe.wait(1000);
  EXPECT_EQ(probe.outcome(), "looks");
  probe.hear(1, kLooking, vote(2, 0x105, 2, 1));
  probe.wait(200);
  EXPECT_EQ(probe.outcome(), "leads 2");
  EXPECT_EQ(probe.elect.current().round, 2);
}

// Rule 14: no wait when no better vote can come. Server 2 of 3; 1 has voted for 2.
TEST(ElectDecides, WaitEndsEarlyWhenNoBetterVoteCanCome) {
  struct Case {
    const char* why;
    std::function<void(Probe&)> act;
    bool early;
  };
  const Case cases[] = {
      {"nothing known of 3", [](Probe&) {}, false},
      {"3 is connected and silent", [](Probe& p) { p.reach(3, Reach::Open); }, false},
      {"3 refuses", [](Probe& p) { p.reach(3, Reach::Refused); }, true},
      {"3 is lost, but not dialed yet", [](Probe& p) { p.reach(3, Reach::Open), p.reach(3, Reach::Unknown); }, false},
      {"3 votes alike", [](Probe& p) { p.hear(3, kLooking, vote(2, 0x105, 1, 1)); }, true},
      {"3 votes worse", [](Probe& p) { p.hear(3, kLooking, vote(3, 0x100, 1, 1)); }, false},
      {"3 voted worse and died",
       [](Probe& p) { p.hear(3, kLooking, vote(3, 0x100, 1, 1)), p.reach(3, Reach::Refused); }, true},
      {"1, who voted alike, is lost", [](Probe& p) { p.reach(1, Reach::Unknown), p.reach(3, Reach::Refused); }, true},
      {"a stranger refuses", [](Probe& p) { p.reach(9, Reach::Refused); }, false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    Probe probe(2, voters_to(3));
    probe.look(0x105, 1);
    probe.hear(1, kLooking, vote(2, 0x105, 1, 1));
    c.act(probe);
    EXPECT_EQ(probe.outcome(), c.early ? "leads 2" : "looks");
    probe.wait(200);
    EXPECT_EQ(probe.outcome(), "leads 2");
  }
}

TEST(ElectDecides, RefusalsBeforeAQuorumDecideNothing) {
  Probe probe(2, voters_to(3));
  probe.look(0x105, 1);
  probe.reach(1, Reach::Refused);
  probe.reach(3, Reach::Refused);
  probe.wait(60000);
  EXPECT_EQ(probe.outcome(), "looks");
}

TEST(ElectDecides, RefusalsOfAnEarlierElectionAreForgotten) {
  Probe probe(2, voters_to(3));
  probe.look(0x105, 1);
  probe.reach(3, Reach::Refused);
  probe.hear(1, kLooking, vote(2, 0x105, 1, 1));
  EXPECT_EQ(probe.outcome(), "leads 2");
  probe.look(0x205, 2);
  probe.hear(1, kLooking, vote(2, 0x205, 2, 2));
  EXPECT_EQ(probe.outcome(), "looks");
  probe.reach(3, Reach::Refused);
  EXPECT_EQ(probe.outcome(), "leads 2");
}

// Spec: quorum 2.5 (FOLLOWING or LEADING), rules 13, 15. Server 2 of 5 looks in round 1, zxid 105, epoch 1.
TEST(ElectDecides, JoinsARunningEnsemble) {
  struct Heard {
    int64_t from;
    PeerState state;
    Vote said;
    int32_t version = 2;
  };
  struct Case {
    const char* why;
    std::vector<Heard> heard;
    std::string outcome;
    Vote current;
  };
  const Vote none = vote(2, 0x105, -1, 1);
  const Vote l3 = vote(3, 0x200, 7, 3);
  const Vote l3_now = vote(3, 0x200, 1, 3);
  const Case cases[] = {
      {"a quorum of followers without the leader's word",
       {{1, kFollowing, l3}, {4, kFollowing, l3}, {5, kFollowing, l3}},
       "looks",
       none},
      {"the leader and too few", {{3, kLeading, l3}, {4, kFollowing, l3}}, "looks", none},
      {"the leader and enough", {{1, kFollowing, l3}, {4, kFollowing, l3}, {3, kLeading, l3}}, "follows 3", l3},
      {"the leader first", {{3, kLeading, l3}, {1, kFollowing, l3}, {4, kFollowing, l3}}, "follows 3", l3},
      {"other rounds and zxids of one epoch",
       {{3, kLeading, vote(3, 0x200, 7, 3)}, {1, kFollowing, vote(3, 0x1ff, 2, 3)}, {4, kFollowing, vote(3, 0, 9, 3)}},
       "follows 3",
       vote(3, 0, 9, 3)},
      {"another epoch", {{3, kLeading, l3}, {1, kFollowing, l3}, {4, kFollowing, vote(3, 0x200, 7, 2)}}, "looks", none},
      {"another epoch, an old release",
       {{3, kLeading, l3, 0}, {1, kFollowing, l3}, {4, kFollowing, vote(3, 0x200, 7, 2)}},
       "looks",
       none},
      {"an old release among new ones: by the leader alone",
       {{3, kLeading, l3}, {1, kFollowing, l3}, {4, kFollowing, vote(3, 0x200, 7, 0), 0}},
       "follows 3",
       vote(3, 0x200, 7, 0)},
      {"another leader",
       {{3, kLeading, l3}, {1, kFollowing, l3}, {4, kFollowing, vote(4, 0x200, 7, 3)}},
       "looks",
       none},
      {"handed over: round -1",
       {{3, kLeading, vote(3, 0x200, -1, 3)},
        {1, kFollowing, vote(3, 0x200, -1, 3)},
        {4, kFollowing, vote(3, 0x200, -1, 3)}},
       "follows 3",
       vote(3, 0x200, -1, 3)},
      {"observers and strangers do not count",
       {{3, kLeading, l3}, {1, kFollowing, l3}, {4, kObserving, l3}, {9, kFollowing, l3}},
       "looks",
       none},
      {"a leader that is no voter",
       {{1, kFollowing, vote(9, 1, 7, 3)},
        {4, kFollowing, vote(9, 1, 7, 3)},
        {5, kFollowing, vote(9, 1, 7, 3)},
        {9, kLeading, vote(9, 1, 7, 3)}},
       "looks",
       none},
      {"this round: whatever their epochs",
       {{3, kLeading, l3_now}, {1, kFollowing, vote(3, 0x200, 1, 2)}, {4, kFollowing, vote(3, 0x1ff, 1, 1)}},
       "follows 3",
       vote(3, 0x1ff, 1, 1)},
      {"this round: our own equal vote counts",
       {{3, kLooking, l3_now}, {1, kFollowing, l3_now}, {3, kLeading, l3_now}},
       "follows 3",
       l3_now},
      {"this round: the leader's word is missing",
       {{1, kFollowing, l3_now}, {4, kFollowing, l3_now}, {5, kFollowing, l3_now}},
       "looks",
       none},
      {"we are their leader, in this round",
       {{1, kFollowing, vote(2, 0x105, 1, 1)}, {4, kFollowing, vote(2, 0x105, 1, 1)}},
       "leads 2",
       vote(2, 0x105, 1, 1)},
      {"we were their leader, in another round",
       {{1, kFollowing, vote(2, 0x100, 7, 1)},
        {4, kFollowing, vote(2, 0x100, 7, 1)},
        {5, kFollowing, vote(2, 0x100, 7, 1)}},
       "looks",
       none},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    Probe probe(2, voters_to(5));
    probe.look(0x105, 1);
    for (const Heard& heard : c.heard) probe.hear(heard.from, heard.state, heard.said, heard.version);
    EXPECT_EQ(probe.outcome(), c.outcome);
    EXPECT_EQ(probe.elect.current(), c.current);
    EXPECT_EQ(probe.elect.round(), c.outcome == "looks" ? 1 : c.current.round);
  }
}

// Of this round's votes the epoch does not matter; so none of an earlier round may be left among them.
TEST(ElectDecides, SettledVotesOfAnEarlierRoundDoNotCountAsThisRounds) {
  const auto leave_round_one = [](Probe& probe) { probe.hear(5, kLooking, vote(5, 0, 2, 0)); };
  const auto look_again = [](Probe& probe) { probe.look(0x105, 1); };
  for (const std::function<void(Probe&)>& act : {std::function(leave_round_one), std::function(look_again)}) {
    Probe probe(2, voters_to(5));
    probe.look(0x105, 1);
    probe.hear(3, kLeading, vote(3, 0x200, 1, 3));
    probe.hear(1, kFollowing, vote(3, 0x200, 1, 3));
    act(probe);
    ASSERT_EQ(probe.elect.round(), 2);
    probe.hear(4, kFollowing, vote(3, 0x200, 2, 2));
    EXPECT_EQ(probe.outcome(), "looks");
  }
}

// A follower that counted in our wait for its vote, and turns out to be established elsewhere, counts no more.
TEST(ElectDecides, QuorumThatFallsApartDuringTheWaitDecidesNothing) {
  Probe probe(3, voters_to(5));
  probe.look(0x105, 1);
  for (const int64_t voter : {1, 2}) probe.hear(voter, kLooking, vote(3, 0x105, 1, 1));
  probe.wait(100);
  probe.hear(1, kFollowing, vote(5, 0x300, 1, 4));
  probe.wait(50);
  probe.hear(4, kLooking, vote(3, 0x105, 1, 1));
  probe.wait(199);
  EXPECT_EQ(probe.outcome(), "looks");
  probe.wait(1);
  EXPECT_EQ(probe.outcome(), "leads 3");
}

// Spec: quorum 2.9: whose history is missing elects nobody, but joins who was elected.
TEST(ElectDecides, MissingHistoryNeitherVotesNorListensToVotes) {
  Probe probe(3, voters_to(3));
  probe.look(-1, 0);
  EXPECT_EQ(probe.said().at(0), "to 1: LOOKING 3 zxid -1 round 1 epoch 0");
  for (const int64_t voter : {1, 2}) probe.hear(voter, kLooking, vote(2, 0x105, 3, 1));
  probe.wait(1000);
  EXPECT_EQ(probe.outcome(), "looks");
  EXPECT_EQ(probe.elect.round(), 1);
  probe.hear(1, kFollowing, vote(2, 0x105, 3, 1));
  probe.hear(2, kLeading, vote(2, 0x105, 3, 1));
  EXPECT_EQ(probe.outcome(), "follows 2");
}

TEST(ElectDecides, ObserverFollowsTheVotesAndTheSettled) {
  Probe votes(4, voters_to(3), /*observer=*/true);
  votes.look(0x500, 9);
  votes.said();
  votes.reach(3, Reach::Open);
  votes.hear(1, kLooking, vote(3, 0x105, 1, 1));
  EXPECT_EQ(votes.said().at(0), "to 1: LOOKING 3 zxid 105 round 1 epoch 1");
  votes.hear(2, kLooking, vote(3, 0x105, 1, 1));
  votes.wait(199);
  EXPECT_EQ(votes.outcome(), "looks");
  votes.wait(1);
  EXPECT_EQ(votes.outcome(), "observes 3");

  Probe settled(4, voters_to(3), /*observer=*/true);
  settled.look(0, 0);
  settled.hear(1, kFollowing, vote(3, 0x105, 6, 2));
  settled.hear(3, kLeading, vote(3, 0x105, 6, 2));
  EXPECT_EQ(settled.outcome(), "observes 3");
}

// Looking voters tell an observer of their last leader, who may be the reason why they look.
TEST(ElectDecides, ObserverDoesNotDecideForALeaderThatIsAway) {
  Probe probe(4, voters_to(3), /*observer=*/true);
  probe.look(0x500, 9);
  for (const int64_t voter : {1, 2}) probe.hear(voter, kLooking, vote(3, 0x105, 1, 1));
  probe.reach(3, Reach::Refused);
  probe.wait(5000);
  EXPECT_EQ(probe.outcome(), "looks");
  probe.reach(3, Reach::Open);
  probe.wait(200);
  EXPECT_EQ(probe.outcome(), "observes 3");
}

// An observer's own vote is none: two of four voters and itself are no quorum.
TEST(ElectDecides, ObserverDoesNotCount) {
  Probe probe(9, voters_to(4), /*observer=*/true);
  probe.look(0, 0);
  for (const int64_t voter : {1, 2}) probe.hear(voter, kLooking, vote(3, 0x105, 1, 1));
  probe.wait(10000);
  EXPECT_EQ(probe.outcome(), "looks");
}

// Rule 10: both configurations decide.
TEST(ElectDecides, TwoConfigurationsNeedTwoQuorums) {
  Probe probe(3, Electorate(majority_of({1, 2, 3}, 1), majority_of({3, 4, 5}, 2)));
  probe.look(0x105, 1);
  EXPECT_EQ(probe.said().size(), 4U);
  for (const int64_t voter : {1, 2}) probe.hear(voter, kLooking, vote(3, 0x105, 1, 1));
  probe.wait(1000);
  EXPECT_EQ(probe.outcome(), "looks");
  probe.hear(5, kLooking, vote(3, 0x105, 1, 1));
  probe.wait(200);
  EXPECT_EQ(probe.outcome(), "leads 3");
}

// Spec: quorum 2.3, 6.5. Server 3 has the longest history and weight 0.
TEST(ElectDecides, WeightZeroNeverLeads) {
  const Electorate electorate(
      QuorumRule{.voters = {{{1}, 1, 0}, {{2}, 1, 0}, {{3}, 0, 0}}, .hierarchical = true, .version = 0});
  Probe heavy(2, electorate);
  heavy.look(0x105, 1);
  heavy.said();
  heavy.hear(3, kLooking, vote(3, 0x999, 1, 1));
  EXPECT_EQ(heavy.said(), Lines{});
  heavy.hear(1, kLooking, vote(2, 0x105, 1, 1));
  heavy.wait(200);
  EXPECT_EQ(heavy.outcome(), "leads 2");

  Probe light(3, electorate);
  light.look(0x999, 1);
  for (const int64_t voter : {1, 2}) light.hear(voter, kLooking, vote(2, 0x105, 1, 1));
  light.wait(1000);
  EXPECT_EQ(light.outcome(), "looks");
  light.hear(2, kLeading, vote(2, 0x105, 1, 1));
  light.hear(1, kFollowing, vote(2, 0x105, 1, 1));
  EXPECT_EQ(light.outcome(), "follows 2");
}

}  // namespace
}  // namespace quorate::zab
