#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/tree/node.h"
#include "wire/stat.h"

/// Nodes of one fixed layout in big chunks, named by 32-bit references that stay valid until the node goes.
namespace quorate::tree {

/// The fields that a look-up touches stand together at the front. `block` holds the name and, behind it, the data.
struct Node {
  static constexpr uint32_t kUndigested = 1U << 31;  ///< Below /zookeeper/: no part of the tree digest.
  static constexpr uint32_t kMaxName = kUndigested - 1;
  static constexpr uint32_t kNoData = UINT32_MAX;

  char* block;
  NodeRef parent;
  uint32_t name_and_flags;
  uint32_t data_bytes;  ///< kNoData for null data, which is not the same as empty.
  uint32_t content_crc;
  NodeRef first_child;
  NodeRef next;  ///< Sibling; in a free node the next free one.
  NodeRef previous;
  int32_t children;
  uint32_t acl_slot;
  int32_t version;
  int32_t cversion;
  int32_t aversion;
  int64_t czxid;
  int64_t mzxid;
  int64_t pzxid;
  int64_t ctime;
  int64_t mtime;
  int64_t owner;

  uint32_t name_bytes() const { return name_and_flags & ~kUndigested; }
  bool digested() const { return (name_and_flags & kUndigested) == 0; }
  uint32_t data_length() const { return data_bytes == kNoData ? 0 : data_bytes; }
  uint32_t block_bytes() const { return name_bytes() + data_length(); }
  std::string_view name() const { return {block, name_bytes()}; }
  std::string_view data() const {
    if (data_bytes == kNoData) return wire::kAbsent;
    // The root may have no block at all.
    return {data_bytes == 0 ? "" : block + name_bytes(), data_bytes};
  }
  wire::StatPersisted stat() const { return {czxid, mzxid, ctime, mtime, version, cversion, aversion, owner, pzxid}; }
  void set_stat(const wire::StatPersisted& stat) {
    czxid = stat.czxid, mzxid = stat.mzxid, pzxid = stat.pzxid;
    ctime = stat.ctime, mtime = stat.mtime;
    version = stat.version, cversion = stat.cversion, aversion = stat.aversion;
    owner = stat.ephemeral_owner;
  }
};
static_assert(sizeof(Node) == 104);

class NodeSlab {
 public:
  NodeSlab() = default;
  ~NodeSlab();
  NodeSlab(const NodeSlab&) = delete;
  NodeSlab& operator=(const NodeSlab&) = delete;

  Node& at(NodeRef ref) { return chunks_[index(ref) >> kChunkBits][index(ref) & kChunkMask]; }
  const Node& at(NodeRef ref) const { return chunks_[index(ref) >> kChunkBits][index(ref) & kChunkMask]; }

  /// Free nodes are reused, the last freed one first. The node's bytes are not cleared.
  NodeRef take();
  void give_back(NodeRef ref);
  bool live(NodeRef ref) const { return at(ref).parent != kFree; }
  /// Every reference given out so far is below this.
  uint32_t end() const { return end_; }
  size_t memory() const;

 private:
  static constexpr uint32_t kChunkBits = 16;
  static constexpr uint32_t kChunkMask = (1U << kChunkBits) - 1;
  static constexpr size_t kChunkBytes = sizeof(Node) << kChunkBits;
  static constexpr NodeRef kFree{UINT32_MAX};  ///< In `parent`; no node can have this reference.

  static uint32_t index(NodeRef ref) { return static_cast<uint32_t>(ref); }

  std::vector<Node*> chunks_;
  uint32_t end_ = 1;  // 0 is kNoNode
  NodeRef free_ = kNoNode;
};

}  // namespace quorate::tree
