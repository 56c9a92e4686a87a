#include <random>

#include "core/replica/member_testing.h"

/// Ensembles under random faults: crashes, cuts, any order of deliveries and disk operations, clients that move. What
/// must hold at the end, once all is well again: nothing that was acknowledged is lost, all servers are alike, nobody
/// has seen time go backwards. Known-faults 8, I-1 to I-8.
namespace quorate::replica::testing {
namespace {

/// A client that keeps one session while it can, at one server after another, with one request in flight.
struct Walker {
  Peer* peer = nullptr;
  int64_t at = 0;
  SessionId session;
  int64_t seen = 0;
  bool joined = false;
  int32_t xid = 0;
  std::string asked;  ///< The name whose creation is in flight.
};

class Story {
 public:
  Story(uint32_t seed, int64_t servers) : random_(seed), ensemble_(servers), servers_(servers) {
    ensemble_.kept_txns = 1 + pick(20);
    for (int64_t id = 1; id <= servers; ++id) {
      ensemble_.crash(id);
      ensemble_.start(id);
    }
    walkers_.resize(3);
  }

  /// What happened, so that a story in which nothing does cannot pass for a good one.
  size_t acknowledged() const { return acknowledged_.size(); }
  size_t epochs() const { return leaders_.size(); }
  size_t moves() const { return moves_; }

  void tell() {
    for (int i = 0; i < 4000; ++i) {
      const size_t what = pick(1000);
      if (what < 4) {
        toggle(1 + static_cast<int64_t>(pick(static_cast<size_t>(servers_))));
      } else if (what < 8) {
        cut_or_heal();
      } else if (what < 200) {
        act(walkers_[pick(walkers_.size())]);
      } else if (what < 260) {
        ensemble_.tick(1 + static_cast<int64_t>(pick(200)));
      } else {
        ensemble_.stumble([this](size_t n) { return pick(n); });
      }
      watch_leaders();
    }
    end_well();
  }

 private:
  size_t pick(size_t n) { return random_() % n; }

  void toggle(int64_t id) { ensemble_.runs(id) ? ensemble_.crash(id) : ensemble_.start(id); }

  void cut_or_heal() {
    if (pick(3) == 0) return ensemble_.heal();
    const auto a = 1 + static_cast<int64_t>(pick(static_cast<size_t>(servers_)));
    const auto b = 1 + static_cast<int64_t>(pick(static_cast<size_t>(servers_)));
    if (a != b) ensemble_.cut(a, b);
  }

  void act(Walker& walker) {
    if (walker.peer != nullptr && walker.peer->closed) walker.peer = nullptr;
    if (walker.peer == nullptr) return connect(walker);
    read_replies(walker);
    if (walker.peer->closed) return;
    if (walker.joined && walker.asked.empty()) {
      walker.asked = "/w" + std::to_string(made_++);
      ensemble_.send(walker.at, *walker.peer, ++walker.xid, Op::Create, ask::create(walker.asked));
    } else if (pick(40) == 0) {
      ensemble_.hang_up(walker.at, *walker.peer);
    }
  }

  void connect(Walker& walker) {
    walker.at = 1 + static_cast<int64_t>(pick(static_cast<size_t>(servers_)));
    walker.asked.clear();  // unknown
    walker.joined = false;
    if (!ensemble_.runs(walker.at) || !ensemble_.at(walker.at).member->serving()) return;
    walker.peer = &ensemble_.open(walker.at);
    moves_ += walker.session.value != 0 ? 1 : 0;
    ConnectFields fields{.last_zxid = walker.seen, .timeout_ms = 20000, .session = walker.session};
    if (walker.session.value != 0) fields.password = session::password_of(walker.session);
    ensemble_.send(walker.at, *walker.peer, connect_request(fields));
  }

  void read_replies(Walker& walker) {
    for (const std::string& bytes : frames_in(std::exchange(walker.peer->received, {}))) {
      wire::Decoder in(bytes);
      if (!walker.joined) {
        in.i32();
        in.i32();
        const SessionId session{in.i64()};
        walker.session = session;  // 0: it has expired
        walker.joined = session.value != 0;
        if (!walker.joined) return ensemble_.hang_up(walker.at, *walker.peer);
        continue;
      }
      EXPECT_EQ(in.i32(), walker.xid);
      const int64_t zxid = in.i64();
      EXPECT_GE(zxid, walker.seen);  // I: no client sees time go backwards
      walker.seen = zxid;
      const auto code = static_cast<Code>(in.i32());
      EXPECT_TRUE(code == Code::Ok || code == Code::SessionExpired) << static_cast<int>(code);
      if (code == Code::Ok) acknowledged_[walker.asked] = zxid;
      walker.asked.clear();
    }
  }

  /// I-1: one leader an epoch.
  void watch_leaders() {
    for (const int64_t id : ensemble_.running()) {
      const zab::Lead* lead = ensemble_.at(id).member->lead();
      if (lead == nullptr || lead->phase() != zab::LeadPhase::Broadcast) continue;
      const auto [found, fresh] = leaders_.try_emplace(lead->epoch(), id);
      ASSERT_EQ(found->second, id) << "two leaders of epoch " << lead->epoch();
    }
  }

  void end_well() {
    ensemble_.heal();
    for (int64_t id = 1; id <= servers_; ++id) {
      if (!ensemble_.runs(id)) ensemble_.start(id);
    }
    ensemble_.advance(30000, 500);
    ASSERT_TRUE(ensemble_.all_serve(60000));
    for (int64_t id = 1; id <= servers_; ++id) {
      tree::Tree& tree = ensemble_.replica(id).tree();
      EXPECT_EQ(tree.digest(), ensemble_.replica(1).tree().digest()) << "server " << id;
      EXPECT_EQ(tree.last_zxid(), ensemble_.replica(1).tree().last_zxid()) << "server " << id;
      EXPECT_EQ(ensemble_.replica(id).stats().digest_mismatches_count, 0);
      for (const auto& [path, zxid] : acknowledged_) {
        const tree::NodeRef node = tree.find(path);
        ASSERT_NE(node, tree::kNoNode) << path << " was acknowledged and is lost on server " << id;
        EXPECT_EQ(tree.stored_stat(node).czxid, zxid);
      }
    }
  }

  std::mt19937 random_;
  Ensemble ensemble_;
  int64_t servers_;
  std::vector<Walker> walkers_;
  int made_ = 0;
  size_t moves_ = 0;
  std::map<std::string, int64_t> acknowledged_;
  std::map<int64_t, int64_t> leaders_;
};

TEST(MemberRandom, NothingIsLostWhateverHappens) {
  constexpr uint32_t kSeeds = 60;
  size_t acknowledged = 0, epochs = 0, moves = 0;
  for (uint32_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Story story(seed, seed % 3 == 0 ? 5 : 3);
    story.tell();
    if (::testing::Test::HasFailure()) return;
    acknowledged += story.acknowledged();
    epochs += story.epochs();
    moves += story.moves();
  }
  EXPECT_GT(acknowledged, kSeeds * 10);
  EXPECT_GT(epochs, kSeeds + kSeeds / 4);
  EXPECT_GT(moves, kSeeds);
}

}  // namespace
}  // namespace quorate::replica::testing
