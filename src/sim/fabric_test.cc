#include "sim/fabric.h"

#include <gtest/gtest.h>

#include "sim/fabric_testing.h"

namespace quorate::sim {
namespace {

std::string pattern(size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += static_cast<char>('a' + text.size() * 7 % 26);
  return text;
}

TEST(Agenda, TimeThenOrderDecides) {
  SimClock clock;
  Trace trace;
  Agenda agenda(clock, trace);
  std::string seen;
  agenda.in(20, [&] { seen += 'c'; });
  agenda.in(10, [&] {
    seen += 'a';
    agenda.in(10, [&] { seen += 'd'; });
    agenda.at(0, [&] { seen += 'b'; });
  });
  const int64_t start = agenda.now();
  agenda.run_until(start + 100);
  EXPECT_EQ(seen, "abcd");
  EXPECT_EQ(agenda.now(), start + 100);
  EXPECT_TRUE(agenda.empty());
}

TEST(Fabric, HostsHaveAddresses) {
  FabricWorld world;
  EXPECT_EQ(Fabric::ip_of(1), "10.0.0.2");
  EXPECT_EQ(world.fabric.find("10.0.0.3"), HostId{2});
  EXPECT_EQ(world.fabric.find("10.0.0.4"), std::nullopt);
  EXPECT_FALSE(world.fabric.listen({0, 1}, {}));
}

TEST(Fabric, BytesArriveInOrderBothWaysWhateverTheLinkIsLike) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    FabricWorld world(seed);
    LinkQuality rough{.delay_us = 3000, .jitter_us = 9000, .hiccup_one_in = 5, .window_bytes = 100 + seed * 20};
    rough.chop_percent = 70;
    if (seed % 2 == 0) rough.bytes_per_second = 100'000;
    world.fabric.set_quality(0, 1, rough);
    auto [client, server] = world.connect();
    ASSERT_NE(client, nullptr);
    const std::string there = pattern(5000);
    const std::string back = pattern(3000);
    client->say(there);
    server->say(back);
    world.run(300 * kSecond);
    ASSERT_EQ(server->heard(), there) << seed;
    ASSERT_EQ(client->heard(), back) << seed;
  }
}

TEST(Fabric, DialsAreAcceptedRefusedOrGetNoAnswer) {
  FabricWorld world;
  const size_t good = world.dial(0, {1, 1});
  const size_t refused = world.dial(0, {1, 2});
  world.cut_both(0, 2, true);
  const size_t silent = world.dial(0, {2, 1}, kSecond);
  world.run(kSecond / 2);
  EXPECT_NE(world.dialed[good], nullptr);
  EXPECT_EQ(world.failures[refused], DialFailure::Refused);
  EXPECT_EQ(world.failures[silent], std::nullopt);
  world.run(kSecond);
  EXPECT_EQ(world.failures[silent], DialFailure::NoAnswer);
  world.cut_both(0, 2, false);
  world.run(kSecond);
  EXPECT_EQ(world.accepted.size(), 2u) << "an attempt that nobody waits for any more was under way";
  EXPECT_EQ(world.dialed[silent], nullptr);
  world.accepted[1]->say("who is there?");
  world.run(kSecond);
  EXPECT_TRUE(world.accepted[1]->is_over());
}

TEST(Fabric, ADialThatWaitsGoesThroughWhenTheCutHeals) {
  for (const bool way_back : {false, true}) {
    FabricWorld world;
    world.fabric.set_cut(way_back ? 1 : 0, way_back ? 0 : 1, true);
    const size_t place = world.dial(0, {1, 1});
    world.run(kSecond);
    EXPECT_EQ(world.dialed[place], nullptr);
    EXPECT_EQ(world.accepted.size(), way_back ? 1u : 0u);
    world.cut_both(0, 1, false);
    world.run(kSecond);
    EXPECT_NE(world.dialed[place], nullptr);
  }
}

TEST(Fabric, AForgottenDialIsNotHeardOf) {
  for (const int64_t wait : {0, 150, 250, 500}) {
    FabricWorld world;
    const size_t place = world.dial(0, {1, 1});
    world.run(wait);
    const bool was_there = world.dialed[place] != nullptr;
    world.fabric.forget_dial(world.numbers[place]);
    world.run(10 * kSecond);
    EXPECT_EQ(world.dialed[place] != nullptr, was_there) << wait;
    EXPECT_EQ(world.failures[place], std::nullopt) << wait;
    EXPECT_EQ(world.fabric.open_ends(0), was_there ? 1u : 0u);
  }
}

TEST(Fabric, StopsListening) {
  FabricWorld world;
  world.fabric.stop_listening({1, 1});
  const size_t refused = world.dial(0, {1, 1});
  world.run(kSecond);
  EXPECT_EQ(world.failures[refused], DialFailure::Refused);
  world.serve(1);
  EXPECT_NE(world.connect().first, nullptr);
}

TEST(Fabric, AFullWindowPushesBack) {
  FabricWorld world;
  world.fabric.set_quality(0, 1, {.window_bytes = 1000});
  auto [client, server] = world.connect();
  server->stop_reading();
  client->say(pattern(3000));
  world.run(kSecond);
  EXPECT_EQ(client->unsent(), 2000u);
  EXPECT_EQ(client->stream().send("x"), size_t{0});
  world.fabric.set_quality(0, 1, {.window_bytes = 1500});
  world.run(kSecond);
  EXPECT_EQ(client->unsent(), 1500u);
  server->go_on_reading();
  world.run(kSecond);
  EXPECT_EQ(client->unsent(), 0u);
  EXPECT_EQ(server->heard(), pattern(3000));
}

TEST(Fabric, ANarrowLinkTakesItsTime) {
  FabricWorld world;
  auto [client, server] = world.connect();
  world.fabric.set_quality(0, 1, {.bytes_per_second = 1000, .chop_percent = 0});
  client->say(pattern(2000));
  world.run(kSecond * 19 / 10);
  EXPECT_EQ(server->heard(), "");
  world.run(kSecond / 5);
  EXPECT_EQ(server->heard(), pattern(2000));
  client->say(pattern(60'000));
  world.run(kSecond);
  world.fabric.set_quality(0, 1, {});
  world.run(kSecond);
  EXPECT_EQ(server->heard().size(), 62'000u) << "it is wide again";
}

TEST(Fabric, HangingUpIsHeardBehindTheBytes) {
  FabricWorld world;
  auto [client, server] = world.connect();
  client->say("goodbye");
  client->hang_up();
  world.run(kSecond);
  EXPECT_EQ(server->heard(), "goodbye");
  EXPECT_TRUE(server->is_over());
  EXPECT_EQ(world.fabric.open_ends(1), 0u);
}

TEST(Fabric, AResetIsHeardBehindAPrefix) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    FabricWorld world(seed);
    auto [client, server] = world.connect();
    client->say(pattern(100));
    client->reset();
    EXPECT_FALSE(client->stream().send("x"));
    world.run(kSecond);
    EXPECT_TRUE(server->is_over());
    EXPECT_TRUE(pattern(100).starts_with(server->heard()));
  }
}

TEST(Fabric, BytesThatNobodyReadTurnAnEndIntoAReset) {
  for (const bool unread : {false, true}) {
    FabricWorld world;
    auto [client, server] = world.connect();
    server->stop_reading();
    client->stop_reading();
    if (unread) client->say("never read");
    world.run(kSecond);
    server->hang_up();
    world.run(kSecond);
    EXPECT_EQ(client->stream().send({}).has_value(), !unread) << "an end leaves the way there open";
    client->go_on_reading();
    world.run(kSecond);
    EXPECT_TRUE(client->is_over());
  }
}

TEST(Fabric, AStreamMayBeDestroyedByItsOwnCallback) {
  FabricWorld world;
  SimStreamPtr stream;
  world.fabric.listen({2, 7}, [&](SimStreamPtr accepted) {
    stream = std::move(accepted);
    stream->watch([&] { stream.reset(); }, [] {});
  });
  const size_t place = world.dial(0, {2, 7});
  world.run(kSecond);
  world.dialed[place]->say("hello");
  world.run(kSecond);
  EXPECT_EQ(stream, nullptr);
  EXPECT_TRUE(world.dialed[place]->is_over());
}

TEST(Fabric, AStreamThatIsWatchedLateMissesNothing) {
  FabricWorld world;
  SimStreamPtr stream;
  world.fabric.listen({2, 7}, [&](SimStreamPtr accepted) { stream = std::move(accepted); });
  const size_t place = world.dial(0, {2, 7});
  world.run(kSecond);
  world.dialed[place]->say("hello");
  world.run(kSecond);
  EXPECT_FALSE(stream->readable());
  Talker late(std::move(stream));
  world.run(kSecond);
  EXPECT_EQ(late.heard(), "hello");
}

}  // namespace
}  // namespace quorate::sim
