#include "tools/bench_process.h"

#include <dirent.h>
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <memory>
#include <string>

namespace quorate::tools {
namespace {

std::optional<std::string> read_text(const std::string& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
  if (file == nullptr) return std::nullopt;
  std::string text;
  char piece[4096];
  for (size_t n; (n = std::fread(piece, 1, sizeof piece, file.get())) > 0;) text.append(piece, n);
  return text;
}

std::unexpected<Error> unreadable(int pid) {
  return fail(Fault::NotFound, fmt::format("process {}: its /proc entry cannot be read", pid));
}

std::optional<int64_t> number_after_blanks(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

/// A thread that ends while we look is left out.
void add_switches(int pid, ProcessActivity& sum) {
  const std::string threads = fmt::format("/proc/{}/task", pid);
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(threads.c_str()), &closedir);
  if (directory == nullptr) return;
  while (const dirent* entry = readdir(directory.get())) {
    if (entry->d_name[0] == '.') continue;
    const auto status = read_text(fmt::format("{}/{}/status", threads, entry->d_name));
    if (!status) continue;
    sum.voluntary_switches += parse_field(*status, "voluntary_ctxt_switches:").value_or(0);
    sum.involuntary_switches += parse_field(*status, "nonvoluntary_ctxt_switches:").value_or(0);
  }
}

}  // namespace

std::optional<CpuTicks> parse_stat(std::string_view text) {
  const size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  text.remove_prefix(name_end + 1);
  // Behind the name stand 11 fields (state to cmajflt), then utime and stime.
  for (int i = 0; i < 12; ++i) {
    const size_t blank = text.find(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    text.remove_prefix(blank + 1);
  }
  const auto user = number_after_blanks(text);
  const size_t blank = text.find(' ');
  if (!user || blank == std::string_view::npos) return std::nullopt;
  const auto system = number_after_blanks(text.substr(blank));
  if (!system) return std::nullopt;
  return CpuTicks{*user, *system};
}

std::optional<int64_t> parse_field(std::string_view text, std::string_view label) {
  while (!text.empty()) {
    if (text.starts_with(label)) return number_after_blanks(text.substr(label.size()));
    const size_t line_end = text.find('\n');
    if (line_end == std::string_view::npos) return std::nullopt;
    text.remove_prefix(line_end + 1);
  }
  return std::nullopt;
}

Result<ProcessActivity> read_activity(const std::vector<int>& pids) {
  const int64_t tick_us = 1'000'000 / sysconf(_SC_CLK_TCK);
  ProcessActivity sum;
  for (const int pid : pids) {
    const auto text = read_text(fmt::format("/proc/{}/stat", pid));
    const auto ticks = text ? parse_stat(*text) : std::nullopt;
    if (!ticks) return unreadable(pid);
    sum.user_us += ticks->user * tick_us;
    sum.system_us += ticks->system * tick_us;
    add_switches(pid, sum);
  }
  return sum;
}

Result<ProcessMemory> read_memory(const std::vector<int>& pids) {
  ProcessMemory sum;
  for (const int pid : pids) {
    const auto text = read_text(fmt::format("/proc/{}/smaps_rollup", pid));
    const auto resident = text ? parse_field(*text, "Rss:") : std::nullopt;
    if (!resident) return unreadable(pid);
    sum.resident_kb += *resident;
    sum.proportional_kb += parse_field(*text, "Pss:").value_or(0);
    sum.anonymous_kb += parse_field(*text, "Anonymous:").value_or(0);
  }
  return sum;
}

}  // namespace quorate::tools
