#include "sim/state_check.h"

#include <fmt/format.h>

#include <optional>

#include "shell/storage/directory.h"
#include "shell/storage/log_reader.h"
#include "shell/storage/snapshot_file.h"
#include "sim/view_disk.h"

namespace quorate::sim {
namespace {

const Acl kOpen{{wire::kPermAll, "world", "anyone"}};

std::string raw_acl(const tree::Tree& tree, tree::NodeRef node) {
  const tree::AclId id = tree.acl_of(node);
  return id == tree::kOpenAcl ? encode_acl(kOpen) : std::string(tree.acls().raw(id));
}

AclPtr decode_acl(std::string_view raw) {
  auto acl = std::make_shared<Acl>();
  wire::AclVector::trusted(raw).each(
      [&](const wire::AclItem& item) { acl->push_back({item.perms, std::string(item.scheme), std::string(item.id)}); });
  return acl;
}

template <class Visit>
void each_node(const tree::Tree& tree, Visit&& visit) {
  visit(tree::kRoot);
  for (tree::NodeRef at = tree.next_below(tree::kRoot, tree::kRoot); at != tree::kNoNode;
       at = tree.next_below(tree::kRoot, at)) {
    visit(at);
  }
}

std::string compare_node(const tree::Tree& tree, tree::NodeRef at, const std::string& path, const NodeVersion& wanted) {
  if (tree.stored_stat(at) != wanted.stat) {
    const wire::StatPersisted got = tree.stored_stat(at);
    return fmt::format("stat (mzxid {} not {}, pzxid {} not {}, version {} not {}, cversion {} not {})", got.mzxid,
                       wanted.stat.mzxid, got.pzxid, wanted.stat.pzxid, got.version, wanted.stat.version, got.cversion,
                       wanted.stat.cversion);
  }
  if (tree.child_count(at) != wanted.children) return "number of children";
  if (raw_acl(tree, at) != encode_acl(*wanted.acl)) return "access control list";
  const std::string_view data = tree.data_of(at);
  const bool same = wanted.data == nullptr ? wire::is_absent(data) : !wire::is_absent(data) && data == *wanted.data;
  return same || path.ends_with("/zookeeper_stats") ? "" : "data";
}

std::string compare_sessions(const tree::SessionList& sessions, const Model& model, int64_t zxid) {
  size_t live = 0;
  for (const auto& [id, fact] : model.sessions) {
    if (fact.created_zxid > zxid || (fact.closed_zxid != 0 && fact.closed_zxid <= zxid)) continue;
    ++live;
    const auto found = sessions.all().find(SessionId{id});
    if (found == sessions.all().end()) return fmt::format("session 0x{:x} is missing", static_cast<uint64_t>(id));
    if (found->second != fact.timeout_ms) return fmt::format("timeout of session 0x{:x}", static_cast<uint64_t>(id));
  }
  return live == sessions.size() ? "" : fmt::format("{} sessions, must be {}", sessions.size(), live);
}

}  // namespace

void seed_model(const tree::Tree& tree, Model& model) {
  each_node(tree, [&](tree::NodeRef at) {
    NodeVersion& node = model.edit(tree.path_of(at), 0);
    node.exists = true;
    node.stat = tree.stored_stat(at);
    node.children = tree.child_count(at);
    const std::string_view data = tree.data_of(at);
    if (!wire::is_absent(data)) node.data = std::make_shared<const std::string>(data);
    node.acl = decode_acl(raw_acl(tree, at));
  });
}

std::string compare_state(const tree::Tree& tree, const tree::SessionList& sessions, const Model& model, int64_t zxid) {
  std::string wrong;
  size_t count = 0;
  each_node(tree, [&](tree::NodeRef at) {
    ++count;
    if (!wrong.empty()) return;
    const std::string path = tree.path_of(at);
    const NodeVersion* wanted = model.at(path, zxid);
    wrong = wanted == nullptr ? std::string("exists, but must not") : compare_node(tree, at, path, *wanted);
    if (!wrong.empty()) wrong = fmt::format("{} at zxid {}: {}", path, zxid, wrong);
  });
  if (!wrong.empty()) return wrong;
  const size_t wanted = model.all(zxid).size() + 1;
  if (count != wanted) return fmt::format("{} nodes at zxid {}, must be {}", count, zxid, wanted);
  return compare_sessions(sessions, model, zxid);
}

std::string check_logs(const SimDisk& disk, const node::NodeSettings& settings, const History& history) {
  ViewDisk view(disk);
  const std::string& directory = settings.recovery.log_directory;
  auto logs = storage::list_directory(view, directory);
  auto snapshots = storage::list_directory(view, settings.recovery.snapshot_directory);
  if (!logs || !snapshots) return "a directory cannot be listed";
  const int64_t oldest = snapshots->snapshots.empty() ? 0 : snapshots->snapshots.front().zxid.value;
  std::string wrong;
  int64_t last = 0;  // of the records read
  std::optional<int64_t> first;
  for (const storage::NamedFile& file : logs->logs) {
    auto end = storage::read_log_file(view, directory + "/" + file.name, settings.recovery.max_buffer_bytes,
                                      [&](const storage::LogRecord& record) {
                                        const int64_t zxid = record.zxid.value;
                                        if (!first) first = zxid;
                                        // Below the oldest snapshot a purge may have been cut short, or something could
                                        // not be removed.
                                        const bool gap = last != 0 && zxid != last + 1;
                                        if (gap && zxid <= oldest + 1) first = zxid;
                                        if (gap && zxid > oldest + 1)
                                          wrong = fmt::format("{}: zxid {} behind {}", file.name, zxid, last);
                                        if (zxid > history.last_zxid() || history.txn(zxid).payload != record.payload) {
                                          wrong = fmt::format("{}: zxid {} is not what was logged", file.name, zxid);
                                        }
                                        last = zxid;
                                        return wrong.empty();
                                      });
    if (!end) return "a log cannot be read: " + end.error().detail;
    if (!wrong.empty()) return wrong;
    if (end->leftover) return fmt::format("{}: unreadable bytes behind zxid {} were left", file.name, last);
  }
  for (const storage::NamedFile& snapshot : snapshots->snapshots) {
    const bool reached = snapshot.zxid.value >= history.last_zxid() || (first && *first <= snapshot.zxid.value + 1);
    if (!reached) return fmt::format("the logs start behind {}, which needs them", snapshot.name);
  }
  return "";
}

std::string check_snapshots(const SimDisk& disk, const node::NodeSettings& settings) {
  ViewDisk view(disk);
  const std::string& directory = settings.recovery.snapshot_directory;
  auto files = storage::list_directory(view, directory);
  if (!files) return "";
  for (const storage::NamedFile& file : files->snapshots) {
    auto facts = storage::verify_snapshot(view, directory, file.name, settings.recovery.max_buffer_bytes);
    if (!facts) return fmt::format("{} is not whole: {}", file.name, facts.error().detail);
  }
  return "";
}

std::string check_snapshot(const SimDisk& disk, const node::NodeSettings& settings, Zxid zxid, const Model& model) {
  ViewDisk view(disk);
  const std::string name =
      storage::hex_name("snapshot.", zxid).append(storage::ending_of(settings.snapshot.compression));
  tree::Tree tree(settings.recovery.hash_key, settings.recovery.tree_options);
  tree::SessionList sessions;
  auto facts = storage::load_snapshot(view, settings.recovery.snapshot_directory, name,
                                      settings.recovery.max_buffer_bytes, tree, sessions);
  if (!facts) return fmt::format("{} does not load: {}", name, facts.error().detail);
  const std::string wrong = compare_state(tree, sessions, model, zxid.value);
  return wrong.empty() ? "" : fmt::format("{}: {}", name, wrong);
}

}  // namespace quorate::sim
