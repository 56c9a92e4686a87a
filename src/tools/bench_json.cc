#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>

#include "tools/bench_report.h"

namespace quorate::tools {
namespace {

using nlohmann::ordered_json;

ordered_json latency_us(const BenchHistogram& histogram) {
  const auto at = [&](double percent) { return static_cast<double>(histogram.percentile(percent)) / 1000; };
  return {{"count", histogram.count()},
          {"mean", histogram.mean() / 1000},
          {"p50", at(50)},
          {"p90", at(90)},
          {"p99", at(99)},
          {"p99_9", at(99.9)},
          {"max", at(100)}};
}

ordered_json options_json(const BenchOptions& options) {
  return {{"servers", options.servers},
          {"root", options.root},
          {"connections", options.connections},
          {"in_flight", options.in_flight},
          {"keys", options.keys},
          {"value_bytes", options.value_bytes},
          {"rate", options.rate},
          {"read_percent", options.read_percent},
          {"fill", options.fill},
          {"fan_out", options.fan_out}};
}

ordered_json memory_json(const ProcessMemory& memory) {
  return {{"resident_kb", memory.resident_kb},
          {"proportional_kb", memory.proportional_kb},
          {"anonymous_kb", memory.anonymous_kb}};
}

ordered_json server_json(const BenchReport& report) {
  ordered_json server = ordered_json::object();
  if (report.server) {
    server["cpu_us_per_op"] = per_reply(report, report.server->cpu_us());
    server["user_us"] = report.server->user_us;
    server["system_us"] = report.server->system_us;
    server["voluntary_switches"] = report.server->voluntary_switches;
    server["involuntary_switches"] = report.server->involuntary_switches;
  }
  if (report.memory_before) server["memory_before"] = memory_json(*report.memory_before);
  if (report.memory_after) server["memory_after"] = memory_json(*report.memory_after);
  return server;
}

ordered_json generator_json(const BenchReport& report) {
  return {{"cpu_us_per_op", per_reply(report, report.own_cpu_us)},
          {"replies", report.load.replies},
          {"receives", report.load.receives},
          {"requests", report.load.requests},
          {"sends", report.load.sends}};
}

ordered_json report_json(const BenchReport& report) {
  ordered_json json = {{"mode", report.options.mode_name}, {"options", options_json(report.options)}};
  if (report.options.mode == BenchMode::LoopbackRtt) {
    json["round_trip_us"] = latency_us(report.round_trips);
    json["blocked_round_trip_us"] = latency_us(report.blocked_round_trips);
    json["fdatasync_us"] = latency_us(report.syncs);
    return json;
  }
  BenchHistogram all = report.load.reads;
  all.add(report.load.writes);
  json["seconds"] = static_cast<double>(report.load.elapsed_ns) / 1e9;
  json["per_second"] = per_second(report);
  json["latency_us"] = {
      {"all", latency_us(all)}, {"read", latency_us(report.load.reads)}, {"write", latency_us(report.load.writes)}};
  json["errors"] = ordered_json::object();
  for (const auto& [code, count] : report.load.errors) json["errors"][std::to_string(code)] = count;
  json["unanswered"] = report.load.unanswered;
  json["generator"] = generator_json(report);
  json["server"] = server_json(report);
  return json;
}

}  // namespace

Result<void> write_json(const BenchReport& report, const std::string& path) {
  // Texts come from the command line and need not be UTF-8.
  const std::string text = report_json(report).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  if (path == "-") {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return {};
  }
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "we"), &std::fclose);
  if (file == nullptr || std::fwrite(text.data(), 1, text.size(), file.get()) != text.size() ||
      std::fflush(file.get()) != 0) {
    return fail(Fault::Io, fmt::format("{}: {}", path, std::strerror(errno)));
  }
  return {};
}

}  // namespace quorate::tools
