#include "core/tree/tree.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "core/tree/digest.h"
#include "core/tree/tree_testing.h"

namespace quorate::tree {
namespace {

// Spec: disk 3.1, 5.2; client 5.1; operations 2.4.
TEST(Tree, FreshTreeIsApaches) {
  const Tree tree(HashKey{1, 2});
  EXPECT_EQ(tree.node_count(), 4U);
  EXPECT_EQ(tree.digest(), 0x51c6d660U);
  EXPECT_EQ(tree.approximate_data_size(), 44U);
  EXPECT_EQ(tree.find(""), kRoot);
  EXPECT_EQ(tree.find("/"), kRoot);
  EXPECT_EQ(tree.path_of(kRoot), "/");
  EXPECT_EQ(tree.client_stat(kRoot).cversion, -1);
  EXPECT_EQ(tree.client_stat(tree.find("/zookeeper")).cversion, -2);
  const NodeRef config = tree.find("/zookeeper/config");
  EXPECT_EQ(tree.stored_stat(config).aversion, -1);
  EXPECT_EQ(tree.acl_of(config), AclId{1});
  EXPECT_FALSE(wire::is_absent(tree.data_of(config)));
}

TEST(Tree, FindsWholePathsOnly) {
  testing::World world;
  world.create("/a");
  world.create("/a/bc");
  for (const char* path : {"a", "/a/", "//a", "/a//bc", "/a/b", "/a/bcd", "/bc", "a/bc", "/a/bc/", "/x"}) {
    EXPECT_EQ(world.tree.find(path), kNoNode) << path;
  }
  const NodeRef node = world.tree.find("/a/bc");
  EXPECT_EQ(world.tree.path_of(node), "/a/bc");
  EXPECT_EQ(world.tree.name_of(node), "bc");
  EXPECT_EQ(world.tree.parent_of(node), world.tree.find("/a"));
}

TEST(Tree, SizesAreCountedAsJavaCounts) {
  testing::World world;
  const uint64_t before = world.tree.approximate_data_size();
  world.create("/\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "abc");  // 1 + 1 + 2 units after the slash
  EXPECT_EQ(world.tree.approximate_data_size(), before + 5 + 3);
  world.set("/", "xy");
  EXPECT_EQ(world.tree.approximate_data_size(), before + 5 + 3 + 4);  // the root stands under two names
}

TEST(Tree, TtlNodesWithoutExtendedTypesBelongToASession) {
  for (const bool extended : {false, true}) {
    testing::World world({.extended_types = extended});
    const wire::CreateTtlTxn txn{"/t", "", testing::open_acl(), 1, 5000};
    world.run(wire::Op::CreateTtl, testing::record_bytes(txn));
    EXPECT_EQ(world.tree.ttl_nodes().size(), extended ? 1U : 0U);
    EXPECT_EQ(world.tree.ephemeral_count(), extended ? 0U : 1U);
    EXPECT_EQ(world.applied.parts[0].stat.ephemeral_owner, extended ? 0 : static_cast<int64_t>(0xFF00000000001388));
  }
}

TEST(OwnerKind, ByOptions) {
  const auto bits = [](uint64_t value) { return static_cast<int64_t>(value); };
  const TreeOptions plain;
  const TreeOptions extended{.extended_types = true};
  const TreeOptions emulate{.extended_types = true, .emulate_353_ttl = true};
  struct Case {
    int64_t owner;
    OwnerKind plain_kind, extended_kind, emulate_kind;
  };
  using enum OwnerKind;
  const Case cases[] = {
      {0, Persistent, Persistent, Persistent},
      {INT64_MIN, Container, Container, Container},
      {0x100000000000001, Ephemeral, Ephemeral, Ephemeral},
      {bits(0xFF00000000000001), Ephemeral, Ttl, Ttl},
      {bits(0xFF00010000000001), Ephemeral, Invalid, Ttl},
      {bits(0xFE00000000000001), Ephemeral, Ephemeral, Ttl},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(owner_kind(c.owner, plain), c.plain_kind);
    EXPECT_EQ(owner_kind(c.owner, extended), c.extended_kind);
    EXPECT_EQ(owner_kind(c.owner, emulate), c.emulate_kind);
  }
}

/// A tree as a map of full paths: slow, obvious.
struct Twin {
  struct Node {
    std::string data;
    bool null_data = false;
    wire::StatPersisted stat;
    int32_t children = 0;
  };
  std::map<std::string, Node> nodes;

  static std::string parent(const std::string& path) { return path.substr(0, path.rfind('/')); }
};

void expect_equal(const Tree& tree, const Twin& twin) {
  uint64_t digest = 0;
  uint64_t size = 1;
  size_t ephemerals = 0;
  ASSERT_EQ(tree.node_count(), twin.nodes.size());
  for (const auto& [path, node] : twin.nodes) {
    const NodeRef ref = tree.find(path);
    ASSERT_NE(ref, kNoNode) << path;
    const std::string_view data = tree.data_of(ref);
    EXPECT_EQ(data, node.data);
    EXPECT_EQ(wire::is_absent(data), node.null_data);
    EXPECT_EQ(tree.stored_stat(ref), node.stat);
    EXPECT_EQ(tree.child_count(ref), node.children);
    EXPECT_EQ(tree.content_crc(ref), content_checksum(path, node.data));
    int32_t children = 0;
    for (NodeRef at = tree.first_child(ref); at != kNoNode; at = tree.next_sibling(at), ++children) {
      EXPECT_EQ(tree.parent_of(at), ref);
      EXPECT_EQ(Twin::parent(tree.path_of(at)), path);
    }
    EXPECT_EQ(children, node.children);
    if (!path.starts_with("/zookeeper/")) digest += node_digest(content_checksum(path, node.data), node.stat);
    size += path.size() + node.data.size();
    ephemerals += node.stat.ephemeral_owner != 0;
  }
  EXPECT_EQ(tree.digest(), digest);
  EXPECT_EQ(tree.approximate_data_size(), size + twin.nodes.at("").data.size());
  EXPECT_EQ(tree.ephemeral_count(), ephemerals);
  EXPECT_EQ(tree.count_descendants(kRoot), static_cast<int64_t>(twin.nodes.size()) - 1);
}

/// Applies one random operation to both.
void random_step(std::mt19937& random, Tree& tree, Twin& twin) {
  const auto pick = [&random](size_t n) { return static_cast<size_t>(random() % n); };
  auto chosen = twin.nodes.begin();
  std::advance(chosen, pick(twin.nodes.size()));
  const std::string data(pick(4) == 0 ? pick(3000) : pick(60), static_cast<char>('a' + pick(26)));
  const bool null_data = data.empty() && pick(2) == 0;
  const std::string_view view = null_data ? wire::kAbsent : std::string_view(data);
  wire::StatPersisted stat;
  stat.mzxid = static_cast<int64_t>(random());
  switch (pick(5)) {
    case 0:
    case 1: {
      const std::string path = chosen->first + "/" + std::string(1 + pick(12), static_cast<char>('a' + pick(4)));
      if (twin.nodes.contains(path)) return;
      stat.ephemeral_owner = static_cast<int64_t>(pick(3));
      tree.insert({.path = path, .data = view, .stat = stat});
      ++chosen->second.children;
      twin.nodes[path] = {data, null_data, stat, 0};
      return;
    }
    case 2:
      tree.set_data(tree.find(chosen->first), view);
      chosen->second.data = data;
      chosen->second.null_data = null_data;
      return;
    case 3:
      stat.ephemeral_owner = chosen->second.stat.ephemeral_owner == 0 ? 0 : 2;
      tree.set_stat(tree.find(chosen->first), stat);
      chosen->second.stat = stat;
      return;
    default:
      if (chosen->first.empty() || chosen->second.children > 0) return;
      tree.erase(tree.find(chosen->first));
      --twin.nodes[Twin::parent(chosen->first)].children;
      twin.nodes.erase(chosen);
  }
}

// Goal: the compact layout behaves like a map of paths. Method: random operations on both.
TEST(Tree, AgreesWithANaiveTwin) {
  for (uint32_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    Tree tree(HashKey{seed, 7});
    Twin twin;
    twin.nodes[""].children = 1;
    twin.nodes["/zookeeper"].children = 2;
    twin.nodes["/zookeeper/quota"];
    twin.nodes["/zookeeper/config"].stat.aversion = -1;
    for (int step = 0; step < 1500; ++step) random_step(random, tree, twin);
    expect_equal(tree, twin);
  }
}

TEST(Tree, DeepPaths) {
  Tree tree(HashKey{1, 2});
  std::string path;
  for (int depth = 0; depth < 2000; ++depth) tree.insert({.path = path += "/d"});
  EXPECT_EQ(tree.path_of(tree.find(path)), path);
  EXPECT_EQ(tree.count_descendants(tree.find("/d")), 1999);
  while (!path.empty()) {
    tree.erase(tree.find(path));
    path.resize(path.size() - 2);
  }
  EXPECT_EQ(tree.digest(), 0x51c6d660U);
}

}  // namespace
}  // namespace quorate::tree
