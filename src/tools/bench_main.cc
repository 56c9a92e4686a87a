#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <thread>

#include "tools/bench.h"
#include "tools/bench_floor.h"
#include "tools/bench_frames.h"
#include "tools/bench_link.h"
#include "tools/bench_loop.h"
#include "tools/bench_options.h"
#include "tools/bench_report.h"
#include "tools/bench_workload.h"
#include "wire/codes.h"

namespace quorate::tools {
namespace {

int64_t to_ns(double seconds) { return static_cast<int64_t>(seconds * 1e9); }

int64_t own_cpu_us() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1'000'000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

ProcessActivity difference(const ProcessActivity& to, const ProcessActivity& from) {
  return {to.user_us - from.user_us, to.system_us - from.system_us, to.voluntary_switches - from.voluntary_switches,
          to.involuntary_switches - from.involuntary_switches};
}

/// What is read at both ends of the measured part.
class Meter {
 public:
  explicit Meter(BenchReport& report) : report_(report) {}

  void begin() {
    server_ = read_activity(report_.options.pids);
    cpu_us_ = own_cpu_us();
  }
  void end() {
    report_.own_cpu_us = own_cpu_us() - cpu_us_;
    const auto after = read_activity(report_.options.pids);
    if (!report_.options.pids.empty() && server_ && after) report_.server = difference(*after, *server_);
  }

 private:
  BenchReport& report_;
  Result<ProcessActivity> server_;
  int64_t cpu_us_ = 0;
};

LoopPlan make_plan(const BenchOptions& options, Meter& meter) {
  LoopPlan plan{.in_flight = options.in_flight, .rate = options.rate};
  // A fill and a delete are measured whole: they end when the work is used up.
  if (options.mode != BenchMode::Fill && options.mode != BenchMode::Delete) {
    plan.warmup_ns = to_ns(options.warmup_seconds);
    plan.measured_ns = to_ns(options.seconds);
    plan.operations = options.operations;
  }
  plan.on_begin = [&meter] { meter.begin(); };
  plan.on_end = [&meter] { meter.end(); };
  return plan;
}

Result<void> note_memory(const BenchOptions& options, std::optional<ProcessMemory>& memory) {
  if (options.pids.empty()) return {};
  const auto now = read_memory(options.pids);
  if (!now) return std::unexpected(now.error());
  memory = *now;
  return {};
}

/// One link for preparations: it is closed again before the load, during which nobody would keep it alive.
template <class Work>
auto with_link(const BenchOptions& options, const Endpoint& server, Work work)
    -> decltype(work(std::declval<BenchLink&>())) {
  auto link = BenchLink::open(server, options.session_timeout_ms);
  if (!link) return std::unexpected(link.error());
  auto result = work(*link);
  link->begin_close();
  link->wait_closed();
  return result;
}

Result<void> run_server_load(BenchReport& report, const std::vector<Endpoint>& servers) {
  const BenchOptions& options = report.options;
  const auto workload =
      with_link(options, servers[0], [&](BenchLink& link) { return prepare_workload(options, link); });
  if (!workload) return std::unexpected(workload.error());
  auto links = open_links(servers, options.connections, options.session_timeout_ms);
  if (!links) return std::unexpected(links.error());
  Meter meter(report);
  const LoopPlan plan = make_plan(options, meter);
  auto figures = run_load(*links, **workload, plan);
  if (!figures) return std::unexpected(figures.error());
  report.load = *std::move(figures);
  if (auto noted = note_memory(options, report.memory_after); !noted) return noted;
  close_links(*links);
  return with_link(options, servers[0], [&](BenchLink& link) { return finish_workload(options, link); });
}

/// Keeps sessions open that do nothing but live.
Result<void> run_idle(BenchReport& report, const std::vector<Endpoint>& servers) {
  const BenchOptions& options = report.options;
  auto links = open_links(servers, options.connections, options.session_timeout_ms);
  if (!links) return std::unexpected(links.error());
  int64_t third_ms = INT64_MAX;
  for (const BenchLink& link : *links) third_ms = std::min<int64_t>(third_ms, link.timeout_ms() / 3);
  int64_t left_ms = static_cast<int64_t>(options.seconds * 1000);
  while (left_ms > 0) {
    const int64_t nap = std::min(left_ms, third_ms);
    std::this_thread::sleep_for(std::chrono::milliseconds(nap));
    left_ms -= nap;
    for (BenchLink& link : *links) {
      if (auto alive = link.ping(); !alive) return alive;
    }
  }
  if (auto noted = note_memory(options, report.memory_after); !noted) return noted;
  close_links(*links);
  return {};
}

Result<void> run_floor(BenchReport& report) {
  const BenchOptions& options = report.options;
  auto trips = measure_round_trips(options.rounds, options.echo_bytes, Waiting::Epoll);
  if (!trips) return std::unexpected(trips.error());
  auto blocked = measure_round_trips(options.rounds, options.echo_bytes, Waiting::Blocked);
  if (!blocked) return std::unexpected(blocked.error());
  auto syncs = measure_syncs(options.sync_directory, std::max(options.rounds / 10, 10U), options.echo_bytes);
  if (!syncs) return std::unexpected(syncs.error());
  report.round_trips = *std::move(trips);
  report.blocked_round_trips = *std::move(blocked);
  report.syncs = *std::move(syncs);
  return {};
}

Result<void> run_bench(BenchReport& report) {
  const BenchOptions& options = report.options;
  if (options.mode == BenchMode::LoopbackRtt) return run_floor(report);
  const auto servers = parse_endpoints(options.servers);
  if (!servers) return std::unexpected(servers.error());
  if (auto noted = note_memory(options, report.memory_before); !noted) return noted;
  return options.mode == BenchMode::Idle ? run_idle(report, *servers) : run_server_load(report, *servers);
}

}  // namespace

int bench_main(int argc, char** argv) {
  auto options = parse_bench_options(argc, argv);
  if (!options) return options.error();
  BenchReport report;
  report.options = *std::move(options);
  auto done = run_bench(report);
  if (done) {
    // JSON on standard output is to be parsed: the table goes to the other stream then.
    print_report(report, report.options.json_path == "-" ? stderr : stdout);
    if (!report.options.json_path.empty()) done = write_json(report, report.options.json_path);
  }
  if (!done) {
    fmt::print(stderr, "bench: {}\n", done.error().detail);
    return 1;
  }
  return report.failed() ? 1 : 0;
}

}  // namespace quorate::tools
