#include "sim/net_faults.h"

#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "sim/fabric_testing.h"

namespace quorate::sim {
namespace {

const NetFaultRange kRange{.servers = 5, .clients = 2, .from = kSecond, .until = 60 * kSecond, .intensity = 50};

TEST(NetFaults, OneSeedGivesOnePlan) {
  Rng one(7);
  Rng same(7);
  Rng other(8);
  const auto plan = draw_net_faults(one, kRange);
  EXPECT_EQ(plan.faults, draw_net_faults(same, kRange).faults);
  EXPECT_NE(plan.faults, draw_net_faults(other, kRange).faults);
}

TEST(NetFaults, PlansMeetEveryKindInTheirTimeAndAmongTheirHosts) {
  std::set<NetFaultKind> kinds;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed);
    int64_t last = 0;
    for (const NetFault& fault : draw_net_faults(rng, kRange).faults) {
      kinds.insert(fault.kind);
      EXPECT_GE(fault.from, std::max(last, kRange.from));
      EXPECT_LE(fault.from, fault.until);
      EXPECT_LE(fault.until, kRange.until);
      EXPECT_EQ((fault.left | fault.right) >> 7, 0u);
      EXPECT_EQ(fault.left & fault.right, 0u) << describe(fault);
      last = fault.from;
    }
  }
  EXPECT_EQ(kinds.size(), kNetFaultKinds);
}

TEST(NetFaults, IntensityDecidesHowMany) {
  size_t before = 0;
  for (const uint32_t intensity : {0, 1, 10, 100}) {
    Rng rng(3);
    NetFaultRange range = kRange;
    range.intensity = intensity;
    const size_t count = draw_net_faults(rng, range).faults.size();
    EXPECT_GE(count, before * 3) << intensity;
    EXPECT_EQ(count == 0, intensity == 0);
    before = count;
  }
}

TEST(NetFaults, FewHostsAreEnoughOrNothingGoesWrong) {
  Rng rng(1);
  for (const uint32_t servers : {1, 2, 3}) {
    for (const uint32_t clients : {0, 1}) {
      const NetFaultRange range{servers, clients, 0, 100 * kSecond, 100, false};
      EXPECT_EQ(draw_net_faults(rng, range).faults.empty(), servers + clients == 1);
    }
  }
}

TEST(NetFaults, ReadsAsText) {
  EXPECT_EQ(describe({.kind = NetFaultKind::Isolate, .from = 1'500'000, .until = 2'250'000, .left = 1, .right = 6}),
            "1.500000 to 2.250000: Isolate {0} | {1 2}");
  EXPECT_EQ(describe({.kind = NetFaultKind::Reset, .left = 1, .right = 2, .seen_by = SeenBy::First}),
            "0.000000 to 0.000000: Reset {0} | {1}, seen by left");
}

/// Which of the six links of three hosts are cut: "ab" and so on.
std::string cuts(FabricWorld& world) {
  std::string text;
  for (HostId from = 0; from < 3; ++from) {
    for (HostId to = 0; to < 3; ++to) {
      if (world.fabric.is_cut(from, to)) text += world.fabric.name_of(from) + world.fabric.name_of(to) + " ";
    }
  }
  return text;
}

TEST(NetFaults, EachKindCutsWhatItSays) {
  struct Case {
    NetFault fault;
    const char* cuts;
  };
  using enum NetFaultKind;
  for (const Case& expected : {Case{{.kind = CutPair, .left = 1, .right = 2}, "ab ba "},
                               {{.kind = CutOneWay, .left = 1, .right = 2}, "ab "},
                               {{.kind = Isolate, .left = 1, .right = 6}, "ab ac ba ca "},
                               {{.kind = Deaf, .left = 6, .right = 1}, "ba ca "},
                               {{.kind = Mute, .left = 1, .right = 6}, "ab ac "},
                               {{.kind = Bridge, .left = 2, .right = 4}, "bc cb "},
                               {{.kind = Pause, .left = 2}, ""}}) {
    FabricWorld world;
    NetFault fault = expected.fault;
    fault.from = world.agenda.now() + 100;
    fault.until = fault.from + 100;
    NetFaults faults(world.fabric, world.agenda, world.trace, {{fault}, fault.until + 100});
    faults.start();
    EXPECT_EQ(cuts(world), "");
    world.run(150);
    EXPECT_EQ(cuts(world), expected.cuts);
    EXPECT_EQ(world.fabric.is_paused(1), fault.kind == Pause);
    world.run(100);
    EXPECT_EQ(cuts(world), "");
    EXPECT_FALSE(world.fabric.is_paused(1));
  }
}

TEST(NetFaults, AFaultOfTheLeaderMeetsWhoeverLeads) {
  struct Case {
    std::optional<HostId> leader;
    const char* cuts;
  };
  for (const Case& expected : {Case{std::nullopt, "ab ac "}, {0, "ab ac "}, {2, "ca cb "}}) {
    FabricWorld world;
    const int64_t now = world.agenda.now();
    NetFaults faults(
        world.fabric, world.agenda, world.trace,
        {{{.kind = NetFaultKind::Mute, .from = now, .until = now + 100, .left = 1, .right = 6, .leader = 0}},
         now + 200});
    faults.find_leader = [&] { return expected.leader; };
    faults.start();
    world.run(50);
    EXPECT_EQ(cuts(world), expected.cuts);
  }
}

TEST(NetFaults, OverlappingFaultsAddUp) {
  FabricWorld world;
  const int64_t now = world.agenda.now();
  const LinkQuality slow{.delay_us = 77'000};
  NetFaults faults(
      world.fabric, world.agenda, world.trace,
      {{{.kind = NetFaultKind::CutPair, .from = now, .until = now + 200, .left = 1, .right = 2},
        {.kind = NetFaultKind::Isolate, .from = now + 100, .until = now + 300, .left = 2, .right = 5},
        {.kind = NetFaultKind::Slow, .from = now, .until = now + 150, .left = 1, .right = 4, .quality = slow}},
       now + 1000});
  faults.start();
  world.run(120);
  EXPECT_EQ(cuts(world), "ab ba bc cb ");
  EXPECT_EQ(world.fabric.quality(0, 2), slow);
  EXPECT_NE(world.fabric.quality(2, 0), slow);
  world.run(100);
  EXPECT_EQ(cuts(world), "ab ba bc cb ") << "the other fault still holds";
  EXPECT_EQ(world.fabric.quality(0, 2), LinkQuality{});
  world.run(100);
  EXPECT_EQ(cuts(world), "");
}

TEST(NetFaults, HealingIsForEver) {
  FabricWorld world;
  const int64_t now = world.agenda.now();
  NetFaults faults(world.fabric, world.agenda, world.trace,
                   {{{.kind = NetFaultKind::Isolate, .from = now, .until = now + 900, .left = 1, .right = 6},
                     {.kind = NetFaultKind::Pause, .from = now, .until = now + 900, .left = 2},
                     {.kind = NetFaultKind::CutPair, .from = now + 600, .until = now + 900, .left = 1, .right = 2}},
                    now + 500,
                    HostSet{3}});
  faults.start();
  world.run(400);
  EXPECT_FALSE(faults.healed());
  for (const int64_t wait : {200, 200, 1000}) {
    world.run(wait);
    EXPECT_TRUE(faults.healed());
    EXPECT_EQ(cuts(world), "ac bc ca cb ") << "the core is whole, the rest stays outside";
    EXPECT_FALSE(world.fabric.is_paused(1));
  }
}

/// Everybody keeps talking to everybody, while the net fails, processes end and machines lose power.
class NoisyRun {
 public:
  explicit NoisyRun(uint64_t seed) : world_(seed) {
    for (HostId from = 0; from < 3; ++from) {
      for (HostId to = 0; to < 3; ++to) world_.fabric.set_quality(from, to, draw_quality(world_.rng));
    }
    const int64_t until = world_.agenda.now() + 20 * kSecond;
    faults_.emplace(world_.fabric, world_.agenda, world_.trace,
                    draw_net_faults(world_.rng, {.servers = 3, .until = until, .intensity = 60}));
    faults_->start();
  }

  void run() {
    for (int turn = 0; turn < 200; ++turn) {
      world_.run(100'000);
      world_.dial(host(), {host(), 1}, kSecond);
      talk();
      go_wrong(host());
    }
    for (HostId each = 0; each < 3; ++each) {
      world_.fabric.power_on(each);
      world_.serve(each);
    }
    world_.run(60 * kSecond);
  }

  /// Nobody ever hears what was not said, or a part of it without what was said before.
  void check_streams() {
    int whole = 0;
    int torn = 0;
    for (const auto& client : world_.dialed) {
      for (const auto& server : world_.accepted) {
        if (client == nullptr || client->number() != server->number()) continue;
        EXPECT_TRUE(client->said().starts_with(server->heard()));
        EXPECT_TRUE(server->said().starts_with(client->heard()));
        ++(client->is_over() ? torn : whole);
        if (client->is_over() || server->is_over()) continue;
        // Half-open connections are those of which nobody has anything to say.
        EXPECT_EQ(client->heard() == server->said(), server->unsent() == 0);
        EXPECT_EQ(server->heard() == client->said(), client->unsent() == 0);
      }
    }
    EXPECT_GT(whole, 0);
    EXPECT_GT(torn, 10);
  }

  uint64_t hash() const { return world_.trace.hash(); }
  FabricWorld& world() { return world_; }

 private:
  HostId host() { return static_cast<HostId>(world_.rng.below(3)); }
  void talk() {
    for (const auto* talkers : {&world_.dialed, &world_.accepted}) {
      for (const auto& talker : *talkers) {
        if (talker == nullptr || talker->is_over() || !world_.rng.one_in(5)) continue;
        if (world_.rng.one_in(15)) {
          talker->hang_up();
        } else {
          talker->say(fmt::format("{} ", ++said_) + std::string(world_.rng.below(300), 'x'));
        }
      }
    }
  }
  void go_wrong(HostId host) {
    if (world_.rng.one_in(10)) world_.fabric.end_process(host);
    if (world_.rng.one_in(10)) world_.fabric.lose_power(host);
    if (world_.rng.one_in(3)) world_.fabric.power_on(host);
    if (!world_.fabric.is_off(host)) world_.serve(host);
  }

  FabricWorld world_;
  std::optional<NetFaults> faults_;
  int said_ = 0;
};

TEST(NetFaults, RunsAreTheSameKeepStreamsWholeAndEndHealed) {
  for (uint64_t seed = 1; seed <= 15; ++seed) {
    NoisyRun run(seed);
    run.run();
    run.check_streams();
    NoisyRun again(seed);
    again.run();
    EXPECT_EQ(again.hash(), run.hash()) << seed;
    auto [client, server] = run.world().connect(0, 1);
    ASSERT_NE(client, nullptr) << seed;
    client->say("hello");
    run.world().run(5 * kSecond);
    EXPECT_EQ(server->heard(), "hello") << seed;
  }
}

}  // namespace
}  // namespace quorate::sim
