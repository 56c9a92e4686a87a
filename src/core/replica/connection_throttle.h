#pragma once
#include <cstdint>

#include "base/ids.h"
#include "core/replica/settings.h"

/// Token bucket for new connections, with random early dropping when freeze_time is set. Chance comes from a seed.
/// Spec: client 9.5.
namespace quorate::replica {

class ConnectionThrottle {
 public:
  ConnectionThrottle(const ConnectionThrottleSettings& settings, uint64_t seed);

  /// May a connection of that weight pass now? Takes its tokens when it may.
  bool admit(int32_t weight, Millis now);
  int32_t new_session_weight() const;
  int32_t renewal_weight() const;
  double drop_probability() const { return drop_probability_; }

 private:
  void refill(Millis now);
  bool survives_drop(Millis now);
  double next_random();

  ConnectionThrottleSettings settings_;
  int64_t capacity_;
  int64_t fill_count_;
  int64_t tokens_;
  Millis last_fill_{0};
  Millis last_freeze_{0};
  double drop_probability_ = 0;
  uint64_t random_state_;
};

}  // namespace quorate::replica
