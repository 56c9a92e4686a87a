#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

/// What one benchmark run does, as the command line says it.
namespace quorate::tools {

enum class BenchMode : uint8_t { Get, Set, Mix, Create, Delete, Idle, Fill, LoopbackRtt };

struct BenchOptions {
  BenchMode mode = BenchMode::Get;
  std::string mode_name = "get";
  std::string servers = "127.0.0.1:2181";  ///< host:port, comma separated; connections go round.
  std::string root = {};                   ///< Parent of all that is made; empty: /zkload, for a fill /zkfill.
  uint32_t connections = 32;
  uint32_t in_flight = 8;  ///< Requests kept outstanding on each connection (closed loop).
  uint32_t keys = 1000;
  uint32_t value_bytes = 1024;
  uint32_t read_percent = 90;
  double rate = 0;  ///< Requests a second over all connections; 0: closed loop.
  double warmup_seconds = 3;
  double seconds = 10;
  uint64_t operations = 0;  ///< Ends the measured part earlier; 0: time alone decides.
  uint64_t fill = 0;
  uint32_t fan_out = 1000;  ///< Nodes of a fill under one directory.
  int32_t session_timeout_ms = 30000;
  bool prepare = true;  ///< Make the keys first.
  std::vector<int> pids = {};
  std::string json_path = {};
  std::string sync_directory = ".";
  uint32_t rounds = 20000;  ///< Loopback round trips; a tenth as many syncs.
  uint32_t echo_bytes = 64;
};

/// The options, or the exit status when there is nothing to run (help, wrong usage); the text is printed already.
std::expected<BenchOptions, int> parse_bench_options(int argc, char** argv);

}  // namespace quorate::tools
