#include "sim/sim_names.h"

#include <gtest/gtest.h>

namespace quorate::sim {
namespace {

TEST(SimNames, SyncedNamesSurvive) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Rng rng(seed);
    SimNames names;
    names.create("tmp");
    names.rename("tmp", "log.1");
    names.sync();
    names.create("other");
    names.power_cut(rng);
    ASSERT_NE(names.find("log.1"), nullptr);
    ASSERT_EQ(names.find("tmp"), nullptr);
  }
}

// Unsynced, a creation and its rename leave the file under either name, or not at all, and never under both.
TEST(SimNames, UnsyncedNamesMayBeLost) {
  int under_old = 0;
  int under_new = 0;
  int nowhere = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Rng rng(seed);
    SimNames names;
    names.create("tmp");
    names.rename("tmp", "log.1");
    names.power_cut(rng);
    const bool is_old = names.find("tmp") != nullptr;
    const bool is_new = names.find("log.1") != nullptr;
    ASSERT_FALSE(is_old && is_new);
    under_old += is_old;
    under_new += is_new;
    nowhere += !is_old && !is_new;
  }
  EXPECT_GT(under_old, 0);
  EXPECT_GT(under_new, 0);
  EXPECT_GT(nowhere, 0);
}

}  // namespace
}  // namespace quorate::sim
