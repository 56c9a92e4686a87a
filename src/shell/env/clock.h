#pragma once
#include "base/ids.h"

/// Where time comes from. Safe on every thread. The simulator has its own.
namespace quorate::env {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Now now() const = 0;
  /// Monotonic, for measuring how long work on disk took.
  virtual int64_t micros() const = 0;
};

}  // namespace quorate::env
