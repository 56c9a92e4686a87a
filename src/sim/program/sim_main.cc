#include <fmt/format.h>
#include <malloc.h>

#include <cstdio>

#include "sim/program/options.h"
#include "sim/program/seeds.h"

namespace quorate::sim {
namespace {

int list() {
  fmt::print("planted faults:\n");
  for (const PlantedName& known : planted_names()) fmt::print("  {:<26} {}\n", known.name, known.what);
  fmt::print("crash points:\n");
  for (size_t i = 0; i < kCrashPoints; ++i) fmt::print("  {}\n", name_of(static_cast<env::CrashPoint>(i)));
  fmt::print("rare events:\n");
  for (size_t i = 0; i < kRareEvents; ++i) fmt::print("  {}\n", name_of(static_cast<Rare>(i)));
  fmt::print("events of ensembles:\n");
  for (size_t i = 0; i < kEnsembleEvents; ++i) fmt::print("  {}\n", name_of(static_cast<EnsembleEvent>(i)));
  fmt::print("scenarios:\n");
  for (const Scenario& known : scenarios()) {
    fmt::print("  {:<28} {}\n", known.name, known.about);
    for (const Planted fault : known.finds) fmt::print("  {:<28}   must find {}\n", "", name_of(fault));
  }
  return 0;
}

void print_failures(const Totals& totals, const std::string& extra) {
  for (const Failure& failure : totals.failures) {
    fmt::print("seed {}: {}\n  again: quorate_sim --seed {}{} --trace\n", failure.seed, failure.text, failure.seed,
               extra);
  }
}

int one_seed(const Options& options) {
  if (!options.planted.empty()) planted_fault = options.planted.front();
  const Outcome outcome = options.run(options.first, options.trace);
  fmt::print("seed {}: {}, {} txns, {} starts, {} snapshots, trace {:016x}\n", options.first,
             outcome.failure.empty() ? "good" : outcome.failure, outcome.counts.txns, outcome.counts.restarts,
             outcome.counts.snapshots, outcome.trace_hash);
  return outcome.failure.empty() ? 0 : 1;
}

bool print_events(const Counts& counts) {
  bool all_hit = true;
  fmt::print("{:<26} {:>10}\n", "event", "met");
  for (size_t i = 0; i < kEnsembleEvents; ++i) {
    const bool hit = counts.ensemble_hits[i] > 0;
    all_hit = all_hit && hit;
    fmt::print("{:<26} {:>10}{}\n", name_of(static_cast<EnsembleEvent>(i)), counts.ensemble_hits[i],
               hit ? "" : "  NEVER MET");
  }
  return all_hit;
}

bool print_rare(const Counts& counts) {
  bool all_hit = true;
  fmt::print("{:<20} {:>10}\n", "rare event", "met");
  for (size_t i = 0; i < kRareEvents; ++i) {
    const bool hit = counts.hits[i] > 0;
    all_hit = all_hit && hit;
    fmt::print("{:<20} {:>10}{}\n", name_of(static_cast<Rare>(i)), counts.hits[i], hit ? "" : "  NEVER MET");
  }
  return all_hit;
}

bool print_hits(const Counts& counts, bool ensemble) {
  bool all_hit = true;
  fmt::print("{:<20} {:>10} {:>10}\n", "crash point", "reached", "crashed");
  for (size_t i = 0; i < (ensemble ? kCrashPoints : env::kStandaloneCrashPoints); ++i) {
    const bool hit = counts.crashed_there[i] > 0;
    all_hit = all_hit && hit;
    fmt::print("{:<20} {:>10} {:>10}{}\n", name_of(static_cast<env::CrashPoint>(i)), counts.reached[i],
               counts.crashed_there[i], hit ? "" : "  NEVER HIT");
  }
  return (ensemble ? print_events(counts) : print_rare(counts)) && all_hit;
}

int seeds(const Options& options) {
  const Totals totals = run_seeds(options, false);
  print_failures(totals, options.again());
  fmt::print("{} seeds, {} txns, {} starts, {} snapshots, {} failures\n", totals.seeds, totals.sum.txns,
             totals.sum.restarts, totals.sum.snapshots, totals.failed);
  // A script goes to few places only.
  const bool all_hit = options.scenario != nullptr || print_hits(totals.sum, options.ensemble);
  return totals.failed == 0 && all_hit ? 0 : 1;
}

bool find_fault(const Options& options, Planted fault) {
  planted_fault = fault;
  const Totals totals = run_seeds(options, true);
  if (totals.failures.empty()) {
    fmt::print("{:<26} NOT FOUND in {} seeds\n", name_of(fault), totals.seeds);
  } else {
    const Failure& failure = totals.failures.front();
    fmt::print("{:<26} found at seed {} ({} seeds run): {}\n", name_of(fault), failure.seed, totals.seeds,
               failure.text);
  }
  std::fflush(stdout);
  return !totals.failures.empty();
}

/// Each scenario with each of its faults, or with those that were named.
int scenario_pairs(Options options) {
  const Scenario* const only = options.scenario;
  size_t pairs = 0, found = 0;
  for (const Scenario& each : scenarios()) {
    if (only != nullptr && only != &each) continue;
    options.scenario = &each;
    const std::span<const Planted> named(options.planted);
    for (const Planted fault : options.all_planted ? each.finds : named) {
      fmt::print("{:<22}", each.name);
      ++pairs;
      found += find_fault(options, fault);
    }
  }
  fmt::print("{} of {} faults found by scenarios\n", found, pairs);
  return found == pairs ? 0 : 1;
}

int planted_faults(const Options& options) {
  int missed = 0;
  for (const Planted fault : options.planted) missed += !find_fault(options, fault);
  fmt::print("{} of {} planted faults found\n", options.planted.size() - static_cast<size_t>(missed),
             options.planted.size());
  return missed == 0 ? 0 : 1;
}

int determinism(const Options& options) {
  int different = 0;
  for (uint64_t seed = options.first; seed <= options.last; ++seed) {
    const uint64_t once = options.run(seed, false).trace_hash;
    if (options.run(seed, false).trace_hash == once) continue;
    ++different;
    fmt::print("seed {} gives two runs\n", seed);
  }
  fmt::print("{} seeds run twice, {} differ\n", options.last - options.first + 1, different);
  return different == 0 ? 0 : 1;
}

int all_scenarios(Options options) {
  size_t bad = 0;
  for (const Scenario& each : scenarios()) {
    options.scenario = &each;
    const Totals totals = run_seeds(options, false);
    print_failures(totals, options.again());
    bad += totals.failed;
    fmt::print("{:<28} {} seeds, {} failures\n", each.name, totals.seeds, totals.failed);
    std::fflush(stdout);
  }
  return bad == 0 ? 0 : 1;
}

int run(const Options& options) {
  switch (options.what) {
    case Options::Do::List:
      return list();
    case Options::Do::OneSeed:
      return one_seed(options);
    case Options::Do::Planted:
      return planted_faults(options);
    case Options::Do::Determinism:
      return determinism(options);
    case Options::Do::Scenarios:
      return all_scenarios(options);
    case Options::Do::Pairs:
      return scenario_pairs(options);
    case Options::Do::Seeds:
      break;
  }
  return seeds(options);
}

}  // namespace
}  // namespace quorate::sim

int main(int argc, char** argv) {
  // Readers take buffers of 1 MiB for files of a few KiB: keep them, or half of the time goes to page faults.
  mallopt(M_MMAP_THRESHOLD, 64 << 20);
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
  const auto options = quorate::sim::parse_options(argc, argv);
  return options ? quorate::sim::run(*options) : 2;
}
