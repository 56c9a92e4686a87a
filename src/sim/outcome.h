#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "sim/ensemble_events.h"
#include "sim/rare.h"
#include "sim/sim_disk.h"

/// What a run came to, and what it met on the way.
namespace quorate::sim {

struct Counts {
  std::array<uint64_t, kCrashPoints> reached{};
  std::array<uint64_t, kCrashPoints> crashed_there{};
  std::array<uint64_t, kRareEvents> hits{};
  std::array<uint64_t, kEnsembleEvents> ensemble_hits{};
  uint64_t txns = 0;
  uint64_t restarts = 0;
  uint64_t snapshots = 0;

  void add(const Counts& other);
};

struct Outcome {
  std::string failure;  ///< Empty: all was right.
  uint64_t trace_hash = 0;
  Counts counts;
};

}  // namespace quorate::sim
