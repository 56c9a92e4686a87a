#include "shell/io/event_loop.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "shell/io/loop_testing.h"

namespace quorate::io {
namespace {

// What is not read is offered again in the next round.
TEST(EventLoop, BytesGoBothWays) {
  Listening server;
  Dialer dialer;
  TcpStream& stream = server.take(dialer);
  EXPECT_EQ(stream.peer_name().ip, "127.0.0.1");
  EXPECT_EQ(stream.peer_name().text, fmt::format("/127.0.0.1:{}", dialer.port()));
  std::string got;
  stream.watch(
      [&] {
        char byte;
        if (stream.receive({&byte, 1}).value_or(0) == 1) got += byte;
      },
      [] {});
  dialer.send("hello");
  EXPECT_TRUE(until(server.loop, [&] { return got == "hello"; }));
  EXPECT_EQ(stream.send("world"), 5U);
  std::string answer;
  EXPECT_TRUE(until(server.loop, [&] { return dialer.receive(answer) > 0; }));
  EXPECT_EQ(answer, "world");
  char more[16];
  EXPECT_EQ(stream.receive(more), 0U);
}

TEST(EventLoop, NamesOfIpv6Peers) {
  Listening server;
  Dialer dialer(AF_INET6);
  if (!dialer.dial(server.port)) {  // a machine without IPv6 is served over IPv4 alone
    Dialer other(AF_INET);
    server.take(other);
    return;
  }
  ASSERT_TRUE(until(server.loop, [&] { return !server.streams.empty(); }));
  const TcpStream& stream = *server.streams[0];
  EXPECT_EQ(stream.peer_name().ip, "0:0:0:0:0:0:0:1");
  EXPECT_TRUE(stream.peer_name().text.starts_with("/[0:0:0:0:0:0:0:1]:"));
}

TEST(EventLoop, BackPressure) {
  Listening server;
  Dialer dialer;
  TcpStream& stream = server.take(dialer);
  int calls = 0;
  std::string got;
  stream.watch(
      [&] {
        ++calls;
        got += receive_all(stream);
      },
      [] {});
  stream.want_readable(false);
  dialer.send("unread");
  for (int i = 0; i < 5; ++i) server.loop.run(Millis{5});
  EXPECT_EQ(calls, 0);
  stream.want_readable(true);
  EXPECT_TRUE(until(server.loop, [&] { return got == "unread"; }));
}

TEST(EventLoop, TellsWhenThereIsRoomAgain) {
  Listening server;
  Dialer dialer;
  TcpStream& stream = server.take(dialer);
  int room = 0;
  stream.watch([] {}, [&] { ++room; });
  const std::string block(1 << 20, 'x');
  size_t sent = 0;
  for (size_t count = 1; count > 0; sent += count) count = stream.send(block).value_or(0);
  stream.want_writable(true);
  for (int i = 0; i < 5; ++i) server.loop.run(Millis{5});
  EXPECT_EQ(room, 0);
  std::string received;
  EXPECT_TRUE(until(server.loop, [&] {
    dialer.receive(received);
    return room > 0;
  }));
  stream.want_writable(false);
  const int before = room;
  EXPECT_TRUE(until(server.loop, [&] {
    dialer.receive(received);
    return received.size() == sent;
  }));
  EXPECT_LE(room, before + 1);  // one call may have been under way
}

TEST(EventLoop, EndOfThePeer) {
  Listening server;
  Dialer dialer;
  TcpStream& stream = server.take(dialer);
  bool ended = false;
  stream.watch(
      [&] {
        char bytes[16];
        const auto got = stream.receive(bytes);
        ended = !got && got.error().fault == Fault::Closed;
      },
      [] {});
  dialer.close();
  EXPECT_TRUE(until(server.loop, [&] { return ended; }));
}

TEST(EventLoop, DestroyingAStreamEndsTheConnection) {
  Listening server;
  Dialer dialer;
  server.take(dialer).send("last words");
  server.streams.clear();
  std::string received;
  EXPECT_TRUE(until(server.loop, [&] { return dialer.receive(received) == 0; }));
  EXPECT_EQ(received, "last words");
}

// Spec: client 12.
TEST(EventLoop, ResetIsSeenAsOne) {
  Listening server;
  Dialer dialer;
  server.take(dialer).reset();
  std::string received;
  int seen = 0;
  EXPECT_TRUE(until(server.loop, [&] {
    seen = dialer.receive(received) < 0 ? errno : 0;
    return seen != 0 && seen != EAGAIN;
  }));
  EXPECT_EQ(seen, ECONNRESET);
}

TEST(EventLoop, AStreamMayGoInItsOwnCall) {
  Listening server;
  Dialer dialer;
  TcpStream& stream = server.take(dialer);
  stream.watch([&] { server.streams.clear(); }, [] {});
  dialer.send("x");
  EXPECT_TRUE(until(server.loop, [&] { return server.streams.empty(); }));
  server.loop.run(Millis{5});
}

// A socket that is always ready, and is not read, takes nobody's turn.
TEST(EventLoop, RoundsEndWhileSocketsAreReady) {
  Listening server;
  Dialer noisy, gone, quiet;
  TcpStream& first = server.take(noisy);
  TcpStream& second = server.take(gone);
  int calls = 0;
  first.watch([&] { ++calls; }, [] {});
  second.watch([&] { ++calls; }, [] {});
  noisy.send("never read");
  gone.close();
  int rounds = 0;
  EXPECT_TRUE(until(server.loop, [&] { return ++rounds > 20; }));
  EXPECT_GT(calls, 10);
  EXPECT_LE(calls, 2 * rounds);
  server.take(quiet);
}

/// Takes all file descriptors but those in use.
class NoMoreFiles {
 public:
  NoMoreFiles() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::dup(0);
    ::close(next);
    const rlimit now{static_cast<rlim_t>(next), before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &now);
  }
  ~NoMoreFiles() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoMoreFiles(const NoMoreFiles&) = delete;
  NoMoreFiles& operator=(const NoMoreFiles&) = delete;

 private:
  rlimit before_{};
};

// Connections that cannot be taken wait; those that are there go on.
TEST(EventLoop, OutOfFileDescriptors) {
  Listening server;
  Dialer served, waiting;
  TcpStream& stream = server.take(served);
  std::string got;
  stream.watch([&] { got += receive_all(stream); }, [] {});
  {
    const NoMoreFiles limit;
    ASSERT_TRUE(waiting.dial(server.port));
    served.send("a");
    EXPECT_TRUE(until(server.loop, [&] { return got == "a"; }));
    int idle_rounds = 0;
    for (int i = 0; i < 20; ++i) idle_rounds += server.loop.run(Millis{5}) ? 0 : 1;
    EXPECT_GT(idle_rounds, 10);  // it does not spin either
    EXPECT_EQ(server.streams.size(), 1U);
    EXPECT_EQ(server.refused, std::vector<std::string>{"Too many open files"});  // once, not with each try
  }
  EXPECT_TRUE(until(server.loop, [&] { return server.streams.size() == 2; }));
}

TEST(EventLoop, PostedCallsWakeIt) {
  Listening server;
  bool called = false;
  std::thread other([&] { server.loop.post([&] { called = true; }); });
  EXPECT_TRUE(server.loop.run(Millis{10000}));
  EXPECT_TRUE(called);
  other.join();
  EXPECT_FALSE(server.loop.run(Millis{1}));
}

TEST(EventLoop, SignalsAreCalls) {
  Listening server;
  bool called = false;
  server.loop.on_stop_signal([&] { called = true; });
  std::raise(SIGTERM);
  EXPECT_TRUE(until(server.loop, [&] { return called; }));
}

// Whoever learns what a connection is for takes it over; the call that is running stays whole.
TEST(EventLoop, AStreamMayBeWatchedAnewInItsOwnCall) {
  Listening server;
  Dialer dialer;
  TcpStream& stream = server.take(dialer);
  const auto kept = std::make_shared<std::string>("first");
  std::string got;
  stream.watch(
      [&, kept] {
        stream.watch([&] { got += receive_all(stream); }, [] {});
        EXPECT_EQ(*kept, "first");
      },
      [] {});
  dialer.send("x");
  EXPECT_TRUE(until(server.loop, [&] { return got == "x"; }));
  rounds(server.loop);
  EXPECT_EQ(kept.use_count(), 1);
}

TEST(EventLoop, WaitsWithoutAnySocket) {
  EventLoop loop;
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(loop.run(Millis{20}));
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(20));
}

TEST(EventLoop, WhatItGaveMayOutliveIt) {
  auto server = std::make_unique<Listening>();
  Dialer dialer, in_backlog;
  server->take(dialer).watch([] {}, [] {});
  EXPECT_TRUE(in_backlog.dial(server->port));
  auto stream = std::move(server->streams[0]);
  auto listener = std::move(server->listener);
  server.reset();
  EXPECT_EQ(stream->send("still there"), 11U);
  listener.reset();
  stream.reset();
  std::string received;
  dialer.receive(received);
  EXPECT_EQ(received, "still there");
}

}  // namespace
}  // namespace quorate::io
