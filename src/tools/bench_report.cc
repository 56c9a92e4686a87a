#include "tools/bench_report.h"

#include <fmt/format.h>

#include <cmath>

namespace quorate::tools {
namespace {

double micros(uint64_t nanos) { return static_cast<double>(nanos) / 1000; }

void print_latency(FILE* out, const char* what, const BenchHistogram& histogram) {
  if (histogram.count() == 0) return;
  fmt::print(out, "{:<12} {:>10} {:>10.1f} {:>10.1f} {:>10.1f} {:>10.1f} {:>10.1f}\n", what, histogram.count(),
             micros(histogram.percentile(50)), micros(histogram.percentile(90)), micros(histogram.percentile(99)),
             micros(histogram.percentile(99.9)), micros(histogram.max()));
}

void print_latencies(FILE* out, const BenchReport& report) {
  fmt::print(out, "{:<12} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10}\n", "latency, us", "count", "p50", "p90", "p99",
             "p99.9", "max");
  print_latency(out, "  read", report.load.reads);
  print_latency(out, "  write", report.load.writes);
  print_latency(out, "  epoll rtt", report.round_trips);
  print_latency(out, "  recv rtt", report.blocked_round_trips);
  print_latency(out, "  fdatasync", report.syncs);
}

double ratio(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

void print_load(FILE* out, const BenchReport& report) {
  const BenchOptions& options = report.options;
  const std::string loop = options.rate > 0 ? fmt::format("open loop, {:g} a second", options.rate)
                                            : fmt::format("{} in flight each", options.in_flight);
  fmt::print(out, "{}: {} connections, {}, {} bytes a value\n", options.mode_name, options.connections, loop,
             options.value_bytes);
  fmt::print(out, "{:.0f} a second: {} replies in {:.2f} s\n", per_second(report), report.load.replies,
             static_cast<double>(report.load.elapsed_ns) / 1e9);
  fmt::print(out, "generator    {:.2f} us CPU an op, {:.1f} requests a read, {:.1f} a send\n",
             per_reply(report, report.own_cpu_us), ratio(report.load.replies, report.load.receives),
             ratio(report.load.requests, report.load.sends));
}

void print_server(FILE* out, const BenchReport& report) {
  if (report.server) {
    fmt::print(out, "server       {:.2f} us CPU an op ({:.2f} user, {:.2f} system), {:.3f} context switches an op\n",
               per_reply(report, report.server->cpu_us()), per_reply(report, report.server->user_us),
               per_reply(report, report.server->system_us),
               per_reply(report, report.server->voluntary_switches + report.server->involuntary_switches));
  }
  if (report.memory_before && report.memory_after) {
    const ProcessMemory& before = *report.memory_before;
    const ProcessMemory& after = *report.memory_after;
    fmt::print(out, "memory, KB   resident {} -> {}, proportional {} -> {}, anonymous {} -> {}\n", before.resident_kb,
               after.resident_kb, before.proportional_kb, after.proportional_kb, before.anonymous_kb,
               after.anonymous_kb);
  }
}

void print_troubles(FILE* out, const BenchReport& report) {
  for (const auto& [code, count] : report.load.errors)
    fmt::print(out, "ERROR        {} replies with {}\n", count, code);
  if (report.load.unanswered > 0) fmt::print(out, "ERROR        {} requests unanswered\n", report.load.unanswered);
}

}  // namespace

double per_second(const BenchReport& report) {
  if (report.load.elapsed_ns == 0) return 0;
  return static_cast<double>(report.load.replies) * 1e9 / static_cast<double>(report.load.elapsed_ns);
}

double per_reply(const BenchReport& report, int64_t amount) {
  if (report.load.replies == 0) return 0;
  return static_cast<double>(amount) / static_cast<double>(report.load.replies);
}

void print_report(const BenchReport& report, FILE* out) {
  if (report.options.mode == BenchMode::Idle) {
    fmt::print(out, "idle: {} sessions\n", report.options.connections);
  } else {
    if (report.options.mode != BenchMode::LoopbackRtt) print_load(out, report);
    print_latencies(out, report);
  }
  print_server(out, report);
  print_troubles(out, report);
}

}  // namespace quorate::tools
