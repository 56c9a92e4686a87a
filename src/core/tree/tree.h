#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "core/tree/acl_table.h"
#include "core/tree/node.h"
#include "core/tree/owner_kind.h"
#include "core/tree/sip_hash.h"
#include "wire/stat.h"

/// The znodes: one open-addressing index from a keyed path hash to 32-bit node references, nodes of fixed layout in
/// slabs, names and data in size classes, no full path stored. About 230 bytes a node with 100 bytes of data.
/// Single-threaded; used by the thread that steps the core. References stay valid until their node is deleted.
/// All changes go through apply() (apply.h), live and in replay. Spec: client 5, disk 3.4; DESIGN, section 2.
namespace quorate::tree {

struct TreeState;

class Tree {
 public:
  /// A fresh tree: "/", /zookeeper, /zookeeper/quota, /zookeeper/config as Apache makes them. Spec: disk 3.1.
  explicit Tree(HashKey key, TreeOptions options = {});
  ~Tree();
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  // Reading.
  /// kNoNode when the path does not exist. "" and "/" are both the root.
  NodeRef find(std::string_view path) const;
  /// find() in two steps, for tables of others over the same paths: clients choose paths, so such a table needs this
  /// keyed hash as well, and computes it once. Not for the root.
  uint64_t hash_of(std::string_view path) const;
  NodeRef find(std::string_view path, uint64_t hash) const;
  /// Where a path is, or would be: one hashing serves the look-up and the insert that follows it.
  struct Spot {
    NodeRef parent = kNoNode;
    NodeRef node = kNoNode;
    uint64_t hash = 0;
  };
  /// Both kNoNode for "/" and for paths that no node can have: no leading '/', an empty component at the end.
  Spot locate(std::string_view path) const;
  std::string path_of(NodeRef node) const;       ///< Full path; the root is "/".
  std::string_view name_of(NodeRef node) const;  ///< Last component; "" for the root.
  std::string_view data_of(NodeRef node) const;  ///< wire::kAbsent for null data.
  wire::StatPersisted stored_stat(NodeRef node) const;
  wire::Stat client_stat(NodeRef node) const;  ///< As on the wire. Spec: client 5.1 to 5.3.
  AclId acl_of(NodeRef node) const;
  OwnerKind kind_of(NodeRef node) const;
  NodeRef parent_of(NodeRef node) const;
  int32_t child_count(NodeRef node) const;
  /// Walks the children; no order is promised.
  NodeRef first_child(NodeRef node) const;
  NodeRef next_sibling(NodeRef node) const;
  /// Depth first over everything below `top`, parents first: next_below(top, top) begins, kNoNode ends.
  NodeRef next_below(NodeRef top, NodeRef at) const;
  /// CRC-32 over path and data, the part of the node's digest that a change of Stat leaves alone. Spec: disk 5.1.
  uint32_t content_crc(NodeRef node) const;

  size_t node_count() const;  ///< Nodes with the root counted once.
  /// Path lengths (in UTF-16 units) and data, as zk_approximate_data_size counts them: the root as "" and as "/".
  uint64_t approximate_data_size() const;
  int64_t count_descendants(NodeRef node) const;

  AclTable& acls();
  const AclTable& acls() const;

  /// Paths of the session's ephemerals, sorted; empty when it owns none.
  std::vector<std::string> ephemerals_of(SessionId session) const;
  size_t ephemeral_count() const;
  std::vector<SessionId> sessions_with_ephemerals() const;
  /// Containers and TTL nodes, for the cleaner, in ascending order. Spec: client 5.6.
  std::vector<NodeRef> containers() const;
  std::vector<NodeRef> ttl_nodes() const;

  /// Sum of the node digests, without /zookeeper/*; kept up to date by every change. Spec: disk 5.
  uint64_t digest() const;
  Zxid last_zxid() const;
  void set_last_zxid(Zxid zxid);
  int64_t resident_bytes() const;  ///< Memory held by slabs, size classes and index.

  // Changing: for apply(), the snapshot loader and tests. Arguments were validated; paths do not end in '/'.
  struct NewNode {
    std::string_view path;
    std::string_view data = wire::kAbsent;  ///< May be absent.
    AclId acl = kOpenAcl;
    wire::StatPersisted stat = {};
  };
  /// The parent must exist and the node must not. Keeps children, owner sets, digest and quota accounting.
  NodeRef insert(const NewNode& node);
  NodeRef insert(const Spot& spot, const NewNode& node);  ///< `spot` as locate() gave it for this path.
  /// Removes a node without children.
  void erase(NodeRef node);
  void set_data(NodeRef node, std::string_view data);
  void set_stat(NodeRef node, const wire::StatPersisted& stat);
  void set_data_and_stat(NodeRef node, std::string_view data, const wire::StatPersisted& stat);
  void set_acl(NodeRef node, AclId acl);

  /// For the files of this room only.
  TreeState& state() { return *state_; }
  const TreeState& state() const { return *state_; }

 private:
  std::unique_ptr<TreeState> state_;
};

}  // namespace quorate::tree
