#include "core/zab/elect.h"

#include <gtest/gtest.h>

#include <functional>

#include "core/zab/elect_testing.h"

namespace quorate::zab {
namespace {

using testing::majority_of;
using testing::notification;
using testing::voters_to;
using wire::PeerState;

constexpr auto kLooking = PeerState::Looking;
constexpr auto kFollowing = PeerState::Following;
constexpr auto kLeading = PeerState::Leading;
constexpr auto kObserving = PeerState::Observing;
constexpr Millis kNever{INT64_MAX};
using Lines = std::vector<std::string>;

Vote vote(int64_t leader, int64_t zxid, int64_t round, int64_t epoch) { return {{leader}, {zxid}, round, epoch}; }

/// One server under test: time in milliseconds since the start, what it says as lines.
class Probe {
 public:
  Probe(int64_t self, Electorate electorate, bool observer = false)
      : elect({.self = {self}, .observer = observer}, std::move(electorate)) {}

  void look(int64_t zxid, int64_t epoch) { elect.look({zxid}, epoch, {now}), collect(); }
  void hear(int64_t from, PeerState state, Vote said, int32_t version = 2) {
    elect.on_notification({from}, notification(state, said, version), {now}), collect();
  }
  void hear_state(int64_t from, int32_t state, Vote said) {
    wire::Notification odd = notification(kLooking, said);
    odd.state = state;
    elect.on_notification({from}, odd, {now}), collect();
  }
  void reach(int64_t voter, Reach reach) { elect.on_reach({voter}, reach, {now}), collect(); }
  void wait(int64_t millis, bool undelivered = false) {
    for (const int64_t end = now + millis;;) {
      now = std::max(now, std::min(end, elect.next_time().value));
      if (elect.next_time().value > now) return;
      elect.on_time({now}, undelivered), collect();
    }
  }
  Lines said() { return std::exchange(lines_, {}); }
  bool told_to_connect() { return std::exchange(connect_all_, false); }
  /// "leads 2", "follows 3", "observes 3"; "looks" while undecided.
  std::string outcome() const {
    if (!decided_) return "looks";
    const char* verb = elect.state() == kLeading ? "leads" : elect.state() == kFollowing ? "follows" : "observes";
    return fmt::format("{} {}", verb, decided_->leader.value);
  }

  Elect elect;
  int64_t now = 0;

 private:
  void collect() {
    ElectionOutput out = elect.take();
    for (const ElectionMessage& message : out.messages) {
      EXPECT_EQ(message.notification.version, 2);
      lines_.push_back(fmt::format("to {}: {}", message.to.value, testing::to_text(message.notification)));
    }
    connect_all_ |= out.connect_all;
    if (out.decided) {
      EXPECT_EQ(*out.decided, elect.current());
      EXPECT_EQ(elect.next_time(), kNever);
      decided_ = out.decided;
    }
    if (elect.state() == kLooking) decided_.reset();
  }

  Lines lines_;
  bool connect_all_ = false;
  std::optional<Vote> decided_;
};

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

TEST(Elect, AloneWeLeadAtOnce) {
  Probe probe(7, Electorate(majority_of({7})));
  probe.look(0x105, 1);
  EXPECT_EQ(probe.outcome(), "leads 7");
  EXPECT_EQ(probe.said(), Lines{});
  EXPECT_EQ(probe.elect.current(), vote(7, 0x105, 1, 1));
}

// Spec: quorum 2.5, rule 14.
TEST(Elect, QuorumOfLookingVotesIsFollowedByAWait) {
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

TEST(Elect, OwnVoteCountsOnce) {
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

TEST(Elect, BetterVoteDuringTheWaitBeginsANewOne) {
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
TEST(Elect, BetterVoteWithAQuorumIsWaitedForAsLong) {
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
TEST(Elect, WorseVotesDoNotProlongTheWait) {
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

TEST(Elect, LaterRoundDuringTheWaitBeginsAnew) {
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
TEST(Elect, WaitEndsEarlyWhenNoBetterVoteCanCome) {
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

TEST(Elect, RefusalsBeforeAQuorumDecideNothing) {
  Probe probe(2, voters_to(3));
  probe.look(0x105, 1);
  probe.reach(1, Reach::Refused);
  probe.reach(3, Reach::Refused);
  probe.wait(60000);
  EXPECT_EQ(probe.outcome(), "looks");
}

TEST(Elect, RefusalsOfAnEarlierElectionAreForgotten) {
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

// Any message of a voter counts as a sign that something comes; a stranger's does not.
TEST(Elect, WhatComesPutsOffTheRepetition) {
  Probe probe(2, voters_to(3));
  probe.look(0x105, 1);
  probe.said();
  probe.wait(150);
  probe.hear(1, kLooking, vote(1, 0, 1, 0));
  probe.wait(150);
  probe.hear(9, kLooking, vote(9, 0, 1, 0));
  probe.said();
  probe.wait(49);
  EXPECT_EQ(probe.said(), Lines{});
  probe.wait(1);
  EXPECT_EQ(probe.said().size(), 2U);
}

// Spec: quorum 2.5 (FOLLOWING or LEADING), rules 13, 15. Server 2 of 5 looks in round 1, zxid 105, epoch 1.
TEST(Elect, JoinsARunningEnsemble) {
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
TEST(Elect, SettledVotesOfAnEarlierRoundDoNotCountAsThisRounds) {
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
TEST(Elect, QuorumThatFallsApartDuringTheWaitDecidesNothing) {
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
TEST(Elect, MissingHistoryNeitherVotesNorListensToVotes) {
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

TEST(Elect, ObserverFollowsTheVotesAndTheSettled) {
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
TEST(Elect, ObserverDoesNotDecideForALeaderThatIsAway) {
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

// An observer's own vote is none: two of four voters and itself are no quorum.
TEST(Elect, ObserverDoesNotCount) {
  Probe probe(9, voters_to(4), /*observer=*/true);
  probe.look(0, 0);
  for (const int64_t voter : {1, 2}) probe.hear(voter, kLooking, vote(3, 0x105, 1, 1));
  probe.wait(10000);
  EXPECT_EQ(probe.outcome(), "looks");
}

// Rule 10: both configurations decide.
TEST(Elect, TwoConfigurationsNeedTwoQuorums) {
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
TEST(Elect, WeightZeroNeverLeads) {
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

}  // namespace
}  // namespace quorate::zab
