#pragma once
#include "shell/env/clock.h"

/// Virtual time: it moves only when the world says so. The wall clock may be shifted against it.
namespace quorate::sim {

class SimClock final : public env::Clock {
 public:
  Now now() const override { return {Millis{micros_ / 1000}, wall_base_ms + micros_ / 1000}; }
  int64_t micros() const override { return micros_; }
  void advance_to(int64_t micros) { micros_ = micros; }

  int64_t wall_base_ms = 1'700'000'000'000;

 private:
  // Not zero, so that no code takes a first reading for "never".
  int64_t micros_ = 1'000'000;
};

/// One machine's: it may run a little fast or slow, and somebody may set its wall clock.
class HostClock final : public env::Clock {
 public:
  static constexpr int64_t kUsualPace = 1000;

  HostClock(const SimClock& world, int64_t pace) : world_(world), pace_(pace) {}
  Now now() const override {
    const int64_t own_ms = micros() / 1000;
    return {Millis{own_ms}, world_.wall_base_ms + wall_shift_ms + own_ms};
  }
  int64_t micros() const override { return world_.micros() * pace_ / kUsualPace; }
  /// How long the world takes for so much of its own time, at least.
  int64_t world_micros(int64_t own_micros) const { return (own_micros * kUsualPace + pace_ - 1) / pace_; }

  int64_t wall_shift_ms = 0;

 private:
  const SimClock& world_;
  int64_t pace_;  ///< Of its microseconds go by in a thousand of the world's.
};

}  // namespace quorate::sim
