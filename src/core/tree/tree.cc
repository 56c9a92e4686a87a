#include "core/tree/tree.h"

#include <algorithm>

#include "core/tree/quota_keeper.h"
#include "core/tree/tree_state.h"

namespace quorate::tree {
namespace {

using namespace std::literals;

constexpr auto kEmpty = ""sv;
constexpr std::string_view kReadOnlyForAll =
    "\0\0\0\x01\0\0\0\x01\0\0\0\x05world\0\0\0\x06"
    "anyone"sv;

}  // namespace

Tree::Tree(HashKey key, TreeOptions options) : state_(std::make_unique<TreeState>(key, options)) {
  insert({.path = "/zookeeper", .data = kEmpty});
  wire::StatPersisted config;
  config.aversion = -1;
  insert({.path = "/zookeeper/config", .data = kEmpty, .acl = acls().intern(kReadOnlyForAll), .stat = config});
  insert({.path = "/zookeeper/quota", .data = kEmpty});
}

Tree::~Tree() = default;

NodeRef Tree::find(std::string_view path) const { return state_->find(path); }
uint64_t Tree::hash_of(std::string_view path) const { return sip_hash(state_->key, path); }
NodeRef Tree::find(std::string_view path, uint64_t hash) const {
  return state_->index.find(hash, [this, path](NodeRef ref) { return state_->is_at(ref, path); });
}
Tree::Spot Tree::locate(std::string_view path) const { return state_->locate(path); }

std::string Tree::path_of(NodeRef node) const {
  if (node == kRoot) return "/";
  std::string path;
  state_->append_path(node, path);
  return path;
}

std::string_view Tree::name_of(NodeRef node) const { return state_->nodes.at(node).name(); }
std::string_view Tree::data_of(NodeRef node) const { return state_->nodes.at(node).data(); }
wire::StatPersisted Tree::stored_stat(NodeRef node) const { return state_->nodes.at(node).stat(); }

wire::Stat Tree::client_stat(NodeRef ref) const {
  const Node& node = state_->nodes.at(ref);
  wire::Stat stat;
  stat.czxid = node.czxid;
  stat.mzxid = node.mzxid;
  stat.ctime = node.ctime;
  stat.mtime = node.mtime;
  stat.version = node.version;
  // Wraps like Java's int. Spec: client 5.3.
  stat.cversion = static_cast<int32_t>(2 * static_cast<uint32_t>(node.cversion) - static_cast<uint32_t>(node.children));
  stat.aversion = node.aversion;
  stat.ephemeral_owner = kind_of(ref) == OwnerKind::Ephemeral ? node.owner : 0;
  stat.data_length = static_cast<int32_t>(node.data_length());
  stat.num_children = node.children;
  stat.pzxid = node.pzxid;
  return stat;
}

AclId Tree::acl_of(NodeRef node) const { return state_->acls.id_at(state_->nodes.at(node).acl_slot); }
OwnerKind Tree::kind_of(NodeRef node) const { return state_->kind(state_->nodes.at(node)); }
NodeRef Tree::parent_of(NodeRef node) const { return state_->nodes.at(node).parent; }
int32_t Tree::child_count(NodeRef node) const { return state_->nodes.at(node).children; }
NodeRef Tree::first_child(NodeRef node) const { return state_->nodes.at(node).first_child; }
NodeRef Tree::next_sibling(NodeRef node) const { return state_->nodes.at(node).next; }
uint32_t Tree::content_crc(NodeRef node) const { return state_->nodes.at(node).content_crc; }

size_t Tree::node_count() const { return state_->node_count; }

uint64_t Tree::approximate_data_size() const { return state_->data_size + 1 + state_->nodes.at(kRoot).data_length(); }

int64_t Tree::count_descendants(NodeRef top) const {
  if (top == kRoot) return static_cast<int64_t>(state_->node_count) - 1;
  int64_t count = 0;
  for (NodeRef at = next_below(top, top); at != kNoNode; at = next_below(top, at)) ++count;
  return count;
}

NodeRef Tree::next_below(NodeRef top, NodeRef at) const {
  if (first_child(at) != kNoNode) return first_child(at);
  while (at != top && next_sibling(at) == kNoNode) at = parent_of(at);
  return at == top ? kNoNode : next_sibling(at);
}

AclTable& Tree::acls() { return state_->acls; }
const AclTable& Tree::acls() const { return state_->acls; }

std::vector<std::string> Tree::ephemerals_of(SessionId session) const {
  std::vector<std::string> paths;
  for (const NodeRef node : state_->owners.ephemerals_of(session)) paths.push_back(path_of(node));
  std::ranges::sort(paths);
  return paths;
}

size_t Tree::ephemeral_count() const { return state_->owners.ephemeral_count(); }
std::vector<SessionId> Tree::sessions_with_ephemerals() const { return state_->owners.sessions(); }
std::vector<NodeRef> Tree::containers() const { return state_->owners.containers(); }
std::vector<NodeRef> Tree::ttl_nodes() const { return state_->owners.ttl_nodes(); }

uint64_t Tree::digest() const { return state_->digest; }
Zxid Tree::last_zxid() const { return state_->last_zxid; }
void Tree::set_last_zxid(Zxid zxid) { state_->last_zxid = zxid; }

int64_t Tree::resident_bytes() const {
  return static_cast<int64_t>(state_->nodes.memory() + state_->blocks.memory() + state_->index.memory());
}

NodeRef Tree::insert(const NewNode& node) { return insert(locate(node.path), node); }

NodeRef Tree::insert(const Spot& spot, const NewNode& fields) {
  const NodeRef node = state_->insert(spot, fields);
  quota_after_insert(*this, node, fields.path);
  return node;
}

void Tree::erase(NodeRef node) {
  const int64_t bytes = state_->nodes.at(node).data_length();
  if (state_->limits_nodes == 0) return state_->erase(node);
  const std::string path = path_of(node);
  state_->erase(node);
  quota_after_erase(*this, path, bytes);
}

void Tree::set_data(NodeRef node, std::string_view data) {
  const int64_t before = state_->nodes.at(node).data_length();
  state_->replace(node, &data, nullptr);
  quota_after_data(*this, node, static_cast<int64_t>(state_->nodes.at(node).data_length()) - before);
}

void Tree::set_stat(NodeRef node, const wire::StatPersisted& stat) { state_->replace(node, nullptr, &stat); }

void Tree::set_data_and_stat(NodeRef node, std::string_view data, const wire::StatPersisted& stat) {
  const int64_t before = state_->nodes.at(node).data_length();
  state_->replace(node, &data, &stat);
  quota_after_data(*this, node, static_cast<int64_t>(state_->nodes.at(node).data_length()) - before);
}

void Tree::set_acl(NodeRef node, AclId acl) { state_->set_acl(node, acl); }

}  // namespace quorate::tree
