#include "tools/bench_floor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <thread>
#include <utility>
#include <vector>

namespace quorate::tools {
namespace {

constexpr uint32_t kWarmUpRounds = 500;
constexpr size_t kFilledBytes = 16 << 20;

int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

std::unexpected<Error> io_error(const std::string& what) {
  return fail(Fault::Io, fmt::format("{}: {}", what, std::strerror(errno)));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

/// Keeps this thread on the nth of the processors that it may use, where there are so many.
class OnProcessor {
 public:
  explicit OnProcessor(int nth) {
    if (pthread_getaffinity_np(pthread_self(), sizeof before_, &before_) != 0 || CPU_COUNT(&before_) <= nth) return;
    int processor = 0;
    while (!CPU_ISSET(processor, &before_) || nth-- > 0) ++processor;
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(processor, &only);
    moved_ = pthread_setaffinity_np(pthread_self(), sizeof only, &only) == 0;
  }
  OnProcessor(const OnProcessor&) = delete;
  OnProcessor& operator=(const OnProcessor&) = delete;
  ~OnProcessor() {
    if (moved_) pthread_setaffinity_np(pthread_self(), sizeof before_, &before_);
  }

 private:
  cpu_set_t before_;
  bool moved_ = false;
};

/// One end of the exchange.
class End {
 public:
  End(int fd, uint32_t bytes, Waiting waiting) : fd_(fd), message_(bytes, 'e'), epoll_(open_epoll(fd, waiting)) {}

  bool send_message() {
    return send(fd_, message_.data(), message_.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(message_.size());
  }
  bool receive_message() {
    epoll_event event{};
    if (epoll_.ok() && epoll_wait(epoll_.fd(), &event, 1, -1) != 1) return false;
    return recv(fd_, message_.data(), message_.size(), MSG_WAITALL) == static_cast<ssize_t>(message_.size());
  }

 private:
  static Descriptor open_epoll(int fd, Waiting waiting) {
    if (waiting == Waiting::Blocked) return Descriptor(-1);
    Descriptor epoll(epoll_create1(EPOLL_CLOEXEC));
    epoll_event event{.events = EPOLLIN, .data = {}};
    epoll_ctl(epoll.fd(), EPOLL_CTL_ADD, fd, &event);
    return epoll;
  }

  int fd_;
  std::vector<char> message_;
  Descriptor epoll_;
};

/// Two ends of a TCP connection over loopback.
Result<std::pair<Descriptor, Descriptor>> connected_pair() {
  const Descriptor listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener.fd(), plain, length) != 0 || listen(listener.fd(), 1) != 0 ||
      getsockname(listener.fd(), plain, &length) != 0) {
    return io_error("loopback listener");
  }
  Descriptor near(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connect(near.fd(), plain, length) != 0) return io_error("loopback connect");
  Descriptor far(accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!far.ok()) return io_error("loopback accept");
  const int on = 1;
  setsockopt(near.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(far.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return std::pair{std::move(near), std::move(far)};
}

Result<Descriptor> zero_filled_file(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
  if (!file.ok()) return io_error(path);
  // The blocks are there before the clock starts; the name is not needed any more.
  unlink(path.c_str());
  const std::vector<char> zeros(kFilledBytes, 0);
  if (write(file.fd(), zeros.data(), zeros.size()) != static_cast<ssize_t>(zeros.size()) || fsync(file.fd()) != 0) {
    return io_error(path);
  }
  return file;
}

}  // namespace

Result<BenchHistogram> measure_round_trips(uint32_t rounds, uint32_t bytes, Waiting waiting) {
  auto ends = connected_pair();
  if (!ends) return std::unexpected(ends.error());
  const int near = ends->first.fd();
  std::jthread echo([far = ends->second.fd(), bytes, waiting] {
    const OnProcessor second(1);
    End end(far, bytes, waiting);
    while (end.receive_message() && end.send_message()) {
    }
  });
  const OnProcessor first(0);
  BenchHistogram histogram;
  End end(near, bytes, waiting);
  bool good = true;
  for (uint32_t i = 0; good && i < kWarmUpRounds + rounds; ++i) {
    const int64_t start = now_ns();
    good = end.send_message() && end.receive_message();
    if (i >= kWarmUpRounds) histogram.record(now_ns() - start);
  }
  shutdown(near, SHUT_RDWR);
  if (!good) return io_error("loopback round trip");
  return histogram;
}

Result<BenchHistogram> measure_syncs(const std::string& directory, uint32_t rounds, uint32_t bytes) {
  const std::string path = fmt::format("{}/quorate-bench.{}", directory, getpid());
  const auto file = zero_filled_file(path);
  if (!file) return std::unexpected(file.error());
  const std::vector<char> record(bytes, 'r');
  BenchHistogram histogram;
  size_t offset = 0;
  for (uint32_t i = 0; i < rounds; ++i) {
    if (offset + bytes > kFilledBytes) offset = 0;
    const int64_t start = now_ns();
    if (pwrite(file->fd(), record.data(), bytes, static_cast<off_t>(offset)) != static_cast<ssize_t>(bytes) ||
        fdatasync(file->fd()) != 0) {
      return io_error(path);
    }
    histogram.record(now_ns() - start);
    offset += bytes;
  }
  return histogram;
}

}  // namespace quorate::tools
