#include "core/tree/quota.h"

#include <gtest/gtest.h>

#include "core/tree/quota_keeper.h"
#include "core/tree/tree_testing.h"

namespace quorate::tree {
namespace {

using testing::World;

/// What the command-line client does to set a quota.
void set_quota(World& world, const std::string& path, std::string_view limits) {
  std::string at = "/zookeeper/quota";
  for (size_t from = 1; from < path.size();) {
    const size_t slash = std::min(path.find('/', from), path.size());
    world.create(at + path.substr(0, slash));
    from = slash + 1;
  }
  world.create(at + path + "/zookeeper_limits", limits);
  world.create(at + path + "/zookeeper_stats", "count=0,bytes=0");
}

std::string usage(const World& world, const std::string& path) {
  return world.data("/zookeeper/quota" + path + "/zookeeper_stats");
}

// Spec: client 11.2.
TEST(QuotaText, ParsesAndPrints) {
  struct Case {
    const char* text;
    QuotaText quota;
  };
  const Case cases[] = {
      {"count=5,bytes=10", {5, 10, -1, -1}},
      {"bytes=10;count=5", {5, 10, -1, -1}},
      {"count=5,bytes=-1=;byteHardLimit=7;countHardLimit=8", {5, -1, 8, 7}},
      {"count=,bytes=3", {-1, 3, -1, -1}},
      {"count=+5", {5, -1, -1, -1}},
      {"count=5,,;bytes=2,other=9", {5, 2, -1, -1}},
      {"count=5,bytes", {}},
      {"count=5,bytes=x", {}},
      {"count=99999999999999999999", {}},
      {"count=5\n", {}},
      {"count=+-5", {}},
      {"garbage", {}},
      {"", {}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(print_quota(parse_quota(c.text)), print_quota(c.quota));
  }
  EXPECT_EQ(print_quota({5, 10, -1, -1}), "count=5,bytes=10");
  EXPECT_EQ(print_quota({5, -1, 8, 7}), "count=5,bytes=-1=;byteHardLimit=7;countHardLimit=8");
}

TEST(Quota, UsageFollowsEveryChange) {
  World world;
  world.create("/a", "12345");
  world.create("/a/b", "123");
  set_quota(world, "/a", "count=10,bytes=100");
  EXPECT_EQ(usage(world, "/a"), "count=2,bytes=8");
  world.create("/a/c", "1");
  EXPECT_EQ(usage(world, "/a"), "count=3,bytes=9");
  EXPECT_EQ(world.changes(), "created /a/c");  // a usage changes without event
  world.set("/a/c", "1234");
  EXPECT_EQ(usage(world, "/a"), "count=3,bytes=12");
  world.set("/a/c", wire::kAbsent);
  EXPECT_EQ(usage(world, "/a"), "count=3,bytes=8");
  world.remove("/a/b");
  EXPECT_EQ(usage(world, "/a"), "count=2,bytes=5");
  world.set("/a", "");
  EXPECT_EQ(usage(world, "/a"), "count=2,bytes=0");
  world.create("/ab", "not below");
  EXPECT_EQ(usage(world, "/a"), "count=2,bytes=0");
  EXPECT_EQ(world.stat("/zookeeper/quota/a/zookeeper_stats").version, 0);
}

TEST(Quota, OnlyTheDeepestCounts) {
  World world;
  world.create("/a");
  world.create("/a/b");
  set_quota(world, "/a", "count=10,bytes=-1");
  set_quota(world, "/a/b", "count=10,bytes=-1");
  world.create("/a/b/c", "xy");
  EXPECT_EQ(usage(world, "/a"), "count=2,bytes=0");
  EXPECT_EQ(usage(world, "/a/b"), "count=2,bytes=2");
  EXPECT_EQ(quota_root(world.tree, "/a/b/c"), "/a/b");
  EXPECT_EQ(quota_root(world.tree, "/a/bb"), "/a");
  EXPECT_EQ(quota_root(world.tree, "/z"), "");
  // Deleting the limits ends the quota.
  world.remove("/zookeeper/quota/a/b/zookeeper_limits");
  world.create("/a/b/d");
  EXPECT_EQ(usage(world, "/a/b"), "count=2,bytes=2");
  EXPECT_EQ(usage(world, "/a"), "count=3,bytes=0");
}

// HARDEN-2: anyone may write these texts.
TEST(Quota, GarbageIsCountedAnew) {
  for (const std::string_view text : {"garbage", "", "count=1", "count=x,bytes=1"}) {
    SCOPED_TRACE(text);
    World world;
    world.create("/a", "1");
    set_quota(world, "/a", "nonsense");
    world.set("/zookeeper/quota/a/zookeeper_stats", text);
    EXPECT_EQ(world.create("/a/b", "22"), wire::Code::Ok);
    EXPECT_EQ(usage(world, "/a"), "count=2,bytes=3");
    EXPECT_EQ(check_quota(world.tree, "/a/x", 1000, 1000), QuotaCheck::Within);
  }
}

// Goal: a text that anyone may write is not read again and again. Spec: HARDEN-2.
TEST(Quota, TextFarLongerThanAnyQuotasIsGarbage) {
  std::string text = "count=1,bytes=1";
  for (int i = 0; text.size() < 5000; ++i) text += fmt::format(",key{}=1", i);
  World world;
  world.create("/a", "1");
  set_quota(world, "/a", text);
  EXPECT_EQ(check_quota(world.tree, "/a/x", 1000, 1000), QuotaCheck::Within);
  world.set("/zookeeper/quota/a/zookeeper_stats", text);
  world.create("/a/b", "22");
  EXPECT_EQ(usage(world, "/a"), "count=2,bytes=3");
}

// Goal: quotas nested deeply are found and, after loading, counted right. Method: one at each level of a chain, with
// nodes beside the chain, against plain arithmetic.
TEST(Quota, NestedByTheHundred) {
  constexpr int64_t kDepth = 300;
  World world;
  std::string path;
  for (int64_t level = 0; level < kDepth; ++level) {
    path += "/d";
    world.create(path, "1");
    world.create(path + "/side", "22");
    set_quota(world, path, "count=1,bytes=1");
  }
  EXPECT_EQ(quota_root(world.tree, path + "/x/y"), path);
  EXPECT_EQ(quota_root(world.tree, "/dd"), "");
  set_quota(world, "/e/missing", "count=1,bytes=1");
  quota_recount_all(world.tree);
  EXPECT_EQ(usage(world, "/e/missing"), "count=0,bytes=0");
  for (int64_t level = kDepth; level > 0; --level, path.resize(path.size() - 2)) {
    const int64_t below = kDepth - level + 1;
    ASSERT_EQ(usage(world, path), fmt::format("count={},bytes={}", 2 * below, 3 * below));
    ASSERT_EQ(quota_root(world.tree, path + "/side"), path);
  }
}

TEST(Quota, OtherKeysOfAUsageStay) {
  World world;
  world.create("/a");
  set_quota(world, "/a", "count=10,bytes=-1");
  world.set("/zookeeper/quota/a/zookeeper_stats", "zeta=4,count=7,bytes=5,alpha=3");
  world.create("/a/b", "22");
  EXPECT_EQ(usage(world, "/a"), "count=8,bytes=7=;alpha=3;zeta=4");
}

// Spec: client 11.3.
TEST(Quota, LimitsAgainstUsage) {
  struct Case {
    const char* limits;
    int64_t count, bytes;
    QuotaCheck result;
  };
  const Case cases[] = {
      {"count=2,bytes=-1", 1, 50, QuotaCheck::Within},
      {"count=1,bytes=-1", 1, 50, QuotaCheck::OverSoft},
      {"count=1,bytes=-1", 0, 50, QuotaCheck::Within},
      {"count=-1,bytes=9", 1, 5, QuotaCheck::Within},
      {"count=-1,bytes=9", 1, 6, QuotaCheck::OverSoft},
      {"count=1,bytes=-1=;countHardLimit=2", 1, 0, QuotaCheck::Within},
      {"count=9,bytes=-1=;countHardLimit=1", 1, 0, QuotaCheck::OverHard},
      {"count=1,bytes=-1=;byteHardLimit=3", 1, 0, QuotaCheck::OverSoft},
      {"count=1,bytes=-1=;byteHardLimit=3", 1, 1, QuotaCheck::OverHard},
      {"count=-1,bytes=-1", 100, 100, QuotaCheck::Within},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.limits);
    World world;
    world.create("/a", "1234");
    set_quota(world, "/a", c.limits);
    EXPECT_EQ(check_quota(world.tree, "/a/n", c.count, c.bytes), c.result);
    EXPECT_EQ(check_quota(world.tree, "/b", 1000, 1000), QuotaCheck::Within);
  }
}

}  // namespace
}  // namespace quorate::tree
