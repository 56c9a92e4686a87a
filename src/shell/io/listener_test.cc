#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "shell/io/loop_testing.h"

namespace quorate::io {
namespace {

const ListenSettings kLoopback{.address = "127.0.0.1"};

TEST(Listener, EachHasItsOwnCalls) {
  Listening first(kLoopback);
  auto second = first.loop.listen(kLoopback);
  ASSERT_TRUE(second);
  std::vector<std::unique_ptr<TcpStream>> streams;
  (*second)->accept([&](auto stream) { streams.push_back(std::move(stream)); }, [](const std::string&) {});
  Dialer to_second, to_first;
  ASSERT_TRUE(to_second.dial((*second)->port()));
  EXPECT_TRUE(until(first.loop, [&] { return streams.size() == 1; }));
  EXPECT_TRUE(first.streams.empty());
  first.take(to_first);
  EXPECT_EQ(streams.size(), 1U);
}

TEST(Listener, ClosedNobodyListens) {
  Listening server(kLoopback);
  server.listener.reset();
  Dialer dialer;
  EXPECT_FALSE(dialer.dial(server.port));
  EXPECT_EQ(errno, ECONNREFUSED);
  rounds(server.loop);
  EXPECT_TRUE(server.streams.empty());
}

TEST(Listener, OpensAgainOnItsPortWithConnectionsOpen) {
  Listening server(kLoopback);
  Dialer served, ended;
  TcpStream& stream = server.take(served);
  server.take(ended);
  server.streams.pop_back();  // our side closes first: the port has a connection in TIME_WAIT
  ended.close();
  std::string got;
  stream.watch([&] { got += receive_all(stream); }, [] {});
  for (int term = 0; term < 3; ++term) {
    Dialer untaken, dialer;
    ASSERT_TRUE(untaken.dial(server.port));
    server.listener.reset();
    server.open({.address = "127.0.0.1", .port = server.port});
    server.take(dialer);
  }
  served.send("as before");
  EXPECT_TRUE(until(server.loop, [&] { return got == "as before"; }));
}

TEST(Listener, MayGoInItsOwnCall) {
  EventLoop loop;
  auto listener = loop.listen(kLoopback).value();
  const uint16_t port = listener->port();
  Dialer first, second;
  ASSERT_TRUE(first.dial(port));
  ASSERT_TRUE(second.dial(port));
  int taken = 0;
  listener->accept(
      [&](std::unique_ptr<TcpStream>) {
        ++taken;
        listener.reset();
      },
      [](const std::string&) {});
  EXPECT_TRUE(until(loop, [&] { return taken > 0; }));
  rounds(loop);
  EXPECT_EQ(taken, 1);
}

// Both have a connection to give in the same round.
TEST(Listener, MayGoInAnothersCall) {
  EventLoop loop;
  std::unique_ptr<Listener> listeners[2] = {loop.listen(kLoopback).value(), loop.listen(kLoopback).value()};
  Dialer dialers[2];
  int taken = 0;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(dialers[i].dial(listeners[i]->port()));
    listeners[i]->accept(
        [&, i](std::unique_ptr<TcpStream>) {
          ++taken;
          listeners[1 - i].reset();
        },
        [](const std::string&) {});
  }
  EXPECT_TRUE(until(loop, [&] { return taken > 0; }));
  rounds(loop);
  EXPECT_EQ(taken, 1);
}

TEST(Listener, ConnectionsWaitUntilTheyAreAccepted) {
  EventLoop loop;
  const auto listener = loop.listen(kLoopback).value();
  Dialer early;
  ASSERT_TRUE(early.dial(listener->port()));
  rounds(loop);
  bool taken = false;
  listener->accept([&](std::unique_ptr<TcpStream>) { taken = true; }, [](const std::string&) {});
  EXPECT_TRUE(until(loop, [&] { return taken; }));
}

TEST(Listener, AFailureIsAValueAndTheNextTryMaySucceed) {
  Listening server(kLoopback);
  EventLoop other;
  const ListenSettings same{.address = "127.0.0.1", .port = server.port};
  const auto taken = other.listen(same);
  ASSERT_FALSE(taken.has_value());
  EXPECT_EQ(taken.error().fault, Fault::Io);
  EXPECT_EQ(taken.error().detail, fmt::format("cannot bind 127.0.0.1:{}: Address already in use", server.port));
  server.listener.reset();
  EXPECT_TRUE(other.listen(same).has_value());
}

TEST(Listener, AddressesThatCannotBeBound) {
  EventLoop loop;
  const auto foreign = loop.listen({.address = "192.0.2.1"});
  ASSERT_FALSE(foreign.has_value());
  EXPECT_EQ(foreign.error().fault, Fault::Io);
  const auto nonsense = loop.listen({.address = "no such host"});
  ASSERT_FALSE(nonsense.has_value());
  EXPECT_EQ(nonsense.error().fault, Fault::Invalid);
  EXPECT_TRUE(nonsense.error().detail.starts_with("cannot resolve no such host: "));
}

TEST(Listener, OfANamesAddressesTheFirstOfThisMachine) {
  const auto lookup = [](const std::string&) -> Result<std::vector<std::string>> {
    return std::vector<std::string>{"192.0.2.1", "127.0.0.1", "127.0.0.2"};
  };
  Listening server({.address = "ours"}, lookup);
  Dialer dialer;
  EXPECT_EQ(server.take(dialer).local_name().text, fmt::format("/127.0.0.1:{}", server.port));
}

}  // namespace
}  // namespace quorate::io
