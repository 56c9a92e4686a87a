#include "core/tree/loader.h"

#include <fmt/format.h>

#include "core/tree/quota_keeper.h"
#include "core/tree/tree_state.h"

namespace quorate::tree {

struct TreeLoader::State {
  Tree& tree;
  SessionList& sessions;
  std::string why;
};

TreeLoader::TreeLoader(Tree& tree, SessionList& sessions) : state_(std::make_unique<State>(State{tree, sessions, {}})) {
  tree.state().clear();
}

TreeLoader::~TreeLoader() = default;

bool TreeLoader::acl(AclId id, std::string_view raw) {
  wire::Decoder in(raw);
  const auto list = wire::AclVector::take(in);
  if (!in.ok() || !in.ended() || list.absent()) {
    state_->why = fmt::format("ACL {} is not a list", static_cast<int64_t>(id));
    return false;
  }
  state_->tree.acls().load(id, raw);
  return true;
}

void TreeLoader::session(SessionId id, int32_t timeout_ms) { state_->sessions.add(id, timeout_ms); }

bool TreeLoader::node(std::string_view path, std::string_view data, AclId acl, const wire::StatPersisted& stat) {
  TreeState& tree = state_->tree.state();
  if (owner_kind(stat.ephemeral_owner, tree.options) == OwnerKind::Invalid) {
    state_->why = fmt::format("Invalid ephemeralOwner. [{:x}]", static_cast<uint64_t>(stat.ephemeral_owner));
    return false;
  }
  Tree::Spot spot;
  spot.node = kRoot;
  if (!path.empty()) spot = tree.locate(path);
  if (spot.node != kNoNode) {
    tree.replace(spot.node, &data, &stat);
    tree.set_acl(spot.node, acl);
    return true;
  }
  if (spot.parent == kNoNode || path.size() > Node::kMaxName) {
    const std::string_view parent = path.substr(0, std::min(path.rfind('/'), path.size()));
    state_->why = fmt::format("Invalid Datatree, unable to find parent {} of path {}", parent, path);
    return false;
  }
  tree.insert(spot, {.path = path, .data = data, .acl = acl, .stat = stat});
  return true;
}

void TreeLoader::finish(Zxid zxid) {
  state_->tree.acls().drop_unused();
  quota_recount_all(state_->tree);
  state_->tree.set_last_zxid(zxid);
}

const std::string& TreeLoader::why() const { return state_->why; }

}  // namespace quorate::tree
