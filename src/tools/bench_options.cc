#include "tools/bench_options.h"

#include <CLI/CLI.hpp>

namespace quorate::tools {
namespace {

const std::map<std::string, BenchMode> kModes = {{"get", BenchMode::Get},       {"set", BenchMode::Set},
                                                 {"mix", BenchMode::Mix},       {"create", BenchMode::Create},
                                                 {"delete", BenchMode::Delete}, {"idle", BenchMode::Idle}};

/// Empty when `path` can be put before "/k17".
std::string is_root(const std::string& path) {
  const bool good = path.size() > 1 && path.front() == '/' && path.back() != '/';
  return good ? "" : "the root has to begin with '/', have a name and not end with '/'";
}

void add_load_options(CLI::App& app, BenchOptions& options) {
  app.add_option("-s,--servers", options.servers, "host:port, comma separated")->capture_default_str();
  app.add_option("-c,--connections", options.connections, "connections, each with a session")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  app.add_option("-k,--in-flight,--inflight", options.in_flight, "requests in flight on each connection")
      ->capture_default_str()
      ->check(CLI::Range(1, 65536));
  app.add_option("--keys", options.keys, "keys of get, set and mix")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000000));
  app.add_option("--value-size", options.value_bytes, "bytes of a value (create and --fill: 100 unless given)")
      ->capture_default_str()
      ->check(CLI::Range(0, 1000000));
  app.add_option("--read-percent", options.read_percent, "share of reads in mix")
      ->capture_default_str()
      ->check(CLI::Range(0, 100));
  app.add_option("--root", options.root, "parent of all that is made (/zkload; a fill: /zkfill)")->check(is_root);
  app.add_option("--session-timeout", options.session_timeout_ms, "milliseconds")
      ->capture_default_str()
      ->check(CLI::Range(100, 86400000));
  app.add_flag("!--no-prepare", options.prepare, "the keys are there already, with values of the right size");
}

void add_length_options(CLI::App& app, BenchOptions& options) {
  app.add_option("--rate", options.rate, "open loop: requests a second; latency counts from the due time")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--warmup", options.warmup_seconds, "seconds before the measured part")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_option("--seconds", options.seconds, "length of the measured part")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("-n,--operations", options.operations, "end the measured part after so many");
}

void add_report_options(CLI::App& app, BenchOptions& options) {
  app.add_option("--pid", options.pids, "server process to look at; may be given several times")->delimiter(',');
  app.add_option("--json", options.json_path, "write the figures to this file too ('-': standard output)");
}

void add_floor_options(CLI::App& app, BenchOptions& options) {
  app.add_option("--sync-dir", options.sync_directory, "--loopback-rtt: directory of the file that is synced")
      ->capture_default_str();
  app.add_option("--rounds", options.rounds, "--loopback-rtt: round trips; a tenth as many syncs")
      ->capture_default_str()
      ->check(CLI::Range(10, 100000000));
  app.add_option("--echo-bytes", options.echo_bytes, "--loopback-rtt: bytes each way, and of one synced write")
      ->capture_default_str()
      ->check(CLI::Range(1, 65536));
}

/// Fill and loopback are switches of their own; the rest is the positional word.
bool settle_mode(const CLI::App& app, BenchOptions& options) {
  const bool fill = app.count("--fill") > 0;
  const bool loopback = app.count("--loopback-rtt") > 0;
  if ((app.count("mode") > 0) + fill + loopback != 1) return false;
  if (fill) options.mode_name = "fill";
  if (loopback) options.mode_name = "loopback-rtt";
  options.mode = fill ? BenchMode::Fill : loopback ? BenchMode::LoopbackRtt : kModes.at(options.mode_name);
  const bool creates = fill || options.mode == BenchMode::Create;
  if (creates && app.count("--value-size") == 0) options.value_bytes = 100;
  if (options.root.empty()) options.root = fill ? "/zkfill" : "/zkload";
  return true;
}

}  // namespace

std::expected<BenchOptions, int> parse_bench_options(int argc, char** argv) {
  BenchOptions options;
  CLI::App app("Load generator for coordination servers, with figures about the server's process.");
  app.name(argc > 0 ? argv[0] : "bench");
  std::vector<std::string> words;
  for (const auto& [word, mode] : kModes) words.push_back(word);
  app.add_option("mode", options.mode_name,
                 "get, set, mix, create, delete (all that the others made) or idle (sessions that do nothing)")
      ->check(CLI::IsMember(words));
  app.add_option("--fill", options.fill, "instead of a mode: create so many nodes with names of 11 bytes")
      ->check(CLI::Range(uint64_t{1}, uint64_t{99'000'000}));
  app.add_option("--fan-out", options.fan_out, "--fill: nodes under one directory")
      ->capture_default_str()
      ->check(CLI::Range(1000, 10000000));
  bool loopback = false;
  app.add_flag("--loopback-rtt", loopback, "instead of a mode: a bare loopback round trip and a bare fdatasync");
  add_load_options(app, options);
  add_length_options(app, options);
  add_report_options(app, options);
  add_floor_options(app, options);
  try {
    app.parse(argc, argv);
    if (settle_mode(app, options)) return options;
  } catch (const CLI::ParseError& error) {
    return std::unexpected(app.exit(error) == 0 ? 0 : 2);
  }
  std::fprintf(stderr, "%s: exactly one of a mode, --fill and --loopback-rtt is needed; --help lists them\n",
               app.get_name().c_str());
  return std::unexpected(2);
}

}  // namespace quorate::tools
