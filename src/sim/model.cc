#include "sim/model.h"

#include <algorithm>

namespace quorate::sim {

std::string parent_path(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool permits(const AclPtr& acl, int32_t wanted, const std::string& who) {
  return std::ranges::any_of(*acl, [&](const AclEntry& entry) {
    const bool meant = entry.scheme == "world" || (entry.scheme == "digest" && !who.empty() && entry.id == who);
    return meant && (entry.perms & wanted) != 0;
  });
}

const NodeVersion* Model::at(const std::string& path, int64_t zxid) const {
  const auto found = nodes_.find(path);
  if (found == nodes_.end()) return nullptr;
  const std::vector<NodeVersion>& versions = found->second;
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    if (version->zxid <= zxid) return version->exists ? &*version : nullptr;
  }
  return nullptr;
}

NodeVersion& Model::edit(const std::string& path, int64_t zxid) {
  std::vector<NodeVersion>& versions = nodes_[path];
  if (versions.empty() || versions.back().zxid != zxid) {
    NodeVersion next = versions.empty() ? NodeVersion() : versions.back();
    next.zxid = zxid;
    versions.push_back(std::move(next));
    edits_.emplace_back(zxid, path);
  }
  return versions.back();
}

void Model::roll_back_to(int64_t zxid) {
  while (!edits_.empty() && edits_.back().first > zxid) {
    const auto found = nodes_.find(edits_.back().second);
    found->second.pop_back();
    if (found->second.empty()) nodes_.erase(found);
    edits_.pop_back();
  }
  std::erase_if(sessions, [zxid](const auto& entry) { return entry.second.created_zxid > zxid; });
  for (auto& [id, session] : sessions) {
    if (session.closed_zxid > zxid) session.closed_zxid = 0;
  }
}

std::vector<std::string> Model::below(const std::string& path, int64_t zxid) const {
  const std::string prefix = path == "/" ? "/" : path + "/";
  std::vector<std::string> paths;
  for (auto node = nodes_.lower_bound(prefix); node != nodes_.end() && node->first.starts_with(prefix); ++node) {
    if (node->first != "/" && at(node->first, zxid) != nullptr) paths.push_back(node->first);
  }
  return paths;
}

std::vector<std::string> Model::children(const std::string& path, int64_t zxid) const {
  const size_t prefix = path == "/" ? 1 : path.size() + 1;
  std::vector<std::string> names;
  for (const std::string& node : below(path, zxid)) {
    if (node.find('/', prefix) == node.npos) names.push_back(node.substr(prefix));
  }
  return names;
}

std::vector<std::string> Model::ephemerals_of(int64_t session, int64_t zxid) const {
  std::vector<std::string> paths;
  for (const auto& [path, versions] : nodes_) {
    const NodeVersion* node = at(path, zxid);
    if (node != nullptr && node->stat.ephemeral_owner == session && is_ephemeral(*node)) paths.push_back(path);
  }
  return paths;
}

bool Model::is_ephemeral(const NodeVersion& node) const {
  const int64_t owner = node.stat.ephemeral_owner;
  if (owner == 0 || owner == wire::kContainerOwner) return false;
  const auto bits = static_cast<uint64_t>(owner);
  return !rules.extended_types || (bits & wire::kTtlOwnerMark) != wire::kTtlOwnerMark;
}

wire::Stat Model::client_stat(const NodeVersion& node) const {
  const wire::StatPersisted& stored = node.stat;
  return {.czxid = stored.czxid,
          .mzxid = stored.mzxid,
          .ctime = stored.ctime,
          .mtime = stored.mtime,
          .version = stored.version,
          .cversion = 2 * stored.cversion - node.children,
          .aversion = stored.aversion,
          .ephemeral_owner = is_ephemeral(node) ? stored.ephemeral_owner : 0,
          .data_length = node.data_bytes(),
          .num_children = node.children,
          .pzxid = stored.pzxid};
}

}  // namespace quorate::sim
