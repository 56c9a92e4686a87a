#include "core/replica/connection_throttle.h"

#include <algorithm>

namespace quorate::replica {

ConnectionThrottle::ConnectionThrottle(const ConnectionThrottleSettings& settings, uint64_t seed)
    : settings_(settings), random_state_(seed | 1) {
  const int64_t scale = settings.weight_enabled ? settings.global_session_weight : 1;
  capacity_ = settings.tokens * scale;
  fill_count_ = settings.fill_count * scale;
  tokens_ = capacity_;
}

int32_t ConnectionThrottle::new_session_weight() const {
  return settings_.weight_enabled ? settings_.global_session_weight : 1;
}

int32_t ConnectionThrottle::renewal_weight() const {
  return settings_.weight_enabled ? settings_.renew_session_weight : 1;
}

bool ConnectionThrottle::admit(int32_t weight, Millis now) {
  if (capacity_ == 0) return true;
  refill(now);
  if (settings_.freeze_time.value != -1 && !survives_drop(now)) return false;
  if (tokens_ < weight) return false;
  tokens_ -= weight;
  return true;
}

void ConnectionThrottle::refill(Millis now) {
  const int64_t elapsed = (now - last_fill_).value;
  if (elapsed <= settings_.fill_time.value) return;
  const int64_t fill_time = std::max<int64_t>(settings_.fill_time.value, 1);
  tokens_ = std::min(tokens_ + elapsed * fill_count_ / fill_time, capacity_);
  last_fill_ = now;
}

bool ConnectionThrottle::survives_drop(Millis now) {
  if (now - last_freeze_ > settings_.freeze_time) {
    const int64_t used = capacity_ - tokens_;
    const auto threshold = static_cast<int64_t>(static_cast<double>(capacity_) * settings_.decrease_ratio + 0.5);
    if (used == capacity_) {
      drop_probability_ = std::min(drop_probability_ + settings_.drop_increase, 1.0);
    } else if (used <= threshold) {
      drop_probability_ = std::max(drop_probability_ - settings_.drop_decrease, 0.0);
    }
    last_freeze_ = now;
  }
  return next_random() >= drop_probability_;
}

double ConnectionThrottle::next_random() {
  random_state_ ^= random_state_ << 13;
  random_state_ ^= random_state_ >> 7;
  random_state_ ^= random_state_ << 17;
  return static_cast<double>(random_state_ >> 11) * 0x1.0p-53;
}

}  // namespace quorate::replica
