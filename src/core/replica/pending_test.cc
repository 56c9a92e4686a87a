#include "core/replica/pending.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace quorate::replica {
namespace {

tree::Tree& fresh(tree::Tree& tree) {
  tree.insert({.path = "/a", .data = "data", .acl = tree::kOpenAcl, .stat = {}});
  tree.insert({.path = "/a/b", .data = "", .acl = tree::kOpenAcl, .stat = {}});
  return tree;
}

struct Fixture {
  ReplicaSettings settings;
  tree::Tree tree{tree::HashKey{1, 2}};
  Pending pending{fresh(tree), settings};

  void set_version(std::string_view path, int32_t version) {
    pending.change(pending.look(path), [&](NodeState& state) { state.stat.version = version; });
  }
  int32_t version(std::string_view path) { return pending.stat(pending.look(path)).version; }
};

TEST(Pending, TheRootHasTwoNames) {
  Fixture f;
  f.pending.begin(Zxid{1}, false);
  f.set_version("/", 5);
  EXPECT_EQ(f.version(""), 5);
  EXPECT_EQ(f.pending.size(), 1u);
}

TEST(Pending, PathsThatNoNodeCanHaveAreNotAskedFor) {
  Fixture f;
  for (const char* path : {"a", "a/b", "/a/", "//a", "/a//b", "//"}) EXPECT_FALSE(f.pending.look(path).exists) << path;
}

TEST(Pending, AnEntryStaysUntilItsLastChangeIsApplied) {
  Fixture f;
  f.pending.begin(Zxid{1}, false);
  f.set_version("/a", 1);
  f.set_version("/a/b", 1);
  f.pending.begin(Zxid{2}, false);
  f.set_version("/a", 2);
  EXPECT_EQ(f.pending.size(), 2u);
  f.pending.on_applied(Zxid{1});
  EXPECT_EQ(f.pending.size(), 1u);
  EXPECT_EQ(f.version("/a"), 2);
  f.pending.on_applied(Zxid{2});
  EXPECT_EQ(f.pending.size(), 0u);
  EXPECT_EQ(f.version("/a"), 0) << "from the tree again";
  EXPECT_EQ(f.pending.digest(), f.tree.digest());
}

TEST(Pending, RollbackKeepsEarlierTxns) {
  Fixture f;
  f.pending.begin(Zxid{1}, false);
  f.set_version("/a", 1);
  const uint64_t digest = f.pending.digest();
  f.pending.begin(Zxid{2}, true);
  f.set_version("/a", 2);
  f.set_version("/a/b", 2);
  f.set_version("/a", 3);
  EXPECT_NE(f.pending.digest(), digest);
  f.pending.rollback();
  EXPECT_EQ(f.pending.digest(), digest);
  EXPECT_EQ(f.version("/a"), 1);
  EXPECT_EQ(f.pending.size(), 1u);
  f.pending.begin(Zxid{3}, false);
  f.pending.on_applied(Zxid{1});
  EXPECT_EQ(f.pending.size(), 0u);
}

TEST(Pending, MemoryOfABurstIsUsedAgain) {
  Fixture f;
  int64_t zxid = 0;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 20000; ++i) {
      f.pending.begin(Zxid{++zxid}, false);
      f.pending.change(f.pending.look("/a/n" + std::to_string(i)), [](NodeState& state) { state.exists = true; });
    }
    EXPECT_EQ(f.pending.size(), 20000u);
    EXPECT_TRUE(f.pending.look("/a/n777").exists);
    f.pending.on_applied(Zxid{zxid});
    EXPECT_EQ(f.pending.size(), 0u);
    EXPECT_FALSE(f.pending.look("/a/n777").exists);
  }
}

// A naive twin: random insertions and removals against std::map.
TEST(PendingIndex, FindsWhatAMapFinds) {
  std::mt19937 random(7);
  PendingIndex index;
  std::map<std::string, std::unique_ptr<PendingNode>> twin;
  for (int step = 0; step < 50000; ++step) {
    const bool growing = step / 5000 % 2 == 0;
    const std::string path = "/" + std::to_string(random() % 3000);
    // Few distinct hashes, so that runs are long and wrap around the end.
    const uint64_t hash = std::hash<std::string>()(path) | 0xFFFFFFFFFFFFFFC0ULL;
    const auto found = twin.find(path);
    ASSERT_EQ(index.find(path, hash), found == twin.end() ? nullptr : found->second.get());
    if (found == twin.end() && growing) {
      auto node = std::make_unique<PendingNode>();
      node->path = path;
      index.insert(node.get(), hash);
      twin.emplace(path, std::move(node));
    } else if (found != twin.end() && !growing) {
      index.erase(found->second.get(), hash);
      twin.erase(found);
    }
    ASSERT_EQ(index.size(), twin.size());
  }
}

}  // namespace
}  // namespace quorate::replica
