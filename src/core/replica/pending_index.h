#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace quorate::replica {

struct PendingNode;

/// Path to pending node: open addressing, linear probing, nothing left behind by a removal. Holds no strings; a
/// node's path and hash are in the node. The hash is the tree's keyed one: clients choose paths.
class PendingIndex {
 public:
  PendingIndex() : slots_(kSmallest) {}

  PendingNode* find(std::string_view path, uint64_t hash) const;
  void insert(PendingNode* node, uint64_t hash);
  void erase(const PendingNode* node, uint64_t hash);
  size_t size() const { return size_; }
  /// Gives back what a burst took. Requires: nothing in it.
  void shrink();

 private:
  struct Slot {
    uint64_t hash = 0;
    PendingNode* node = nullptr;
  };
  static constexpr size_t kSmallest = 64;
  static constexpr size_t kKept = 1 << 14;

  void grow();
  void place(Slot slot);

  std::vector<Slot> slots_;  ///< A power of two, at most half full.
  size_t size_ = 0;
};

}  // namespace quorate::replica
