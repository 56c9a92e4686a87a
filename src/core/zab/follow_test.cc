#include "core/zab/follow.h"

#include <gtest/gtest.h>

#include "core/zab/follow_testing.h"

/// Phases: what each takes, what ends it, what it leaves behind.
namespace quorate::zab::follow_testing {
namespace {

/// All that can be seen of a conversation.
std::string seen(Bench& bench) {
  const FollowOutput& out = bench.follow.out();
  return fmt::format("{} {} {} {} {} {} {} {} {}", static_cast<int>(bench.follow.phase()),
                     hex(bench.journal.last_made()), hex(bench.journal.committed()), bench.sent_bytes,
                     bench.events.size(), out.pinged.has_value(), out.revalidated.size(), out.config_texts.size(),
                     out.disk.has_value());
}

/// What becomes of a packet: a taken, . ignored, X ends the conversation, - is left unread.
char verdict(Phase phase, FollowSettings settings, int32_t type) {
  const auto bench = learner_in(phase, settings);
  if (!bench->follow.takes_packets()) return '-';
  const Zxid next = bench->journal.last_made().next();
  const auto kind = static_cast<PacketType>(type);
  const bool about_a_proposal = kind == PacketType::Commit || kind == PacketType::CommitAndActivate;
  const bool has_proposals = phase >= Phase::CatchingUp && !(settings.observer && phase == Phase::Broadcast);
  if (about_a_proposal && has_proposals) bench->receive(proposal(next, wire::Op::Reconfig));
  const std::string before = seen(*bench);
  bench->receive(plausible(kind, next));
  if (phase != Phase::Over && bench->follow.phase() == Phase::Over) return 'X';
  return seen(*bench) == before ? '.' : 'a';
}

std::string verdicts(Phase phase, FollowSettings settings) {
  std::string row;
  for (int32_t type = 1; type <= 20; ++type) row += verdict(phase, settings, type);
  return row;
}

// Columns: REQUEST PROPOSAL ACK COMMIT PING | REVALIDATE SYNC INFORM COMMITANDACTIVATE NEWLEADER | FOLLOWERINFO
// UPTODATE DIFF TRUNC SNAP | OBSERVERINFO LEADERINFO ACKEPOCH INFORMANDACTIVATE unknown. Spec: quorum 3.2, rules
// 30, 34.
TEST(FollowTable, EveryPacketInEveryPhase) {
  const struct {
    const char* phase;
    const char* follower;
    const char* observer;
  } rows[] = {
      //                    1    5    10   15   20     1    5    10   15   20
      {"Connecting", "XXXXXXXXXXXXXXXXXXXX", "XXXXXXXXXXXXXXXXXXXX"},
      {"Discovery", "XXXXXXXXXXXXXXXXaXXX", "XXXXXXXXXXXXXXXXaXXX"},
      {"PromisingEpoch", "XXXXXXXXXXXXXXXXXXXX", "XXXXXXXXXXXXXXXXXXXX"},
      {"AwaitingSync", "XXXX.XXXXXXXaaaXXXX.", "XXXX.XXXXXXXaaaXXXX."},
      {"Truncating", "--------------------", "--------------------"},
      {"ReceivingTree", "--------------------", "--------------------"},
      {"StoringTree", "--------------------", "--------------------"},
      {"CatchingUp", "XaXa.XXXaaXXXXXXXXX.", "XaXa.XXaaaXXXXXXXXa."},
      {"MakingDurable", "XaXa.XXXaXXXXXXXXXX.", "XaXa.XXaaXXXXXXXXXa."},
      {"TakingEpoch", "XaXa.XXXaXXXXXXXXXX.", "XaXa.XXaaXXXXXXXXXa."},
      {"AwaitingUpToDate", "XaXa.XXXaXXaXXXXXXX.", "XaXa.XXaaXXaXXXXXXa."},
      {"Broadcast", "XaXaaaaXaXXXXXXXXXX.", "XXXXaaaaXXXXXXXXXXa."},
      {"Over", "....................", "...................."},
  };
  size_t i = 0;
  for (const auto& row : rows) {
    SCOPED_TRACE(row.phase);
    const Phase phase = kPhases[i++];
    EXPECT_EQ(verdicts(phase, kFollower), row.follower);
    EXPECT_EQ(verdicts(phase, kObserver), row.observer);
  }
}

// Rules 16, 18, 19; Spec: quorum 3.3.
TEST(FollowDiscovery, PromisesOnlyWhatIsNotOlder) {
  const struct {
    const char* why;
    Epochs epochs;
    int64_t leader;
    Texts sent;
    Epochs after;
  } cases[] = {
      {"a newer epoch is promised first",
       {3, 2},
       4,
       {"FOLLOWERINFO 0x300000000", "ACKEPOCH 0x200000007 epoch 2"},
       {4, 2}},
      {"one promised before has no vote",
       {3, 2},
       3,
       {"FOLLOWERINFO 0x300000000", "ACKEPOCH 0x200000007 epoch -1"},
       {3, 2}},
      {"an older one is left", {3, 2}, 2, {"FOLLOWERINFO 0x300000000"}, {3, 2}},
      {"a negative one, too", {3, 2}, -1, {"FOLLOWERINFO 0x300000000"}, {3, 2}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.why);
    Bench bench(kFollower, c.epochs, zxid(2, 7));
    bench.connect();
    bench.receive(leader_info(c.leader));
    bench.work();
    EXPECT_EQ(bench.sent, c.sent);
    EXPECT_EQ(bench.follow.epochs(), c.after);
    EXPECT_EQ(bench.disk.epochs, c.after);
    EXPECT_EQ(bench.follow.phase() == Phase::Over, c.sent.size() == 1);
  }
}

// What an observer has accepted no leader counts on; but it does not go back behind an epoch that it has taken.
TEST(FollowDiscovery, AnObserverFollowsInAnEpochThatItHasPassedOver) {
  FollowSettings settings = kFollower;
  settings.observer = true;
  for (const int64_t epoch : {1, 2, 3, 4}) {
    SCOPED_TRACE(epoch);
    Bench bench(settings, {4, 2}, zxid(2, 7));
    bench.connect();
    bench.receive(leader_info(epoch));
    bench.work();
    EXPECT_EQ(bench.follow.phase() == Phase::Over, epoch < 2);
    EXPECT_EQ(bench.sent.back(), epoch < 2 ? "OBSERVERINFO 0x400000000" : "ACKEPOCH 0x200000007 epoch -1");
    if (epoch < 2) continue;
    bench.receive({diff(zxid(2, 7)), new_leader(epoch)});
    bench.work();
    EXPECT_EQ(bench.disk.epochs, (Epochs{4, epoch}));
  }
}

TEST(FollowDiscovery, LeaderInfoWithoutVersionEnds) {
  auto bench = learner_in(Phase::Discovery);
  bench->receive(packet(PacketType::LeaderInfo, zxid(2, 0)));
  EXPECT_EQ(bench->follow.phase(), Phase::Over);
}

// Rule 33: an Apache leader's SNAP may be followed by what is in it, and by commits of that in any place.
TEST(FollowTree, WhatIsInItIsNotTakenAgain) {
  auto bench = learner_in(Phase::AwaitingSync);
  bench->receive(snap(zxid(2, 3)));
  bench->receive_tree();
  bench->work();
  bench->receive({proposal(zxid(2, 2)), proposal(zxid(2, 3)), commit(zxid(2, 2)), proposal(zxid(2, 4)),
                  commit(zxid(2, 3)), commit(zxid(2, 4)), new_leader()});
  bench->work();
  EXPECT_EQ(bench->follow.phase(), Phase::AwaitingUpToDate);
  EXPECT_EQ(bench->disk.base, zxid(2, 3));
  EXPECT_EQ(bench->disk.log, std::vector<Zxid>{zxid(2, 4)});
  bench->receive(proposal(zxid(2, 3)));
  EXPECT_EQ(bench->follow.phase(), Phase::Over) << "older than what has come since";
}

TEST(FollowTree, ATruncatedLogTakesNothingAgain) {
  auto bench = learner_in(Phase::Truncating);
  bench->work();
  bench->receive({proposal(zxid(1, 4)), commit(zxid(1, 4)), proposal(zxid(2, 1)), commit(zxid(2, 1)), new_leader()});
  bench->work();
  EXPECT_EQ(bench->follow.phase(), Phase::AwaitingUpToDate);
  EXPECT_EQ(bench->disk.log, std::vector<Zxid>{zxid(2, 1)});
}

// Spec: quorum 3.5: whatever is in an Apache leader's tree was committed before it queued NEWLEADER.
TEST(FollowTree, DigestsProveNothingUntilNewLeader) {
  auto bench = learner_in(Phase::AwaitingSync);
  bench->receive(snap(zxid(2, 1)));
  bench->receive_tree();
  bench->work();
  bench->receive({proposal(zxid(2, 2)), proposal(zxid(2, 3)), commit(zxid(2, 2))});
  bench->work();
  EXPECT_EQ(bench->journal.applied(), zxid(2, 1));
  bench->receive({new_leader(), commit(zxid(2, 3))});
  EXPECT_EQ(bench->follow.fuzzy_until(), zxid(2, 2));
  EXPECT_EQ(learner_in(Phase::Broadcast)->follow.fuzzy_until(), kInDoubt);
}

// R-D6, MUST-8: a history in doubt is never claimed, and only a tree ends the doubt.
TEST(FollowTree, EndsTheDoubt) {
  for (const PacketType answer : {PacketType::Diff, PacketType::Trunc, PacketType::Snap}) {
    Bench bench(kFollower, {2, 1}, kInDoubt);
    bench.connect();
    bench.receive(leader_info(3));
    bench.work();
    EXPECT_EQ(bench.sent.back(), "ACKEPOCH 0xffffffffffffffff epoch 1");
    EXPECT_TRUE(bench.follow.wants_tree());
    bench.receive(packet(answer, zxid(3, 0)));
    if (answer == PacketType::Snap) {
      bench.receive_tree();
      bench.work();
    }
    EXPECT_EQ(bench.follow.phase(), answer == PacketType::Snap ? Phase::CatchingUp : Phase::Over);
    EXPECT_EQ(bench.follow.wants_tree(), answer != PacketType::Snap);
  }
}

TEST(FollowTree, NoTreeOfAnEpochThatTheLeaderCannotKnow) {
  for (const Zxid at : {zxid(3, 0), Zxid{-1}}) {
    auto bench = learner_in(Phase::AwaitingSync);
    bench->receive(snap(at));
    EXPECT_EQ(bench->follow.phase(), Phase::Over);
    EXPECT_FALSE(bench->follow.must_reload());
  }
}

TEST(FollowTruncation, StaysWithinTheHistory) {
  for (const Zxid at : {zxid(1, 6), Zxid{-1}, zxid(1, 5), Zxid{0}}) {
    auto bench = learner_in(Phase::AwaitingSync);
    bench->receive(trunc(at));
    const bool within = at == zxid(1, 5) || at == Zxid{0};
    EXPECT_EQ(bench->follow.phase(), within ? Phase::Truncating : Phase::Over);
  }
}

// R-S3: without a record of exactly that zxid the next leader is asked for a tree.
TEST(FollowTruncation, MayBeImpossible) {
  auto bench = learner_in(Phase::Truncating);
  bench->follow.on_disk_refused("no record 0x100000004");
  EXPECT_EQ(bench->follow.reason(), "no record 0x100000004");
  EXPECT_TRUE(bench->follow.was_refused());
  EXPECT_FALSE(bench->follow.wants_tree());
  EXPECT_FALSE(bench->follow.out().disk.has_value());
}

TEST(FollowNewLeader, MustBeThatOfThePromise) {
  for (const Zxid at : {zxid(3, 0), zxid(1, 0), zxid(2, 1), Zxid{-1}}) {
    auto bench = learner_in(Phase::CatchingUp);
    bench->receive(packet(PacketType::NewLeader, at));
    EXPECT_EQ(bench->follow.phase(), Phase::Over) << hex(at);
  }
}

TEST(FollowNewLeader, AnEpochThatIsTakenIsNotWrittenAgain) {
  Bench bench(kFollower, {2, 2}, zxid(2, 5));
  bench.connect();
  bench.receive({leader_info(), diff(zxid(2, 5)), new_leader()});
  EXPECT_EQ(bench.follow.phase(), Phase::AwaitingUpToDate);
  EXPECT_EQ(bench.sent.back(), "ACK 0x200000000");
}

// MUST-2: the digest of what the leader says is committed is checked, by applying it, before anything is promised.
TEST(FollowNewLeader, WaitsUntilTheHistoryIsApplied) {
  auto bench = learner_in(Phase::MakingDurable);
  bench->take_batch();
  bench->persist();
  EXPECT_EQ(bench->follow.phase(), Phase::MakingDurable);
  bench->follow.on_digest_mismatch(zxid(2, 1));
  bench->work();
  EXPECT_EQ(bench->follow.reason(), "the tree after 0x200000001 is not what the leader's digest says");
  EXPECT_TRUE(bench->follow.wants_tree());
  EXPECT_EQ(bench->sent, (Texts{"FOLLOWERINFO 0x100000000", "ACKEPOCH 0x100000005 epoch 1"}));
}

// Known-faults R-S6: after failures the leader may be asked for its tree, and answers as it likes.
TEST(FollowSync, TheTreeCanBeAskedForWithoutNeed) {
  FollowSettings settings = kFollower;
  for (const bool tree : {true, false}) {
    settings.ask_for_tree_in_epoch = 1;  // before this leader's
    Bench other(settings, {1, 1}, zxid(1, 5));
    other.connect();
    other.receive(leader_info());
    other.work();
    EXPECT_EQ(other.sent.back(), "ACKEPOCH 0x100000005 epoch 1");
    settings.ask_for_tree_in_epoch = 2;
    Bench bench(settings, {1, 1}, zxid(1, 5));
    bench.connect();
    bench.receive(leader_info());
    bench.work();
    EXPECT_EQ(bench.sent.back(), "ACKEPOCH 0xffffffffffffffff epoch 1");
    bench.receive(tree ? packet(PacketType::Snap, zxid(1, 5)) : diff(zxid(1, 5)));
    if (tree) bench.receive_tree();
    bench.work();
    bench.receive(new_leader());
    bench.work();
    EXPECT_EQ(bench.follow.phase(), Phase::AwaitingUpToDate);
    EXPECT_FALSE(bench.follow.wants_tree());
  }
}

// Known-faults R-D4: what is told of an epoch's beginning was seen, and not heard of.
TEST(FollowStream, SeesItsLeadersEpochBegin) {
  for (const bool seen : {true, false}) {
    auto bench = learner_in(Phase::CatchingUp);
    if (!seen) bench->receive({proposal(zxid(2, 1)), commit(zxid(2, 1))});
    bench->receive(new_leader());
    bench->work();
    EXPECT_FALSE(bench->follow.epoch_began());
    bench->receive(proposal(zxid(2, seen ? 1 : 2)));
    ASSERT_EQ(bench->follow.epoch_began().has_value(), seen);
    if (seen) {
      EXPECT_EQ(*bench->follow.epoch_began(), (EpochStart{2, zxid(1, 5)}));
    }
  }
}

// Disk 5.4: the second time, behind the leader's own snapshot, it is the leader's digest that is wrong.
TEST(FollowDigest, DiffersTwiceUnderOneLeader) {
  struct Case {
    const char* why;
    bool before;
    bool tree;
    bool goes_on;
  };
  for (const Case& c : {Case{"the first time", false, true, false}, Case{"without a tree", true, false, false},
                        Case{"behind its tree", true, true, true}}) {
    SCOPED_TRACE(c.why);
    FollowSettings settings = kFollower;
    settings.differed_before = c.before;
    Bench bench(settings, {1, 1}, c.tree ? kInDoubt : zxid(1, 5));
    bench.connect();
    bench.receive(leader_info());
    bench.work();
    bench.receive(c.tree ? packet(PacketType::Snap, zxid(1, 5)) : diff(zxid(1, 5)));
    if (c.tree) bench.receive_tree();
    bench.work();
    bench.receive(new_leader());
    bench.work();
    bench.follow.on_digest_mismatch(zxid(2, 1));
    EXPECT_EQ(bench.follow.phase() != Phase::Over, c.goes_on);
    EXPECT_EQ(bench.follow.digest_is_foreign(), c.goes_on);
    EXPECT_EQ(bench.follow.digest_differed(), !c.goes_on);
    EXPECT_EQ(bench.follow.wants_tree(), !c.goes_on);
    bench.follow.on_digest_mismatch(zxid(2, 2));
    EXPECT_EQ(bench.follow.phase() != Phase::Over, c.goes_on);
  }
}

// Rules 31, 32, 40: one each for what is not committed, right behind it; the leader may be waiting for just them.
TEST(FollowNewLeader, IsAcknowledgedBeforeWhatIsNotCommitted) {
  auto bench = learner_in(Phase::CatchingUp);
  bench->receive({proposal(zxid(2, 1)), commit(zxid(2, 1)), proposal(zxid(2, 2)), proposal(zxid(2, 3)), new_leader()});
  bench->take_sent();
  bench->work();
  EXPECT_EQ(bench->sent, (Texts{"ACK 0x200000000", "ACK 0x200000002", "ACK 0x200000003"}));
}

TEST(FollowNewLeader, DoesNotWaitForLaterTxns) {
  auto bench = learner_in(Phase::MakingDurable);
  bench->take_batch();
  bench->receive({proposal(zxid(2, 2)), commit(zxid(2, 2))});
  bench->persist();
  bench->apply();
  EXPECT_EQ(bench->follow.phase(), Phase::TakingEpoch);
}

TEST(FollowNewLeader, TellsTheConfiguration) {
  auto bench = learner_in(Phase::MakingDurable);
  EXPECT_EQ(bench->follow.out().config_texts, Texts{"version=0"});
}

// Rule 38, MUST-7: where a conversation breaks off between two bases, memory has to be loaded anew; nowhere else.
TEST(FollowEnd, SaysWhenMemoryIsNotTheDisk) {
  for (const Phase phase : kPhases) {
    auto bench = learner_in(phase);
    bench->follow.on_closed("the leader went away");
    const bool between = phase == Phase::Truncating || phase == Phase::ReceivingTree || phase == Phase::StoringTree;
    EXPECT_EQ(bench->follow.must_reload(), between) << static_cast<int>(phase);
    EXPECT_EQ(bench->follow.reason(), "the leader went away");
    EXPECT_EQ(bench->follow.phase(), Phase::Over);
    bench->leave();
  }
}

// What was ordered is carried out after the end, too, and what is said of the epochs stays true.
TEST(FollowEnd, AnOrderOutlivesTheConversation) {
  const struct {
    Phase phase;
    Epochs after;
  } cases[] = {{Phase::PromisingEpoch, {2, 1}},
               {Phase::Truncating, {2, 1}},
               {Phase::StoringTree, {2, 1}},
               {Phase::TakingEpoch, {2, 2}}};
  for (const auto& c : cases) {
    auto bench = learner_in(c.phase);
    bench->follow.on_closed("the leader went away");
    ASSERT_TRUE(bench->has_order());
    bench->take_sent();
    bench->finish_order();
    EXPECT_EQ(bench->follow.epochs(), c.after);
    EXPECT_EQ(bench->disk.epochs, c.after);
    EXPECT_EQ(bench->sent, Texts{});
    EXPECT_EQ(bench->follow.phase(), Phase::Over);
  }
}

TEST(FollowEnd, ATreeThatIsRefusedOrHasNoRoom) {
  auto refused = learner_in(Phase::ReceivingTree);
  refused->follow.on_tree_refused("the tree is cut short");
  EXPECT_EQ(refused->follow.reason(), "the tree is cut short");
  EXPECT_TRUE(refused->follow.must_reload());
  auto full = learner_in(Phase::StoringTree);
  full->follow.on_disk_refused("no space");
  EXPECT_EQ(full->follow.reason(), "no space");
  EXPECT_TRUE(full->follow.must_reload());
  EXPECT_FALSE(full->follow.wants_tree());
}

// While an order stands, or before the history is known to be whole, the log gets nothing.
TEST(FollowLog, WaitsForOrdersAndForNewLeader) {
  for (const Phase phase : kPhases) {
    const bool may = phase == Phase::MakingDurable || phase == Phase::AwaitingUpToDate || phase == Phase::Broadcast;
    EXPECT_EQ(learner_in(phase)->follow.may_log(), may) << static_cast<int>(phase);
  }
}

// Spec: quorum 3.7, 3.10. Own work on the disk is not the leader's silence.
TEST(FollowTime, TheLeaderMustBeHeard) {
  constexpr Millis kNever{INT64_MAX};
  for (const Phase phase : kPhases) {
    SCOPED_TRACE(static_cast<int>(phase));
    auto bench = learner_in(phase);
    const bool disk = phase == Phase::PromisingEpoch || phase == Phase::Truncating || phase == Phase::StoringTree ||
                      phase == Phase::MakingDurable || phase == Phase::TakingEpoch || phase == Phase::Over;
    const bool late = phase == Phase::AwaitingUpToDate || phase == Phase::Broadcast;
    EXPECT_EQ(bench->follow.next_time(), disk ? kNever : late ? Millis{10000} : Millis{20000});
    if (disk) continue;
    bench->follow.on_time(bench->follow.next_time() - Millis{1});
    EXPECT_EQ(bench->follow.phase(), phase);
    bench->follow.on_time(bench->follow.next_time());
    EXPECT_EQ(bench->follow.phase(), Phase::Over);
    EXPECT_EQ(bench->follow.next_time(), kNever);
  }
}

TEST(FollowTime, EachPacketGivesMore) {
  auto bench = learner_in(Phase::Broadcast);
  bench->now = Millis{7000};
  bench->receive(ping(zxid(2, 1)));
  EXPECT_EQ(bench->follow.next_time(), Millis{17000});
  bench->now = Millis{9000};
  bench->follow.on_persisted(bench->now);
  EXPECT_EQ(bench->follow.next_time(), Millis{17000}) << "our own work says nothing of the leader";
  auto receiving = learner_in(Phase::ReceivingTree);
  receiving->follow.on_tree_bytes(Millis{15000});
  EXPECT_EQ(receiving->follow.next_time(), Millis{35000});
}

}  // namespace
}  // namespace quorate::zab::follow_testing
