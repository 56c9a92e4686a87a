#include "shell/io/event_loop.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace quorate::io {
namespace {

/// Runs the loop until `condition` holds, or for ten seconds.
template <class Condition>
bool until(EventLoop& loop, Condition&& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  bool holds = condition();
  while (!holds && std::chrono::steady_clock::now() < deadline) {
    loop.run(Millis{20});
    holds = condition();
  }
  return holds;
}

/// A client's socket, by the bare system calls.
class Dialer {
 public:
  explicit Dialer(int family = AF_INET) : family_(family), socket_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Dialer() { close(); }
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  /// The kernel answers for the listener: nobody has to accept.
  bool dial(uint16_t port) {
    if (family_ == AF_INET6) {
      const sockaddr_in6 to{AF_INET6, htons(port), 0, IN6ADDR_LOOPBACK_INIT, 0};
      return connect(to);
    }
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(to);
  }
  void send(std::string_view bytes) const {
    ASSERT_EQ(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  /// What is there now; 0 at the end, -1 with errno.
  ssize_t receive(std::string& into) const {
    char bytes[65536];
    const ssize_t count = ::recv(socket_, bytes, sizeof bytes, MSG_DONTWAIT);
    if (count > 0) into.append(bytes, static_cast<size_t>(count));
    return count;
  }
  uint16_t port() const {
    sockaddr_in own{};
    socklen_t size = sizeof own;
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&own), &size);
    return ntohs(own.sin_port);
  }
  int number() const { return socket_; }
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

 private:
  template <class Address>
  bool connect(const Address& to) const {
    return ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }

  int family_;
  int socket_;
};

/// A loop that listens and keeps what it accepts.
struct Listening {
  explicit Listening(ListenSettings settings = {}) {
    const auto bound = loop.listen(settings);
    EXPECT_TRUE(bound.has_value());
    port = bound.value_or(0);
    loop.accept(
        [this](std::unique_ptr<TcpStream> stream, PeerName peer) {
          streams.push_back(std::move(stream));
          peers.push_back(std::move(peer));
        },
        [this](const std::string& why) { refused.push_back(why); });
  }
  TcpStream& take(Dialer& dialer) {
    EXPECT_TRUE(dialer.dial(port));
    const size_t before = streams.size();
    EXPECT_TRUE(until(loop, [&] { return streams.size() > before; }));
    return *streams.back();
  }

  EventLoop loop;
  uint16_t port = 0;
  std::vector<std::unique_ptr<TcpStream>> streams;
  std::vector<std::string> refused;
  std::vector<PeerName> peers;
};

std::string receive_all(TcpStream& stream) {
  char bytes[1024];
  std::string all;
  for (auto count = stream.receive(bytes); count && *count > 0; count = stream.receive(bytes))
    all.append(bytes, *count);
  return all;
}

// What is not read is offered again in the next round.
TEST(EventLoop, BytesGoBothWays) {
  Listening server;
  Dialer dialer;
  TcpStream& stream = server.take(dialer);
  EXPECT_EQ(server.peers[0].ip, "127.0.0.1");
  EXPECT_EQ(server.peers[0].text, fmt::format("/127.0.0.1:{}", dialer.port()));
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
    ASSERT_TRUE(other.dial(server.port));
    EXPECT_TRUE(until(server.loop, [&] { return !server.peers.empty(); }));
    return;
  }
  ASSERT_TRUE(until(server.loop, [&] { return !server.peers.empty(); }));
  EXPECT_EQ(server.peers[0].ip, "0:0:0:0:0:0:0:1");
  EXPECT_TRUE(server.peers[0].text.starts_with("/[0:0:0:0:0:0:0:1]:"));
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

TEST(EventLoop, StopsAccepting) {
  Listening server;
  server.loop.stop_accepting();
  Dialer dialer;
  EXPECT_FALSE(dialer.dial(server.port));
  server.loop.run(Millis{5});
  EXPECT_TRUE(server.streams.empty());
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

TEST(EventLoop, AddressesThatCannotBeBound) {
  Listening server({.address = "127.0.0.1"});
  EventLoop other;
  const auto taken = other.listen({.address = "127.0.0.1", .port = server.port});
  ASSERT_FALSE(taken.has_value());
  EXPECT_EQ(taken.error().fault, Fault::Io);
  EXPECT_TRUE(taken.error().detail.starts_with(fmt::format("cannot bind 127.0.0.1:{}: ", server.port)));
  const auto foreign = other.listen({.address = "192.0.2.1"});
  ASSERT_FALSE(foreign.has_value());
  EXPECT_EQ(foreign.error().fault, Fault::Io);
  const auto nonsense = other.listen({.address = "no such host"});
  ASSERT_FALSE(nonsense.has_value());
  EXPECT_EQ(nonsense.error().fault, Fault::Invalid);
}

}  // namespace
}  // namespace quorate::io
