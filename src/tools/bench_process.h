#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"

/// What /proc says about the server's processes: processor time, context switches, memory. Sums over several processes.
namespace quorate::tools {

struct ProcessActivity {
  int64_t user_us = 0;  ///< In steps of one clock tick, 10 ms.
  int64_t system_us = 0;
  int64_t voluntary_switches = 0;  ///< Of the threads alive now.
  int64_t involuntary_switches = 0;

  int64_t cpu_us() const { return user_us + system_us; }
};

struct ProcessMemory {
  int64_t resident_kb = 0;
  int64_t proportional_kb = 0;
  int64_t anonymous_kb = 0;
};

/// Errors: NotFound when a process is gone, Io when its files may not be read.
Result<ProcessActivity> read_activity(const std::vector<int>& pids);
Result<ProcessMemory> read_memory(const std::vector<int>& pids);

struct CpuTicks {
  int64_t user = 0;
  int64_t system = 0;
};
/// utime and stime of /proc/PID/stat; the name in parentheses may hold blanks and parentheses itself.
std::optional<CpuTicks> parse_stat(std::string_view text);
/// The number behind `label` at the start of a line, as in "VmRSS:   1234 kB".
std::optional<int64_t> parse_field(std::string_view text, std::string_view label);

}  // namespace quorate::tools
