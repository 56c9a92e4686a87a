#include "core/tree/watch_table.h"

#include <gtest/gtest.h>

#include "base/planted.h"

namespace quorate::tree {
namespace {

using Conns = std::vector<ConnId>;

Conns fire(WatchTables& watches, WatchTable table, std::string_view path, const Conns* skip = nullptr) {
  Conns out;
  watches.trigger(table, path, skip, out);
  return out;
}

Conns conns(std::initializer_list<uint64_t> numbers) {
  Conns out;
  for (const uint64_t number : numbers) out.push_back(ConnId{number});
  return out;
}

// Spec: client 7.1. Modes accumulate on one path; the same one twice is one event.
TEST(WatchTables, ModesAccumulateAndStandardGoesWhenTheStepRuns) {
  WatchTables watches;
  const WatcherId one = watches.open(ConnId{1});
  for (int i = 0; i < 2; ++i) watches.add(one, WatchTable::Data, "/a", kStandard);
  watches.add(one, WatchTable::Data, "/a", kPersistent);
  watches.add(one, WatchTable::Data, "/a", kRecursive);
  EXPECT_EQ(watches.data_watches(), 1u);
  EXPECT_TRUE(watches.contains(one, "/a", 2));
  EXPECT_EQ(fire(watches, WatchTable::Data, "/a"), conns({1}));
  EXPECT_FALSE(watches.contains(one, "/a", 2));
  EXPECT_TRUE(watches.contains(one, "/a", 4));
  EXPECT_TRUE(watches.contains(one, "/a", 5));
  EXPECT_EQ(fire(watches, WatchTable::Data, "/a"), conns({1})) << "persistent modes see re-creation";
}

// Spec: client 7.2, its examples.
TEST(WatchTables, StepsOfADelete) {
  WatchTables watches;
  const WatcherId one = watches.open(ConnId{1});
  const WatcherId two = watches.open(ConnId{2});
  for (const WatcherId who : {one, two}) watches.add(who, WatchTable::Child, "/w/x", kStandard);
  watches.add(one, WatchTable::Data, "/w/x", kStandard);
  watches.add(one, WatchTable::Child, "/w", kStandard);
  const Conns first = fire(watches, WatchTable::Data, "/w/x");
  EXPECT_EQ(first, conns({1}));
  EXPECT_EQ(fire(watches, WatchTable::Child, "/w/x", &first), conns({2}));
  EXPECT_EQ(fire(watches, WatchTable::Child, "/w"), conns({1}));
  EXPECT_TRUE(watches.empty()) << "a suppressed registration is gone as well";
}

TEST(WatchTables, SkipMayBeTheListThatGrows) {
  WatchTables watches;
  const WatcherId one = watches.open(ConnId{1});
  const WatcherId two = watches.open(ConnId{2});
  for (const WatchTable table : {WatchTable::Data, WatchTable::Child}) watches.add(one, table, "/w", kPersistent);
  watches.add(two, WatchTable::Child, "/w", kPersistent);
  Conns out;
  watches.trigger(WatchTable::Data, "/w", nullptr, out);
  watches.trigger(WatchTable::Child, "/w", &out, out);
  EXPECT_EQ(out, conns({1, 2}));
}

// Spec: client 7.2; known-faults 5.5 (4475): no child events for recursive watchers.
TEST(WatchTables, RecursiveWatchesSeeDescendantsInTheDataTableOnly) {
  WatchTables watches;
  const WatcherId root = watches.open(ConnId{1});
  const WatcherId middle = watches.open(ConnId{2});
  const WatcherId own = watches.open(ConnId{3});
  watches.add(middle, WatchTable::Data, "/a/b", kRecursive);
  watches.add(root, WatchTable::Data, "/", kRecursive);
  watches.add(own, WatchTable::Data, "/a/b/c", kStandard);
  watches.add(middle, WatchTable::Data, "/a", kStandard);
  EXPECT_EQ(fire(watches, WatchTable::Data, "/a/b/c"), conns({3, 1, 2}));
  EXPECT_EQ(fire(watches, WatchTable::Data, "/a/b/c/d"), conns({1, 2}));
  EXPECT_EQ(fire(watches, WatchTable::Data, "/a/bb"), conns({1})) << "an ancestor ends at a slash";
  EXPECT_EQ(fire(watches, WatchTable::Data, "/"), conns({1}));
  EXPECT_EQ(fire(watches, WatchTable::Child, "/a/b"), conns({}));
  EXPECT_TRUE(watches.contains(middle, "/a", 2)) << "a change below leaves standard watches of ancestors alone";
}

// Spec: client 7.9.
TEST(WatchTables, RemovalByType) {
  struct Case {
    const char* why;
    int32_t type;
    bool found, removed;
    size_t data_left, child_left;
  };
  const Case cases[] = {
      {"child standard only", 1, true, true, 1, 1}, {"data standard only", 2, true, true, 1, 1},
      {"everything", 3, true, true, 0, 0},          {"persistent in both", 4, true, true, 1, 1},
      {"recursive", 5, true, true, 1, 1},           {"no such type", 6, false, false, 1, 1},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    WatchTables watches;
    const WatcherId one = watches.open(ConnId{1});
    for (const WatchMode mode : {kStandard, kPersistent}) {
      watches.add(one, WatchTable::Data, "/a", mode);
      watches.add(one, WatchTable::Child, "/a", mode);
    }
    watches.add(one, WatchTable::Data, "/a", kRecursive);
    EXPECT_EQ(watches.contains(one, "/a", c.type), c.found);
    EXPECT_FALSE(watches.remove(one, "/b", c.type));
    EXPECT_EQ(watches.remove(one, "/a", c.type), c.removed);
    EXPECT_FALSE(watches.contains(one, "/a", c.type));
    EXPECT_FALSE(watches.remove(one, "/a", c.type)) << "gone, so NOWATCHER";
    EXPECT_EQ(watches.data_watches(), c.data_left);
    EXPECT_EQ(watches.child_watches(), c.child_left);
  }
}

TEST(WatchTables, PersistentIsCheckedInDataAndRemovedFromBoth) {
  WatchTables watches;
  const WatcherId one = watches.open(ConnId{1});
  watches.add(one, WatchTable::Child, "/a", kPersistent);
  EXPECT_FALSE(watches.contains(one, "/a", 4));
  EXPECT_TRUE(watches.remove(one, "/a", 4));
  EXPECT_TRUE(watches.empty());
}

// Spec: operations 2.4. A persistent watch is one entry of each table; wchs and its kin show the data table.
TEST(WatchTables, Numbers) {
  WatchTables watches;
  const WatcherId one = watches.open(ConnId{1});
  const WatcherId two = watches.open(ConnId{2});
  for (const WatchTable table : {WatchTable::Data, WatchTable::Child}) watches.add(one, table, "/p", kPersistent);
  watches.add(two, WatchTable::Data, "/p", kStandard);
  watches.add(one, WatchTable::Data, "/b", kStandard);
  watches.add(two, WatchTable::Child, "/c", kStandard);
  EXPECT_EQ(watches.data_watches(), 3u);
  EXPECT_EQ(watches.child_watches(), 2u);
  EXPECT_EQ(watches.data_paths(), 2u);
  EXPECT_EQ(watches.data_watchers(), 2u);
  EXPECT_EQ(watches.paths_of(one), (std::vector<std::string>{"/b", "/p"}));
  EXPECT_EQ(watches.paths_of(two), (std::vector<std::string>{"/p"}));
  const std::vector<std::pair<std::string, Conns>> by_path = {{"/b", conns({1})}, {"/p", conns({1, 2})}};
  EXPECT_EQ(watches.by_path(), by_path);
}

// Spec: known-faults 1.2, I-11. Texts without a slash, empty or long come from setWatches, which checks no path.
TEST(WatchTables, CloseLeavesNothing) {
  WatchTables watches;
  const size_t before = watches.resident_bytes();
  const WatcherId one = watches.open(ConnId{1});
  const WatcherId two = watches.open(ConnId{2});
  const std::string odd[] = {
      "", "/", "x", "//", "/a/", std::string(2046, 'm'), std::string(2047, 'n'), "/" + std::string(300000, 'y')};
  for (const std::string& path : odd) {
    for (const WatcherId who : {one, two}) watches.add(who, WatchTable::Data, path, kRecursive);
    watches.add(one, WatchTable::Child, path, kStandard);
  }
  EXPECT_EQ(fire(watches, WatchTable::Data, odd[7]), conns({2, 1}));
  for (const std::string& path : odd) EXPECT_TRUE(watches.contains(two, path, 5)) << path.size();
  watches.close(one);
  EXPECT_EQ(watches.data_watches(), std::size(odd));
  EXPECT_EQ(watches.data_watchers(), 1u);
  watches.close(two);
  EXPECT_TRUE(watches.empty());
  EXPECT_EQ(watches.data_paths(), 0u);
  EXPECT_EQ(watches.data_watchers(), 0u);
  EXPECT_LT(watches.resident_bytes(), before + (1 << 20));
  EXPECT_EQ(fire(watches, WatchTable::Data, "/"), conns({}));
}

TEST(WatchTables, AReusedNumberHasNoWatches) {
  WatchTables watches;
  const WatcherId old = watches.open(ConnId{1});
  watches.add(old, WatchTable::Data, "/a", kPersistent);
  watches.close(old);
  const WatcherId fresh = watches.open(ConnId{2});
  EXPECT_EQ(old, fresh);
  EXPECT_FALSE(watches.contains(fresh, "/a", 3));
  EXPECT_EQ(fire(watches, WatchTable::Data, "/a"), conns({}));
}

TEST(WatchTablesDeath, AClosedConnectionMayNotRegister) {
  WatchTables watches;
  const WatcherId one = watches.open(ConnId{1});
  watches.close(one);
  EXPECT_DEATH(watches.add(one, WatchTable::Data, "/a", kStandard), "open");
  EXPECT_DEATH(watches.close(one), "open");
}

#ifdef QUORATE_PLANTED
TEST(WatchTables, PlantedFaultKeepsDeadWatches) {
  WatchTables watches;
  const WatcherId one = watches.open(ConnId{1});
  watches.add(one, WatchTable::Data, "/a", kPersistent);
  planted_fault = Planted::WatchNotRemoved;
  watches.close(one);
  planted_fault = Planted::None;
  EXPECT_EQ(fire(watches, WatchTable::Data, "/a"), conns({1}));
}
#endif

// Goal: lookups survive growing and shrinking of the indexes. Method: many paths, removed in another order.
TEST(WatchTables, ManyPathsComeAndGo) {
  WatchTables watches;
  const WatcherId one = watches.open(ConnId{1});
  constexpr uint32_t kCount = 20000;
  const auto path = [](uint32_t i) { return "/load/" + std::string(i % 97, 'x') + std::to_string(i); };
  for (uint32_t i = 0; i < kCount; ++i) watches.add(one, WatchTable::Data, path(i), kStandard);
  EXPECT_EQ(watches.data_paths(), kCount);
  for (uint32_t i = 0; i < kCount; ++i) {
    const uint32_t at = (i * 7919) % kCount;
    ASSERT_EQ(fire(watches, WatchTable::Data, path(at)), conns({1})) << at;
    ASSERT_FALSE(watches.contains(one, path(at), 3)) << at;
  }
  EXPECT_TRUE(watches.empty());
}

// Goal: DESIGN.md, "Watches": at most 100 bytes a watch, 40 when dense. Method: fill and ask; close gives it back.
TEST(WatchTables, BytesAWatch) {
  struct Case {
    const char* why;
    uint32_t conns, paths;
    bool one_each;
    size_t limit;
  };
  const Case cases[] = {
      {"one connection, every watch on a path of its own", 1, 200000, false, 90},
      {"every connection on a path of its own", 200000, 200000, true, 100},
      {"many connections on one path", 200000, 1, false, 100},
      {"many connections on the same paths", 500, 500, false, 40},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    WatchTables watches;
    std::vector<WatcherId> open;
    for (uint32_t i = 0; i < c.conns; ++i) open.push_back(watches.open(ConnId{i + 1}));
    for (uint32_t p = 0; p < c.paths; ++p) {
      const std::string path = "/bench/watch/node-" + std::to_string(10000000 + p);
      for (uint32_t i = c.one_each ? p : 0; i < (c.one_each ? p + 1 : c.conns); ++i) {
        watches.add(open[i], WatchTable::Data, path, kStandard);
      }
    }
    const size_t count = c.one_each ? c.paths : size_t{c.conns} * c.paths;
    EXPECT_EQ(watches.data_watches(), count);
    EXPECT_LE(watches.resident_bytes() / count, c.limit);
    RecordProperty(c.why, std::to_string(watches.resident_bytes() / count));
    for (const WatcherId watcher : open) watches.close(watcher);
    EXPECT_TRUE(watches.empty());
  }
}

}  // namespace
}  // namespace quorate::tree
