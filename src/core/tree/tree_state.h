#pragma once
#include <string>
#include <string_view>

#include "core/tree/acl_table.h"
#include "core/tree/block_store.h"
#include "core/tree/node_slab.h"
#include "core/tree/owner_sets.h"
#include "core/tree/path_index.h"
#include "core/tree/tree.h"

/// What a Tree is made of, for the files of this room: Tree's public face, the snapshot walk, the loader and quotas.
/// Quotas are not kept here: Tree does that around these calls, the loader at its end.
namespace quorate::tree {

/// Who has to see a node before it changes: a snapshot walk under way.
class WalkSink {
 public:
  virtual ~WalkSink() = default;
  /// The node is about to change or to go.
  virtual void before_change(NodeRef node) = 0;
  virtual void born(NodeRef node) = 0;
};

struct TreeState {
  TreeState(HashKey path_key, TreeOptions owner_options);
  ~TreeState();
  TreeState(const TreeState&) = delete;
  TreeState& operator=(const TreeState&) = delete;

  NodeRef find(std::string_view path) const;
  Tree::Spot locate(std::string_view path) const;
  bool is_at(NodeRef node, std::string_view path) const;
  /// Appends the path; nothing for the root.
  void append_path(NodeRef node, std::string& out) const;
  /// Into `scratch`, valid until the next call.
  std::string_view path_of(NodeRef node) const;
  bool is_limits_node(NodeRef node) const;
  OwnerKind kind(const Node& node) const { return owner_kind(node.owner, options); }

  /// find(), with the last answer tried first.
  NodeRef find_parent(std::string_view path) const;

  NodeRef insert(const Tree::Spot& spot, const Tree::NewNode& fields);
  /// All of insert but the entry in the index.
  NodeRef attach(NodeRef parent_ref, const Tree::NewNode& fields);
  void erase(NodeRef ref);
  /// Null `data` or null `stat` leave that part alone; the data itself may be absent.
  void replace(NodeRef ref, const std::string_view* data, const wire::StatPersisted* stat);
  void set_acl(NodeRef ref, AclId acl);
  /// Takes every node but the root, whose fields become those of a fresh tree.
  void clear();

  HashKey key;
  TreeOptions options;
  NodeSlab nodes;
  BlockStore blocks;
  PathIndex index;
  AclTable acls;
  OwnerSets owners;
  uint64_t digest = 0;
  size_t node_count = 1;
  uint64_t data_size = 0;   ///< Path units and data, the root counted once.
  size_t limits_nodes = 0;  ///< Nodes named zookeeper_limits below /zookeeper/quota: no quota exists while 0.
  Zxid last_zxid;
  WalkSink* walk = nullptr;
  mutable NodeRef last_parent = kNoNode;  ///< Creates come in runs under one parent.
  mutable std::string scratch;

 private:
  NodeRef find_hashed(uint64_t hash, std::string_view path) const;
  void link(Node& node, NodeRef ref);
  void unlink(const Node& node);
  void put_data(Node& node, std::string_view data);
  uint64_t digest_of(const Node& node) const;
};

/// The path of the parent of what `path` names; absent when no node can have that path.
std::string_view parent_path(std::string_view path);

/// Length of UTF-8 text as Java counts it.
size_t utf16_units(std::string_view text);

}  // namespace quorate::tree
