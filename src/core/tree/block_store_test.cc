#include "core/tree/block_store.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

namespace quorate::tree {
namespace {

// Goal: blocks never overlap and keep their bytes. Method: each is filled with a byte of its own.
TEST(BlockStore, BlocksKeepTheirBytes) {
  struct Block {
    char* at;
    size_t bytes;
    char fill;
  };
  BlockStore store;
  std::mt19937 random(3);
  std::vector<Block> blocks;
  for (int step = 0; step < 30000; ++step) {
    if (random() % 5 < 3 || blocks.empty()) {
      const size_t bytes = 1 + random() % (random() % 50 == 0 ? 5000 : 300);
      const char fill = static_cast<char>(step);
      blocks.push_back({store.take(bytes), bytes, fill});
      std::memset(blocks.back().at, fill, bytes);
    } else {
      std::swap(blocks[random() % blocks.size()], blocks.back());
      const Block block = blocks.back();
      EXPECT_EQ(std::string_view(block.at, block.bytes), std::string(block.bytes, block.fill));
      store.give_back(block.at, block.bytes);
      blocks.pop_back();
    }
  }
  for (const Block& block : blocks) {
    EXPECT_EQ(std::string_view(block.at, block.bytes), std::string(block.bytes, block.fill));
    store.give_back(block.at, block.bytes);
  }
}

TEST(BlockStore, MemoryFreedAtOneSizeServesAnother) {
  BlockStore store;
  const auto fill_and_free = [&store](size_t bytes) {
    std::vector<char*> blocks;
    for (size_t i = 0; i < (size_t{8} << 20) / bytes; ++i) blocks.push_back(store.take(bytes));
    const size_t memory = store.memory();
    for (char* block : blocks) store.give_back(block, bytes);
    return memory;
  };
  const size_t first = fill_and_free(112);
  EXPECT_LT(fill_and_free(1000), first + first / 8);
  EXPECT_LT(fill_and_free(24), first + first / 8);
}

TEST(BlockStore, ClassesAreEightBytesWide) {
  EXPECT_TRUE(BlockStore::same_class(105, 112));
  EXPECT_FALSE(BlockStore::same_class(112, 113));
  EXPECT_TRUE(BlockStore::same_class(9000, 9000));
  EXPECT_FALSE(BlockStore::same_class(9000, 9001));
  EXPECT_FALSE(BlockStore::same_class(2048, 2049));
}

}  // namespace
}  // namespace quorate::tree
