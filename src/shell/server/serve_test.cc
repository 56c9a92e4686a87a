#include "shell/server/serve.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>

#include "core/replica/replica_testing.h"

namespace quorate::server {
namespace {

using replica::testing::Bytes;
using replica::testing::connect_request;
using replica::testing::request;
using wire::Op;
namespace ask = replica::prepare_testing;

/// A client's blocking socket.
class Client {
 public:
  explicit Client(uint16_t port) : address_{AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}, {}} {}
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool dial() {
    ::close(socket_);
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return ::connect(socket_, reinterpret_cast<const sockaddr*>(&address_), sizeof address_) == 0;
  }
  void send(const std::string& bytes) const {
    ASSERT_EQ(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  /// One frame's body.
  std::string ask(const std::string& bytes) const {
    send(Bytes().text(bytes));
    const std::string length = receive(4);
    return length.size() < 4 ? "" : receive(wire::load_be32(length.data()));
  }
  std::string receive(size_t count) const {
    std::string bytes(count, '\0');
    const ssize_t got = ::recv(socket_, bytes.data(), count, MSG_WAITALL);
    bytes.resize(got < 0 ? 0 : static_cast<size_t>(got));
    return bytes;
  }
  /// Lets time pass with nothing sent.
  void idle_for(int ms) const {
    pollfd waiting{socket_, POLLIN, 0};
    EXPECT_EQ(::poll(&waiting, 1, ms), 0);
  }

 private:
  sockaddr_in address_;
  int socket_ = -1;
};

uint16_t free_port() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(listener, reinterpret_cast<const sockaddr*>(&address), size);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(listener);
  return ntohs(address.sin_port);
}

int64_t wall_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

/// A server in a thread of its own, from its first answer to the end of its process.
class Running {
 public:
  Running() {
    loaded_.settings = config::default_settings();
    loaded_.settings.client_port.port = port;
    loaded_.settings.storage.data_dir = loaded_.settings.storage.log_dir = directory_;
    thread_ = std::thread([this] { exit_code_ = serve(loaded_); });
    Client probe(port);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!probe.dial() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    probe.send("ruok");
    EXPECT_EQ(probe.receive(4), "imok");
  }
  ~Running() { std::filesystem::remove_all(directory_); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  int stop() {
    std::raise(SIGTERM);
    thread_.join();
    return exit_code_;
  }

  const uint16_t port = free_port();

 private:
  static std::string make_directory() {
    std::string path = (std::filesystem::temp_directory_path() / "serve_testXXXXXX").string();
    return ::mkdtemp(path.data()) == nullptr ? "" : path;
  }

  const std::string directory_ = make_directory();
  config::LoadOutcome loaded_;
  int exit_code_ = -1;
  std::thread thread_;
};

// A loop that has slept for long must not take the time before its sleep for the time of a request: nodes would be too
// old and sessions touched too early.
TEST(Serve, RequestsAfterAnIdleTimeAreNotDatedBack) {
  Running server;
  Client client(server.port);
  ASSERT_TRUE(client.dial());
  EXPECT_EQ(client.ask(connect_request()).size(), 37U);
  for (int i = 0; i < 2; ++i) {
    client.idle_for(120);
    const int64_t before = wall_ms();
    const std::string path = fmt::format("/a{}", i);
    const std::string reply = client.ask(request(1, Op::Create2, ask::create(path)));
    ASSERT_EQ(reply.size(), 16 + 4 + path.size() + 68);
    const auto ctime = static_cast<int64_t>(wire::load_be64(reply.data() + 20 + path.size() + 16));
    EXPECT_GE(ctime, before - 2);  // the clocks tick apart
  }
  EXPECT_EQ(server.stop(), 0);
}

}  // namespace
}  // namespace quorate::server
