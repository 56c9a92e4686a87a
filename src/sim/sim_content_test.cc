#include "sim/sim_content.h"

#include <gtest/gtest.h>

#include <set>

namespace quorate::sim {
namespace {

std::string run_of(char byte, size_t count) { return std::string(count, byte); }

TEST(SimContent, SyncedBytesSurviveEveryPowerCut) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    SimContent content;
    content.write(0, run_of('a', 3000));
    content.sync();
    content.write(3000, run_of('b', 3000));
    content.power_cut(rng);
    ASSERT_GE(content.bytes().size(), 3000u);
    ASSERT_EQ(content.bytes().substr(0, 3000), run_of('a', 3000));
    ASSERT_FALSE(content.dirty());
  }
}

// A sector that no write got to keeps its old bytes, also in the middle of a batch.
TEST(SimContent, UnsyncedSectorsAreKeptOrLostEachOnItsOwn) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    Rng rng(seed);
    SimContent content;
    content.write(0, run_of('\0', 2048));
    content.sync();
    content.write(0, run_of('x', 2048));
    content.power_cut(rng);
    ASSERT_EQ(content.bytes().size(), 2048u);
    std::string kept;
    for (size_t sector = 0; sector < 4; ++sector) {
      const std::string bytes = content.bytes().substr(sector * 512, 512);
      ASSERT_TRUE(bytes == run_of('x', 512) || bytes == run_of('\0', 512));
      kept += bytes[0] == 'x' ? '1' : '0';
    }
    outcomes.insert(kept);
  }
  EXPECT_EQ(outcomes.size(), 16u);
}

// With that bit gone, the sector would look as if it had been damaged.
TEST(SimContent, ASectorIsNotLostForOneBit) {
  for (const char byte : {'\x10', '\x11'}) {
    size_t lost = 0;
    for (uint64_t seed = 0; seed < 200; ++seed) {
      Rng rng(seed);
      SimContent content;
      content.write(0, run_of('\0', 2048));
      content.sync();
      content.write(700, std::string(1, byte));
      content.power_cut(rng);
      lost += content.bytes()[700] == byte ? 0 : 1;
    }
    EXPECT_EQ(lost > 0, byte == '\x11');
  }
}

TEST(SimContent, AProcessEndKeepsThePageCache) {
  SimContent content;
  content.write(0, "kept");
  content.process_end();
  EXPECT_EQ(content.bytes(), "kept");
  EXPECT_TRUE(content.dirty());
}

// A damaged bit is wherever its byte is kept, and makes nothing durable that was not.
TEST(SimContent, DamageIsUndoneAndHidesNoLoss) {
  bool lost = false;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Rng rng(seed);
    SimContent content;
    content.write(0, run_of('a', 600));
    content.sync();
    content.write(0, run_of('b', 600));
    content.flip(3, 1);
    EXPECT_EQ(content.bytes()[3], 'c');
    content.flip(3, 1);
    EXPECT_EQ(content.bytes(), run_of('b', 600));
    content.power_cut(rng);
    EXPECT_TRUE(content.bytes()[3] == 'a' || content.bytes()[3] == 'b');
    lost = lost || content.bytes()[3] == 'a';
  }
  EXPECT_TRUE(lost);
}

// The kernel calls the pages clean after a failed sync: a later sync makes nothing durable.
TEST(SimContent, AFailedSyncIsNotMadeUpFor) {
  bool lost = false;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Rng rng(seed);
    SimContent content;
    content.write(0, run_of('x', 600));
    content.fail_sync(rng);
    EXPECT_EQ(content.bytes(), run_of('x', 600));
    content.sync();
    content.process_end();
    lost = lost || content.bytes() != run_of('x', 600);
  }
  EXPECT_TRUE(lost);
}

}  // namespace
}  // namespace quorate::sim
