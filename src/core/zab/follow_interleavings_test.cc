#include <gtest/gtest.h>

#include <iterator>
#include <memory>
#include <random>
#include <set>

#include "core/zab/follow_testing.h"

namespace quorate::zab::follow_testing {
namespace {

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
      {"the last word is an ACK",
       kFollower,
       {leader_info(), diff(zxid(1, 5)), proposal(b), proposal(c), new_leader(), up_to_date(), commit(b), commit(c)},
       {b, c},
       c},
      {"an observer",
       kObserver,
       {leader_info(), diff(b), proposal(a), commit(a), proposal(b), new_leader(), commit(b), inform(c), up_to_date(),
        inform(d), inform(e)},
       {a, b},
       e},
  };
}

TEST(FollowInterleavings, PromisesLeaveInOrderAndCovered) {
  size_t orders_seen = 0;
  for (const Script& script : scripts()) {
    SCOPED_TRACE(script.name);
    Interleavings all(script);
    all.explore();
    EXPECT_GE(all.states(), 2 * script.packets.size());
    orders_seen += all.ends().size();
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_GT(orders_seen, 2 * scripts().size()) << "the steps are not really in each other's way";
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

}  // namespace
}  // namespace quorate::zab::follow_testing
