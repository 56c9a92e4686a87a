#pragma once
#include <functional>
#include <string>
#include <utility>

#include "sim/ensemble_world.h"

/// What scripts over an ensemble have in common: a world with nothing wrong until the script says so, clients that do
/// what they are told, and steps that fail the run when they do not come to their end. Behind a failure every step
/// does nothing.
namespace quorate::sim {

struct ScriptSettings {
  uint32_t servers = 3;
  uint32_t clients = 1;
  bool busy_clients = false;  ///< They ask of their own accord, as in random runs.
  std::function<void(EnsemblePlan&)> edit = {};
};

class Script {
 public:
  Script(uint64_t seed, bool verbose, const ScriptSettings& settings);

  EnsembleWorld world;

  Rng& rng() { return world.rng(); }
  EnsembleServer& server(uint32_t id) { return world.server(id); }
  EnsembleClient& client(uint32_t number = 0) { return world.client(number); }
  uint64_t count(EnsembleEvent event) { return world.record().hits()[static_cast<size_t>(event)]; }
  /// Of the newest leader; 0: there is none.
  int64_t epoch() { return world.leader() == 0 ? 0 : server(world.leader()).member()->epochs().current; }
  int64_t tick_us() const { return world.plan().settings.replica.tick.value * 1000; }

  /// All of them start, and all serve.
  void up();
  void start_server(uint32_t id);
  void run_for_ms(int64_t ms) { world.run_for(ms * 1000); }
  /// Anything from nothing to so much.
  void run_a_while(int64_t most_ms) { world.run_for(rng().between(0, most_ms * 1000)); }
  void need(const std::string& what, const std::function<bool()>& reached, int64_t patience_ms = 120'000);
  void serve() {
    need("all serve", [this] { return world.leader() != 0 && world.all_serve(); });
  }
  uint32_t other_than(uint32_t one, uint32_t two = 0);

  /// The client has a connection to that server; 0: to any.
  void attach(uint32_t number, uint32_t server);
  /// Sends one request and waits for its answer, or for the connection's end. False: there was none.
  bool ask(uint32_t number, Request request);
  /// Again and again, on any server, until it is answered.
  void insist(uint32_t number, const Request& request);
  /// So many writes of new data to one node.
  void write(uint32_t number, int count, const std::string& path = "/a");

  Outcome finish() { return world.finish(); }
};

}  // namespace quorate::sim
