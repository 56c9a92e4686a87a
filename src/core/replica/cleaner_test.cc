#include "core/replica/cleaner.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/replica/replica_testing.h"

namespace quorate::replica::testing {
namespace {

constexpr int64_t kWall = 1000000;

Now at(int64_t ms) { return {Millis{ms}, kWall + ms}; }

struct Garden {
  tree::Tree tree{tree::HashKey{1, 2}, {.extended_types = true}};

  void add(std::string_view path, int64_t owner, int32_t cversion = 0, int64_t mtime = kWall) {
    wire::StatPersisted stat;
    stat.mtime = mtime;
    stat.cversion = cversion;
    stat.ephemeral_owner = owner;
    tree.insert({.path = path, .data = "", .acl = tree::kOpenAcl, .stat = stat});
  }
};

using Paths = std::vector<std::string>;

CleanerSettings never_used_limit(int64_t ms) {
  CleanerSettings settings;
  settings.max_never_used = Millis{ms};
  return settings;
}

// Spec: client 5.6.
TEST(Cleaner, FindsEmptyContainersAndExpiredNodes) {
  Garden garden;
  garden.add("/plain", 0, 1);
  garden.add("/used", wire::kContainerOwner, 2);
  garden.add("/fresh", wire::kContainerOwner);
  garden.add("/full", wire::kContainerOwner, 1);
  garden.add("/full/child", 0);
  garden.add("/ttl", tree::ttl_owner(60000));
  garden.add("/long", tree::ttl_owner(60001));
  garden.add("/parent", tree::ttl_owner(1));
  garden.add("/parent/child", 0);
  Cleaner cleaner({}, at(0));
  EXPECT_EQ(cleaner.due(garden.tree, at(59999)), Paths{});
  EXPECT_EQ(cleaner.next(), Millis{60000});
  EXPECT_EQ(cleaner.due(garden.tree, at(60000)), Paths{"/used"});
  EXPECT_EQ(cleaner.next(), Millis{120000});
  garden.tree.erase(garden.tree.find("/used"));
  EXPECT_EQ(cleaner.due(garden.tree, at(120000)), (Paths{"/ttl", "/long"}));
}

TEST(Cleaner, ContainersThatWereNeverUsedHaveALimitOfTheirOwn) {
  Garden garden;
  garden.add("/fresh", wire::kContainerOwner, 0, kWall);
  Cleaner cleaner(never_used_limit(60000), at(0));
  EXPECT_EQ(cleaner.due(garden.tree, at(60000)), Paths{});
  EXPECT_EQ(cleaner.due(garden.tree, at(120000)), Paths{"/fresh"});
}

TEST(Cleaner, KeepsThePace) {
  Garden garden;
  for (int i = 0; i < 10; ++i) garden.add(fmt::format("/c{}", i), wire::kContainerOwner, 1);
  CleanerSettings settings;
  settings.max_per_minute = 60;
  Cleaner cleaner(settings, at(0));
  EXPECT_EQ(cleaner.due(garden.tree, at(60000)), Paths{"/c0"});
  EXPECT_EQ(cleaner.next(), Millis{60900});
  EXPECT_EQ(cleaner.due(garden.tree, at(60899)), Paths{});
  EXPECT_EQ(cleaner.due(garden.tree, at(60900)), Paths{"/c1"});
  // A late tick catches up by no more than a tenth of a second.
  EXPECT_EQ(cleaner.due(garden.tree, at(65000)), Paths{"/c2"});
}

TEST(Cleaner, BurstOfATenthOfASecondAtTheDefaultPace) {
  Garden garden;
  for (int i = 0; i < 100; ++i) garden.add(fmt::format("/c{:02}", i), wire::kContainerOwner, 1);
  Cleaner cleaner({}, at(0));
  const size_t first = cleaner.due(garden.tree, at(60000)).size();
  EXPECT_GE(first, 16U);  // 100 ms at one in 6 ms
  EXPECT_LE(first, 18U);
  EXPECT_EQ(cleaner.due(garden.tree, at(60600)).size(), 17U);
}

// A candidate may wait for minutes: what it has become meanwhile decides.
TEST(Cleaner, LooksAgainBeforeItRemoves) {
  Garden garden;
  for (const char* path : {"/a", "/b", "/c", "/d"}) garden.add(path, wire::kContainerOwner, 1);
  garden.add("/ttl", tree::ttl_owner(1000), 0);
  CleanerSettings settings;
  settings.max_per_minute = 60;
  Cleaner cleaner(settings, at(0));
  EXPECT_EQ(cleaner.due(garden.tree, at(60000)), Paths{"/a"});
  garden.add("/b/child", 0);
  garden.tree.erase(garden.tree.find("/c"));
  garden.add("/c", 0);  // plain now
  garden.tree.erase(garden.tree.find("/d"));
  wire::StatPersisted renewed = garden.tree.stored_stat(garden.tree.find("/ttl"));
  renewed.mtime = kWall + 60500;
  garden.tree.set_stat(garden.tree.find("/ttl"), renewed);
  EXPECT_EQ(cleaner.due(garden.tree, at(61000)), Paths{});
  EXPECT_EQ(cleaner.next(), Millis{120000});
}

// The whole way: an internal txn, the parent's event, no session asked. Spec: client 5.6, 7.2.
TEST(Cleaner, RemovalIsATxnWithEvents) {
  Bench bench(ask::with([](ReplicaSettings& s) { s.extended_types = true; }));
  Peer& peer = bench.join(60000);
  bench.must(peer, Op::CreateContainer, ask::create("/c", 4));
  bench.must(peer, Op::Create, ask::create("/c/x"));
  bench.must(peer, Op::Delete, ask::path_version("/c/x"));
  bench.must(peer, Op::CreateTtl, ask::create_ttl("/t", 5, 1000));
  bench.must(peer, Op::Exists, path_watch("/c", true));
  bench.must(peer, Op::GetChildren, path_watch("/", true));
  EXPECT_LE(bench.replica.next_tick(), Millis{60000});
  bench.tick_at(60000);
  EXPECT_EQ(bench.replica.tree().find("/c"), tree::kNoNode);
  EXPECT_EQ(bench.replica.tree().find("/t"), tree::kNoNode);
  EXPECT_EQ(peer.replies(),
            (std::vector<Reply>{event(Event::Deleted, "/c", 6), event(Event::ChildrenChanged, "/", 6)}));
}

// Another client fills the container in the same round: the txn is refused when it is prepared.
TEST(Cleaner, PreparationHasTheLastWord) {
  Bench bench;
  Peer& peer = bench.join(60000);
  bench.must(peer, Op::CreateContainer, ask::create("/c", 4));
  bench.must(peer, Op::Create, ask::create("/c/x"));
  bench.must(peer, Op::Delete, ask::path_version("/c/x"));
  bench.at(60000);
  bench.send(peer, 1, Op::Create, ask::create("/c/y"));
  bench.tick_at(60000);
  EXPECT_NE(bench.replica.tree().find("/c/y"), tree::kNoNode);
  EXPECT_EQ(peer.replies().size(), 1U);
}

}  // namespace
}  // namespace quorate::replica::testing
