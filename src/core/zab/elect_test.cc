#include "core/zab/elect.h"

#include <gtest/gtest.h>

#include <functional>

#include "core/zab/elect_testing.h"

/// What a server says: at first, to whom it hears, and again. What it decides is in elect_decide_test.cc.
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

constexpr Millis kNever{INT64_MAX};

TEST(Elect, InitialVoteIsOurselvesAsTheFilesSay) {
  Probe probe(2, voters_to(3));
  EXPECT_EQ(probe.elect.next_time(), kNever);
  probe.look(0x200000007, 5);  // the epoch is the file's, never the zxid's: rule 12
  EXPECT_EQ(probe.said(), (Lines{"to 1: LOOKING 2 zxid 200000007 round 1 epoch 5",
                                 "to 3: LOOKING 2 zxid 200000007 round 1 epoch 5"}));
  EXPECT_EQ(probe.elect.current(), vote(2, 0x200000007, -1, 5));
  EXPECT_EQ(probe.outcome(), "looks");
}

// Spec: quorum 2.2: the id is a matter of the configuration, history and epoch of the server's own type.
TEST(Elect, InitialVoteOfThoseWhoMayNotLead) {
  struct Case {
    const char* why;
    bool observer;
    Electorate electorate;
    std::string said;
  };
  const Case cases[] = {
      {"observer", true, voters_to(1), "to 1: LOOKING none zxid none round 1 epoch none"},
      {"joiner in no configuration", false, voters_to(1), "to 1: LOOKING none zxid 7 round 1 epoch 2"},
      {"joiner in the last seen one", false, Electorate(majority_of({1}), majority_of({1, 4}, 9)),
       "to 1: LOOKING none zxid 7 round 1 epoch 2"},
      {"a voter that calls itself observer", true, Electorate(majority_of({1, 4})),
       "to 1: LOOKING 4 zxid none round 1 epoch none"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    Probe probe(4, c.electorate, c.observer);
    probe.look(7, 2);
    EXPECT_EQ(probe.said(), Lines{c.said});
    EXPECT_EQ(probe.outcome(), "looks");
  }
}

struct Reaction {
  const char* why;
  int64_t from;
  int32_t state;
  Vote said;
  Lines expected;
};

void check_reactions(const std::vector<Reaction>& reactions, const std::function<Probe()>& make) {
  for (const Reaction& r : reactions) {
    SCOPED_TRACE(r.why);
    Probe probe = make();
    probe.said();
    const std::string before = probe.outcome();
    probe.hear_state(r.from, r.state, r.said);
    EXPECT_EQ(probe.said(), r.expected);
    EXPECT_EQ(probe.outcome(), before);
  }
}

// Spec: quorum 2.5, 2.6. Server 2 of 1 to 5 looks in round 2 with zxid 105 and epoch 1; 9 is a stranger.
TEST(Elect, ReactionsWhileLooking) {
  const auto all = [](const std::string& said) {
    return Lines{"to 1: " + said, "to 3: " + said, "to 4: " + said, "to 5: " + said};
  };
  const Lines own_to_3 = {"to 3: LOOKING 2 zxid 105 round 2 epoch 1"};
  check_reactions(
      {
          {"worse vote", 3, 0, vote(3, 0x104, 2, 1), {}},
          {"equal vote", 3, 0, vote(2, 0x105, 2, 1), {}},
          {"better vote", 3, 0, vote(3, 0x105, 2, 1), all("LOOKING 3 zxid 105 round 2 epoch 1")},
          {"better vote for a third", 3, 0, vote(1, 0x106, 2, 1), all("LOOKING 1 zxid 106 round 2 epoch 1")},
          {"later round, better vote", 3, 0, vote(3, 0x105, 7, 1), all("LOOKING 3 zxid 105 round 7 epoch 1")},
          {"later round, worse vote", 3, 0, vote(3, 0x104, 7, 1), all("LOOKING 2 zxid 105 round 7 epoch 1")},
          {"earlier round, worse vote", 3, 0, vote(3, 0x104, 1, 1), own_to_3},
          {"earlier round, better vote", 3, 0, vote(3, 0x999, 1, 9), own_to_3},
          {"round -1", 3, 0, vote(3, 0x999, -1, 9), own_to_3},
          {"missing history", 3, 0, vote(3, -1, 2, 9), {}},
          {"missing history, later round", 3, 0, vote(3, -1, 7, 9), {}},
          {"missing history, earlier round", 3, 0, vote(3, -1, 1, 9), own_to_3},
          {"a leader that is no voter", 3, 0, vote(9, 0x999, 7, 9), {}},
          {"a leader that is no voter, earlier round", 3, 0, vote(9, 0x999, 1, 9), own_to_3},
          {"a voter with an observer's wish", 3, 0, vote(INT64_MIN, INT64_MIN, 2, INT64_MIN), {}},
          {"stranger", 9, 0, vote(3, 0x999, 7, 9), {"to 9: LOOKING 2 zxid 105 round 2 epoch 1"}},
          {"stranger that follows", 9, 1, vote(3, 0x999, 7, 9), {"to 9: LOOKING 2 zxid 105 round 2 epoch 1"}},
          {"stranger with an odd state", 9, 7, vote(3, 0, 1, 0), {"to 9: LOOKING 2 zxid 105 round 2 epoch 1"}},
          {"voter with an odd state", 3, 4, vote(3, 0x999, 1, 9), {}},
          {"voter with a negative state", 3, -1, vote(3, 0x999, 1, 9), {}},
          {"voter that observes", 3, 3, vote(3, 0x999, 7, 9), {}},
          {"follower", 3, 1, vote(4, 0x999, 2, 9), {}},
          {"leader", 3, 2, vote(3, 0x999, 7, 9), {}},
          {"a message from ourselves", 2, 0, vote(2, 0x999, 7, 9), {}},
      },
      [] {
        Probe probe(2, voters_to(5));
        probe.look(0x105, 1);
        probe.look(0x105, 1);
        return probe;
      });
}

/// Server 2 of 1 to 3 that follows 3 since round 4.
Probe following() {
  Probe probe(2, voters_to(3));
  probe.look(0x105, 1);
  probe.hear(1, kFollowing, vote(3, 0x205, 4, 3));
  probe.hear(3, kLeading, vote(3, 0x205, 4, 3));
  EXPECT_EQ(probe.outcome(), "follows 3");
  return probe;
}

// Spec: quorum 2.6, rule 9.
TEST(Elect, ReactionsWhenSettled) {
  const Lines known_to_1 = {"to 1: FOLLOWING 3 zxid 205 round 4 epoch 3"};
  check_reactions(
      {
          {"voter looks", 1, 0, vote(1, 0x999, 9, 9), known_to_1},
          {"voter looks in an earlier round", 1, 0, vote(1, 0, 1, 0), known_to_1},
          {"voter without history looks", 1, 0, vote(1, -1, 1, 0), known_to_1},
          {"voter follows", 1, 1, vote(3, 0x205, 4, 3), {}},
          {"voter follows another", 1, 1, vote(1, 0x205, 9, 9), {}},
          {"voter leads", 3, 2, vote(3, 0x205, 4, 3), {}},
          {"voter observes", 1, 3, vote(3, 0x205, 4, 3), {}},
          {"odd state", 1, 7, vote(3, 0x205, 4, 3), {}},
          {"stranger looks", 9, 0, vote(9, 0, 1, 0), {"to 9: FOLLOWING 3 zxid 205 round 4 epoch 3"}},
          {"stranger observes", 9, 3, vote(9, 0, 1, 0), {"to 9: FOLLOWING 3 zxid 205 round 4 epoch 3"}},
      },
      following);
}

TEST(Elect, EstablishedEpochIsToldFromThenOn) {
  Probe probe = following();
  probe.said();
  probe.elect.set_peer_epoch(8);  // rule 11
  probe.hear(1, kLooking, vote(1, 0, 1, 0));
  EXPECT_EQ(probe.said(), Lines{"to 1: FOLLOWING 3 zxid 205 round 4 epoch 8"});
}

// Spec: quorum 2.6, first row: strangers hear today's round, voters the one that was decided in.
TEST(Elect, StrangersHearOfTheLastElection) {
  Probe probe = following();
  probe.look(0x300, 3);
  probe.said();
  probe.hear(9, kLooking, vote(9, 0, 1, 0));
  EXPECT_EQ(probe.said(), Lines{"to 9: LOOKING 3 zxid 205 round 5 epoch 3"});
}

// Spec: quorum 2.5: messages repeat themselves at doubling intervals while nothing comes.
TEST(Elect, RepeatsItselfAtDoublingIntervals) {
  Probe probe(2, voters_to(3));
  probe.look(0x105, 1);
  probe.said();
  for (const int64_t interval : {200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000}) {
    probe.wait(interval - 1);
    EXPECT_EQ(probe.said(), Lines{}) << interval;
    probe.wait(1);
    EXPECT_EQ(probe.said().size(), 2U) << interval;
  }
  EXPECT_FALSE(probe.told_to_connect());
  probe.wait(60000, /*undelivered=*/true);
  EXPECT_TRUE(probe.told_to_connect());
  EXPECT_EQ(probe.said().size(), 2U);
  probe.hear(1, kLooking, vote(1, 0, 1, 0));
  probe.wait(59999);
  EXPECT_EQ(probe.said(), Lines{});
  probe.look(0x105, 1);
  probe.said();
  probe.wait(200);
  EXPECT_EQ(probe.said().size(), 2U);
}

// A message of a voter that has heard us counts as a sign that something comes; a stranger's does not.
TEST(Elect, WhatComesPutsOffTheRepetition) {
  Probe probe(2, voters_to(5));
  probe.look(0x105, 1);
  probe.said();
  probe.wait(150);
  probe.hear(1, kLooking, vote(2, 0x105, 1, 1));
  probe.wait(150);
  probe.hear(9, kLooking, vote(9, 0, 1, 0));
  probe.said();
  probe.wait(49);
  EXPECT_EQ(probe.said(), Lines{});
  probe.wait(1);
  EXPECT_EQ(probe.said().size(), 4U);
}

// Both sides would answer the other's answer: one of them must stop.
TEST(Elect, AnswersAreNotAnsweredForEver) {
  Probe voter(2, voters_to(3));
  voter.look(0x105, 1);
  voter.said();
  const Lines told = {"to 9: LOOKING 2 zxid 105 round 1 epoch 1"};
  voter.hear(9, kObserving, vote(3, 0, 1, 1));
  EXPECT_EQ(voter.said(), told);
  voter.hear(9, kObserving, vote(3, 0, 1, 1));
  voter.hear(9, kLooking, vote(3, 0, 2, 1));
  EXPECT_EQ(voter.said(), Lines{});
  voter.hear(9, kLooking, vote(3, 0, 1, 1));  // a question
  EXPECT_EQ(voter.said(), told);
  voter.hear(8, kObserving, vote(3, 0, 1, 1));
  EXPECT_EQ(voter.said().size(), 1U);
  voter.hear(1, kLooking, vote(2, 0x105, 1, 1));
  voter.wait(200);
  EXPECT_EQ(voter.outcome(), "leads 2");
  voter.said();
  voter.hear(9, kObserving, vote(3, 0, 1, 1));
  EXPECT_EQ(voter.said(), Lines{"to 9: LEADING 2 zxid 105 round 1 epoch 1"});

  Probe observer(9, voters_to(3), /*observer=*/true);
  observer.look(0, 0);
  observer.hear(1, kLooking, vote(3, 0x105, 5, 1));
  observer.said();
  const Lines repeated = {"to 2: LOOKING 3 zxid 105 round 5 epoch 1"};
  observer.hear(2, kLooking, vote(2, 0, 4, 1));
  EXPECT_EQ(observer.said(), repeated);
  observer.hear(2, kLooking, vote(2, 0, 4, 1));
  EXPECT_EQ(observer.said(), Lines{});
  observer.hear(1, kFollowing, vote(3, 0x105, 5, 1));
  observer.hear(3, kLeading, vote(3, 0x105, 5, 1));
  EXPECT_EQ(observer.outcome(), "observes 3");
  for (int i = 0; i < 3; ++i) observer.hear(2, kLooking, vote(2, 0, 4, 1));
  EXPECT_EQ(observer.said(), Lines{"to 2: OBSERVING 3 zxid 105 round 5 epoch 1"});
  observer.wait(200);
  observer.hear(2, kLooking, vote(2, 0, 4, 1));
  EXPECT_EQ(observer.said().size(), 1U);
}

// Who begins to look a moment later than the others has heard their votes already; they are not said again soon.
TEST(Elect, EarlyVoteCountsOnceWeLook) {
  Probe probe = following();
  probe.hear(1, kLooking, vote(1, 0x205, 5, 3));
  probe.wait(200);
  probe.said();
  probe.look(0x205, 3);
  probe.hear(1, kLooking, vote(2, 0x205, 5, 3));
  probe.reach(3, Reach::Refused);
  EXPECT_EQ(probe.outcome(), "leads 2");

  Probe follower = following();
  follower.hear(1, kLooking, vote(1, 0x206, 5, 3));
  follower.said();
  follower.look(0x205, 3);
  EXPECT_EQ(follower.said().at(2), "to 1: LOOKING 1 zxid 206 round 5 epoch 3");
  follower.reach(3, Reach::Refused);
  EXPECT_EQ(follower.outcome(), "follows 1");
}

TEST(Elect, VotesBeforeTheFirstSearchCountToo) {
  Probe probe(1, voters_to(3));
  probe.hear(2, kLooking, vote(2, 0, 1, 0));
  probe.hear(3, kLooking, vote(3, 0, 1, 0));
  EXPECT_EQ(probe.said(), Lines{});
  probe.look(0, 0);
  EXPECT_EQ(probe.said().back(), "to 3: LOOKING 3 zxid 0 round 1 epoch 0");
  probe.wait(200);
  EXPECT_EQ(probe.outcome(), "follows 3");
}

// Rule 4: what is old, of an earlier round, or not looking does not count later.
TEST(Elect, StaleEarlyVoteIsForgotten) {
  Probe probe = following();
  probe.hear(1, kLooking, vote(1, 0x999, 5, 3));
  probe.wait(201);
  probe.look(0x205, 3);
  probe.wait(5000);
  EXPECT_EQ(probe.outcome(), "looks");

  Probe other = following();
  other.hear(1, kLooking, vote(1, 0x999, 4, 3));
  other.hear(3, kLeading, vote(3, 0x999, 5, 3));
  other.look(0x205, 3);
  other.said();
  other.wait(200);
  EXPECT_EQ(other.said().at(0), "to 1: LOOKING 2 zxid 205 round 5 epoch 3");
}

// A voter may send any number as its round.
TEST(Elect, HighestRoundWraps) {
  Probe probe(2, voters_to(3));
  probe.look(0x105, 1);
  probe.hear(1, kLooking, vote(1, 0, INT64_MAX, 0));
  EXPECT_EQ(probe.elect.round(), INT64_MAX);
  probe.look(0x105, 1);
  EXPECT_EQ(probe.elect.round(), INT64_MIN);
}

// A server that has lost its history asks every second how the election went. What it says is no news: the others go on
// telling each other, or a message that one of them missed is never said again (simulation, seed 7373).
TEST(ElectRepeats, AlsoWhileSomebodyOnlyAsks) {
  Probe probe(1, voters_to(3));
  probe.look(0x100000085, 1);
  probe.wait(10000);
  probe.said();
  size_t told = 0;
  for (int second = 0; second < 300; ++second) {
    probe.wait(1000);
    probe.hear(3, kLooking, vote(3, -1, 1, 0));
    told += static_cast<size_t>(
        std::ranges::count_if(probe.said(), [](const std::string& line) { return line.starts_with("to 2: "); }));
  }
  EXPECT_GE(told, 4U);
}

// Who goes on voting for less has missed what we said. Its clock may be a little faster than ours: were we to wait for
// a time in which it says nothing, it would never hear us (simulation, seed 2610).
TEST(ElectRepeats, AlsoWhileAnotherHasNotHeardIt) {
  Probe probe(2, voters_to(3));
  probe.look(0x105, 1);
  probe.said();
  size_t told = 0;
  for (int turn = 0; turn < 120; ++turn) {
    probe.wait(1990);
    probe.hear(1, kLooking, vote(1, 0x104, 1, 1));
    told += static_cast<size_t>(
        std::ranges::count_if(probe.said(), [](const std::string& line) { return line.starts_with("to 1: "); }));
  }
  EXPECT_GE(told, 10U);
}

}  // namespace
}  // namespace quorate::zab
