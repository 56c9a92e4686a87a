#include "tools/bench_floor.h"

#include <gtest/gtest.h>

namespace quorate::tools {
namespace {

TEST(BenchFloor, RoundTripsAreCountedWithoutTheWarmUp) {
  for (const Waiting waiting : {Waiting::Epoll, Waiting::Blocked}) {
    const auto trips = measure_round_trips(20, 64, waiting);
    ASSERT_TRUE(trips.has_value()) << trips.error().detail;
    EXPECT_EQ(trips->count(), 20u);
    EXPECT_GT(trips->percentile(50), 0u);
  }
}

TEST(BenchFloor, SyncsNeedADirectory) {
  const auto syncs = measure_syncs(testing::TempDir(), 5, 100);
  ASSERT_TRUE(syncs.has_value()) << syncs.error().detail;
  EXPECT_EQ(syncs->count(), 5u);
  EXPECT_FALSE(measure_syncs("/nowhere/at/all", 5, 100).has_value());
}

}  // namespace
}  // namespace quorate::tools
