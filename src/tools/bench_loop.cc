#include "tools/bench_loop.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <optional>

#include "tools/bench_frames.h"
#include "tools/bench_in_flight.h"
#include "wire/codes.h"

namespace quorate::tools {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kLongestWait = kSecond / 10;
constexpr int64_t kDrainPatience = 10 * kSecond;
constexpr int64_t kSilencePatience = 60 * kSecond;
/// Requests due within so short a time leave together: a sharper timer would take the processor from the server.
constexpr int64_t kOpenLoopGrain = 50'000;
/// A server that falls behind an open loop gets no more than this on a connection; what is due later keeps its time.
constexpr size_t kOpenLoopInFlight = 8192;
constexpr size_t kEventsAtOnce = 256;

int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

struct Lane {
  BenchLink& link;
  BenchInFlight waiting;
  int64_t last_sent_ns = 0;
  bool wants_writable = false;
};

class Loop {
 public:
  Loop(std::vector<BenchLink>& links, BenchWorkload& workload, const LoopPlan& plan);
  ~Loop() { close(epoll_); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Result<LoopFigures> run();

 private:
  bool open_loop() const { return plan_.rate > 0; }
  void start();
  bool finished(int64_t now);
  bool all_issued() const { return used_up_ || !open_loop() || issued_ >= window_.due_count(now_ns()); }
  void wait_for_events(int64_t now);
  void on_readable(size_t at);
  void on_reply(size_t at, const LinkReply& reply, int64_t now);
  bool append(size_t at, int64_t start_ns);
  void refill(size_t at, int64_t now);
  void issue_due(int64_t now);
  std::optional<size_t> lane_with_room();
  void flush(Lane& lane);
  void watch_writable(Lane& lane, bool wanted);
  void keep_alive(int64_t now);
  void check_silence(int64_t now);
  void broken(Error error) {
    if (!failure_) failure_ = std::move(error);
  }

  BenchWorkload& workload_;
  const LoopPlan& plan_;
  BenchWindow window_;
  std::vector<Lane> lanes_;
  const std::string ping_ = ping_frame();
  std::optional<Error> failure_;
  int epoll_;
  bool used_up_ = false;
  uint64_t outstanding_ = 0;
  uint64_t issued_ = 0;  ///< Open loop: requests that have left; so the number of the next one.
  size_t turn_ = 0;
  int64_t ended_ns_ = 0;
  int64_t last_progress_ns_;
  int64_t next_keep_alive_ns_ = 0;
};

Loop::Loop(std::vector<BenchLink>& links, BenchWorkload& workload, const LoopPlan& plan)
    : workload_(workload),
      plan_(plan),
      window_(plan, now_ns()),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      last_progress_ns_(now_ns()) {
  const size_t limit = open_loop() ? kOpenLoopInFlight : plan.in_flight;
  lanes_.reserve(links.size());
  for (BenchLink& link : links) lanes_.push_back(Lane{link, BenchInFlight(limit)});
}

Result<LoopFigures> Loop::run() {
  start();
  int64_t now = now_ns();
  while (!failure_ && !finished(now)) {
    if (open_loop()) issue_due(now);
    wait_for_events(now);
    now = now_ns();
    window_.turn(now);
    keep_alive(now);
    check_silence(now);
  }
  if (failure_) return std::unexpected(*failure_);
  LoopFigures& figures = window_.figures();
  figures.unanswered = outstanding_;
  if (!all_issued()) figures.unanswered += window_.due_count(now) - issued_;
  return std::move(figures);
}

void Loop::start() {
  if (epoll_ < 0) return broken({Fault::Io, fmt::format("epoll_create: {}", std::strerror(errno))});
  prctl(PR_SET_TIMERSLACK, 1UL);
  window_.turn(now_ns());
  for (size_t at = 0; at < lanes_.size(); ++at) {
    lanes_[at].link.set_nonblocking();
    epoll_event event{.events = EPOLLIN, .data = {.u64 = at}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, lanes_[at].link.fd(), &event);
    lanes_[at].last_sent_ns = now_ns();
    if (!open_loop()) refill(at, now_ns());
  }
}

bool Loop::finished(int64_t now) {
  const bool idle = outstanding_ == 0;
  if (used_up_ && idle) window_.end(now);
  if (!window_.ended()) return false;
  if (ended_ns_ == 0) ended_ns_ = now;
  return (idle && all_issued()) || now > ended_ns_ + kDrainPatience;
}

void Loop::wait_for_events(int64_t now) {
  int64_t wait = kLongestWait;
  if (open_loop() && !(window_.ended() && all_issued())) {
    wait = std::clamp(window_.due_ns(issued_) - now, kOpenLoopGrain, kLongestWait);
  }
  const timespec timeout{.tv_sec = wait / kSecond, .tv_nsec = wait % kSecond};
  std::array<epoll_event, kEventsAtOnce> events;
  const int count = epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
  for (int i = 0; i < count; ++i) {
    const size_t at = events[static_cast<size_t>(i)].data.u64;
    if ((events[static_cast<size_t>(i)].events & EPOLLOUT) != 0) flush(lanes_[at]);
    if ((events[static_cast<size_t>(i)].events & ~uint32_t{EPOLLOUT}) != 0) on_readable(at);
  }
}

void Loop::on_readable(size_t at) {
  Lane& lane = lanes_[at];
  const auto got = lane.link.receive();
  if (!got) return broken(got.error());
  if (*got == 0) return;
  if (window_.measuring()) ++window_.figures().receives;
  const int64_t now = now_ns();
  const std::string_view bytes = lane.link.received();
  size_t offset = 0;
  LinkReply reply;
  while (true) {
    const auto whole = next_reply(bytes, offset, reply);
    if (!whole) return broken(whole.error());
    if (!*whole) break;
    on_reply(at, reply, now);
  }
  lane.link.consume(offset);
  if (open_loop()) return;
  refill(at, now);
}

void Loop::on_reply(size_t at, const LinkReply& reply, int64_t now) {
  // Pings and events come between the replies; nobody here waits for them. Spec: client 3.1.
  if (reply.xid == wire::kPingXid || reply.xid == wire::kNotificationXid) return;
  BenchInFlight& waiting = lanes_[at].waiting;
  if (waiting.empty() || reply.xid != waiting.expected_xid()) {
    return broken(
        {Fault::Corrupt, fmt::format("connection {}: a reply with xid {} that is not the next one", at, reply.xid)});
  }
  --outstanding_;
  last_progress_ns_ = now;
  window_.on_reply(waiting.pop(), reply.err, now);
}

bool Loop::append(size_t at, int64_t start_ns) {
  Lane& lane = lanes_[at];
  const Sent kind = workload_.append(at, lane.waiting.next_xid(), lane.link.out());
  if (kind == Sent::Nothing) {
    used_up_ = true;
    return false;
  }
  lane.waiting.push({start_ns, kind});
  lane.last_sent_ns = start_ns;
  if (outstanding_++ == 0) last_progress_ns_ = start_ns;
  if (window_.measuring()) ++window_.figures().requests;
  return true;
}

void Loop::refill(size_t at, int64_t now) {
  Lane& lane = lanes_[at];
  while (!window_.ended() && !used_up_ && !lane.waiting.full() && append(at, now)) {
  }
  flush(lane);
}

void Loop::issue_due(int64_t now) {
  const uint64_t due = used_up_ ? 0 : window_.due_count(now);
  while (issued_ < due) {
    const auto at = lane_with_room();
    if (!at || !append(*at, window_.due_ns(issued_))) break;
    ++issued_;
  }
  for (Lane& lane : lanes_) {
    if (!lane.wants_writable) flush(lane);
  }
}

/// The lanes take turns; a full one is passed over.
std::optional<size_t> Loop::lane_with_room() {
  for (size_t tried = 0; tried < lanes_.size(); ++tried) {
    const size_t at = turn_++ % lanes_.size();
    if (!lanes_[at].waiting.full()) return at;
  }
  return std::nullopt;
}

void Loop::flush(Lane& lane) {
  if (lane.link.out().empty()) return;
  const auto done = lane.link.flush();
  if (!done) return broken(done.error());
  if (window_.measuring()) ++window_.figures().sends;
  if (*done == lane.wants_writable) watch_writable(lane, !*done);
}

void Loop::watch_writable(Lane& lane, bool wanted) {
  const auto at = static_cast<uint64_t>(&lane - lanes_.data());
  epoll_event event{.events = EPOLLIN | (wanted ? uint32_t{EPOLLOUT} : 0U), .data = {.u64 = at}};
  epoll_ctl(epoll_, EPOLL_CTL_MOD, lane.link.fd(), &event);
  lane.wants_writable = wanted;
}

/// A session lives as long as some request touches it in time. Spec: client 8.3.
void Loop::keep_alive(int64_t now) {
  if (now < next_keep_alive_ns_) return;
  next_keep_alive_ns_ = now + kLongestWait;
  for (Lane& lane : lanes_) {
    const int64_t third = int64_t{lane.link.timeout_ms()} * 1'000'000 / 3;
    if (now - lane.last_sent_ns < third) continue;
    append_frame(lane.link.out(), ping_, wire::kPingXid);
    lane.last_sent_ns = now;
    if (!lane.wants_writable) flush(lane);
  }
}

void Loop::check_silence(int64_t now) {
  if (outstanding_ == 0 || now - last_progress_ns_ < kSilencePatience) return;
  broken({Fault::Io, fmt::format("{} requests, and no reply for a minute", outstanding_)});
}

}  // namespace

Result<LoopFigures> run_load(std::vector<BenchLink>& links, BenchWorkload& workload, const LoopPlan& plan) {
  return Loop(links, workload, plan).run();
}

}  // namespace quorate::tools
