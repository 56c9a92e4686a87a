#pragma once
#include <string>
#include <vector>

#include "sim/program/options.h"
#include "sim/world.h"

/// Many seeds on several processes, so that a broken invariant of the code under test ends one seed, not the run.
namespace quorate::sim {

struct Failure {
  uint64_t seed = 0;
  std::string text;
};

struct Totals {
  uint64_t seeds = 0;
  Counts sum;
  uint64_t failed = 0;
  std::vector<Failure> failures;  ///< The first of them.
};

/// `stop_at_first`: a failure ends it all.
Totals run_seeds(const Options& options, bool stop_at_first);

}  // namespace quorate::sim
