#include "core/zab/lead.h"

#include <gtest/gtest.h>

#include <random>

#include "core/zab/lead_testing.h"

namespace quorate::zab::lead_testing {
namespace {

using Page = std::vector<std::string>;

const Start kEmpty{.self = 2, .epochs = {0, 0}, .base = {}};

// Spec: quorum 3.2, 3.3, 9.2. Rule 16: acceptedEpoch is on disk before any LEADERINFO; rule 17: currentEpoch before
// NEWLEADER counts; rule 26: UPTODATE with `established`, not before.
TEST(Lead, AnEmptyEnsembleStarts) {
  Bench bench(kEmpty);
  bench.arrive(1);
  bench.say(1, follower_info(1, 0));
  bench.arrive(3);
  bench.say(3, follower_info(3, 0));
  bench.finish_disk();
  bench.say(1, ack_epoch({0}, 0));
  bench.say(1, ack(zxid(1, 0)));
  bench.finish_disk();
  bench.say(1, ack(zxid(1, 0)));
  bench.say(3, ack_epoch({0}, 0));
  bench.say(3, ack(zxid(1, 0)));
  EXPECT_EQ(bench.take(), (Page{
                              "1 > FOLLOWERINFO 0x0",
                              "disk: acceptedEpoch 1",
                              "3 > FOLLOWERINFO 0x0",
                              "1 < LEADERINFO 0x100000000",
                              "3 < LEADERINFO 0x100000000",
                              "1 > ACKEPOCH 0x0 epoch 0",
                              "disk: currentEpoch 1",
                              "1 < DIFF 0x0",
                              "1 < NEWLEADER 0x100000000",
                              "1 > ACK 0x100000000",
                              "established",
                              "1 < UPTODATE 0xffffffffffffffff",
                              "1 > ACK 0x100000000",
                              "3 > ACKEPOCH 0x0 epoch 0",
                              "3 < DIFF 0x0",
                              "3 < NEWLEADER 0x100000000",
                              "3 > ACK 0x100000000",
                              "3 < UPTODATE 0xffffffffffffffff",
                          }));
  EXPECT_EQ(bench.lead.epochs(), (Epochs{1, 1}));
}

// Goal: the epochs and the order of the files when the ensemble has a past, and one voter has promised more.
TEST(Lead, TheNextEpochOfAnEnsembleWithAPast) {
  Bench bench({.self = 2, .epochs = {4, 3}, .base = zxid(3, 9)});
  bench.arrive(1);
  bench.say(1, follower_info(1, 6));
  bench.finish_disk();
  EXPECT_EQ(bench.lead.epochs(), (Epochs{7, 3}));
  bench.arrive(3);
  bench.say(3, follower_info(3, 7));  // promised to an earlier try, so it says -1
  bench.say(3, ack_epoch(zxid(3, 9), -1));
  EXPECT_EQ(bench.lead.phase(), LeadPhase::Electing);
  bench.say(1, ack_epoch(zxid(3, 8), 3));
  EXPECT_EQ(bench.take(), (Page{
                              "1 > FOLLOWERINFO 0x600000000",
                              "disk: acceptedEpoch 7",
                              "1 < LEADERINFO 0x700000000",
                              "3 > FOLLOWERINFO 0x700000000",
                              "3 < LEADERINFO 0x700000000",
                              "3 > ACKEPOCH 0x300000009 epoch -1",
                              "1 > ACKEPOCH 0x300000008 epoch 3",
                              "disk: currentEpoch 7",
                              "3 < DIFF 0x300000009",
                              "3 < NEWLEADER 0x700000000",
                              "1 history 0x300000008 to 0x300000009",
                          }));
  bench.say(3, ack(zxid(7, 0)));
  EXPECT_EQ(bench.lead.phase(), LeadPhase::TakingEpoch);
  bench.finish_disk();
  EXPECT_EQ(bench.lead.epochs(), (Epochs{7, 7}));
  EXPECT_EQ(bench.take(), (Page{"3 > ACK 0x700000000", "established", "3 < UPTODATE 0xffffffffffffffff"}));
}

// A standalone server is a quorum of one.
TEST(Lead, AQuorumOfOne) {
  Bench bench({.self = 1, .voters = 1});
  bench.finish_disk();
  bench.finish_disk();
  EXPECT_EQ(bench.take(), (Page{"disk: acceptedEpoch 2", "disk: currentEpoch 2", "established"}));
  bench.propose_durable(2);
  EXPECT_EQ(bench.journal.applied(), zxid(2, 2));
}

struct Refusal {
  const char* why;
  std::string packet;
  const char* line;
};

// Each is told in one line, and its link closed.
TEST(Lead, FirstPacketsThatAreRefused) {
  const std::string anonymous = "a learner that has not said who it is: ";
  const Refusal cases[] = {
      {"no hello", ack({0}), "a learner that has not said who it is: first packet, type 3, does not say who it is"},
      {"an unknown type", packet(static_cast<PacketType>(99), {0}),
       "a learner that has not said who it is: first packet, type 99, does not say who it is"},
      {"no server id", packet(PacketType::FollowerInfo, {0}),
       "a learner that has not said who it is: first packet, type 11, does not say who it is"},
      {"an old protocol", follower_info(1, 0, 1),
       "learner sid: 1: protocol version 0x1 is too old, 0x10000 is the least that promises epochs"},
      {"only a server id", packet(PacketType::FollowerInfo, {0}, std::string("\0\0\0\0\0\0\0\1", 8)),
       "learner sid: 1: protocol version 0x0 is too old, 0x10000 is the least that promises epochs"},
      {"our own id", follower_info(2, 0), "learner sid: 2: that is the leader's own server id"},
      {"a newer configuration",
       packet(PacketType::FollowerInfo, {0}, bytes_of(wire::LearnerInfo{1, wire::kLearnerProtocol, 7})),
       "learner sid: 1: its configuration, version 0x7, is newer than the leader's, 0x0"},
      {"an epoch behind which there is none", follower_info(1, kMaxEpoch), "learner sid: 1: accepted epoch 2147483647"},
      {"a negative epoch", follower_info(1, -1), "learner sid: 1: accepted epoch -1"},
  };
  for (const Refusal& c : cases) {
    SCOPED_TRACE(c.why);
    Bench bench;
    bench.arrive(1);
    bench.say(1, c.packet);
    const Page page = bench.take();
    ASSERT_EQ(page.size(), 3U);
    EXPECT_EQ(page[1], std::string("Closing connection to ") + c.line);
    EXPECT_EQ(page[2], "1 closed");
    EXPECT_FALSE(bench.knows(1));
    EXPECT_EQ(bench.lead.phase(), LeadPhase::Discovery);
  }
}

// Rule 20, spec: quorum 3.3 step 3.
TEST(Lead, WhoIsNewerIsDroppedAndMayComeBackToBeCut) {
  Bench bench;
  for (const int64_t sid : {1, 3}) {
    bench.arrive(sid);
    bench.say(sid, follower_info(sid, 1));
  }
  bench.finish_disk();
  bench.say(3, ack_epoch(zxid(1, 6), 1));
  EXPECT_FALSE(bench.knows(3));
  EXPECT_EQ(bench.lead.phase(), LeadPhase::Electing);
  bench.say(1, ack_epoch(zxid(1, 5), 1));
  bench.finish_disk();
  bench.say(1, ack(zxid(2, 0)));
  bench.take();
  bench.arrive(3);
  bench.say(3, follower_info(3, 1));
  bench.say(3, ack_epoch(zxid(1, 6), 1));
  EXPECT_EQ(bench.take(),
            (Page{"3 > FOLLOWERINFO 0x100000000", "3 < LEADERINFO 0x200000000", "3 > ACKEPOCH 0x100000006 epoch 1",
                  "3 < TRUNC 0x100000005", "3 < NEWLEADER 0x200000000"}));
}

// Rule 43: they are led, and decide nothing.
TEST(Lead, NonVotersAndObserversDecideNothing) {
  Bench bench;
  const auto greet = [&](int64_t sid) { return sid == 1 ? observer_info(sid, 1) : follower_info(sid, 1); };
  for (const int64_t sid : {1, 8, 9}) {  // 1 is a voter that comes as an observer
    bench.arrive(sid);
    bench.say(sid, greet(sid));
  }
  EXPECT_EQ(bench.lead.phase(), LeadPhase::Discovery);
  bench.arrive(3);
  bench.say(3, follower_info(3, 1));
  bench.finish_disk();
  for (const int64_t sid : {1, 8, 9}) bench.say(sid, ack_epoch(zxid(1, 5), 1));
  EXPECT_EQ(bench.lead.phase(), LeadPhase::Electing);
  bench.say(3, ack_epoch(zxid(1, 5), 1));
  bench.finish_disk();
  for (const int64_t sid : {1, 8, 9}) bench.say(sid, ack(zxid(2, 0)));
  EXPECT_EQ(bench.lead.phase(), LeadPhase::Synchronising);
  bench.say(3, ack(zxid(2, 0)));
  EXPECT_EQ(bench.lead.phase(), LeadPhase::Broadcast);
  for (const int64_t sid : {1, 8, 9}) EXPECT_EQ(bench.phase_of(sid), LearnerPhase::Live);
  bench.propose_durable(1);
  for (const int64_t sid : {1, 8, 9}) bench.say(sid, ack(zxid(2, 1)));
  EXPECT_EQ(bench.journal.committed(), zxid(1, 5));
  bench.say(3, ack(zxid(2, 1)));
  EXPECT_EQ(bench.journal.committed(), zxid(2, 1));
}

// Another leader of a newer epoch came as far as its own promise, and perhaps that of others, while this one was
// elected. Whoever promised could not follow for as long as this one leads.
TEST(Lead, GivesWayToTheEpochThatAVoterHasAccepted) {
  const struct {
    const char* why;
    int64_t disk_works;
    LeadPhase phase;
  } cases[] = {
      {"while acceptedEpoch is being written", 0, LeadPhase::PromisingEpoch},
      {"while it is being elected", 1, LeadPhase::Electing},
      {"once it is established", 2, LeadPhase::Broadcast},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.why);
    Bench bench;
    bench.arrive(1);
    bench.say(1, follower_info(1, 1));
    if (c.disk_works > 0) bench.finish_disk();
    if (c.disk_works > 1) {
      bench.say(1, ack_epoch(zxid(1, 5), 1));
      bench.finish_disk();
      bench.say(1, ack(zxid(2, 0)));
    }
    ASSERT_EQ(bench.lead.phase(), c.phase);
    bench.take();
    bench.arrive(3);
    bench.say(3, follower_info(3, 3));
    EXPECT_EQ(bench.take(),
              (Page{"3 > FOLLOWERINFO 0x300000000",
                    "Shutdown called. For the reason voter 3 has accepted epoch 3, and cannot follow in epoch 2",
                    "1 closed", "3 closed"}));
    EXPECT_EQ(bench.lead.known_epoch(), 3);
  }
}

TEST(Lead, GivesWayToVotersOnlyAndToNoOlderEpoch) {
  Bench bench;
  bench.join(1);
  bench.arrive(3);
  bench.say(3, follower_info(3, 2));  // this very epoch, from before its leader restarted
  bench.arrive(8);
  bench.say(8, follower_info(8, 5));
  bench.arrive(9);
  bench.say(9, observer_info(9, 6));
  for (const int64_t sid : {3, 8, 9}) EXPECT_EQ(bench.phase_of(sid), LearnerPhase::AckingEpoch);
  EXPECT_EQ(bench.lead.phase(), LeadPhase::Broadcast);
  EXPECT_EQ(bench.lead.known_epoch(), 6);
}

TEST(Lead, TheEpochIsAboveThoseKnownFromEarlier) {
  Start start;
  start.settings.known_epoch = 7;
  Bench bench(start);
  bench.arrive(1);
  bench.say(1, follower_info(1, 1));
  EXPECT_EQ(bench.take().back(), "disk: acceptedEpoch 8");
}

// R-D6: whose history is in doubt joins with zxid -1, gets a SNAP, and does not elect.
TEST(Lead, AQuarantinedVoterDoesNotElect) {
  Bench bench;
  bench.arrive(1);
  bench.say(1, follower_info(1, 1));
  bench.finish_disk();
  bench.say(1, ack_epoch({-1}, 1));
  EXPECT_EQ(bench.lead.phase(), LeadPhase::Electing);
  bench.arrive(3);
  bench.say(3, follower_info(3, 1));
  bench.say(3, ack_epoch(zxid(1, 5), 1));
  EXPECT_EQ(bench.take(1).back(), "1 tree");
}

TEST(Lead, AServerThatComesAgainLeavesItsOlderLink) {
  Bench bench;
  bench.arrive(1);
  bench.say(1, follower_info(1, 1));
  bench.take();
  bench.lead.on_learner({999}, bench.now);
  wire::QuorumPacket hello;
  const std::string bytes = follower_info(1, 1);
  wire::cut_packet(bytes, 1000, hello);
  bench.lead.on_packet({999}, hello, bench.now);
  bench.look();
  EXPECT_EQ(bench.take(),
            (Page{"Closing connection to learner sid: 1: it has come again on a new connection", "1 closed"}));
  EXPECT_NE(bench.lead.find({999}), nullptr);
}

// What it promised stays promised: the epoch, its history, its disk.
TEST(Lead, ALearnerThatDiesInEachPhase) {
  struct Case {
    const char* phase;
    int steps;
    LeadPhase lead;
  };
  const Case cases[] = {
      {"before it says anything", 0, LeadPhase::Discovery},
      {"while acceptedEpoch is being written", 1, LeadPhase::PromisingEpoch},
      {"asked for its history", 2, LeadPhase::Electing},
      {"while currentEpoch is being written", 3, LeadPhase::TakingEpoch},
      {"before it acknowledges NEWLEADER", 4, LeadPhase::Synchronising},
      {"live", 5, LeadPhase::Broadcast},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.phase);
    Bench bench;
    bench.arrive(1);
    if (c.steps >= 1) bench.say(1, follower_info(1, 1));
    if (c.steps >= 2) bench.finish_disk();
    if (c.steps >= 3) bench.say(1, ack_epoch(zxid(1, 5), 1));
    if (c.steps >= 4) bench.finish_disk();
    if (c.steps >= 5) bench.say(1, ack(zxid(2, 0)));
    EXPECT_EQ(bench.lead.phase(), c.lead);
    bench.leave(1);
    bench.finish_disk();
    EXPECT_FALSE(bench.knows(1));
    bench.join(3);
    EXPECT_EQ(bench.lead.phase(), LeadPhase::Broadcast);
    EXPECT_EQ(bench.phase_of(3), LearnerPhase::Live);
    bench.propose_durable(1);
    bench.say(3, ack(zxid(2, 1)));
    EXPECT_EQ(bench.journal.committed(), zxid(2, 1));
  }
}

TEST(Lead, PacketsOutOfPlace) {
  const std::string kForwarded = packet(PacketType::Request, {-1}, std::string(16, '\0'));
  struct Case {
    const char* why;
    int steps;
    std::string packet;
    bool closes;
  };
  const Case cases[] = {
      {"before it is invited", 1, ack_epoch(zxid(1, 5), 1), true},
      {"a second hello", 2, follower_info(1, 1), true},
      {"ACKEPOCH too short", 2, packet(PacketType::AckEpoch, zxid(1, 5), "abc"), true},
      {"before NEWLEADER", 2, ack(zxid(2, 0)), true},
      {"before UPTODATE", 3, kForwarded, true},
      {"before UPTODATE", 3, packet(PacketType::Revalidate, {-1}, std::string(12, '\0')), true},
      {"the ack of another epoch", 3, ack(zxid(1, 0)), false},
      {"an ack of nothing", 3, ack(zxid(2, 77)), false},
      {"an eager pong", 3, ping(), false},
      {"the second ACK(NEWLEADER)", 5, ack(zxid(2, 0)), false},
      {"REQUEST too short", 5, packet(PacketType::Request, {-1}, std::string(15, '\0')), true},
      {"REQUEST without data", 5, packet(PacketType::Request, {-1}), true},
      {"REVALIDATE too short", 5, packet(PacketType::Revalidate, {-1}, std::string(11, '\0')), true},
      {"PING with half a session", 5, ping(std::string(18, '\0')), true},
      {"PING without data", 5, packet(PacketType::Ping, {0}), false},
      {"what a leader says", 5, packet(PacketType::Proposal, zxid(2, 1), "x"), true},
      {"an unknown type", 5, packet(static_cast<PacketType>(77), {0}), true},
      {"a request", 5, kForwarded, false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    Bench bench;
    bench.arrive(1);
    bench.say(1, follower_info(1, 1));
    if (c.steps >= 2) bench.finish_disk();
    if (c.steps >= 3) bench.say(1, ack_epoch(zxid(1, 5), 1));
    if (c.steps >= 4) bench.finish_disk();
    if (c.steps >= 5) bench.say(1, ack(zxid(2, 0)));
    bench.take();
    bench.say(1, c.packet);
    EXPECT_EQ(bench.knows(1), !c.closes);
    EXPECT_EQ(std::ranges::count(bench.take(), "1 closed"), c.closes ? 1 : 0);
  }
}

TEST(Lead, WhatIsOverIgnoresEverything) {
  Bench bench;
  bench.join(1);
  bench.propose(zxid(2, 1));
  bench.take();
  bench.lead.resign("no zxid is left");
  bench.look();
  EXPECT_EQ(bench.take(), (Page{"Shutdown called. For the reason no zxid is left", "1 closed"}));
  bench.arrive(3);
  bench.say(3, follower_info(3, 1));
  bench.propose(zxid(2, 2));
  bench.persist();
  bench.lead.on_time({1000000});
  bench.lead.sync(Bench::link(1));
  bench.lead.resign("again");
  bench.look();
  EXPECT_EQ(bench.lead.phase(), LeadPhase::Over);
  EXPECT_EQ(bench.lead.reason(), "no zxid is left");
  EXPECT_EQ(bench.journal.committed(), zxid(1, 5));
}

// The file is being written when the quorum is lost: what was promised is known to the next role.
TEST(Lead, AnOrderEndsAlsoWhenItIsOver) {
  Bench bench;
  bench.arrive(1);
  bench.say(1, follower_info(1, 1));
  bench.lead.resign("the process ends");
  bench.look();
  bench.finish_disk();
  EXPECT_EQ(bench.lead.epochs(), (Epochs{2, 1}));
  EXPECT_EQ(bench.lead.phase(), LeadPhase::Over);
}

// Goal: nothing that learners say, in whatever order, breaks a check of ours, and without a quorum nothing is
// committed. Method: few voters that say right and wrong things at random; link 2 is nobody's.
TEST(Lead, NoiseOfLearners) {
  int established = 0;
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto below = [&](int64_t limit) { return std::uniform_int_distribution<int64_t>(0, limit - 1)(random); };
    Bench bench({.base = zxid(1, 3), .history = {zxid(1, 4), zxid(1, 5)}, .keep = static_cast<size_t>(below(3))});
    const auto some_zxid = [&] { return zxid(below(4), below(7)); };
    const auto noise = [&] { return std::string(static_cast<size_t>(below(40)), static_cast<char>(below(3))); };
    const auto some_packet = [&](int64_t sid) {
      switch (below(9)) {
        case 0:
          return below(4) == 0 ? observer_info(sid, below(4)) : follower_info(sid, below(4));
        case 1:
          return ack_epoch(below(5) == 0 ? Zxid{-1} : some_zxid(), static_cast<int32_t>(below(3) - 1));
        case 2:
          return ack(bench.start_of_epoch());
        case 3:
          return packet(static_cast<PacketType>(below(21)), some_zxid(), noise());
        case 4:
          return ping(noise());
        default:
          return ack(zxid(bench.lead.epoch(), below(7)));
      }
    };
    const auto right_packet = [&](int64_t sid) {
      switch (bench.phase_of(sid)) {
        case LearnerPhase::New:
          return follower_info(sid, 1);
        case LearnerPhase::AckingEpoch:
          return ack_epoch(zxid(1, 3 + below(3)), 1);
        case LearnerPhase::Synchronising:
          return ack(bench.start_of_epoch());
        case LearnerPhase::Live:
          return ack(zxid(bench.lead.epoch(), 1 + below(6)));
        default:
          return std::string();
      }
    };
    for (int step = 0; step < 400 && bench.lead.phase() != LeadPhase::Over; ++step) {
      const int64_t sid = below(5) + 1;
      const int64_t what = below(20);
      if (!bench.knows(sid)) bench.arrive(sid);
      if (what < 10) bench.say(sid, below(10) == 0 ? some_packet(sid) : right_packet(sid));
      if (what == 10) bench.leave(sid);
      if (what == 11 || what == 12) bench.finish_disk();
      if (what == 13 && bench.lead.phase() == LeadPhase::Broadcast) bench.propose(*bench.lead.next_zxid());
      if (what == 14) bench.persist();
      if (what == 15) bench.send_tree(sid);
      if (what == 16) bench.lead.on_history(Bench::link(sid), zxid(1, below(6)), txn(zxid(1, 4)), bench.now);
      if (what == 17) bench.lead.on_history_end(Bench::link(sid), bench.now);
      if (what == 18) bench.lead.on_no_history(Bench::link(sid), bench.now);
      if (what == 19) bench.beat();
      bench.look();
      if (bench.journal.committed() > zxid(1, 5)) {
        ASSERT_GT(bench.lead.epoch(), 0);
      }
    }
    established += bench.journal.committed() > zxid(1, 5) ? 1 : 0;
  }
  EXPECT_GT(established, 5);
}

TEST(Lead, NoEpochIsLeft) {
  Bench bench({.self = 2, .epochs = {kMaxEpoch, 1}});
  EXPECT_EQ(bench.lead.phase(), LeadPhase::Over);
  EXPECT_EQ(bench.lead.reason(), "there is no epoch left");
}

}  // namespace
}  // namespace quorate::zab::lead_testing
