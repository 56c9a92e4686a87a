#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <utility>

#include "core/zab/follow_testing.h"
#include "core/zab/lead.h"

/// Our leader and our learners, with nothing between them but queues. Each goes on when chance says so, connections
/// break, and at the end all have one history. Promises are judged by what is on the learners' disks as they leave.
namespace quorate::zab::follow_testing {
namespace {

constexpr int64_t kLeader = 9;
constexpr int64_t kObserverId = 3;
constexpr const char* kBroken = "the connection broke";
constexpr const char* kLeft = "the leader closed it";
const std::vector<Zxid> kHistory = {zxid(1, 6), zxid(1, 7), zxid(1, 8)};

struct Link {
  std::unique_ptr<Bench> learner;
  LinkId id;
  bool in_doubt = false;
  std::deque<Packet> to_learner;  ///< Type 0 is the tree.
  std::deque<Packet> to_leader;
  size_t taken = 0;  ///< Of the learner's bytes.
};

std::deque<Packet> packets_in(std::string_view bytes) {
  std::deque<Packet> packets;
  for (wire::Decoder in(bytes); !in.ended();) {
    wire::QuorumPacket packet;
    EXPECT_TRUE(wire::decode(in, packet));
    packets.push_back({packet.type, packet.zxid, {}});
    if (!wire::is_absent(packet.data)) packets.back().data = std::string(packet.data);
  }
  return packets;
}

Electorate voters() {
  QuorumRule rule;
  for (const int64_t id : {int64_t{1}, int64_t{2}, kLeader}) rule.voters.push_back({.id = {id}});
  return Electorate(rule);
}

LeadSettings lead_settings() {
  LeadSettings settings;
  settings.self = ServerId{kLeader};
  settings.config_text = "version=0";
  settings.sync.epochs = {{1, {0}}};
  return settings;
}

class World {
 public:
  explicit World(uint32_t seed) : random_(seed), journal_(zxid(1, 5), 2) {
    for (const Zxid at : kHistory) journal_.append(at, txn(at));
    journal_.take_batch();
    journal_.on_persisted();
    journal_.settle();
    while (!journal_.next_to_apply().empty()) continue;
    lead_ = std::make_unique<Lead>(lead_settings(), voters(), Epochs{1, 1}, kHistory.back(), journal_, Millis{0});
    const std::vector<Zxid> lasts = {zxid(1, 8), zxid(1, 7), zxid(1, 5), zxid(1, 9), zxid(0, 0), kInDoubt};
    connect(1, {1, 1}, zxid(1, 8));
    connect(2, {1, 1}, lasts[random_() % lasts.size()]);
    connect(kObserverId, {1, 1}, lasts[random_() % lasts.size()]);
  }

  void run() {
    for (int steps = 0; steps < 600; ++steps) {
      step();
      if (random_() % 150 == 0) reconnect(2 + static_cast<int64_t>(random_() % 2));
    }
    for (int quiet = 0; quiet < 3; ++quiet) {
      for (int steps = 0; steps < 2000; ++steps) quiet_step();
    }
  }

  void check() {
    EXPECT_EQ(lead_->reason(), "");
    EXPECT_EQ(lead_->phase(), LeadPhase::Broadcast);
    EXPECT_EQ(journal_.applied(), journal_.last_made());
    for (const auto& [sid, link] : links_) {
      SCOPED_TRACE(sid);
      const Bench& learner = *link.learner;
      EXPECT_EQ(learner.follow.phase(), Phase::Broadcast) << learner.follow.reason();
      EXPECT_EQ(learner.disk.last(), journal_.last_made());
      EXPECT_EQ(learner.journal.applied(), journal_.last_made());
      EXPECT_EQ(learner.disk.epochs, (Epochs{2, 2}));
      for (const Zxid at : learner.disk.log) EXPECT_TRUE(made_.contains(at)) << hex(at);
    }
  }
  /// How often what happened, over all connections.
  std::map<std::string, int> seen() {
    for (const auto& [sid, link] : links_) count(*link.learner);
    return seen_;
  }

 private:
  void connect(int64_t sid, Epochs epochs, Zxid last) {
    Link& link = links_[sid];
    FollowSettings settings{{sid}, {kLeader}, sid == kObserverId};
    link = Link{std::make_unique<Bench>(settings, epochs, last), LinkId{++links_made_}, last == kInDoubt, {}, {}, 0};
    lead_->on_learner(link.id, Millis{0});
    link.learner->connect();
  }

  void reconnect(int64_t sid) {
    Link& old = links_[sid];
    lead_->on_closed(old.id);
    Bench& learner = *old.learner;
    learner.follow.on_closed(kBroken);
    learner.leave();
    const std::string& why = learner.follow.reason();
    EXPECT_TRUE(why == kBroken || why == kLeft) << why;
    EXPECT_LE(learner.follow.wants_tree(), old.in_doubt);
    count(learner);
    ++seen_[why];
    const Disk disk = learner.disk;
    connect(sid, disk.epochs, learner.follow.wants_tree() ? kInDoubt : disk.last());
  }

  void count(const Bench& learner) {
    for (const std::string& line : learner.page) ++seen_[line.substr(0, line.find(" 0x"))];
  }

  void step() {
    if (random_() % 12 == 0) propose();
    quiet_step();
  }

  void quiet_step() {
    auto at = links_.begin();
    std::advance(at, random_() % links_.size());
    Link& link = at->second;
    switch (random_() % 4) {
      case 0:
        to_learner(link);
        break;
      case 1:
        to_leader(link);
        break;
      case 2:
        work(*link.learner);
        break;
      default:
        work_on_lead();
    }
    if (link.learner->follow.phase() == Phase::Over) reconnect(at->first);
    take_outputs();
  }

  void propose() {
    if (lead_->phase() != LeadPhase::Broadcast || proposals_ == 40) return;
    const Zxid at = *lead_->next_zxid();
    const std::string payload = txn(at);
    journal_.append(at, payload);
    lead_->propose(at, payload);
    made_.insert(at);
    ++proposals_;
    take_outputs();
  }

  void to_learner(Link& link) {
    if (link.to_learner.empty()) return;
    const bool tree = link.to_learner.front().type == 0;
    if (tree ? link.learner->follow.phase() != Phase::ReceivingTree : !link.learner->follow.takes_packets()) return;
    const Packet next = link.to_learner.front();
    link.to_learner.pop_front();
    tree ? link.learner->receive_tree() : link.learner->receive(next);
  }

  void to_leader(Link& link) {
    for (const Packet& sent : packets_in(link.learner->sent_bytes.substr(link.taken))) link.to_leader.push_back(sent);
    link.taken = link.learner->sent_bytes.size();
    if (link.to_leader.empty()) return;
    const Packet next = link.to_leader.front();
    link.to_leader.pop_front();
    lead_->on_packet(link.id, next.view(), Millis{0});
  }

  /// One of the things that a learner's shell can do.
  void work(Bench& learner) {
    const auto choice = random_() % 3;
    if (learner.has_order()) {
      learner.finish_order();
    } else if (learner.at_log != nullptr && choice == 0) {
      learner.persist();
    } else if (learner.can_apply() && choice == 1) {
      learner.apply();
    } else if (learner.can_log()) {
      learner.take_batch();
    }
  }

  void work_on_lead() {
    if (lead_->out().disk) return lead_->on_disk_done(Millis{0});
    if (journal_.has_batch()) {
      journal_.take_batch();
      journal_.on_persisted();
      lead_->on_persisted(Millis{0});
    }
    while (!journal_.next_to_apply().empty()) continue;
  }

  void take_outputs() {
    LeadOutput& out = lead_->out();
    while (!out.dirty.empty() || !out.trees.empty() || !out.histories.empty()) {
      const auto dirty = std::exchange(out.dirty, {});
      const auto trees = std::exchange(out.trees, {});
      const auto histories = std::exchange(out.histories, {});
      for (const LinkId id : dirty) take_bytes(id);
      for (const LinkId id : trees) {
        take_bytes(id);
        if (Link* link = find(id)) link->to_learner.push_back({0, {}});
        lead_->on_tree_sent(id, Millis{0});
      }
      for (const auto& wish : histories) lead_->on_no_history(wish.link, Millis{0});
    }
    for (const LinkId id : std::exchange(out.closes, {})) {
      if (Link* link = find(id)) link->learner->follow.on_closed(kLeft);
    }
    out.clear();
  }

  void take_bytes(LinkId id) {
    Learner* learner = lead_->find(id);
    Link* link = find(id);
    if (learner == nullptr || link == nullptr) return;
    for (const Packet& sent : packets_in(learner->out.view())) link->to_learner.push_back(sent);
    learner->out.clear();
  }

  Link* find(LinkId id) {
    for (auto& [sid, link] : links_) {
      if (link.id == id) return &link;
    }
    return nullptr;
  }

  std::mt19937 random_;
  Journal journal_;
  std::unique_ptr<Lead> lead_;
  std::map<int64_t, Link> links_;
  std::map<std::string, int> seen_;
  std::set<Zxid> made_{kHistory.begin(), kHistory.end()};
  uint64_t links_made_ = 0;
  int64_t proposals_ = 0;
};

TEST(FollowLead, AllEndWithOneHistory) {
  std::map<std::string, int> seen;
  for (uint32_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    World world(seed);
    world.run();
    world.check();
    for (const auto& [what, times] : world.seen()) seen[what] += times;
    if (::testing::Test::HasFailure()) return;
  }
  for (const char* what : {"< DIFF", "< TRUNC", "< SNAP", "< INFORM", kBroken, kLeft})
    EXPECT_GT(seen[what], 20) << what;
}

}  // namespace
}  // namespace quorate::zab::follow_testing
