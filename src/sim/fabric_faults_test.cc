#include <gtest/gtest.h>

#include "sim/fabric_testing.h"

namespace quorate::sim {
namespace {

TEST(FabricFaults, AConnectionGoesOnWhenItsCutHealsSoon) {
  FabricWorld world;
  auto [client, server] = world.connect();
  world.cut_both(0, 1, true);
  client->say("one ");
  world.run(kSecond);
  client->say("two");
  EXPECT_EQ(server->heard(), "");
  world.cut_both(0, 1, false);
  world.run(kSecond);
  EXPECT_EQ(server->heard(), "one two");
  EXPECT_FALSE(client->is_over());
}

TEST(FabricFaults, ALongCutBreaksTheSenderAndLeavesTheOtherHalfOpen) {
  FabricWorld world;
  auto [client, server] = world.connect();
  world.cut_both(0, 1, true);
  client->say("lost");
  world.run(40 * kSecond);
  EXPECT_TRUE(client->is_over());
  EXPECT_FALSE(server->is_over());
  world.cut_both(0, 1, false);
  world.run(40 * kSecond);
  EXPECT_EQ(server->heard(), "");
  EXPECT_FALSE(server->is_over()) << "nothing tells an idle end";
  server->say("anybody?");
  world.run(kSecond);
  EXPECT_TRUE(server->is_over());
}

TEST(FabricFaults, AUserTimeoutDecidesWhenASenderGivesUp) {
  FabricWorld world;
  auto [client, server] = world.connect();
  client->stream().set_user_timeout({500});
  world.cut_both(0, 1, true);
  client->say("lost");
  world.run(kSecond * 4 / 10);
  EXPECT_FALSE(client->is_over());
  world.run(kSecond * 2 / 10);
  EXPECT_TRUE(client->is_over());
}

TEST(FabricFaults, ATroubleThatIsOverBreaksNothing) {
  FabricWorld world;
  auto [client, server] = world.connect();
  client->stream().set_user_timeout({1000});
  for (int turn = 0; turn < 5; ++turn) {
    world.cut_both(0, 1, true);
    client->say("x");
    world.run(kSecond * 7 / 10);
    world.cut_both(0, 1, false);
    world.run(kSecond * 3 / 10);
  }
  EXPECT_EQ(server->heard(), "xxxxx");
  EXPECT_FALSE(client->is_over());
}

TEST(FabricFaults, AnIdleConnectionOutlivesAnyCut) {
  FabricWorld world;
  auto [client, server] = world.connect();
  world.cut_both(0, 1, true);
  world.run(100 * kSecond);
  world.cut_both(0, 1, false);
  client->say("still here");
  world.run(kSecond);
  EXPECT_EQ(server->heard(), "still here");
}

TEST(FabricFaults, AOneWayCutLetsTheOtherDirectionThroughUntilItsWindowIsFull) {
  FabricWorld world;
  world.fabric.set_quality(1, 0, {.window_bytes = 100});
  auto [client, server] = world.connect();
  world.fabric.set_cut(0, 1, true);
  server->say(std::string(250, 'x'));
  world.run(kSecond);
  EXPECT_EQ(client->heard().size(), 100u);
  EXPECT_EQ(server->unsent(), 150u) << "what was read over there is not confirmed";
  world.fabric.set_cut(0, 1, false);
  world.run(kSecond);
  EXPECT_EQ(client->heard().size(), 250u);
}

TEST(FabricFaults, BytesThatStayUnconfirmedBreakTheirSender) {
  FabricWorld world;
  auto [client, server] = world.connect();
  world.fabric.set_cut(0, 1, true);
  server->say("x");
  world.run(40 * kSecond);
  EXPECT_EQ(client->heard(), "x");
  EXPECT_TRUE(server->is_over());
}

TEST(FabricFaults, ACutBetweenTwoLeavesTheThird) {
  FabricWorld world;
  world.cut_both(0, 1, true);
  EXPECT_NE(world.connect(0, 2).first, nullptr);
  EXPECT_NE(world.connect(1, 2).first, nullptr);
  const size_t place = world.dial(0, {1, 1}, kSecond);
  world.run(2 * kSecond);
  EXPECT_EQ(world.failures[place], DialFailure::NoAnswer);
}

TEST(FabricFaults, LostConnectionsAreToldToWhomTheyAreAndAPrefixArrives) {
  struct Case {
    SeenBy seen_by;
    bool client, server;
  };
  for (const Case& expected : {Case{SeenBy::Both, true, true},
                               {SeenBy::First, true, false},
                               {SeenBy::Second, false, true},
                               {SeenBy::Nobody, false, false}}) {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      FabricWorld world(seed);
      auto [client, server] = world.connect();
      auto [bystander, other] = world.connect(0, 2);
      client->say("abcdefghij");
      client->say("klmnopqrst");
      world.fabric.reset_connections(0, 1, expected.seen_by);
      world.run(kSecond);
      EXPECT_EQ(client->is_over(), expected.client);
      EXPECT_EQ(server->is_over(), expected.server);
      EXPECT_FALSE(bystander->is_over() || other->is_over());
      const std::string heard = server->heard();
      EXPECT_TRUE(std::string("abcdefghijklmnopqrst").starts_with(heard));
      if (!client->is_over()) client->say("more");
      if (!server->is_over()) server->say("more");
      world.run(kSecond);
      EXPECT_TRUE(client->is_over() && server->is_over()) << "whoever sends finds out";
      EXPECT_EQ(server->heard(), heard) << "no hole is ever jumped";
      EXPECT_EQ(client->heard(), "");
    }
  }
}

TEST(FabricFaults, APausedHostLearnsOfEverythingLater) {
  FabricWorld world;
  auto [client, server] = world.connect();
  world.fabric.pause(1);
  client->say("hello");
  const size_t place = world.dial(2, {1, 1});
  world.run(kSecond);
  EXPECT_EQ(server->heard(), "");
  EXPECT_NE(world.dialed[place], nullptr) << "its kernel takes connections";
  world.dialed[place]->say("and hello");
  world.run(kSecond);
  EXPECT_EQ(world.accepted.size(), 1u);
  bool ran = false;
  world.fabric.when_running(1, [&] { ran = true; });
  EXPECT_FALSE(ran);
  world.fabric.resume(1);
  world.run(1000);
  EXPECT_TRUE(ran);
  EXPECT_EQ(server->heard(), "hello");
  ASSERT_EQ(world.accepted.size(), 2u);
  EXPECT_EQ(world.accepted[1]->heard(), "and hello");
}

TEST(FabricFaults, APausedHostsPatienceEndsWhenItIsBack) {
  FabricWorld world;
  world.cut_both(0, 1, true);
  const size_t place = world.dial(0, {1, 1}, kSecond);
  world.fabric.pause(0);
  world.run(5 * kSecond);
  EXPECT_EQ(world.failures[place], std::nullopt);
  world.fabric.resume(0);
  world.run(1000);
  EXPECT_EQ(world.failures[place], DialFailure::NoAnswer);
}

TEST(FabricFaults, AProcessThatEndsIsHeardOfAndHearsNoMore) {
  FabricWorld world;
  auto [client, server] = world.connect();
  const size_t dial = world.dial(1, {2, 1});
  server->say("last words");
  world.fabric.end_process(1);
  EXPECT_FALSE(server->stream().send("x"));
  const size_t refused = world.dial(0, {1, 1});
  world.run(kSecond);
  EXPECT_EQ(client->heard(), "last words");
  EXPECT_TRUE(client->is_over());
  EXPECT_EQ(world.dialed[dial], nullptr);
  EXPECT_EQ(world.failures[dial], std::nullopt);
  EXPECT_EQ(world.failures[refused], DialFailure::Refused);
  EXPECT_EQ(world.fabric.open_ends(1), 0u);
  world.serve(1);
  EXPECT_NE(world.connect().first, nullptr);
}

TEST(FabricFaults, WhatWasDueToAPausedProcessGoesWithIt) {
  FabricWorld world;
  world.fabric.pause(1);
  const size_t place = world.dial(0, {1, 1});
  world.run(kSecond);
  EXPECT_NE(world.dialed[place], nullptr);
  world.fabric.end_process(1);
  EXPECT_FALSE(world.fabric.is_paused(1));
  world.serve(1);
  world.run(kSecond);
  EXPECT_TRUE(world.accepted.empty());
  EXPECT_TRUE(world.dialed[place]->is_over());
}

TEST(FabricFaults, NothingIsSaidToAProcessThatEndedBehindItsPause) {
  FabricWorld world;
  world.fabric.pause(1);
  bool ran = false;
  world.fabric.when_running(1, [&] { ran = true; });
  world.fabric.resume(1);
  world.fabric.end_process(1);
  world.run(kSecond);
  EXPECT_FALSE(ran);
}

TEST(FabricFaults, AHostWithoutPowerIsSilentAndThenKnowsNothing) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    FabricWorld world(seed);
    auto [client, server] = world.connect();
    auto [idle, other] = world.connect();
    server->say("abc");
    world.fabric.lose_power(1);
    world.run(kSecond);
    EXPECT_TRUE(std::string("abc").starts_with(client->heard()));
    EXPECT_FALSE(client->is_over());
    const size_t silent = world.dial(0, {1, 1}, kSecond / 2);
    world.run(kSecond);
    EXPECT_EQ(world.failures[silent], DialFailure::NoAnswer);
    client->say("hello?");
    world.run(kSecond / 10);
    EXPECT_FALSE(client->is_over()) << "half-open";
    world.fabric.power_on(1);
    world.run(kSecond);
    EXPECT_TRUE(client->is_over()) << "what it sent is answered with a reset now";
    EXPECT_FALSE(idle->is_over());
    idle->say("hello?");
    world.run(kSecond);
    EXPECT_TRUE(idle->is_over());
    EXPECT_EQ(world.fabric.open_ends(0), 0u);
    world.serve(1);
    EXPECT_NE(world.connect().first, nullptr);
  }
}

TEST(FabricFaults, NobodyRepeatsWhatAHostWithoutPowerHadToSay) {
  FabricWorld world;
  auto [client, server] = world.connect();
  world.cut_both(0, 1, true);
  server->say("lost");
  world.run(kSecond);
  world.fabric.lose_power(1);
  world.cut_both(0, 1, false);
  world.run(40 * kSecond);
  EXPECT_EQ(client->heard(), "");
  EXPECT_FALSE(client->is_over());
}

TEST(FabricFaults, ASenderGivesUpOnAHostThatStaysOff) {
  FabricWorld world;
  auto [client, server] = world.connect();
  world.fabric.lose_power(1);
  client->say("hello?");
  world.run(40 * kSecond);
  EXPECT_TRUE(client->is_over());
}

}  // namespace
}  // namespace quorate::sim
