#include <string>

#include "base/check.h"
#include "core/tree/apply.h"
#include "input.h"

/// Txn payloads, one behind the other: whatever parses is applied, and the tree stays whole. The first byte picks the
/// tree's options; then pieces, each one payload.
namespace quorate::fuzz {
namespace {

/// Nodes below `node`, counted on foot. Every child's parent and path must lead back to it.
size_t count_below(const tree::Tree& tree, tree::NodeRef node) {
  size_t count = 0;
  int32_t children = 0;
  for (tree::NodeRef child = tree.first_child(node); child != tree::kNoNode; child = tree.next_sibling(child)) {
    QUORATE_CHECK(tree.parent_of(child) == node);
    QUORATE_CHECK(tree.find(tree.path_of(child)) == child);
    count += 1 + count_below(tree, child);
    ++children;
  }
  QUORATE_CHECK(children == tree.child_count(node));
  return count;
}

}  // namespace
}  // namespace quorate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate;
  fuzz::Input input(data, size);
  const uint8_t options = input.byte();
  tree::Tree tree({1, 2}, {.extended_types = (options & 1) != 0, .emulate_353_ttl = (options & 2) != 0});
  tree::SessionList sessions;
  tree::Applied applied;
  while (!input.empty()) {
    tree::TxnView txn;
    std::string why;
    if (!tree::parse_txn(input.piece(), txn, why)) {
      QUORATE_CHECK(!why.empty());
      continue;
    }
    applied.clear();
    tree::apply(tree, sessions, txn, applied);
    tree::release_acls(tree, applied);
  }
  QUORATE_CHECK(fuzz::count_below(tree, tree::kRoot) + 1 == tree.node_count());
  return 0;
}
