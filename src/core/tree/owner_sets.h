#pragma once
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "core/tree/node.h"
#include "core/tree/owner_kind.h"

/// Which nodes belong to a session, are containers, or have a time to live. Results are sorted by reference, so that
/// no hash order is seen outside.
namespace quorate::tree {

class OwnerSets {
 public:
  void add(NodeRef node, int64_t owner, OwnerKind kind);
  void remove(NodeRef node, int64_t owner, OwnerKind kind);

  std::vector<NodeRef> ephemerals_of(SessionId session) const;
  size_t ephemeral_count() const { return ephemeral_count_; }
  std::vector<SessionId> sessions() const;  ///< Ascending.
  std::vector<NodeRef> containers() const;
  std::vector<NodeRef> ttl_nodes() const;

 private:
  using Set = boost::unordered_flat_set<uint32_t>;

  boost::unordered_flat_map<int64_t, Set> by_session_;
  Set containers_;
  Set ttl_nodes_;
  size_t ephemeral_count_ = 0;
};

}  // namespace quorate::tree
