#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/planted.h"
#include "shell/env/crash_point.h"
#include "sim/rare.h"

/// What `quorate_sim` is asked to do.
namespace quorate::sim {

struct Options {
  enum class Do : uint8_t { Seeds, OneSeed, Planted, List, Determinism };
  Do what = Do::Seeds;
  uint64_t first = 1;
  uint64_t last = 1000;
  uint32_t jobs = 1;
  bool trace = false;
  std::vector<Planted> planted;
};

/// Nothing: the usage was printed.
std::optional<Options> parse_options(int argc, char** argv);

struct PlantedName {
  Planted fault;
  const char* name;
};
const std::vector<PlantedName>& planted_names();
const char* name_of(Planted fault);
const char* name_of(env::CrashPoint point);
const char* name_of(Rare event);

}  // namespace quorate::sim
