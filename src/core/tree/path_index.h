#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/tree/node.h"

/// From path hash to node: open addressing in 64 shards whose slots stay sorted by hash, so that a miss ends early and
/// growing is one sequential copy. Shards grow at staggered sizes and by a quarter: no single insert pays for all, and
/// little room stands empty. Whether a candidate is the right node, the caller says.
namespace quorate::tree {

class PathIndex {
 public:
  PathIndex();
  ~PathIndex();
  PathIndex(const PathIndex&) = delete;
  PathIndex& operator=(const PathIndex&) = delete;

  /// The first node under `hash` that `is_it` accepts, or kNoNode.
  template <class IsIt>
  NodeRef find(uint64_t hash, IsIt&& is_it) const {
    const Shard& shard = shards_[hash >> (64 - kShardBits)];
    const uint32_t low = static_cast<uint32_t>(hash);
    const Slot* slot = shard.slots + shard.home(low);
    while (slot->node != kNoNode && slot->hash < low) ++slot;
    for (; slot->node != kNoNode && slot->hash == low; ++slot) {
      if (is_it(slot->node)) return slot->node;
    }
    return kNoNode;
  }
  /// Starts to load what find or insert of `hash` will look at.
  void prefetch(uint64_t hash) const {
    const Shard& shard = shards_[hash >> (64 - kShardBits)];
    __builtin_prefetch(shard.slots + shard.home(static_cast<uint32_t>(hash)));
  }
  void insert(uint64_t hash, NodeRef node);
  /// Requires: that pair is in the index.
  void erase(uint64_t hash, NodeRef node);
  size_t memory() const;

 private:
  struct Slot {
    NodeRef node;
    uint32_t hash;
  };
  /// `length` is capacity plus room for a run at the end; the last slot is always empty.
  struct Shard {
    Slot* slots;
    uint32_t capacity;
    uint32_t length;
    uint32_t used;

    /// Monotonic in the hash: that keeps the slots sorted.
    uint32_t home(uint32_t hash) const { return static_cast<uint32_t>((uint64_t{hash} * capacity) >> 32); }
    void allocate(uint32_t wanted);
    void free() const;
    bool place(Slot slot);
    void grow();
  };
  static constexpr uint32_t kShardBits = 6;

  std::array<Shard, size_t{1} << kShardBits> shards_;
};

}  // namespace quorate::tree
