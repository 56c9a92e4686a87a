#include <gtest/gtest.h>

#include "core/zab/follow_testing.h"

/// Txns, and what else the leader sends a learner in broadcast.
namespace quorate::zab::follow_testing {
namespace {

// MUST-2, rule 35. The log ends at 1:5, the leader's epoch is 4.
TEST(FollowContinuity, OnlyTheNextTxnIsTaken) {
  const struct {
    const char* why;
    Zxid at;
    wire::Op type;
    bool taken;
  } cases[] = {
      {"the next", zxid(1, 6), wire::Op::SetData, true},
      {"a gap", zxid(1, 7), wire::Op::SetData, false},
      {"the same again", zxid(1, 5), wire::Op::SetData, false},
      {"the same again, an error", zxid(1, 5), wire::Op::Error, true},
      {"an error further back", zxid(1, 4), wire::Op::Error, false},
      {"an error behind a gap", zxid(1, 7), wire::Op::Error, false},
      {"the first of the next epoch", zxid(2, 1), wire::Op::SetData, true},
      {"the first of the leader's epoch", zxid(4, 1), wire::Op::SetData, true},
      {"the second of a later epoch", zxid(2, 2), wire::Op::SetData, false},
      {"the start of an epoch is no txn", zxid(2, 0), wire::Op::SetData, false},
      {"an epoch that the leader cannot know", zxid(5, 1), wire::Op::SetData, false},
      {"an older epoch", zxid(0, 6), wire::Op::SetData, false},
  };
  for (const bool observer : {false, true}) {
    for (const auto& c : cases) {
      SCOPED_TRACE(c.why);
      Bench bench(observer ? kObserver : kFollower);
      bench.connect();
      bench.receive(leader_info(4));
      bench.work();
      bench.receive(
          {diff(zxid(1, 5)), packet(observer ? PacketType::Inform : PacketType::Proposal, c.at, txn(c.at, c.type))});
      EXPECT_EQ(bench.follow.phase(), c.taken ? Phase::CatchingUp : Phase::Over);
      EXPECT_EQ(bench.journal.open_txns(), c.taken ? 1 : 0);
      EXPECT_EQ(bench.follow.was_refused(), !c.taken);
      EXPECT_FALSE(bench.follow.wants_tree());
      EXPECT_EQ(bench.follow.must_reload(), !c.taken);
    }
  }
}

// R-S2: nothing of a refused sync is logged or applied, however far the shell is ahead of the refusal.
TEST(FollowContinuity, NothingIsKeptOfAHistoryWithAGap) {
  auto bench = learner_in(Phase::CatchingUp);
  for (const int64_t counter : {1, 2, 3, 4}) {
    bench->receive({proposal(zxid(2, counter)), commit(zxid(2, counter))});
    bench->work();
  }
  bench->receive(proposal(zxid(2, 6)));
  bench->work();
  EXPECT_EQ(bench->follow.reason(), "sync got proposal 0x200000006, last queued 0x200000004, expected 0x200000005");
  EXPECT_EQ(bench->follow.out().lines.back().text, "Following has ended: " + bench->follow.reason());
  EXPECT_TRUE(bench->disk.log.empty());
  EXPECT_EQ(bench->journal.applied(), zxid(1, 5));
  EXPECT_TRUE(bench->follow.was_refused());
  EXPECT_FALSE(bench->follow.wants_tree());
  bench->journal.settle();
  EXPECT_EQ(bench->journal.last_made(), zxid(1, 5));
}

TEST(FollowContinuity, ATxnMustCarryTheZxidOfItsPacket) {
  for (const std::string& data : {std::string(), txn(zxid(1, 6)).substr(0, 31), txn(zxid(1, 7))}) {
    auto bench = learner_in(Phase::CatchingUp);
    bench->receive(packet(PacketType::Proposal, zxid(1, 6), data));
    EXPECT_EQ(bench->follow.reason(), "proposal 0x100000006 holds a txn of another zxid, or none");
    EXPECT_TRUE(bench->follow.was_refused());
    EXPECT_FALSE(bench->follow.wants_tree());
    EXPECT_EQ(bench->journal.last_made(), zxid(1, 5));
  }
}

TEST(FollowContinuity, DiffKeepsItsWord) {
  Bench bench;
  bench.connect();
  bench.receive(leader_info());
  bench.work();
  bench.receive({diff(zxid(1, 7)), proposal(zxid(1, 6)), commit(zxid(1, 6)), new_leader()});
  EXPECT_EQ(bench.follow.reason(), "the history ends at 0x100000006, expected was 0x100000007 as DIFF said");
  EXPECT_TRUE(bench.follow.was_refused());
  EXPECT_FALSE(bench.follow.wants_tree());
}

TEST(FollowContinuity, TxnsAreLoggedAsTheyCame) {
  auto bench = learner_in(Phase::Broadcast);
  const std::string sent = txn(zxid(2, 2), wire::Op::SetData, "some data");
  bench->receive(packet(PacketType::Proposal, zxid(2, 2), sent));
  std::string kept;
  bench->journal.each_after(zxid(2, 1), [&](Zxid, std::string_view payload) { kept += payload; });
  EXPECT_EQ(kept, sent);
}

// Rule 42.
TEST(FollowCommit, OnlyTheHeadIsCommitted) {
  const struct {
    const char* why;
    Zxid at;
    const char* reason;
  } cases[] = {
      {"the head", zxid(2, 2), ""},
      {"not the second", zxid(2, 3), "COMMIT of 0x200000003 where the next to commit is 0x200000002"},
      {"not one that is committed", zxid(2, 1), "COMMIT of 0x200000001 where the next to commit is 0x200000002"},
      {"not one to come", zxid(2, 4), "COMMIT of 0x200000004 where the next to commit is 0x200000002"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.why);
    auto bench = learner_in(Phase::Broadcast);
    bench->receive({proposal(zxid(2, 2)), proposal(zxid(2, 3)), commit(c.at)});
    EXPECT_EQ(bench->follow.reason(), c.reason);
    EXPECT_EQ(bench->journal.committed(), *c.reason == '\0' ? c.at : zxid(2, 1));
    EXPECT_FALSE(bench->follow.must_reload());
  }
}

// Rule 35: the error's zxid is another txn's, and so is its COMMIT, whether the leader sends one or two.
TEST(FollowCommit, AnErrorThatRepeatsAZxidIsCommittedWithIt) {
  const Packet first = proposal(zxid(2, 2)), error = proposal(zxid(2, 2), wire::Op::Error);
  const Packet committed = commit(zxid(2, 2));
  const std::vector<std::vector<Packet>> orders = {
      {first, error, committed},
      {first, committed, error},
      {first, error, committed, committed},
      {first, committed, error, committed},
  };
  for (const auto& order : orders) {
    auto bench = learner_in(Phase::Broadcast);
    bench->receive(order);
    bench->receive({proposal(zxid(2, 3)), commit(zxid(2, 3))});
    bench->work();
    EXPECT_EQ(bench->follow.reason(), "");
    EXPECT_EQ(bench->journal.applied(), zxid(2, 3));
    EXPECT_EQ(bench->disk.log, (std::vector<Zxid>{zxid(2, 1), zxid(2, 2), zxid(2, 2), zxid(2, 3)}));
  }
}

// Rule 44: what the quorum has committed is visible here only once it is on our disk.
TEST(FollowCommit, WaitsForOurOwnLog) {
  auto bench = learner_in(Phase::Broadcast);
  bench->receive({proposal(zxid(2, 2)), commit(zxid(2, 2))});
  EXPECT_FALSE(bench->can_apply());
  bench->take_batch();
  EXPECT_FALSE(bench->can_apply());
  bench->persist();
  EXPECT_TRUE(bench->can_apply());
}

// Rule 50; what is told counts behind the commits that came before it, even if our disk is slow.
TEST(FollowBroadcast, SyncIsABarrier) {
  auto bench = learner_in(Phase::Broadcast);
  EXPECT_EQ(bench->events, (std::vector<FollowEvent>{{FollowEvent::Kind::UpToDate, zxid(2, 1)}}));
  bench->receive({proposal(zxid(2, 2)), commit(zxid(2, 2)), packet(PacketType::Sync, {0})});
  EXPECT_EQ(bench->events.back(), (FollowEvent{FollowEvent::Kind::Synced, zxid(2, 2)}));
  EXPECT_EQ(bench->journal.applied(), zxid(2, 1));
}

TEST(FollowBroadcast, RevalidateIsAnswered) {
  auto bench = learner_in(Phase::Broadcast);
  bench->receive(packet(PacketType::Revalidate, {-1}, int64_bytes(77) + "\1"));
  ASSERT_EQ(bench->follow.out().revalidated.size(), 1u);
  EXPECT_EQ(bench->follow.out().revalidated[0].session, SessionId{77});
  EXPECT_TRUE(bench->follow.out().revalidated[0].valid);
  bench->receive(packet(PacketType::Revalidate, {-1}, int64_bytes(77)));
  EXPECT_EQ(bench->follow.reason(), "REVALIDATE is too short");
}

TEST(FollowBroadcast, NothingIsSentForTheReplicaOutsideOfIt) {
  for (const Phase phase : kPhases) {
    auto bench = learner_in(phase);
    bench->follow.forward({SessionId{1}, 2, 3}, "record", {});
    bench->follow.revalidate(SessionId{1}, 10);
    bench->follow.answer_ping(zxid(2, 1), {});
    bench->take_sent();
    bench->look();
    const Texts all = {"REQUEST 0xffffffffffffffff", "REVALIDATE 0xffffffffffffffff", "PING 0x200000001"};
    EXPECT_EQ(bench->sent, phase == Phase::Broadcast ? all : Texts{});
  }
}

// Spec: quorum 6.4 step 5.
TEST(FollowReconfig, ActivationTellsTheTextAndWhoLeads) {
  for (const int64_t designated : {9, 3}) {
    for (const bool observer : {false, true}) {
      auto bench = learner_in(Phase::Broadcast, observer ? kObserver : kFollower);
      const std::string reconfig = txn(zxid(2, 2), wire::Op::Reconfig, "server.1=...");
      if (observer) {
        bench->receive(packet(PacketType::InformAndActivate, zxid(2, 2), int64_bytes(designated) + reconfig));
      } else {
        bench->receive({packet(PacketType::Proposal, zxid(2, 2), reconfig), proposal(zxid(2, 3)),
                        packet(PacketType::CommitAndActivate, zxid(2, 2), int64_bytes(designated))});
      }
      EXPECT_EQ(bench->follow.out().config_texts, (Texts{"version=0", "server.1=..."}));
      EXPECT_EQ(bench->journal.committed(), zxid(2, 2));
      EXPECT_EQ(bench->follow.reason(), designated == 9 ? "" : "server 3 is designated to lead");
      EXPECT_FALSE(bench->follow.must_reload());
    }
  }
}

TEST(FollowReconfig, OnlyAReconfigIsActivated) {
  auto bench = learner_in(Phase::Broadcast);
  bench->receive({proposal(zxid(2, 2)), packet(PacketType::CommitAndActivate, zxid(2, 2), int64_bytes(9))});
  EXPECT_EQ(bench->follow.reason(), "a txn is to be activated that is no reconfig");
  for (const PacketType type : {PacketType::CommitAndActivate, PacketType::InformAndActivate}) {
    auto cut = learner_in(Phase::Broadcast, type == PacketType::CommitAndActivate ? kFollower : kObserver);
    cut->receive(packet(type, zxid(2, 2), "short"));
    EXPECT_EQ(cut->follow.phase(), Phase::Over);
    EXPECT_EQ(cut->journal.committed(), zxid(2, 1));
  }
}

TEST(FollowObserver, InformWaitsForNoProposal) {
  auto bench = learner_in(Phase::CatchingUp, kObserver);
  bench->receive({proposal(zxid(2, 1)), inform(zxid(2, 2))});
  EXPECT_EQ(bench->follow.reason(), "INFORM of 0x200000002 while 0x200000001 is not committed");
}

}  // namespace
}  // namespace quorate::zab::follow_testing
