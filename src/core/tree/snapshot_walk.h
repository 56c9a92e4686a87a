#pragma once
#include <memory>

#include "base/byte_buffer.h"
#include "core/tree/session_list.h"
#include "core/tree/tree.h"

/// An exact snapshot, the tree as of one zxid, produced in slices while the tree goes on changing: a change to a node
/// not yet written first writes the old one (and, before it, its unwritten ancestors, because readers need parents
/// first); new nodes are born written; deletions write first. Sessions and ACLs go with the start. The slabs are
/// walked, not the siblings. At most one walk at a time. Spec: disk 3.1; DESIGN, section 2.
namespace quorate::tree {

class SnapshotWalk {
 public:
  /// Writes header, sessions and ACLs into `out` at once and fixes zxid and digest. The tree keeps a pointer to the
  /// walk until it is destroyed, and appends to the walk's buffer on changes.
  SnapshotWalk(Tree& tree, const SessionList& sessions);
  ~SnapshotWalk();

  Zxid zxid() const;
  uint64_t digest() const;

  /// Walks on until about `budget_bytes` were added. True when the last node is written; then the terminator "/" has
  /// been added too and only the seals (shell/storage) remain.
  bool slice(size_t budget_bytes);
  /// Takes what has been produced so far, in order.
  ByteBuffer take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quorate::tree
