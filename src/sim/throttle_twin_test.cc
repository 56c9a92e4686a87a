#include "sim/throttle_twin.h"

#include <gtest/gtest.h>

#include "core/replica/connection_throttle.h"
#include "sim/rng.h"

namespace quorate::sim {
namespace {

replica::ConnectionThrottleSettings drawn(Rng& rng) {
  replica::ConnectionThrottleSettings settings;
  settings.tokens = static_cast<int32_t>(rng.between(1, 6));
  settings.fill_count = static_cast<int32_t>(rng.between(1, 3));
  settings.fill_time = {rng.between(1, 200)};
  return settings;
}

TEST(ThrottleTwin, TheServersBucketIsWithinItsBounds) {
  Rng rng(1);
  for (int run = 0; run < 200; ++run) {
    const auto settings = drawn(rng);
    int64_t now = 1'000'000;
    replica::ConnectionThrottle throttle(settings, 1);
    ThrottleTwin twin(settings, now);
    Verdict verdict;
    for (int i = 0; i < 500; ++i) {
      now += static_cast<int64_t>(rng.skewed(9));
      twin.on_connect(throttle.admit(1, Millis{now}), now, verdict);
    }
    ASSERT_EQ(verdict.text(), "") << run;
  }
}

TEST(ThrottleTwin, ABucketThatIsMuchTooFullOrTooEmptyIsFound) {
  const replica::ConnectionThrottleSettings settings{.tokens = 4, .fill_time = {100}};
  Verdict verdict;
  ThrottleTwin generous(settings, 0);
  for (int i = 0; i < 6; ++i) generous.on_connect(true, 0, verdict);
  EXPECT_TRUE(verdict.failed());
  verdict = {};
  ThrottleTwin strict(settings, 0);
  strict.on_connect(false, 0, verdict);
  EXPECT_TRUE(verdict.failed());
}

}  // namespace
}  // namespace quorate::sim
