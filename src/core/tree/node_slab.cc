#include "core/tree/node_slab.h"

#include <algorithm>

#include "base/check.h"
#include "core/tree/pages.h"

namespace quorate::tree {

NodeSlab::~NodeSlab() {
  for (Node* chunk : chunks_) unmap_pages(reinterpret_cast<char*>(chunk), kChunkBytes);
}

NodeRef NodeSlab::take() {
  if (free_ != kNoNode) {
    const NodeRef ref = free_;
    free_ = at(ref).next;
    return ref;
  }
  if ((end_ >> kChunkBits) == chunks_.size()) {
    char* chunk = map_pages(kChunkBytes, kHugePage);
    // A small tree must stay small: the first chunk grows by ordinary pages.
    if (!chunks_.empty()) advise_huge(chunk, kChunkBytes);
    chunks_.push_back(reinterpret_cast<Node*>(chunk));
  }
  QUORATE_CHECK(end_ < UINT32_MAX);
  return NodeRef{end_++};
}

void NodeSlab::give_back(NodeRef ref) {
  Node& node = at(ref);
  node.parent = kFree;
  node.next = free_;
  free_ = ref;
}

size_t NodeSlab::memory() const { return size_t{end_} * sizeof(Node); }

}  // namespace quorate::tree
