#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/planted.h"
#include "shell/env/crash_point.h"
#include "sim/ensemble_events.h"
#include "sim/ensemble_scenarios.h"
#include "sim/outcome.h"
#include "sim/rare.h"

/// What `quorate_sim` is asked to do.
namespace quorate::sim {

struct Options {
  enum class Do : uint8_t { Seeds, OneSeed, Planted, List, Determinism, Scenarios, Pairs };
  Do what = Do::Seeds;
  uint64_t first = 1;
  uint64_t last = 1000;
  uint32_t jobs = 1;
  bool trace = false;
  bool ensemble = false;               ///< Runs of several servers.
  const Scenario* scenario = nullptr;  ///< A scripted one of these.
  std::vector<Planted> planted;
  bool all_planted = false;  ///< All that runs of this kind can find; of scenarios, those that each must find.
  bool all_scenarios = false;

  Outcome run(uint64_t seed, bool verbose) const;
  bool of_scenarios() const { return scenario != nullptr || all_scenarios; }
  /// What repeats it on the command line, besides the seed.
  std::string again() const;
};

/// Nothing: the usage was printed.
std::optional<Options> parse_options(int argc, char** argv);

struct PlantedName {
  Planted fault;
  const char* name;
  const char* what;                                                  ///< What is wrong then.
  enum class Runs : uint8_t { Alone, Ensemble, Scripted } found_by;  ///< Which random runs can find it, if any.
};
const std::vector<PlantedName>& planted_names();
const char* name_of(Planted fault);
const char* name_of(env::CrashPoint point);
const char* name_of(Rare event);
const char* name_of(EnsembleEvent event);

}  // namespace quorate::sim
