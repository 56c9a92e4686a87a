#include "core/tree/path_index.h"

#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "core/tree/pages.h"

namespace quorate::tree {
namespace {

constexpr uint32_t kTail = 32;
constexpr size_t kMapFrom = size_t{64} << 10;  // larger arrays must not leave holes in the heap

bool too_full(uint32_t used, uint32_t capacity) { return uint64_t{used} * 100 > uint64_t{capacity} * 85; }

}  // namespace

PathIndex::PathIndex() {
  uint32_t number = 0;
  for (Shard& shard : shards_) shard.allocate(32 + number++ / 8);
}

PathIndex::~PathIndex() {
  for (const Shard& shard : shards_) shard.free();
}

void PathIndex::insert(uint64_t hash, NodeRef node) {
  Shard& shard = shards_[hash >> (64 - kShardBits)];
  if (too_full(shard.used + 1, shard.capacity)) shard.grow();
  while (!shard.place({node, static_cast<uint32_t>(hash)})) shard.grow();
}

void PathIndex::erase(uint64_t hash, NodeRef node) {
  Shard& shard = shards_[hash >> (64 - kShardBits)];
  uint32_t at = shard.home(static_cast<uint32_t>(hash));
  while (shard.slots[at].node != node) {
    QUORATE_CHECK(shard.slots[at].node != kNoNode);
    ++at;
  }
  // Followers move up unless they stand where they belong.
  uint32_t next = at + 1;
  while (shard.slots[next].node != kNoNode && shard.home(shard.slots[next].hash) < next) ++next;
  std::memmove(shard.slots + at, shard.slots + at + 1, (next - at - 1) * sizeof(Slot));
  shard.slots[next - 1] = {kNoNode, 0};
  --shard.used;
}

size_t PathIndex::memory() const {
  size_t slots = 0;
  for (const Shard& shard : shards_) slots += shard.length;
  return slots * sizeof(Slot);
}

void PathIndex::Shard::allocate(uint32_t wanted) {
  capacity = wanted;
  length = wanted + kTail;
  used = 0;
  const size_t bytes = size_t{length} * sizeof(Slot);
  void* memory = bytes >= kMapFrom ? map_pages(bytes, 4096) : std::calloc(length, sizeof(Slot));
  QUORATE_CHECK(memory != nullptr);
  slots = static_cast<Slot*>(memory);
}

void PathIndex::Shard::free() const {
  const size_t bytes = size_t{length} * sizeof(Slot);
  if (bytes >= kMapFrom) {
    unmap_pages(reinterpret_cast<char*>(slots), bytes);
  } else {
    std::free(slots);
  }
}

/// False when the run at the end of the shard has no room left.
bool PathIndex::Shard::place(Slot slot) {
  uint32_t at = home(slot.hash);
  while (slots[at].node != kNoNode && slots[at].hash <= slot.hash) ++at;
  uint32_t empty = at;
  while (slots[empty].node != kNoNode) ++empty;
  if (empty + 1 == length) return false;
  std::memmove(slots + at + 1, slots + at, (empty - at) * sizeof(Slot));
  slots[at] = slot;
  ++used;
  return true;
}

void PathIndex::Shard::grow() {
  Shard larger;
  uint32_t wanted = capacity;
  bool all = false;
  while (!all) {
    QUORATE_CHECK(wanted < UINT32_MAX / 2);
    wanted += wanted / 4;
    larger.allocate(wanted);
    all = true;
    for (uint32_t at = 0; at < length && all; ++at) {
      if (slots[at].node != kNoNode) all = larger.place(slots[at]);
    }
    if (!all) larger.free();
  }
  free();
  *this = larger;
}

}  // namespace quorate::tree
