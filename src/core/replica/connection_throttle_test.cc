#include "core/replica/connection_throttle.h"

#include <gtest/gtest.h>

namespace quorate::replica {
namespace {

ConnectionThrottleSettings bucket(int32_t tokens, int64_t fill_time, int32_t fill_count) {
  ConnectionThrottleSettings settings;
  settings.tokens = tokens;
  settings.fill_time = Millis{fill_time};
  settings.fill_count = fill_count;
  return settings;
}

int admitted(ConnectionThrottle& throttle, int tries, Millis now, int32_t weight = 1) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += throttle.admit(weight, now) ? 1 : 0;
  return count;
}

TEST(ConnectionThrottle, OffAdmitsEverybody) {
  ConnectionThrottle throttle({}, 1);
  EXPECT_EQ(admitted(throttle, 10000, Millis{0}), 10000);
}

// Spec: client 9.5: tokens = min(tokens + elapsed * fill_count / fill_time, max), once elapsed > fill_time.
TEST(ConnectionThrottle, TokensRunOutAndComeBack) {
  ConnectionThrottle throttle(bucket(5, 100, 2), 1);
  EXPECT_EQ(admitted(throttle, 10, Millis{50}), 5);
  EXPECT_EQ(admitted(throttle, 10, Millis{100}), 0);  // not longer than the fill time
  EXPECT_EQ(admitted(throttle, 10, Millis{101}), 2);
  EXPECT_EQ(admitted(throttle, 10, Millis{251}), 3);
  EXPECT_EQ(admitted(throttle, 10, Millis{100000}), 5);
}

TEST(ConnectionThrottle, FillTimeOfZeroIsOne) {
  ConnectionThrottle throttle(bucket(3, 0, 1), 1);
  EXPECT_EQ(admitted(throttle, 5, Millis{0}), 3);
  EXPECT_EQ(admitted(throttle, 5, Millis{2}), 2);
}

TEST(ConnectionThrottle, WeightsMultiplyTheBucket) {
  ConnectionThrottleSettings settings = bucket(4, 100, 1);
  EXPECT_EQ(ConnectionThrottle(settings, 1).new_session_weight(), 1);
  EXPECT_EQ(ConnectionThrottle(settings, 1).renewal_weight(), 1);
  settings.weight_enabled = true;
  ConnectionThrottle throttle(settings, 1);
  EXPECT_EQ(throttle.new_session_weight(), 3);
  EXPECT_EQ(throttle.renewal_weight(), 2);
  EXPECT_EQ(admitted(throttle, 3, Millis{0}, 2), 3);
  EXPECT_EQ(admitted(throttle, 9, Millis{0}, 3), 2);  // 12 - 6 left
  EXPECT_EQ(admitted(throttle, 9, Millis{101}, 3), 1);
}

TEST(ConnectionThrottle, DroppingGrowsWhileEmptyAndShrinksWhileFull) {
  ConnectionThrottleSettings settings = bucket(1, 1000000, 1);
  settings.freeze_time = Millis{10};
  settings.drop_increase = 0.5;
  settings.drop_decrease = 0.25;
  ConnectionThrottle throttle(settings, 1);
  EXPECT_TRUE(throttle.admit(1, Millis{5}));
  EXPECT_EQ(throttle.drop_probability(), 0);
  throttle.admit(1, Millis{11});
  EXPECT_EQ(throttle.drop_probability(), 0.5);
  throttle.admit(1, Millis{21});  // not longer than the freeze time ago
  EXPECT_EQ(throttle.drop_probability(), 0.5);
  throttle.admit(1, Millis{22});
  throttle.admit(1, Millis{33});
  EXPECT_EQ(throttle.drop_probability(), 1.0);
  throttle.admit(0, Millis{1000002});  // the bucket is full again
  EXPECT_EQ(throttle.drop_probability(), 0.75);
}

TEST(ConnectionThrottle, DropsItsShare) {
  ConnectionThrottleSettings settings = bucket(100000, 1, 100000);
  settings.freeze_time = Millis{1000000};
  settings.drop_increase = 0.3;
  ConnectionThrottle throttle(settings, 1);
  EXPECT_EQ(admitted(throttle, 100000, Millis{1}), 100000);
  EXPECT_FALSE(throttle.admit(100001, Millis{1}));
  // Nothing left, and the freeze time is over: the next try raises the probability.
  ConnectionThrottleSettings slow = settings;
  slow.fill_time = Millis{2000000};
  slow.tokens = 1;
  ConnectionThrottle dropping(slow, 1);
  EXPECT_TRUE(dropping.admit(1, Millis{0}));
  EXPECT_FALSE(dropping.admit(1, Millis{1000001}));
  EXPECT_EQ(dropping.drop_probability(), 0.3);
  const int passed = admitted(dropping, 10000, Millis{1000002}, 0);
  EXPECT_GT(passed, 6700);
  EXPECT_LT(passed, 7300);
}

}  // namespace
}  // namespace quorate::replica
