#pragma once
#include <cstdint>
#include <cstdio>
#include <optional>

#include "base/result.h"
#include "tools/bench_options.h"
#include "tools/bench_process.h"
#include "tools/bench_window.h"

/// The figures of one run, and their two forms: a table to read and JSON for scripts.
namespace quorate::tools {

struct BenchReport {
  BenchOptions options;
  LoopFigures load;
  int64_t own_cpu_us = 0;  ///< The generator's, in the measured part.
  /// Of the processes given with --pid.
  std::optional<ProcessActivity> server;  ///< Spent in the measured part.
  std::optional<ProcessMemory> memory_before;
  std::optional<ProcessMemory> memory_after;  ///< While the sessions are still open.
  /// Loopback mode only, in ns.
  BenchHistogram round_trips;          ///< Both ends in epoll_wait.
  BenchHistogram blocked_round_trips;  ///< Both ends blocked in recv.
  BenchHistogram syncs;

  bool failed() const { return !load.errors.empty() || load.unanswered > 0; }
};

double per_second(const BenchReport& report);
/// `amount` divided by the replies of the measured part; 0 when there are none.
double per_reply(const BenchReport& report, int64_t amount);

void print_report(const BenchReport& report, FILE* out);
/// Path "-" is standard output. Errors: Io.
Result<void> write_json(const BenchReport& report, const std::string& path);

}  // namespace quorate::tools
