#include "core/tree/path_index.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace quorate::tree {
namespace {

NodeRef ref(uint32_t number) { return NodeRef{number}; }

// Goal: every entry is found, and nothing else, at all sizes and with equal hashes. Method: a naive twin.
TEST(PathIndex, AgreesWithANaiveTwin) {
  for (const uint64_t hash_mask : {~uint64_t{0}, uint64_t{0xFC0000000000003F}, uint64_t{0xFF}}) {
    SCOPED_TRACE(hash_mask);
    std::mt19937_64 random(7);
    PathIndex index;
    std::map<uint32_t, uint64_t> twin;
    for (uint32_t step = 1; step <= 20000; ++step) {
      if (random() % 3 != 0 || twin.empty()) {
        const uint64_t hash = random() & hash_mask;
        index.insert(hash, ref(step));
        twin[step] = hash;
      } else {
        auto victim = twin.lower_bound(static_cast<uint32_t>(random() % step));
        if (victim == twin.end()) victim = twin.begin();
        index.erase(victim->second, ref(victim->first));
        EXPECT_EQ(index.find(victim->second, [&](NodeRef node) { return node == ref(victim->first); }), kNoNode);
        twin.erase(victim);
      }
      if (twin.size() > 2000 && hash_mask == 0xFF) break;
    }
    for (const auto& [number, hash] : twin) {
      EXPECT_EQ(index.find(hash, [&](NodeRef node) { return node == ref(number); }), ref(number));
    }
  }
}

TEST(PathIndex, StaysAboutFourFifthsFull) {
  PathIndex index;
  std::mt19937_64 random(1);
  const uint32_t count = 200000;
  for (uint32_t number = 1; number <= count; ++number) index.insert(random(), ref(number));
  EXPECT_LT(static_cast<double>(index.memory()) / count, 11.5);
}

}  // namespace
}  // namespace quorate::tree
