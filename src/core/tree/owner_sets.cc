#include "core/tree/owner_sets.h"

#include <algorithm>

namespace quorate::tree {
namespace {

std::vector<NodeRef> sorted(const auto& set) {
  std::vector<NodeRef> nodes;
  nodes.reserve(set.size());
  for (const uint32_t node : set) nodes.push_back(NodeRef{node});
  std::ranges::sort(nodes);
  return nodes;
}

}  // namespace

void OwnerSets::add(NodeRef node, int64_t owner, OwnerKind kind) {
  const uint32_t number = static_cast<uint32_t>(node);
  if (kind == OwnerKind::Container) containers_.insert(number);
  if (kind == OwnerKind::Ttl) ttl_nodes_.insert(number);
  if (kind == OwnerKind::Ephemeral || kind == OwnerKind::Invalid) {
    by_session_[owner].insert(number);
    ++ephemeral_count_;
  }
}

void OwnerSets::remove(NodeRef node, int64_t owner, OwnerKind kind) {
  const uint32_t number = static_cast<uint32_t>(node);
  if (kind == OwnerKind::Container) containers_.erase(number);
  if (kind == OwnerKind::Ttl) ttl_nodes_.erase(number);
  if (kind != OwnerKind::Ephemeral && kind != OwnerKind::Invalid) return;
  const auto found = by_session_.find(owner);
  found->second.erase(number);
  if (found->second.empty()) by_session_.erase(found);
  --ephemeral_count_;
}

std::vector<NodeRef> OwnerSets::ephemerals_of(SessionId session) const {
  const auto found = by_session_.find(session.value);
  return found == by_session_.end() ? std::vector<NodeRef>() : sorted(found->second);
}

std::vector<SessionId> OwnerSets::sessions() const {
  std::vector<SessionId> all;
  for (const auto& [session, nodes] : by_session_) all.push_back(SessionId{session});
  std::ranges::sort(all);
  return all;
}

std::vector<NodeRef> OwnerSets::containers() const { return sorted(containers_); }
std::vector<NodeRef> OwnerSets::ttl_nodes() const { return sorted(ttl_nodes_); }

}  // namespace quorate::tree
