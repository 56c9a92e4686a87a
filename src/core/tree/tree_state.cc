#include "core/tree/tree_state.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "core/tree/digest.h"

namespace quorate::tree {
namespace {

constexpr auto kEmpty = std::string_view("");
constexpr std::string_view kLimitsName = "zookeeper_limits";
constexpr std::string_view kQuotaPath = "/zookeeper/quota";

}  // namespace

std::string_view parent_path(std::string_view path) {
  if (path.size() < 2 || path.front() != '/' || path.back() == '/') return wire::kAbsent;
  const std::string_view parent = path.substr(0, path.rfind('/'));
  return parent.ends_with('/') ? wire::kAbsent : parent;
}

size_t utf16_units(std::string_view text) {
  size_t units = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    units += (byte & 0xC0) != 0x80;
    units += byte >= 0xF0;
  }
  return units;
}

TreeState::TreeState(HashKey path_key, TreeOptions owner_options)
    : key(path_key), options(owner_options), acls(path_key) {
  const NodeRef root = nodes.take();
  QUORATE_CHECK(root == kRoot);
  Node& node = nodes.at(root);
  node = Node{};
  digest = digest_of(node);
}

TreeState::~TreeState() {
  // Pages go as a whole; only what is malloc's needs a visit.
  for (uint32_t number = 1; number < nodes.end(); ++number) {
    const NodeRef ref{number};
    if (!nodes.live(ref)) continue;
    const Node& node = nodes.at(ref);
    if (node.block_bytes() > BlockStore::kMaxSmall) blocks.give_back(node.block, node.block_bytes());
  }
}

bool TreeState::is_at(NodeRef ref, std::string_view path) const {
  size_t left = path.size();
  while (ref != kRoot) {
    const Node& node = nodes.at(ref);
    const size_t length = node.name_bytes();
    if (left <= length) return false;
    left -= length;
    if (std::memcmp(path.data() + left, node.block, length) != 0 || path[left - 1] != '/') return false;
    --left;
    ref = node.parent;
  }
  return left == 0;
}

NodeRef TreeState::find(std::string_view path) const {
  if (path.empty() || path == "/") return kRoot;
  return find_hashed(sip_hash(key, path), path);
}

NodeRef TreeState::find_hashed(uint64_t hash, std::string_view path) const {
  return index.find(hash, [this, path](NodeRef ref) { return is_at(ref, path); });
}

NodeRef TreeState::find_parent(std::string_view path) const {
  if (path.empty()) return kRoot;
  if (last_parent != kNoNode && is_at(last_parent, path)) return last_parent;
  const NodeRef found = find(path);
  if (found != kNoNode) last_parent = found;
  return found;
}

Tree::Spot TreeState::locate(std::string_view path) const {
  Tree::Spot spot;
  const std::string_view parent = parent_path(path);
  if (wire::is_absent(parent)) return spot;
  spot.hash = sip_hash(key, path);
  index.prefetch(spot.hash);
  spot.parent = find_parent(parent);
  if (spot.parent == kNoNode) return spot;
  spot.node = find_hashed(spot.hash, path);
  return spot;
}

void TreeState::append_path(NodeRef ref, std::string& out) const {
  size_t length = 0;
  for (NodeRef at = ref; at != kRoot; at = nodes.at(at).parent) length += nodes.at(at).name_bytes() + 1;
  size_t end = out.size() + length;
  out.resize(end);
  for (NodeRef at = ref; at != kRoot; at = nodes.at(at).parent) {
    const Node& node = nodes.at(at);
    end -= node.name_bytes();
    std::memcpy(out.data() + end, node.block, node.name_bytes());
    out[--end] = '/';
  }
}

std::string_view TreeState::path_of(NodeRef ref) const {
  scratch.clear();
  append_path(ref, scratch);
  return scratch;
}

bool TreeState::is_limits_node(NodeRef ref) const {
  const Node& node = nodes.at(ref);
  if (node.digested() || node.name() != kLimitsName) return false;
  const std::string_view path = path_of(ref);
  return path.starts_with(kQuotaPath) && path[kQuotaPath.size()] == '/';
}

uint64_t TreeState::digest_of(const Node& node) const {
  return node.digested() ? node_digest(node.content_crc, node.stat()) : 0;
}

void TreeState::link(Node& node, NodeRef ref) {
  Node& parent = nodes.at(node.parent);
  node.next = parent.first_child;
  node.previous = kNoNode;
  if (node.next != kNoNode) nodes.at(node.next).previous = ref;
  parent.first_child = ref;
  ++parent.children;
}

void TreeState::unlink(const Node& node) {
  Node& parent = nodes.at(node.parent);
  if (node.next != kNoNode) nodes.at(node.next).previous = node.previous;
  (node.previous != kNoNode ? nodes.at(node.previous).next : parent.first_child) = node.next;
  --parent.children;
}

NodeRef TreeState::insert(const Tree::Spot& spot, const Tree::NewNode& fields) {
  const NodeRef ref = attach(spot.parent, fields);
  index.insert(spot.hash, ref);
  return ref;
}

NodeRef TreeState::attach(NodeRef parent_ref, const Tree::NewNode& fields) {
  const std::string_view name = fields.path.substr(fields.path.rfind('/') + 1);
  QUORATE_CHECK(parent_ref != kNoNode && !name.empty() && name.size() <= Node::kMaxName);
  const NodeRef ref = nodes.take();
  Node& node = nodes.at(ref);
  const Node& parent = nodes.at(parent_ref);
  const bool undigested = !parent.digested() || (parent.parent == kRoot && parent.name() == "zookeeper");
  node.parent = parent_ref;
  node.name_and_flags = static_cast<uint32_t>(name.size()) | (undigested ? Node::kUndigested : 0);
  node.data_bytes = wire::is_absent(fields.data) ? Node::kNoData : static_cast<uint32_t>(fields.data.size());
  node.block = blocks.take(node.block_bytes());
  std::memcpy(node.block, name.data(), name.size());
  if (!fields.data.empty()) std::memcpy(node.block + name.size(), fields.data.data(), fields.data.size());
  node.content_crc = content_checksum(fields.path, fields.data);
  node.first_child = kNoNode;
  node.children = 0;
  node.set_stat(fields.stat);
  node.acl_slot = acls.slot_of(fields.acl);
  if (fields.acl != kOpenAcl) acls.add_user(fields.acl);
  link(node, ref);
  if (node.owner != 0) owners.add(ref, node.owner, kind(node));
  digest += digest_of(node);
  data_size += utf16_units(fields.path) + fields.data.size();
  ++node_count;
  if (undigested && is_limits_node(ref)) ++limits_nodes;
  if (walk != nullptr) walk->born(ref);
  return ref;
}

void TreeState::erase(NodeRef ref) {
  Node& node = nodes.at(ref);
  QUORATE_CHECK(ref != kRoot && node.children == 0);
  if (walk != nullptr) walk->before_change(ref);
  if (last_parent == ref) last_parent = kNoNode;
  if (!node.digested() && is_limits_node(ref)) --limits_nodes;
  digest -= digest_of(node);
  const std::string_view path = path_of(ref);
  data_size -= utf16_units(path) + node.data_length();
  --node_count;
  if (node.owner != 0) owners.remove(ref, node.owner, kind(node));
  index.erase(sip_hash(key, path), ref);
  unlink(node);
  acls.drop_user(acls.id_at(node.acl_slot));
  blocks.give_back(node.block, node.block_bytes());
  nodes.give_back(ref);
}

void TreeState::put_data(Node& node, std::string_view data) {
  const size_t name_bytes = node.name_bytes();
  const size_t old_bytes = node.block_bytes();
  const size_t new_bytes = name_bytes + data.size();
  if (BlockStore::same_class(old_bytes, new_bytes)) {
    if (!data.empty()) std::memmove(node.block + name_bytes, data.data(), data.size());
  } else {
    char* block = blocks.take(new_bytes);
    if (name_bytes > 0) std::memcpy(block, node.block, name_bytes);
    if (!data.empty()) std::memcpy(block + name_bytes, data.data(), data.size());
    blocks.give_back(node.block, old_bytes);
    node.block = block;
  }
  data_size += data.size() - node.data_length();
  node.data_bytes = wire::is_absent(data) ? Node::kNoData : static_cast<uint32_t>(data.size());
}

void TreeState::replace(NodeRef ref, const std::string_view* data, const wire::StatPersisted* stat) {
  if (walk != nullptr) walk->before_change(ref);
  Node& node = nodes.at(ref);
  digest -= digest_of(node);
  if (data != nullptr) {
    node.content_crc = content_checksum(path_of(ref), *data);
    put_data(node, *data);
  }
  if (stat != nullptr) {
    const bool new_owner = node.owner != stat->ephemeral_owner;
    if (new_owner && node.owner != 0) owners.remove(ref, node.owner, kind(node));
    node.set_stat(*stat);
    if (new_owner && node.owner != 0) owners.add(ref, node.owner, kind(node));
  }
  digest += digest_of(node);
}

void TreeState::set_acl(NodeRef ref, AclId acl) {
  if (walk != nullptr) walk->before_change(ref);
  Node& node = nodes.at(ref);
  const AclId old = acls.id_at(node.acl_slot);
  acls.add_user(acl);
  node.acl_slot = acls.slot_of(acl);
  acls.drop_user(old);
}

void TreeState::clear() {
  while (nodes.at(kRoot).children > 0) {
    NodeRef leaf = nodes.at(kRoot).first_child;
    while (nodes.at(leaf).first_child != kNoNode) leaf = nodes.at(leaf).first_child;
    erase(leaf);
  }
  const wire::StatPersisted zero;
  replace(kRoot, &kEmpty, &zero);
  set_acl(kRoot, kOpenAcl);
}

}  // namespace quorate::tree
