#include "sim/throttle_twin.h"

#include <algorithm>

namespace quorate::sim {

ThrottleTwin::ThrottleTwin(const replica::ConnectionThrottleSettings& settings, int64_t now_ms)
    : settings_(settings), filled_at_(now_ms), least_(settings.tokens), most_(settings.tokens + settings.fill_count) {}

void ThrottleTwin::on_connect(bool admitted, int64_t now_ms, Verdict& verdict) {
  if (settings_.tokens == 0) {
    if (!admitted) verdict.fail("a connection was refused by a throttle that is off");
    return;
  }
  const double earned = static_cast<double>(now_ms - filled_at_) * settings_.fill_count /
                        static_cast<double>(std::max<int64_t>(settings_.fill_time.value, 1));
  filled_at_ = now_ms;
  // A filling of a little less than two tokens counts as one; the time since the last filling not yet, up to one time
  // of filling, which is also what a full bucket may get once more.
  least_ = std::min<double>(settings_.tokens, least_ + earned / 2);
  most_ = std::min<double>(settings_.tokens + settings_.fill_count, most_ + earned);
  const bool drops_at_random = settings_.freeze_time.value != -1;
  if (admitted && most_ < 1) verdict.fail("a connection was let in without a token");
  if (!admitted && !drops_at_random && least_ >= 1 + settings_.fill_count) {
    verdict.fail("a connection was refused with {} tokens left", least_);
  }
  if (!admitted) return;
  least_ -= 1;
  most_ -= 1;
}

}  // namespace quorate::sim
