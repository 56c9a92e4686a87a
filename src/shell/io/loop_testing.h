#pragma once
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shell/io/event_loop.h"

/// For tests of the loop: real sockets on loopback, and waiting for what is to come.
namespace quorate::io {

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

/// Some rounds in which nothing is to happen.
inline void rounds(EventLoop& loop) {
  for (int i = 0; i < 5; ++i) loop.run(Millis{5});
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

inline bool has_ipv6_loopback() {
  const Dialer socket(AF_INET6);
  const sockaddr_in6 own{AF_INET6, 0, 0, IN6ADDR_LOOPBACK_INIT, 0};
  return ::bind(socket.number(), reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0;
}

/// A loop that listens and keeps what it accepts.
struct Listening {
  explicit Listening(const ListenSettings& settings = {}, Lookup lookup = look_up_by_system) : loop(std::move(lookup)) {
    open(settings);
  }
  void open(const ListenSettings& settings) {
    auto bound = loop.listen(settings);
    ASSERT_TRUE(bound.has_value()) << bound.error().detail;
    listener = std::move(*bound);
    port = listener->port();
    listener->accept([this](auto stream) { streams.push_back(std::move(stream)); },
                     [this](const std::string& why) { refused.push_back(why); });
  }
  TcpStream& take(Dialer& dialer) {
    EXPECT_TRUE(dialer.dial(port));
    const size_t before = streams.size();
    EXPECT_TRUE(until(loop, [&] { return streams.size() > before; }));
    return *streams.back();
  }

  EventLoop loop;
  std::unique_ptr<Listener> listener;
  uint16_t port = 0;
  std::vector<std::unique_ptr<TcpStream>> streams;
  std::vector<std::string> refused;
};

inline std::string receive_all(TcpStream& stream) {
  char bytes[1024];
  std::string all;
  for (auto count = stream.receive(bytes); count && *count > 0; count = stream.receive(bytes))
    all.append(bytes, *count);
  return all;
}

}  // namespace quorate::io
