#include <map>
#include <random>
#include <set>

#include "shell/net/election_port_testing.h"

// Goal: ports among themselves end with one connection between each two, and with the newest message of each at each,
// whatever broke before. Method: a small world of ports under seeds: dials land late or are refused, bytes arrive in
// pieces, connections break, servers restart. Then it calms down, and all is compared.
namespace quorate::net {
namespace {

constexpr int64_t kServers = 4;

struct World {
  explicit World(uint32_t seed) : random(seed) {
    for (int64_t sid = 1; sid <= kServers; ++sid) start(sid);
  }

  /// One stream end: the bytes that leave here come in at the other.
  struct End {
    int64_t owner;
    ElectionLinkId id;
    std::shared_ptr<Line> line;
    size_t carried = 0;  ///< Of outgoing, to the other end.
  };
  struct Cable {
    End dialer;
    End acceptor;
  };

  std::mt19937 random;
  Millis now{0};
  std::map<int64_t, std::unique_ptr<ElectionPort>> ports;
  std::vector<std::pair<int64_t, Dial>> dials;
  std::vector<Cable> cables;
  std::map<std::pair<int64_t, int64_t>, int64_t> heard;  ///< (at, from) -> round
  std::map<std::pair<int64_t, int64_t>, Reach> reach;    ///< As reported.
  int64_t round = 0;

  bool one_in(uint32_t n) { return random() % n == 0; }

  void start(int64_t sid) {
    for (auto& entry : reach) {
      if (entry.first.first == sid) entry.second = Reach::Unknown;
    }
    std::erase_if(dials, [&](const auto& entry) { return entry.first == sid; });
    ports[sid] = std::make_unique<ElectionPort>(ElectionPortSettings{.self = ServerId{sid}, .own = {}},
                                                config_of(ensemble(kServers)));
    ports[sid]->set_looking(true, now);
  }

  void say_something(int64_t sid) {
    ++round;
    for (int64_t to = 1; to <= kServers; ++to) {
      if (to != sid) ports[sid]->send(ServerId{to}, vote_for(sid, round), now);
    }
  }

  void collect() {
    for (auto& [sid, port] : ports) {
      ElectionPortOutput out = port->take();
      for (Dial& dial : out.dials) {
        for (const auto& [owner, other] : dials) EXPECT_FALSE(owner == sid && other.sid == dial.sid);
        dials.emplace_back(sid, std::move(dial));
      }
      for (const Heard& one : out.heard) heard[{sid, one.from.value}] = one.notification.round;
      for (const ReachChange& change : out.reach) {
        EXPECT_NE(std::exchange(reach[{sid, change.sid.value}], change.reach), change.reach);
      }
    }
  }

  void answer_a_dial() {
    if (dials.empty()) return;
    const auto [from, dial] = dials[random() % dials.size()];
    std::erase_if(dials, [&, owner = from, id = dial.id](const auto& entry) {
      return entry.first == owner && entry.second.id == id;
    });
    if (calm || !one_in(4)) return connect(from, dial);
    ports[from]->dial_failed(dial.id, one_in(2), "no", now);
  }

  void connect(int64_t from, const Dial& dial) {
    Cable cable{{from, {}, std::make_shared<Line>()}, {dial.sid.value, {}, std::make_shared<Line>()}};
    cable.acceptor.id = ports[dial.sid.value]->accepted(std::make_unique<LineStream>(cable.acceptor.line), "/x", now);
    const auto id = ports[from]->dialed(dial.id, std::make_unique<LineStream>(cable.dialer.line), now);
    if (id) cable.dialer.id = *id;
    cables.push_back(std::move(cable));
  }

  void carry(End& from, End& to) {
    const size_t there = from.line->outgoing.size() - from.carried;
    const size_t count = calm || there == 0 ? there : random() % (there + 1);
    to.line->incoming += from.line->outgoing.substr(from.carried, count);
    from.carried += count;
    if (from.line->gone && from.carried == from.line->outgoing.size()) to.line->ended = true;
    if (to.line->readable()) ports[to.owner]->on_readable(to.id, now);
  }

  void carry_all() {
    for (size_t i = 0; i < cables.size(); ++i) {
      carry(cables[i].dialer, cables[i].acceptor);
      carry(cables[i].acceptor, cables[i].dialer);
    }
    std::erase_if(cables, [](const Cable& c) { return c.dialer.line->gone && c.acceptor.line->gone; });
  }

  void step() {
    now = now + Millis{1 + static_cast<int64_t>(random() % 50)};
    const auto sid = 1 + static_cast<int64_t>(random() % kServers);
    if (!calm && one_in(5)) say_something(sid);
    if (!calm && one_in(30)) start(sid);
    if (!calm && one_in(10) && !cables.empty()) {
      Cable& cut = cables[random() % cables.size()];
      cut.dialer.line->ended = cut.acceptor.line->ended = true;
    }
    collect();
    answer_a_dial();
    carry_all();
    for (auto& [id, port] : ports) port->on_time(now);
    collect();
  }

  bool calm = false;
};

TEST(ElectionPorts, ComeTogetherWhateverHappened) {
  for (uint32_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    World world(seed);
    for (int i = 0; i < 200; ++i) world.step();
    world.calm = true;
    for (int64_t sid = 1; sid <= kServers; ++sid) world.say_something(sid);
    const int64_t first = world.round - kServers;
    for (int i = 0; i < 600; ++i) world.step();
    for (int64_t a = 1; a <= kServers; ++a) {
      EXPECT_EQ(world.ports[a]->links(), static_cast<size_t>(kServers) - 1);
      EXPECT_FALSE(world.ports[a]->undelivered());
      for (int64_t b = 1; b <= kServers; ++b) {
        if (a == b) continue;
        EXPECT_EQ((world.heard[{a, b}]), first + b);
        EXPECT_EQ((world.reach[{a, b}]), Reach::Open);
        EXPECT_EQ(world.ports[a]->reach(ServerId{b}), Reach::Open);
      }
    }
    EXPECT_EQ(world.cables.size(), static_cast<size_t>(kServers * (kServers - 1) / 2));
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace quorate::net
