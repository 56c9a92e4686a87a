#include "core/replica/pending.h"

#include <algorithm>

#include "base/check.h"
#include "core/tree/digest.h"
#include "core/tree/owner_kind.h"
#include "wire/codes.h"

namespace quorate::replica {
namespace {

using namespace std::string_view_literals;

constexpr size_t kKeptEntries = 8192;    ///< In the pool; a burst's surplus is given back.
constexpr size_t kKeptPathBytes = 1024;  ///< In a pooled entry.
constexpr size_t kCompactFrom = 1024;    ///< Applied heads of the queue that are worth a move.

constexpr std::string_view kOpenAclRaw = "\0\0\0\1\0\0\0\x1f\0\0\0\5world\0\0\0\6anyone"sv;

/// Nodes below /zookeeper are left out of the tree's digest; /zookeeper itself is not. Spec: disk 5.1.
bool in_digest(std::string_view path) { return !path.starts_with("/zookeeper/"); }

/// No node has such a path; the tree need not be asked, nor decide what they mean.
bool cannot_exist(std::string_view path) { return !path.empty() && (path.front() != '/' || path.back() == '/'); }

}  // namespace

void NodeState::set_acl(std::string_view raw) {
  acl = tree::kOpenAcl;
  if (raw == kOpenAclRaw) {
    own_acl.clear();
  } else {
    own_acl.assign(raw);
  }
}

Pending::Pending(const tree::Tree& tree, const ReplicaSettings& settings) : tree_(tree), settings_(settings) {}
Pending::~Pending() = default;

void Pending::begin(Zxid zxid, bool may_fail) {
  zxid_ = zxid;
  may_fail_ = may_fail;
  if (first_touched_ == touched_.size()) digest_ = tree_.digest();
  if (!may_fail) return;
  undo_.clear();
  touched_before_ = touched_.size();
  digest_before_ = digest_;
}

void Pending::rollback() {
  QUORATE_CHECK(may_fail_);
  for (auto undo = undo_.rbegin(); undo != undo_.rend(); ++undo) {
    PendingNode& node = *undo->node;
    count_ephemeral(node.state, -1);
    if (undo->fresh) {
      index_.erase(&node, node.hash);
      give_back(&node);
      continue;
    }
    node.changed = undo->changed;
    node.state = std::move(undo->state);
    node.digest = digest_of(node);
    count_ephemeral(node.state, 1);
  }
  undo_.clear();
  touched_.resize(touched_before_);
  digest_ = digest_before_;
}

void Pending::on_applied(Zxid zxid) {
  for (; first_touched_ < touched_.size() && touched_[first_touched_].zxid <= zxid; ++first_touched_) {
    const Touched touched = touched_[first_touched_];
    if (touched.node->changed != touched.zxid) continue;  // a later txn changed it again
    count_ephemeral(touched.node->state, -1);
    index_.erase(touched.node, touched.node->hash);
    give_back(touched.node);
  }
  if (first_touched_ == touched_.size()) {
    touched_.clear();
    first_touched_ = 0;
    index_.shrink();
  } else if (first_touched_ >= kCompactFrom && first_touched_ * 2 >= touched_.size()) {
    touched_.erase(touched_.begin(), touched_.begin() + static_cast<std::ptrdiff_t>(first_touched_));
    first_touched_ = 0;
  }
}

Pending::Seen Pending::look(std::string_view path) const {
  Seen seen;
  seen.path = path == "/" ? std::string_view("") : path;
  seen.hash = tree_.hash_of(seen.path);
  seen.node = index_.find(seen.path, seen.hash);
  if (seen.node != nullptr) {
    seen.exists = seen.node->state.exists;
  } else if (!cannot_exist(seen.path)) {
    seen.ref = seen.path.empty() ? tree::kRoot : tree_.find(seen.path, seen.hash);
    seen.exists = seen.ref != tree::kNoNode;
  }
  return seen;
}

wire::StatPersisted Pending::stat(const Seen& seen) const {
  return seen.node != nullptr ? seen.node->state.stat : tree_.stored_stat(seen.ref);
}

int32_t Pending::child_count(const Seen& seen) const {
  return seen.node != nullptr ? seen.node->state.child_count : tree_.child_count(seen.ref);
}

int64_t Pending::data_bytes(const Seen& seen) const {
  return seen.node != nullptr ? seen.node->state.data_bytes : static_cast<int64_t>(tree_.data_of(seen.ref).size());
}

bool Pending::acl_is_open(const Seen& seen) const {
  if (seen.node == nullptr) return tree_.acl_of(seen.ref) == tree::kOpenAcl;
  return seen.node->state.own_acl.empty() && seen.node->state.acl == tree::kOpenAcl;
}

std::string_view Pending::acl_raw(const Seen& seen) const {
  if (seen.node == nullptr) return tree_.acls().raw(tree_.acl_of(seen.ref));
  const NodeState& state = seen.node->state;
  return state.own_acl.empty() ? tree_.acls().raw(state.acl) : std::string_view(state.own_acl);
}

void Pending::add_ephemerals_of(SessionId session, std::vector<std::string>& paths) const {
  if (!ephemerals_.contains(session.value)) return;
  for (size_t i = first_touched_; i < touched_.size(); ++i) {
    const PendingNode& node = *touched_[i].node;
    if (node.changed != touched_[i].zxid) continue;
    if (node.state.exists && node.state.stat.ephemeral_owner == session.value) paths.push_back(node.path);
  }
}

bool Pending::is_session(int64_t owner) const {
  const tree::TreeOptions options{settings_.extended_types, settings_.emulate_353_ttl};
  return tree::owner_kind(owner, options) == tree::OwnerKind::Ephemeral;
}

PendingNode& Pending::open(const Seen& seen) {
  if (seen.node == nullptr) {
    PendingNode* node = take(seen);
    if (may_fail_) undo_.push_back({node, Zxid{}, true, {}});
    touched_.push_back({zxid_, node});
    digest_ -= node->digest;
    return *node;
  }
  PendingNode& node = *seen.node;
  if (node.changed != zxid_) {
    if (may_fail_) undo_.push_back({&node, node.changed, false, node.state});
    node.changed = zxid_;
    touched_.push_back({zxid_, &node});
  }
  digest_ -= node.digest;
  count_ephemeral(node.state, -1);
  return node;
}

void Pending::close(PendingNode& node) {
  node.digest = digest_of(node);
  digest_ += node.digest;
  count_ephemeral(node.state, 1);
}

PendingNode* Pending::take(const Seen& seen) {
  if (free_.empty()) {
    all_.push_back(std::make_unique<PendingNode>());
    free_.push_back(all_.back().get());
  }
  PendingNode* node = free_.back();
  free_.pop_back();
  node->path.assign(seen.path);
  node->hash = seen.hash;
  node->changed = zxid_;
  load(*node, seen.ref);
  index_.insert(node, seen.hash);
  return node;
}

void Pending::load(PendingNode& node, tree::NodeRef ref) const {
  NodeState& state = node.state;
  state.own_acl.clear();
  state.exists = ref != tree::kNoNode;
  node.digest = 0;
  if (!state.exists) return;
  state.stat = tree_.stored_stat(ref);
  state.acl = tree_.acl_of(ref);
  state.child_count = tree_.child_count(ref);
  if (settings_.enforce_quota) state.data_bytes = static_cast<int64_t>(tree_.data_of(ref).size());
  if (settings_.digest) state.content_crc = tree_.content_crc(ref);
  node.digest = digest_of(node);
}

void Pending::give_back(PendingNode* node) {
  if (node->path.capacity() > kKeptPathBytes) node->path = {};
  if (node->state.own_acl.capacity() > kKeptPathBytes) node->state.own_acl = {};
  free_.push_back(node);
  if (free_.size() < all_.size() || all_.size() <= kKeptEntries) return;
  all_.clear();
  free_.clear();
}

uint64_t Pending::digest_of(const PendingNode& node) const {
  if (!settings_.digest || !node.state.exists || !in_digest(node.path)) return 0;
  return tree::node_digest(node.state.content_crc, node.state.stat);
}

void Pending::count_ephemeral(const NodeState& state, int32_t step) {
  if (!state.exists || !is_session(state.stat.ephemeral_owner)) return;
  const auto entry = ephemerals_.try_emplace(state.stat.ephemeral_owner, 0).first;
  entry->second += step;
  if (entry->second == 0) ephemerals_.erase(entry);
}

}  // namespace quorate::replica
