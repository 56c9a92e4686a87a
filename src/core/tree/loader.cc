#include "core/tree/loader.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "core/tree/quota_keeper.h"
#include "core/tree/tree_state.h"

namespace quorate::tree {

/// Entries of the index are made a few nodes late, when the slots they look at had time to come from memory.
struct TreeLoader::State {
  struct Late {
    uint64_t hash = 0;
    NodeRef node = kNoNode;
  };

  State(Tree& loaded, SessionList& session_list) : tree(loaded), sessions(session_list), nodes(loaded.state()) {}

  bool replace_root(const Tree::NewNode& fields);
  bool add(const Tree::NewNode& fields);
  NodeRef find_parent(std::string_view path);
  bool enter(Late entry);
  bool enter_all();

  Tree& tree;
  SessionList& sessions;
  TreeState& nodes;
  std::string why;
  bool has_root = false;
  std::array<Late, 16> late;  // a ring
  size_t turn = 0;
};

bool TreeLoader::State::replace_root(const Tree::NewNode& fields) {
  if (std::exchange(has_root, true)) {
    why = "/ occurs twice";
    return false;
  }
  nodes.replace(kRoot, &fields.data, &fields.stat);
  nodes.set_acl(kRoot, fields.acl);
  return true;
}

NodeRef TreeLoader::State::find_parent(std::string_view path) {
  NodeRef parent = nodes.find_parent(path);
  if (parent == kNoNode && enter_all()) parent = nodes.find_parent(path);
  return parent;
}

bool TreeLoader::State::add(const Tree::NewNode& fields) {
  const std::string_view parent_text = parent_path(fields.path);
  const bool possible = !wire::is_absent(parent_text) && fields.path.size() <= Node::kMaxName;
  const NodeRef parent = possible ? find_parent(parent_text) : kNoNode;
  if (parent == kNoNode) {
    if (why.empty()) {
      why = fmt::format("Invalid Datatree, unable to find parent {} of path {}", parent_text, fields.path);
    }
    return false;
  }
  const uint64_t hash = sip_hash(nodes.key, fields.path);
  nodes.index.prefetch(hash);
  Late& place = late[turn++ % late.size()];
  return enter(std::exchange(place, {hash, nodes.attach(parent, fields)}));
}

bool TreeLoader::State::enter(Late entry) {
  if (entry.node == kNoNode) return true;
  const Node& node = nodes.nodes.at(entry.node);
  const auto is_twin = [this, &node](NodeRef ref) {
    const Node& other = nodes.nodes.at(ref);
    return other.parent == node.parent && other.name() == node.name();
  };
  if (nodes.index.find(entry.hash, is_twin) != kNoNode) {
    why = fmt::format("{} occurs twice", nodes.path_of(entry.node));
    return false;
  }
  nodes.index.insert(entry.hash, entry.node);
  return true;
}

bool TreeLoader::State::enter_all() {
  for (size_t i = 0; i < late.size(); ++i) {
    if (!enter(std::exchange(late[turn++ % late.size()], {}))) return false;
  }
  return true;
}

TreeLoader::TreeLoader(Tree& tree, SessionList& sessions) : state_(std::make_unique<State>(tree, sessions)) {
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
  if (owner_kind(stat.ephemeral_owner, state_->nodes.options) == OwnerKind::Invalid) {
    state_->why = fmt::format("Invalid ephemeralOwner. [{:x}]", static_cast<uint64_t>(stat.ephemeral_owner));
    return false;
  }
  const Tree::NewNode fields{path, data, acl, stat};
  return path.empty() ? state_->replace_root(fields) : state_->add(fields);
}

bool TreeLoader::finish(Zxid zxid) {
  if (!state_->enter_all()) return false;
  state_->tree.acls().drop_unused();
  quota_recount_all(state_->tree);
  state_->tree.set_last_zxid(zxid);
  return true;
}

const std::string& TreeLoader::why() const { return state_->why; }

}  // namespace quorate::tree
