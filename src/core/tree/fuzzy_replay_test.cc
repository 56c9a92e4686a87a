#include <gtest/gtest.h>

#include <map>
#include <random>

#include "core/tree/tree_testing.h"

namespace quorate::tree {
namespace {

using testing::acl_raw;
using testing::MultiBytes;
using testing::record_bytes;
using testing::World;
using wire::Op;

constexpr TreeOptions kOptions{.extended_types = true};

/// A tree, and the log of the random txns that made it: each is one that a server could have prepared.
class History {
 public:
  explicit History(uint32_t seed) : random_(seed) {}

  World world{kOptions};
  std::vector<std::string> log;

  size_t pick(size_t n) { return random_() % n; }

  void step() {
    switch (pick(12)) {
      case 0:
        return open_session();
      case 1:
        return close_session();
      case 2:
        return multi();
      case 3:
      case 4:
        return remove();
      case 5:
      case 6:
        return set_data();
      case 7:
        return set_acl();
      default:
        return create();
    }
  }

 private:
  struct Part {
    Op op;
    std::string body;
  };

  void run(Op op, const std::string& body) {
    world.run(op, body);
    for (const PartResult& part : world.applied.parts) EXPECT_EQ(part.code, wire::Code::Ok);
    log.push_back(world.payload);
  }

  std::string random_path() {
    std::string path;
    for (size_t depth = 1 + pick(4); depth > 0; --depth) path += "/" + std::string(1, static_cast<char>('a' + pick(3)));
    return path;
  }
  std::string random_list() { return acl_raw(static_cast<int32_t>(1 + pick(6)), "world", "anyone"); }
  /// Of an existing node that is not the system's, or "".
  std::string existing() {
    const std::string path = random_path();
    return world.tree.find(path) == kNoNode ? "" : path;
  }

  Part creation(const std::string& path, bool ephemeral) {
    const std::string list = pick(2) == 0 ? testing::kOpenRaw : random_list();
    const auto acl = wire::AclVector::trusted(list);
    const std::string data(pick(9), 'x');
    const NodeRef parent = world.tree.find(path.substr(0, path.rfind('/')));
    const int32_t count = world.tree.stored_stat(parent).cversion + 1;
    if (ephemeral) return {Op::Create, record_bytes(wire::CreateTxn{path, data, acl, true, count})};
    switch (pick(4)) {
      case 0:
        return {Op::CreateContainer, record_bytes(wire::CreateContainerTxn{path, data, acl, count})};
      case 1:
        return {Op::CreateTtl, record_bytes(wire::CreateTtlTxn{path, data, acl, count, 5})};
      case 2:
        return {Op::Create2, record_bytes(wire::CreateTxn{path, data, acl, false, count})};
      default:
        return {Op::Create, record_bytes(wire::CreateTxn{path, data, acl, false, count})};
    }
  }

  void create() {
    const std::string path = random_path();
    const Tree::Spot spot = world.tree.locate(path);
    if (spot.parent == kNoNode || spot.node != kNoNode) return;
    if (world.tree.kind_of(spot.parent) == OwnerKind::Ephemeral) return;
    const bool ephemeral = !open_.empty() && pick(4) == 0;
    if (ephemeral) world.session = open_[pick(open_.size())];
    const Part part = creation(path, ephemeral);
    run(part.op, part.body);
  }
  void remove() {
    const std::string path = existing();
    if (path.empty() || world.tree.child_count(world.tree.find(path)) > 0) return;
    run(pick(3) == 0 ? Op::DeleteContainer : Op::Delete, record_bytes(wire::DeleteTxn{path}));
  }
  Part new_data(const std::string& path) {
    const int32_t version = world.stat(path).version + 1;
    return {Op::SetData, record_bytes(wire::SetDataTxn{path, std::to_string(world.zxid), version})};
  }
  void set_data() {
    const std::string path = existing();
    if (!path.empty()) run(Op::SetData, new_data(path).body);
  }
  void set_acl() {
    const std::string path = existing();
    if (path.empty()) return;
    const std::string list = random_list();
    const int32_t version = world.stat(path).aversion + 1;
    run(Op::SetAcl, record_bytes(wire::SetAclTxn{path, wire::AclVector::trusted(list), version}));
  }
  /// A node replaced by another one of its name, and another node changed.
  void multi() {
    const std::string path = existing();
    const std::string other = existing();
    if (path.empty() || other.empty() || path == other || world.tree.child_count(world.tree.find(path)) > 0) return;
    const Part again = creation(path, false);
    const Part data = new_data(other);
    run(Op::Multi, MultiBytes()
                       .add(Op::Delete, record_bytes(wire::DeleteTxn{path}))
                       .add(data.op, data.body)
                       .add(again.op, again.body)
                       .bytes());
  }
  void open_session() {
    if (open_.size() > 3) return;
    world.session = SessionId{++sessions_};
    open_.push_back(world.session);
    run(Op::CreateSession, record_bytes(wire::CreateSessionTxn{static_cast<int32_t>(pick(9000))}));
  }
  /// With the list of its ephemerals: replay without it, as before 3.6, misses a node that was made again by another.
  void close_session() {
    if (open_.empty()) return;
    const size_t who = pick(open_.size());
    world.session = open_[who];
    open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(who));
    const std::vector<std::string> owned = world.tree.ephemerals_of(world.session);
    ByteBuffer list;
    wire::Encoder out(list);
    out.i32(static_cast<int32_t>(owned.size()));
    for (const std::string& path : owned) out.view(path);
    run(Op::CloseSession, testing::to_string(list));
  }

  std::mt19937 random_;
  std::vector<SessionId> open_;
  int64_t sessions_ = 0x100;
};

/// A snapshot as Apache takes it: sessions and lists at the start, each node at its own time.
struct FuzzySnapshot {
  struct Node {
    std::string path, data;
    AclId acl;
    wire::StatPersisted stat;
  };
  Zxid zxid;
  size_t replay_from;
  std::map<SessionId, int32_t> sessions;
  std::vector<std::pair<AclId, std::string>> lists;
  std::vector<Node> nodes;

  explicit FuzzySnapshot(History& history)
      : zxid(history.world.tree.last_zxid()), replay_from(history.log.size()), sessions(history.world.sessions.all()) {
    for (const auto& [id, raw] : history.world.tree.acls().entries()) lists.emplace_back(id, raw);
    visit(history, "");
  }
  void visit(History& history, const std::string& path) {
    const Tree& tree = history.world.tree;
    for (size_t n = history.pick(6); n > 0; --n) history.step();
    const NodeRef node = tree.find(path);
    if (node == kNoNode) return;
    nodes.push_back({path, std::string(tree.data_of(node)), tree.acl_of(node), tree.stored_stat(node)});
    std::vector<std::string> children;
    for (NodeRef at = tree.first_child(node); at != kNoNode; at = tree.next_sibling(at)) {
      children.emplace_back(tree.name_of(at));
    }
    for (const std::string& name : children) visit(history, path + "/" + name);
  }
  void load(World& world) const {
    TreeLoader loader(world.tree, world.sessions);
    for (const auto& [id, timeout] : sessions) loader.session(id, timeout);
    for (const auto& [id, raw] : lists) EXPECT_TRUE(loader.acl(id, raw));
    for (const Node& node : nodes) EXPECT_TRUE(loader.node(node.path, node.data, node.acl, node.stat)) << loader.why();
    EXPECT_TRUE(loader.finish(zxid));
  }
};

void expect_same(const World& got, const World& wanted) {
  EXPECT_EQ(got.tree.digest(), wanted.tree.digest());
  EXPECT_EQ(got.tree.last_zxid(), wanted.tree.last_zxid());
  EXPECT_EQ(got.sessions.all(), wanted.sessions.all());
  EXPECT_EQ(got.tree.sessions_with_ephemerals(), wanted.tree.sessions_with_ephemerals());
  EXPECT_EQ(got.tree.ephemeral_count(), wanted.tree.ephemeral_count());
  EXPECT_EQ(got.tree.containers().size(), wanted.tree.containers().size());
  EXPECT_EQ(got.tree.ttl_nodes().size(), wanted.tree.ttl_nodes().size());
  EXPECT_EQ(got.tree.approximate_data_size(), wanted.tree.approximate_data_size());
  ASSERT_EQ(got.tree.node_count(), wanted.tree.node_count());
  for (NodeRef at = kRoot; at != kNoNode; at = wanted.tree.next_below(kRoot, at)) {
    const NodeRef node = got.tree.find(wanted.tree.path_of(at));
    ASSERT_NE(node, kNoNode) << wanted.tree.path_of(at);
    EXPECT_EQ(got.tree.data_of(node), wanted.tree.data_of(at));
    EXPECT_EQ(got.tree.client_stat(node), wanted.tree.client_stat(at)) << wanted.tree.path_of(at);
    EXPECT_EQ(got.tree.acls().raw(got.tree.acl_of(node)), wanted.tree.acls().raw(wanted.tree.acl_of(at)));
  }
}

// Goal: replay over a snapshot that was taken while the tree changed ends at the very tree. Spec: disk 3.4, 6.1
// rule 15.
TEST(FuzzyReplay, EndsAtTheTreeThatWas) {
  for (uint32_t seed = 1; seed <= 600 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    History history(seed);
    for (int i = 0; i < 200; ++i) history.step();
    const FuzzySnapshot snapshot(history);
    for (int i = 0; i < 20; ++i) history.step();
    World world(kOptions);
    snapshot.load(world);
    for (size_t i = snapshot.replay_from; i < history.log.size(); ++i) world.run_payload(history.log[i]);
    release_acls(world.tree, world.applied);
    expect_same(world, history.world);
  }
}

// Goal: replay of the whole log over the tree that it made changes nothing in the end.
TEST(FuzzyReplay, OfAllThatIsInTheSnapshot) {
  for (uint32_t seed = 1; seed <= 100 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    History history(seed);
    for (int i = 0; i < 400; ++i) history.step();
    World world(kOptions);
    for (int round = 0; round < 2; ++round) {
      for (const std::string& payload : history.log) world.run_payload(payload);
    }
    release_acls(world.tree, world.applied);
    expect_same(world, history.world);
  }
}

}  // namespace
}  // namespace quorate::tree
