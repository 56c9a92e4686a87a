#include "sim/watch_twin.h"

namespace quorate::sim {
namespace {

using wire::Event;

constexpr int64_t kNoTxn = -1;

void drop(WatchTwin::Table& table, const std::string& path, uint8_t modes) {
  const auto found = table.find(path);
  if (found == table.end()) return;
  found->second = static_cast<uint8_t>(found->second & ~modes);
  if (found->second == 0) table.erase(found);
}

uint8_t modes_at(const WatchTwin::Table& table, const std::string& path) {
  const auto found = table.find(path);
  return found == table.end() ? uint8_t{0} : found->second;
}

}  // namespace

void WatchTwin::advance(const History& history, int64_t zxid, const std::string& who) {
  if (seen_ >= zxid) return;
  const auto end = history.txns().upper_bound(zxid);
  for (auto txn = history.txns().upper_bound(seen_); txn != end; ++txn) {
    for (const NodeChange& change : txn->second.changes) apply(change, txn->first, who);
  }
  seen_ = zxid;
}

bool WatchTwin::trigger(Table& table, const std::string& path) {
  const uint8_t modes = modes_at(table, path);
  drop(table, path, kStandard);
  return modes != 0;
}

bool WatchTwin::has_recursive_above(const std::string& path) const {
  for (std::string at = path; at != "/";) {
    at = parent_path(at);
    if ((modes_at(data_, at) & kRecursive) != 0) return true;
  }
  return false;
}

void WatchTwin::apply(const NodeChange& change, int64_t zxid, const std::string& who) {
  const auto tell = [&](Event event, const std::string& path, const AclPtr& acl) {
    if (permits(acl, wire::kPermRead, who)) owed_.push_back({zxid, event, path});
  };
  const bool recursive = has_recursive_above(change.path);
  const bool by_data = trigger(data_, change.path) || recursive;
  if (by_data) tell(change.event, change.path, change.acl);
  if (change.event == Event::DataChanged) return;
  if (change.event == Event::Deleted && trigger(child_, change.path) && !by_data) {
    tell(change.event, change.path, change.acl);
  }
  const std::string parent = parent_path(change.path);
  if (trigger(child_, parent)) tell(Event::ChildrenChanged, parent, change.parent_acl);
}

bool WatchTwin::contains(const std::string& path, int32_t type) const {
  const uint8_t data = modes_at(data_, path);
  const uint8_t child = modes_at(child_, path);
  switch (type) {
    case 1:
      return (child & kStandard) != 0;
    case 2:
      return (data & kStandard) != 0;
    case 4:
      return (data & kPersistent) != 0;
    case 5:
      return (data & kRecursive) != 0;
    default:
      return data != 0 || child != 0;
  }
}

bool WatchTwin::remove(const std::string& path, int32_t type) {
  // By type: what goes from the data table, and from the child table.
  constexpr uint8_t kAll = 7;
  constexpr uint8_t kFromData[] = {0, 0, kStandard, kAll, kPersistent, kRecursive};
  constexpr uint8_t kFromChild[] = {0, kStandard, 0, kAll, kPersistent, 0};
  const bool found = contains(path, type);
  drop(data_, path, kFromData[type]);
  drop(child_, path, kFromChild[type]);
  return found;
}

std::vector<ExpectedEvent> WatchTwin::restore(const Model& model, const WatchLists& lists, int64_t zxid) {
  std::vector<ExpectedEvent> told;
  for (const std::string& path : lists.data) {
    const NodeVersion* node = model.at(path, zxid);
    if (node == nullptr) {
      told.push_back({kNoTxn, Event::Deleted, path});
    } else if (node->stat.mzxid > lists.seen_zxid) {
      told.push_back({kNoTxn, Event::DataChanged, path});
    } else {
      add_data(path, kStandard);
    }
  }
  for (const std::string& path : lists.exist) {
    if (model.at(path, zxid) != nullptr) {
      told.push_back({kNoTxn, Event::Created, path});
    } else {
      add_data(path, kStandard);
    }
  }
  for (const std::string& path : lists.child) {
    const NodeVersion* node = model.at(path, zxid);
    if (node == nullptr) {
      told.push_back({kNoTxn, Event::Deleted, path});
    } else if (node->stat.pzxid > lists.seen_zxid) {
      told.push_back({kNoTxn, Event::ChildrenChanged, path});
    } else {
      add_child(path, kStandard);
    }
  }
  for (const std::string& path : lists.persistent) {
    add_data(path, kPersistent);
    add_child(path, kPersistent);
  }
  for (const std::string& path : lists.recursive) add_data(path, kRecursive);
  return told;
}

}  // namespace quorate::sim
