#include "sim/world.h"

#include <gtest/gtest.h>

namespace quorate::sim {
namespace {

TEST(World, SeedsAreGoodAndGiveOneRunEach) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    const Outcome once = run_seed(seed, false);
    const Outcome again = run_seed(seed, false);
    EXPECT_EQ(once.failure, "") << "seed " << seed;
    EXPECT_EQ(once.trace_hash, again.trace_hash) << "seed " << seed;
  }
}

// Seeds that have failed: a changed bit beside zeros, a multi that is too long, a throttle that lets nobody in.
TEST(World, SeedsThatFailedAreGood) {
  for (const uint64_t seed : {60763, 104411, 244554, 917302})
    EXPECT_EQ(run_seed(seed, false).failure, "") << "seed " << seed;
}

TEST(World, DifferentSeedsAreDifferentRuns) { EXPECT_NE(run_seed(1, false).trace_hash, run_seed(2, false).trace_hash); }

}  // namespace
}  // namespace quorate::sim
