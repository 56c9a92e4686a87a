#pragma once
#include <memory>
#include <string>

#include "core/tree/session_list.h"
#include "core/tree/tree.h"

namespace quorate::tree {

/// Loading: feed a snapshot's sections in file order into an empty tree.
class TreeLoader {
 public:
  /// `tree` must be freshly made; its built-in nodes are replaced by the file's.
  TreeLoader(Tree& tree, SessionList& sessions);
  ~TreeLoader();
  /// `raw` is count and items.
  bool acl(AclId id, std::string_view raw);
  void session(SessionId id, int32_t timeout_ms);
  /// Parents come first. False: parent missing, path malformed, or an owner that cannot be decoded; why() tells.
  bool node(std::string_view path, std::string_view data, AclId acl, const wire::StatPersisted& stat);
  /// Rebuilds quotas, drops unused ACLs, sets the zxid. False: some path occurred twice. The tree may be read only
  /// after this; one whose loader answered false is of no use.
  bool finish(Zxid zxid);
  const std::string& why() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quorate::tree
