#include "core/tree/snapshot_walk.h"

#include <gtest/gtest.h>
#include <libdeflate.h>

#include <map>
#include <random>

#include "core/tree/tree_testing.h"

namespace quorate::tree {
namespace {

using testing::World;
using wire::Op;

/// A snapshot's bytes taken apart. Paths are checked to come after their parents'.
struct Snapshot {
  std::string heading;                       ///< Before the nodes.
  std::map<std::string, std::string> nodes;  ///< From path to the whole record.
  bool ended = false;

  explicit Snapshot(std::string_view bytes) {
    wire::Decoder in(bytes);
    EXPECT_EQ(in.i32(), 0x5A4B534E);
    EXPECT_EQ(in.i32(), 2);
    EXPECT_EQ(in.i64(), -1);
    for (int32_t sessions = in.i32(); sessions > 0; --sessions) in.i64(), in.i32();
    for (int32_t lists = in.i32(); lists > 0; --lists) in.i64(), wire::AclVector::take(in);
    heading = bytes.substr(0, bytes.size() - in.rest().size());
    while (!in.ended()) read_node(in);
    EXPECT_TRUE(in.ok());
  }
  void read_node(wire::Decoder& in) {
    EXPECT_FALSE(ended);
    const char* begin = in.position();
    const std::string path(in.view());
    if (path == "/") {
      ended = true;
      return;
    }
    in.view();
    in.i64();
    wire::StatPersisted stat;
    wire::decode(in, stat);
    if (!path.empty()) {
      EXPECT_TRUE(nodes.contains(path.substr(0, path.rfind('/')))) << path;
    }
    const bool is_new = nodes.emplace(path, std::string(begin, in.position())).second;
    EXPECT_TRUE(is_new) << path << " twice";
  }
};

std::string whole_walk(World& world) {
  SnapshotWalk walk(world.tree, world.sessions);
  EXPECT_TRUE(walk.slice(SIZE_MAX / 2));
  return testing::to_string(walk.take());
}

// Goal: the layout is Apache's. Spec: disk 3.1: the body of a fresh snapshot.0 ends at 411, and its seal is known.
TEST(SnapshotWalk, FreshTreeByteForByte) {
  World world;
  const std::string bytes = whole_walk(world);
  EXPECT_EQ(bytes.size(), 411U);
  EXPECT_TRUE(bytes.ends_with(std::string_view("\0\0\0\x01/", 5)));
  EXPECT_EQ(libdeflate_adler32(1, bytes.data(), bytes.size()), 0xb8a23b49U);
  const Snapshot snapshot(bytes);
  EXPECT_EQ(snapshot.nodes.size(), 4U);
  EXPECT_TRUE(snapshot.ended);
}

void random_txn(World& world, std::mt19937& random) {
  const auto pick = [&random](size_t n) { return static_cast<size_t>(random() % n); };
  std::string path;
  for (size_t depth = 1 + pick(4); depth > 0; --depth) path += "/" + std::string(1, static_cast<char>('a' + pick(5)));
  const std::string data(pick(80), 'x');
  switch (pick(7)) {
    case 0:
    case 1:
    case 2:
      world.create(path, data, pick(6) == 0);
      break;
    case 3:
      world.set(path, data, static_cast<int32_t>(random() % 100));
      break;
    case 4:
      world.set_acl(path, testing::acl_raw(static_cast<int32_t>(pick(8)), "world", "anyone"));
      break;
    case 5:
      world.run(Op::CloseSession, "");
      world.run(Op::CreateSession, testing::record_bytes(wire::CreateSessionTxn{30}));
      break;
    default:
      world.remove(path);  // with all that is below it
  }
}

// Goal: the snapshot is the tree as of its start, whatever happens meanwhile. Method: a whole walk taken first is the
// naive twin; then slices of all sizes between random txns, deletions of subtrees and re-creations among them.
TEST(SnapshotWalk, IsTheTreeAsOfItsStart) {
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    World world;
    for (int i = 0; i < 300; ++i) random_txn(world, random);
    for (int round = 0; round < 3; ++round) {
      const std::string expected = whole_walk(world);
      std::string bytes;
      SnapshotWalk walk(world.tree, world.sessions);
      EXPECT_EQ(walk.zxid(), Zxid{world.zxid});
      EXPECT_EQ(walk.digest(), world.tree.digest());
      for (bool done = false; !done;) {
        for (size_t n = random() % 6; n > 0; --n) random_txn(world, random);
        done = walk.slice(1 + random() % 400);
        bytes += testing::to_string(walk.take());
      }
      for (int i = 0; i < 20; ++i) random_txn(world, random);
      EXPECT_TRUE(walk.slice(1));
      EXPECT_TRUE(walk.take().empty());
      const Snapshot got(bytes);
      const Snapshot wanted(expected);
      EXPECT_TRUE(got.ended);
      EXPECT_EQ(got.heading, wanted.heading);
      EXPECT_EQ(got.nodes, wanted.nodes);
    }
  }
}

TEST(SnapshotWalk, WalkGivenUpLeavesNothingBehind) {
  World world;
  for (int i = 0; i < 50; ++i) world.create("/n" + std::to_string(i));
  {
    SnapshotWalk(world.tree, world.sessions).slice(200);
  }
  EXPECT_EQ(Snapshot(whole_walk(world)).nodes.size(), 54U);
}

TEST(SnapshotWalk, SamePathDeletedAndMadeAgain) {
  World world;
  world.create("/a", "old");
  world.create("/a/b", "old");
  const std::string expected = whole_walk(world);
  SnapshotWalk walk(world.tree, world.sessions);
  world.remove("/a/b");
  world.remove("/a");
  world.create("/a", "new");
  world.create("/a/b", "new");
  world.set("/a/b", "newer");
  while (!walk.slice(1)) {
  }
  EXPECT_EQ(Snapshot(walk.take().view()).nodes, Snapshot(expected).nodes);
}

TEST(SnapshotWalk, QuotaUsageIsOfTheStartToo) {
  World world;
  world.create("/a");
  world.create("/zookeeper/quota/a");
  world.create("/zookeeper/quota/a/zookeeper_limits", "count=5,bytes=5");
  world.create("/zookeeper/quota/a/zookeeper_stats", "");
  const std::string expected = whole_walk(world);
  SnapshotWalk walk(world.tree, world.sessions);
  world.create("/a/b", "xyz");
  EXPECT_TRUE(walk.slice(1 << 20));
  EXPECT_EQ(Snapshot(walk.take().view()).nodes, Snapshot(expected).nodes);
}

TEST(SnapshotWalk, DeepNodeChangedFirstBringsItsAncestors) {
  World world;
  std::string path;
  for (int depth = 0; depth < 300; ++depth) world.create(path += "/d");
  const std::string expected = whole_walk(world);
  SnapshotWalk walk(world.tree, world.sessions);
  world.set(path, "changed");
  for (; !path.empty(); path.resize(path.size() - 2)) world.remove(path);
  while (!walk.slice(1000)) {
  }
  EXPECT_EQ(Snapshot(walk.take().view()).nodes, Snapshot(expected).nodes);
}

}  // namespace
}  // namespace quorate::tree
