#pragma once
#include <bit>
#include <cstdint>

/// All chance of a run comes from here, and so from one seed: xoshiro256** over a splitmix64 start. The same on every
/// machine, which std's distributions are not.
namespace quorate::sim {

class Rng {
 public:
  explicit Rng(uint64_t seed) {
    for (uint64_t& word : state_) {
      seed += 0x9E3779B97F4A7C15ULL;
      uint64_t mixed = seed;
      mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
      mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
      word = mixed ^ (mixed >> 31);
    }
  }

  uint64_t next() {
    const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }
  /// 0 to n - 1. Requires: n > 0.
  uint64_t below(uint64_t n) { return next() % n; }
  /// Both ends included.
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(below(static_cast<uint64_t>(high - low) + 1));
  }
  bool percent(uint32_t chance) { return below(100) < chance; }
  bool one_in(uint64_t n) { return below(n) == 0; }
  /// Small values mostly, each power of two about equally often: 0 to less than 2^bits. Requires: bits < 64.
  uint64_t skewed(uint32_t bits) { return next() >> (63 - below(bits + 1)) >> 1; }
  template <class Range>
  auto& pick(Range& range) {
    return range[below(std::size(range))];
  }

 private:
  uint64_t state_[4];
};

}  // namespace quorate::sim
