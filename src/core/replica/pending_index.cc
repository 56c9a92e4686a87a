#include "core/replica/pending_index.h"

#include "core/replica/pending.h"

namespace quorate::replica {

PendingNode* PendingIndex::find(std::string_view path, uint64_t hash) const {
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash & mask; slots_[at].node != nullptr; at = (at + 1) & mask) {
    if (slots_[at].hash == hash && slots_[at].node->path == path) return slots_[at].node;
  }
  return nullptr;
}

void PendingIndex::insert(PendingNode* node, uint64_t hash) {
  if ((size_ + 1) * 2 > slots_.size()) grow();
  place({hash, node});
  ++size_;
}

void PendingIndex::place(Slot slot) {
  const size_t mask = slots_.size() - 1;
  size_t at = slot.hash & mask;
  while (slots_[at].node != nullptr) at = (at + 1) & mask;
  slots_[at] = slot;
}

void PendingIndex::erase(const PendingNode* node, uint64_t hash) {
  const size_t mask = slots_.size() - 1;
  size_t hole = hash & mask;
  while (slots_[hole].node != node) hole = (hole + 1) & mask;
  // Later members of the run move up, unless that would put them before the place where a search for them starts.
  for (size_t at = (hole + 1) & mask; slots_[at].node != nullptr; at = (at + 1) & mask) {
    const size_t home = slots_[at].hash & mask;
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = {};
  --size_;
}

void PendingIndex::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.node != nullptr) place(slot);
  }
}

void PendingIndex::shrink() {
  if (slots_.size() > kKept) slots_ = std::vector<Slot>(kSmallest);
}

}  // namespace quorate::replica
