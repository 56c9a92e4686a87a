#pragma once
#include <span>

#include "base/planted.h"
#include "sim/outcome.h"

/// Faults of the past, each as a script over an ensemble: which servers, which cuts, which clients, in which order. The
/// seed decides the rest. Named after known-faults 9.3 where they have a name there.
namespace quorate::sim {

struct Scenario {
  const char* name;
  const char* about;
  Outcome (*run)(uint64_t seed, bool verbose);
  std::span<const Planted> finds = {};  ///< The faults that it re-creates: put back in, each is found.
};

std::span<const Scenario> scenarios();

}  // namespace quorate::sim
