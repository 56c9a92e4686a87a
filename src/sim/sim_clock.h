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

}  // namespace quorate::sim
