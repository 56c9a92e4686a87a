#include "sim/net_faults.h"

#include <gtest/gtest.h>

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

/// A run in which everybody keeps talking to everybody: returns its trace.
uint64_t noisy_run(uint64_t seed, bool& served_at_end) {
  FabricWorld world(seed);
  for (HostId from = 0; from < 3; ++from) {
    for (HostId to = 0; to < 3; ++to) world.fabric.set_quality(from, to, draw_quality(world.rng));
  }
  const int64_t healed_at = world.agenda.now() + 20 * kSecond;
  NetFaults faults(world.fabric, world.agenda, world.trace,
                   draw_net_faults(world.rng, {.servers = 3, .until = healed_at, .intensity = 60}));
  faults.start();
  for (int turn = 0; turn < 200; ++turn) {
    world.run(100'000);
    world.dial(static_cast<HostId>(world.rng.below(3)), {static_cast<HostId>(world.rng.below(3)), 1}, kSecond);
    for (const auto* talkers : {&world.dialed, &world.accepted}) {
      for (const auto& talker : *talkers) {
        if (talker != nullptr && !talker->is_over() && world.rng.one_in(5)) talker->say(std::string(300, 'x'));
      }
    }
    const auto host = static_cast<HostId>(world.rng.below(3));
    if (world.rng.one_in(10)) world.fabric.end_process(host);
    if (world.rng.one_in(10)) world.fabric.lose_power(host);
    if (world.rng.one_in(3)) world.fabric.power_on(host);
    world.serve(host);
  }
  for (HostId host = 0; host < 3; ++host) {
    world.fabric.power_on(host);
    world.serve(host);
  }
  world.run(40 * kSecond);
  auto [client, server] = world.connect(0, 1);
  if (client != nullptr) client->say("hello");
  world.run(kSecond * 5);
  served_at_end = client != nullptr && server->heard() == "hello";
  return world.trace.hash();
}

TEST(NetFaults, RunsAreTheSameAndEndHealed) {
  for (uint64_t seed = 1; seed <= 15; ++seed) {
    bool served = false;
    const uint64_t once = noisy_run(seed, served);
    EXPECT_TRUE(served) << seed;
    EXPECT_EQ(noisy_run(seed, served), once) << seed;
  }
}

}  // namespace
}  // namespace quorate::sim
