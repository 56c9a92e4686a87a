#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <utility>

/// Finds 32-bit references by a 32-bit hash: open addressing, linear probing, four bytes a slot and one of the hash, so
/// that a look-up in vain touches no item. Cut into shards whose sizes are staggered, so that growing never moves more
/// than a small part at once and the memory in use follows the content smoothly. The caller knows the items: it
/// compares them and says their hashes.
namespace quorate::tree {

class WatchIndex {
 public:
  /// The reference with this hash for which same(ref) holds, or 0.
  template <class Same>
  uint32_t find(uint32_t hash, Same&& same) const {
    const Shard& shard = shards_[hash % kShards];
    if (shard.size == 0) return 0;
    const uint8_t wanted = tag(hash);
    for (uint32_t at = home(shard, hash); shard.tags[at] != kFree; at = after(shard, at)) {
      if (shard.tags[at] == wanted && same(shard.slots[at])) return shard.slots[at];
    }
    return 0;
  }

  /// Requires: `ref` is not in the index. hash_of(ref) tells any item's hash.
  template <class HashOf>
  void insert(uint32_t ref, HashOf&& hash_of) {
    const uint32_t hash = hash_of(ref);
    Shard& shard = shards_[hash % kShards];
    if ((shard.used + 1) * uint64_t{4} > shard.size * uint64_t{3}) grow(hash % kShards, hash_of);
    put(shard, hash, ref);
    ++shard.used;
  }

  /// Requires: `ref` is in the index.
  template <class HashOf>
  void erase(uint32_t ref, HashOf&& hash_of) {
    const uint32_t hash = hash_of(ref);
    Shard& shard = shards_[hash % kShards];
    uint32_t hole = home(shard, hash);
    while (shard.slots[hole] != ref) hole = after(shard, hole);
    // Later members of the run move up, so that no probe ever meets a gap before its item.
    for (uint32_t at = after(shard, hole); shard.tags[at] != kFree; at = after(shard, at)) {
      const uint32_t wanted = home(shard, hash_of(shard.slots[at]));
      if (distance(shard, wanted, at) < distance(shard, hole, at)) continue;
      shard.slots[hole] = shard.slots[at];
      shard.tags[hole] = shard.tags[at];
      hole = at;
    }
    shard.tags[hole] = kFree;
    --shard.used;
  }

  /// Visits all references; no order is promised.
  template <class Visit>
  void each(Visit&& visit) const {
    for (const Shard& shard : shards_) {
      for (uint32_t at = 0; at < shard.size; ++at) {
        if (shard.tags[at] != kFree) visit(shard.slots[at]);
      }
    }
  }

  size_t resident_bytes() const {
    size_t slots = 0;
    for (const Shard& shard : shards_) slots += shard.size;
    return slots * (sizeof(uint32_t) + sizeof(uint8_t));
  }

 private:
  static constexpr uint32_t kShards = 64;
  static constexpr uint8_t kFree = 0;
  struct Shard {
    std::unique_ptr<uint32_t[]> slots;  ///< Without meaning where the tag is kFree.
    std::unique_ptr<uint8_t[]> tags;
    uint32_t size = 0;
    uint32_t used = 0;
  };

  // The low bits choose the shard, the next seven are the tag and the high ones choose the slot; sizes need not be
  // powers of two.
  static uint8_t tag(uint32_t hash) { return static_cast<uint8_t>(hash / kShards | 0x80); }
  static uint32_t home(const Shard& shard, uint32_t hash) {
    return static_cast<uint32_t>((static_cast<uint64_t>(hash) * shard.size) >> 32);
  }
  static uint32_t after(const Shard& shard, uint32_t at) { return at + 1 == shard.size ? 0 : at + 1; }
  static uint32_t distance(const Shard& shard, uint32_t from, uint32_t to) {
    return to >= from ? to - from : to + shard.size - from;
  }
  static void put(Shard& shard, uint32_t hash, uint32_t ref) {
    uint32_t at = home(shard, hash);
    while (shard.tags[at] != kFree) at = after(shard, at);
    shard.slots[at] = ref;
    shard.tags[at] = tag(hash);
  }

  template <class HashOf>
  void grow(uint32_t number, HashOf&& hash_of) {
    // First sizes spread over one growth step, 16 to 24, keep the shards' growth apart for good.
    Shard larger;
    larger.size = 16 + number / 8;
    const Shard old = std::move(shards_[number]);
    if (old.size != 0) larger.size = old.size + old.size / 2;
    larger.used = old.used;
    larger.slots = std::make_unique_for_overwrite<uint32_t[]>(larger.size);
    larger.tags = std::make_unique<uint8_t[]>(larger.size);
    for (uint32_t at = 0; at < old.size; ++at) {
      if (old.tags[at] != kFree) put(larger, hash_of(old.slots[at]), old.slots[at]);
    }
    shards_[number] = std::move(larger);
  }

  std::array<Shard, kShards> shards_;
};

}  // namespace quorate::tree
