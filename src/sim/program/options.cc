#include "sim/program/options.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <string>

#include "sim/ensemble_world.h"
#include "sim/world.h"

namespace quorate::sim {
namespace {

constexpr const char* kUsage =
    "usage: quorate_sim --seeds A-B [--jobs N]               run seeds A to B; every crash point and rare event must "
    "be hit\n"
    "       quorate_sim --seed N [--trace]                   run one seed, with a readable trace\n"
    "       quorate_sim --planted NAME|all --seeds A-B       show that planted faults are found\n"
    "       quorate_sim --planted NAME --seed N [--trace]    run one seed with a planted fault\n"
    "       quorate_sim --check-determinism [--seeds A-B]    run seeds twice and compare\n"
    "       quorate_sim --ensemble ...                       the same with ensembles of servers\n"
    "       quorate_sim --scenario NAME|all --seeds A-B      a scripted run of an ensemble; also with --seed N "
    "[--trace]\n"
    "       quorate_sim --scenario NAME|all --planted NAME|all --seeds A-B\n"
    "                                                        show that scenarios find that fault, or those that each "
    "must find\n"
    "       quorate_sim --list                               names of planted faults, scenarios, crash points, "
    "events\n";

bool number(std::string_view text, uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool range(std::string_view text, Options& options) {
  const size_t dash = text.find('-');
  return dash != text.npos && number(text.substr(0, dash), options.first) &&
         number(text.substr(dash + 1), options.last) && options.first <= options.last;
}

bool scenario(std::string_view text, Options& options) {
  options.ensemble = true;
  options.all_scenarios = text == "all";
  for (const Scenario& known : scenarios()) {
    if (text == known.name) options.scenario = &known;
  }
  return options.of_scenarios();
}

bool faults(std::string_view text, Options& options) {
  options.all_planted = text == "all";
  for (const PlantedName& known : planted_names()) {
    if (text == known.name) options.planted.push_back(known.fault);
  }
  return options.all_planted || !options.planted.empty();
}

/// Takes one option and its value off the list.
bool take(const std::vector<std::string_view>& words, size_t& at, Options& options) {
  const std::string_view word = words[at++];
  if (word == "--trace") return options.trace = true;
  if (word == "--ensemble") return options.ensemble = true;
  if (word == "--list") return options.what = Options::Do::List, true;
  if (word == "--check-determinism") return options.what = Options::Do::Determinism, true;
  if (at == words.size()) return false;
  const std::string_view value = words[at++];
  uint64_t parsed = 0;
  if (word == "--seeds") return range(value, options);
  if (word == "--planted") return faults(value, options);
  if (word == "--scenario") return scenario(value, options);
  if (word == "--seed") {
    options.what = Options::Do::OneSeed;
    const bool good = number(value, options.first);
    options.last = options.first;
    return good;
  }
  if (word != "--jobs" || !number(value, parsed) || parsed == 0 || parsed > 64) return false;
  options.jobs = static_cast<uint32_t>(parsed);
  return true;
}

/// What several options mean together.
void settle(Options& options) {
  using Do = Options::Do;
  const bool with_faults = options.all_planted || !options.planted.empty();
  if (options.what == Do::Seeds && with_faults) options.what = options.of_scenarios() ? Do::Pairs : Do::Planted;
  if (options.what == Do::Seeds && options.all_scenarios) options.what = Do::Scenarios;
  for (const PlantedName& known : planted_names()) {
    const auto runs = options.ensemble ? PlantedName::Runs::Ensemble : PlantedName::Runs::Alone;
    if (options.all_planted && known.found_by == runs) options.planted.push_back(known.fault);
  }
}

}  // namespace

Outcome Options::run(uint64_t seed, bool verbose) const {
  if (scenario != nullptr) return scenario->run(seed, verbose);
  return ensemble ? run_ensemble_seed(seed, verbose) : run_seed(seed, verbose);
}

std::string Options::again() const {
  if (scenario != nullptr) return std::string(" --scenario ") + scenario->name;
  return ensemble ? " --ensemble" : "";
}

std::optional<Options> parse_options(int argc, char** argv) {
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  Options options;
  for (size_t at = 0; at < words.size();) {
    if (take(words, at, options)) continue;
    fmt::print(stderr, "{}", kUsage);
    return std::nullopt;
  }
  settle(options);
  return options;
}

const std::vector<PlantedName>& planted_names() {
  static const std::vector<PlantedName> names = {
#define QUORATE_PLANTED_NAME(runs, name, what) {Planted::name, #name, what, PlantedName::Runs::runs},
#define QUORATE_PLANTED_ALONE(name, what) QUORATE_PLANTED_NAME(Alone, name, what)
#define QUORATE_PLANTED_OF_MEMBER(name, what) QUORATE_PLANTED_NAME(Ensemble, name, what)
#define QUORATE_PLANTED_OF_SCRIPT(name, what) QUORATE_PLANTED_NAME(Scripted, name, what)
      QUORATE_PLANTED_STANDALONE(QUORATE_PLANTED_ALONE) QUORATE_PLANTED_ENSEMBLE(QUORATE_PLANTED_OF_MEMBER)
          QUORATE_PLANTED_SCRIPTED(QUORATE_PLANTED_OF_SCRIPT)
#undef QUORATE_PLANTED_NAME
#undef QUORATE_PLANTED_ALONE
#undef QUORATE_PLANTED_OF_MEMBER
#undef QUORATE_PLANTED_OF_SCRIPT
  };
  return names;
}

const char* name_of(Planted fault) {
  for (const PlantedName& known : planted_names()) {
    if (known.fault == fault) return known.name;
  }
  return "None";
}

const char* name_of(env::CrashPoint point) {
  switch (point) {
#define QUORATE_POINT_NAME(name) \
  case env::CrashPoint::name:    \
    return #name;
    QUORATE_CRASH_POINTS(QUORATE_POINT_NAME)
#undef QUORATE_POINT_NAME
    case env::CrashPoint::kCount:
      break;
  }
  return "";
}

const char* name_of(Rare event) {
  switch (event) {
#define QUORATE_RARE_NAME(name) \
  case Rare::name:              \
    return #name;
    QUORATE_RARE_EVENTS(QUORATE_RARE_NAME)
#undef QUORATE_RARE_NAME
    case Rare::kCount:
      break;
  }
  return "";
}

const char* name_of(EnsembleEvent event) {
  switch (event) {
#define QUORATE_ENSEMBLE_EVENT_NAME(name) \
  case EnsembleEvent::name:               \
    return #name;
    QUORATE_ENSEMBLE_EVENTS(QUORATE_ENSEMBLE_EVENT_NAME)
#undef QUORATE_ENSEMBLE_EVENT_NAME
    case EnsembleEvent::kCount:
      break;
  }
  return "";
}

}  // namespace quorate::sim
