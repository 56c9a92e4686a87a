#pragma once
#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>
#include <utility>

#include "sim/rare.h"

/// What happened in a run: always as a hash, to show that a seed gives one run; rare things counted; as text on demand.
namespace quorate::sim {

class Trace {
 public:
  explicit Trace(bool verbose = false) : verbose_(verbose) {}

  void set_time(int64_t micros) { now_ = micros; }
  uint64_t hash() const { return hash_; }

  void note(uint64_t word) { hash_ = (std::rotl(hash_, 5) ^ word) * 0x9E3779B97F4A7C15ULL; }
  void note(std::string_view bytes) {
    note(bytes.size());
    uint64_t sum = 0;
    for (const char c : bytes) sum = sum * 0x100000001B3ULL + static_cast<unsigned char>(c);
    note(sum);
  }
  void hit(Rare event) { ++hits_[static_cast<size_t>(event)]; }
  const std::array<uint64_t, kRareEvents>& hits() const { return hits_; }
  template <class... Args>
  void say(fmt::format_string<Args...> format, Args&&... args) {
    if (!verbose_) return;
    fmt::print("{:>12.6f}  {}\n", static_cast<double>(now_) / 1e6, fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  bool verbose_;
  int64_t now_ = 0;
  uint64_t hash_ = 0x5EED;
  std::array<uint64_t, kRareEvents> hits_{};
};

}  // namespace quorate::sim
