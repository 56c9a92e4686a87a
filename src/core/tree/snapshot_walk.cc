#include "core/tree/snapshot_walk.h"

#include <utility>
#include <vector>

#include "base/check.h"
#include "base/planted.h"
#include "core/tree/tree_state.h"
#include "wire/archive.h"
#include "wire/log_record.h"
#include "wire/record.h"

namespace quorate::tree {
namespace {

constexpr int32_t kFormatVersion = 2;
constexpr int64_t kSnapshotDbId = -1;
constexpr size_t kHoleCost = 8;  // of the budget, for passing a free or written node

}  // namespace

/// A bit for each node that existed at the start tells what is written. Nodes made later have no bit, or the bit of a
/// node that was deleted, and so written, before.
struct SnapshotWalk::State final : WalkSink {
  explicit State(Tree& walked) : tree(walked.state()), zxid(walked.last_zxid()), digest(walked.digest()) {}
  ~State() override = default;

  void before_change(NodeRef node) override {
    if (!planted(Planted::SnapshotMissesChange)) write_with_ancestors(node);
    if (node == path_owner) path_owner = kNoNode;
  }
  void born(NodeRef node) override { mark(node); }

  void write_heading(const SessionList& sessions);
  void write_with_ancestors(NodeRef node);
  void write(NodeRef ref);
  std::string_view full_path(NodeRef ref);

  bool written(NodeRef node) const {
    const auto number = static_cast<uint32_t>(node);
    return number >= end || (bits[number / 64] >> (number % 64) & 1) != 0;
  }
  void mark(NodeRef node) {
    const auto number = static_cast<uint32_t>(node);
    if (number < end) bits[number / 64] |= uint64_t{1} << (number % 64);
  }

  TreeState& tree;
  const Zxid zxid;
  const uint64_t digest;
  const uint32_t end = tree.nodes.end();
  std::vector<uint64_t> bits = std::vector<uint64_t>(end / 64 + 1);
  ByteBuffer out;
  uint32_t next = static_cast<uint32_t>(kRoot);
  bool done = false;
  std::vector<NodeRef> unwritten;  // scratch: a node and its ancestors, lowest first
  NodeRef path_owner = kNoNode;    // whose path stands in `path`: siblings follow each other in the slabs
  std::string path;
};

void SnapshotWalk::State::write_heading(const SessionList& sessions) {
  wire::Encoder encoder(out);
  encoder.i32(static_cast<int32_t>(wire::kSnapshotMagic));
  encoder.i32(kFormatVersion);
  encoder.i64(kSnapshotDbId);
  encoder.i32(static_cast<int32_t>(sessions.size()));
  for (const auto& [session, timeout_ms] : sessions.all()) {
    encoder.i64(session.value);
    encoder.i32(timeout_ms);
  }
  const auto lists = tree.acls.entries();
  encoder.i32(static_cast<int32_t>(lists.size()));
  for (const auto& [id, raw] : lists) {
    encoder.i64(static_cast<int64_t>(id));
    encoder.raw(raw);
  }
}

void SnapshotWalk::State::write_with_ancestors(NodeRef node) {
  if (written(node)) return;
  unwritten.clear();
  for (NodeRef at = node; at != kNoNode && !written(at); at = tree.nodes.at(at).parent) unwritten.push_back(at);
  for (auto at = unwritten.rbegin(); at != unwritten.rend(); ++at) write(*at);
}

std::string_view SnapshotWalk::State::full_path(NodeRef ref) {
  const Node& node = tree.nodes.at(ref);
  if (ref == kRoot) return "";
  if (path_owner != node.parent) {
    path.clear();
    tree.append_path(node.parent, path);
    path += '/';
    path_owner = node.parent;
  }
  path.resize(path.rfind('/') + 1);
  path += node.name();
  return path;
}

void SnapshotWalk::State::write(NodeRef ref) {
  const Node& node = tree.nodes.at(ref);
  wire::Encoder encoder(out);
  encoder.view(full_path(ref));
  encoder.view(node.data());
  encoder.i64(static_cast<int64_t>(tree.acls.id_at(node.acl_slot)));
  wire::encode(encoder, node.stat());
  mark(ref);
}

SnapshotWalk::SnapshotWalk(Tree& tree, const SessionList& sessions) : state_(std::make_unique<State>(tree)) {
  QUORATE_CHECK(tree.state().walk == nullptr);
  tree.state().walk = state_.get();
  state_->write_heading(sessions);
}

SnapshotWalk::~SnapshotWalk() { state_->tree.walk = nullptr; }

Zxid SnapshotWalk::zxid() const { return state_->zxid; }
uint64_t SnapshotWalk::digest() const { return state_->digest; }

bool SnapshotWalk::slice(size_t budget_bytes) {
  State& state = *state_;
  const size_t begin = state.out.size();
  size_t passed = 0;
  while (state.next < state.end && state.out.size() - begin + passed < budget_bytes) {
    const NodeRef ref{state.next++};
    if (!state.written(ref) && state.tree.nodes.live(ref)) {
      state.write_with_ancestors(ref);
    } else {
      passed += kHoleCost;
    }
  }
  if (state.next < state.end) return false;
  if (!std::exchange(state.done, true)) wire::Encoder(state.out).view("/");
  return true;
}

ByteBuffer SnapshotWalk::take() { return std::exchange(state_->out, ByteBuffer()); }

}  // namespace quorate::tree
