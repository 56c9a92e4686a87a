#include "sim/state_check.h"

#include <fmt/format.h>

#include "shell/storage/directory.h"
#include "shell/storage/log_reader.h"
#include "shell/storage/snapshot_file.h"
#include "sim/quota.h"
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

std::string compare_node(const tree::Tree& tree, tree::NodeRef at, const NodeVersion& wanted) {
  if (tree.stored_stat(at) != wanted.stat) {
    const wire::StatPersisted got = tree.stored_stat(at);
    return fmt::format("stat (mzxid {} not {}, pzxid {} not {}, version {} not {}, cversion {} not {})", got.mzxid,
                       wanted.stat.mzxid, got.pzxid, wanted.stat.pzxid, got.version, wanted.stat.version, got.cversion,
                       wanted.stat.cversion);
  }
  if (tree.child_count(at) != wanted.children) return "number of children";
  if (raw_acl(tree, at) != encode_acl(*wanted.acl)) return "access control list";
  return "";
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

/// The records of all logs, one behind the other.
class LogRecords {
 public:
  LogRecords(const History& history, int64_t oldest_snapshot) : history_(history), oldest_(oldest_snapshot) {}

  bool add(const storage::LogRecord& record) {
    const int64_t zxid = record.zxid.value;
    const bool follows = last_ != 0 && zxid == next_zxid(last_);
    if (!follows) {
      // Below the oldest snapshot a purge may have been cut short, or something could not be removed.
      if (last_ != 0 && zxid > next_zxid(oldest_)) wrong_ = fmt::format("zxid {} behind {}", zxid, last_);
      first_ = zxid;
    }
    const auto logged = history_.txns().find(zxid);
    if (logged == history_.txns().end() || logged->second.payload != record.payload) {
      wrong_ = fmt::format("zxid {} is not what was logged", zxid);
    }
    last_ = zxid;
    return wrong_.empty();
  }

  /// Is everything behind that snapshot here?
  bool reaches(int64_t snapshot) const {
    const bool has_next = first_ != 0 && first_ <= next_zxid(snapshot);
    return snapshot >= history_.last_zxid() || (has_next && last_ == history_.last_zxid());
  }
  int64_t last() const { return last_; }
  const std::string& wrong() const { return wrong_; }

 private:
  const History& history_;
  int64_t oldest_;
  int64_t first_ = 0;  ///< From here on without a gap.
  int64_t last_ = 0;
  std::string wrong_;
};

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
    wrong = wanted == nullptr ? std::string("exists, but must not") : compare_node(tree, at, *wanted);
    if (wrong.empty() && !shows_data(model, path, zxid, tree.data_of(at))) wrong = "data";
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
  LogRecords records(history, snapshots->snapshots.empty() ? 0 : snapshots->snapshots.front().zxid.value);
  for (const storage::NamedFile& file : logs->logs) {
    auto end = storage::read_log_file(view, directory + "/" + file.name, settings.recovery.max_buffer_bytes,
                                      [&](const storage::LogRecord& record) { return records.add(record); });
    if (!end) return "a log cannot be read: " + end.error().detail;
    if (!records.wrong().empty()) return fmt::format("{}: {}", file.name, records.wrong());
    if (end->leftover) return fmt::format("{}: unreadable bytes behind zxid {} were left", file.name, records.last());
  }
  for (const storage::NamedFile& snapshot : snapshots->snapshots) {
    if (!records.reaches(snapshot.zxid.value)) return fmt::format("{} needs logs that are missing", snapshot.name);
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
