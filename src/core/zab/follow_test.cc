#include "core/zab/follow.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <set>

#include "core/zab/follow_testing.h"

namespace quorate::zab::testing {
namespace {

using Phase = FollowPhase;
using Texts = std::vector<std::string>;

constexpr FollowSettings kFollower{{1}, {9}};
constexpr FollowSettings kObserver{{1}, {9}, true};

Packet diff(Zxid at) { return packet(PacketType::Diff, at); }
Packet trunc(Zxid at) { return packet(PacketType::Trunc, at); }
Packet snap(Zxid at) { return packet(PacketType::Snap, at); }
Packet ping(Zxid at) { return packet(PacketType::Ping, at); }

/// A learner whose log ends at 1:5, just come to `phase` under a leader of epoch 2.
std::unique_ptr<Bench> learner_in(Phase phase, FollowSettings settings = kFollower) {
  auto bench = std::make_unique<Bench>(settings);
  const auto there = [&] { return bench->follow.phase() == phase; };
  if (there()) return bench;
  bench->connect();
  if (there()) return bench;
  bench->receive(leader_info());
  if (there()) return bench;
  bench->finish_order();
  if (there()) return bench;
  if (phase == Phase::Truncating) bench->receive(trunc(zxid(1, 4)));
  if (phase == Phase::ReceivingTree || phase == Phase::StoringTree) bench->receive(snap(zxid(2, 0)));
  if (phase == Phase::StoringTree) bench->receive_tree();
  if (there()) return bench;
  bench->receive(diff(zxid(1, 5)));
  if (there()) return bench;
  bench->receive({proposal(zxid(2, 1)), commit(zxid(2, 1)), new_leader()});
  if (there()) return bench;
  bench->take_batch();
  bench->persist();
  bench->apply();
  if (there()) return bench;
  bench->finish_order();
  if (there()) return bench;
  bench->receive(up_to_date());
  if (there()) return bench;
  bench->follow.on_closed("the leader went away");
  EXPECT_TRUE(there());
  return bench;
}

constexpr Phase kPhases[] = {Phase::Connecting,    Phase::Discovery,     Phase::PromisingEpoch,   Phase::AwaitingSync,
                             Phase::Truncating,    Phase::ReceivingTree, Phase::StoringTree,      Phase::CatchingUp,
                             Phase::MakingDurable, Phase::TakingEpoch,   Phase::AwaitingUpToDate, Phase::Broadcast,
                             Phase::Over};

/// All that can be seen of a conversation.
std::string seen(Bench& bench) {
  const FollowOutput& out = bench.follow.out();
  return fmt::format("{} {} {} {} {} {} {} {} {}", static_cast<int>(bench.follow.phase()),
                     hex(bench.journal.last_made()), hex(bench.journal.committed()), bench.sent_bytes,
                     bench.events.size(), out.pinged.has_value(), out.revalidated.size(), out.config_texts.size(),
                     out.disk.has_value());
}

/// A packet of that type as it would be right, if it came at the right time.
Packet plausible(PacketType type, Zxid next) {
  switch (type) {
    case PacketType::Proposal:
    case PacketType::Inform:
      return packet(type, next, txn(next));
    case PacketType::CommitAndActivate:
      return packet(type, next, int64_bytes(9));
    case PacketType::InformAndActivate:
      return packet(type, next, int64_bytes(9) + txn(next, wire::Op::Reconfig));
    case PacketType::LeaderInfo:
      return leader_info();
    case PacketType::NewLeader:
      return new_leader();
    case PacketType::Diff:
    case PacketType::Trunc:
    case PacketType::Snap:
      return packet(type, zxid(1, 5));
    case PacketType::Revalidate:
      return packet(type, {-1}, int64_bytes(77) + "\1");
    default:
      return packet(type, next);
  }
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

TEST(FollowDiscovery, LeaderInfoWithoutVersionEnds) {
  auto bench = learner_in(Phase::Discovery);
  bench->receive(packet(PacketType::LeaderInfo, zxid(2, 0)));
  EXPECT_EQ(bench->follow.phase(), Phase::Over);
}

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
      EXPECT_EQ(bench.follow.wants_tree(), !c.taken);
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
  EXPECT_TRUE(bench->follow.wants_tree());
  bench->journal.settle();
  EXPECT_EQ(bench->journal.last_made(), zxid(1, 5));
}

TEST(FollowContinuity, ATxnMustCarryTheZxidOfItsPacket) {
  for (const std::string& data : {std::string(), txn(zxid(1, 6)).substr(0, 31), txn(zxid(1, 7))}) {
    auto bench = learner_in(Phase::CatchingUp);
    bench->receive(packet(PacketType::Proposal, zxid(1, 6), data));
    EXPECT_EQ(bench->follow.reason(), "proposal 0x100000006 holds a txn of another zxid, or none");
    EXPECT_TRUE(bench->follow.wants_tree());
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
  EXPECT_TRUE(bench.follow.wants_tree());
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
  EXPECT_TRUE(bench->follow.wants_tree());
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

TEST(FollowNewLeader, TellsTheConfiguration) {
  auto bench = learner_in(Phase::MakingDurable);
  EXPECT_EQ(bench->follow.out().config_texts, Texts{"version=0"});
}

// Rules 17, 31, 32, 34, 40, 41: whatever comes when, the promises leave in their order, and each is covered.
//
// Method: all interleavings of a leader's packets with the steps of our shell. The bench judges each packet that leaves
// by what a crash at that moment would leave; here the end of each run is compared with what was asked for, and each
// state is left once, as if the connection broke there.
struct Script {
  const char* name;
  FollowSettings settings;
  std::vector<Packet> packets;
  std::vector<Zxid> proposals;
  Zxid end;
};

Packet tree() { return {0, {}}; }

class Interleavings {
 public:
  explicit Interleavings(const Script& script) : script_(script) {}

  void explore() { visit({}); }
  size_t states() const { return states_.size(); }
  const std::set<std::string>& ends() const { return ends_; }

 private:
  enum Step { Receive, Order, Take, Persist, Apply, kSteps };

  struct Run {
    explicit Run(const Script& script) : bench(script.settings) { bench.connect(); }
    Bench bench;
    size_t next_packet = 0;
    Zxid committed_at_ack = kInDoubt;  ///< When ACK(NEWLEADER) left.
  };

  /// A leader says nothing before its turn.
  bool can_receive(Run& run) const {
    if (run.next_packet == script_.packets.size()) return false;
    const auto kind = static_cast<PacketType>(script_.packets[run.next_packet].type);
    const Phase phase = run.bench.follow.phase();
    if (kind == PacketType{}) return phase == Phase::ReceivingTree;
    if (kind == PacketType::UpToDate) return phase == Phase::AwaitingUpToDate;
    if (phase == Phase::PromisingEpoch) return false;
    return run.bench.follow.takes_packets();
  }

  bool can(Run& run, Step step) const {
    switch (step) {
      case Receive:
        return can_receive(run);
      case Order:
        return run.bench.has_order();
      case Take:
        return run.bench.can_log();
      case Persist:
        return run.bench.at_log != nullptr;
      default:
        return run.bench.can_apply();
    }
  }

  void receive(Run& run) const {
    const Packet& next = script_.packets[run.next_packet++];
    next.type == 0 ? run.bench.receive_tree() : run.bench.receive(next);
  }

  void take(Run& run, Step step) const {
    const size_t sent_before = run.bench.sent.size();
    switch (step) {
      case Receive:
        receive(run);
        break;
      case Order:
        run.bench.finish_order();
        break;
      case Take:
        run.bench.take_batch();
        break;
      case Persist:
        run.bench.persist();
        break;
      default:
        run.bench.apply();
    }
    const bool acked = run.bench.sent.size() > sent_before && run.bench.sent[sent_before] == "ACK 0x200000000";
    if (acked && run.committed_at_ack == kInDoubt) run.committed_at_ack = run.bench.journal.committed();
  }

  std::unique_ptr<Run> replay(const std::vector<Step>& path) const {
    auto run = std::make_unique<Run>(script_);
    for (const Step step : path) take(*run, step);
    return run;
  }

  static std::string state(Run& run) {
    Bench& bench = run.bench;
    std::string text = fmt::format(
        "{} {} {} {} {} {}", run.next_packet, bench.has_order(), bench.at_log == nullptr ? 0 : bench.at_log->last.value,
        bench.journal.durable().value, bench.journal.applied().value, run.committed_at_ack.value);
    for (const std::string& sent : bench.sent) text += " " + sent;
    return text;
  }

  void visit(const std::vector<Step>& path) {
    const auto run = replay(path);
    ASSERT_EQ(run->bench.follow.reason(), "");
    if (!states_.insert(state(*run)).second) return;
    replay(path)->bench.leave();
    bool ended = true;
    for (int i = 0; i < kSteps; ++i) {
      const Step step = static_cast<Step>(i);
      if (!can(*run, step)) continue;
      ended = false;
      std::vector<Step> further = path;
      further.push_back(step);
      visit(further);
    }
    if (ended) check_end(*run);
  }

  void check_end(Run& run) {
    Bench& bench = run.bench;
    EXPECT_EQ(run.next_packet, script_.packets.size());
    EXPECT_EQ(bench.follow.phase(), Phase::Broadcast);
    EXPECT_EQ(bench.journal.applied(), script_.end);
    EXPECT_EQ(bench.disk.last(), script_.end);
    EXPECT_EQ(bench.disk.epochs, (Epochs{kEpoch, kEpoch}));
    Texts expected;
    for (const Zxid at : script_.proposals) {
      if (at > run.committed_at_ack && !script_.settings.observer) expected.push_back("ACK " + hex(at));
    }
    Texts of_txns(bench.sent.begin() + 2, bench.sent.end());
    ASSERT_FALSE(of_txns.empty());
    EXPECT_EQ(of_txns.front(), "ACK 0x200000000");
    EXPECT_EQ(std::erase(of_txns, "ACK 0x200000000"), 2u);
    EXPECT_EQ(of_txns, expected);
    std::string text;
    for (const std::string& sent : bench.sent) text += sent + "; ";
    ends_.insert(text);
  }

  const Script& script_;
  std::set<std::string> states_;
  std::set<std::string> ends_;
};

std::vector<Script> scripts() {
  const Zxid a = zxid(1, 6), b = zxid(2, 1), c = zxid(2, 2), d = zxid(2, 3), e = zxid(2, 4);
  return {
      {"diff, outstanding and live txns",
       kFollower,
       {leader_info(), diff(a), proposal(a), commit(a), proposal(b), proposal(c), new_leader(), proposal(d), commit(b),
        up_to_date(), commit(c), proposal(e), commit(d), commit(e)},
       {a, b, c, d, e},
       e},
      {"all is committed between NEWLEADER and UPTODATE",
       kFollower,
       {leader_info(), diff(zxid(1, 5)), proposal(b), proposal(c), new_leader(), ping(c), commit(b), commit(c),
        up_to_date(), proposal(d), commit(d)},
       {b, c, d},
       d},
      {"a tree, some of it again, more behind it",
       kFollower,
       {leader_info(), snap(b), tree(), proposal(b), commit(b), proposal(c), new_leader(), proposal(d), commit(c),
        up_to_date(), proposal(e), commit(d), commit(e)},
       {c, d, e},
       e},
      {"truncation, then more",
       kFollower,
       {leader_info(), trunc(zxid(1, 4)), proposal(b), commit(b), proposal(c), new_leader(), proposal(d), up_to_date(),
        commit(c), proposal(e), commit(d), commit(e)},
       {b, c, d, e},
       e},
      {"an observer",
       kObserver,
       {leader_info(), diff(b), proposal(a), commit(a), proposal(b), commit(b), new_leader(), inform(c), up_to_date(),
        inform(d), inform(e)},
       {a, b},
       e},
  };
}

TEST(FollowInterleavings, PromisesLeaveInOrderAndCovered) {
  for (const Script& script : scripts()) {
    SCOPED_TRACE(script.name);
    Interleavings all(script);
    all.explore();
    EXPECT_GE(all.states(), 100u);
    EXPECT_GE(all.ends().size(), script.settings.observer ? 1u : 2u);
    if (::testing::Test::HasFailure()) return;
  }
}

// Bytes from outside end a conversation, never the process; what was promised until then stays covered.
TEST(FollowNoise, AnyPacketsAreSurvived) {
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    const auto bench = learner_in(kPhases[random() % std::size(kPhases)], random() % 2 == 0 ? kFollower : kObserver);
    for (int i = 0; i < 12 && bench->follow.phase() != Phase::Over; ++i) {
      if (bench->follow.takes_packets()) {
        const Zxid next{bench->journal.last_made().value + static_cast<int64_t>(random() % 3)};
        Packet given = plausible(static_cast<PacketType>(random() % 21), next);
        if (given.data && random() % 8 == 0) given.data->resize(random() % (given.data->size() + 1));
        if (random() % 8 == 0) given.zxid = {static_cast<int64_t>(random()) - (1 << 30)};
        bench->receive(given);
      }
      if (random() % 2 == 0) bench->work();
      if (bench->follow.phase() == Phase::ReceivingTree) bench->receive_tree();
    }
    bench->leave();
  }
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
}  // namespace quorate::zab::testing
