#include "core/auth/standard_text.h"
#include "core/replica/reads.h"
#include "wire/record.h"

/// Requests that concern watches alone. None looks at ACLs or demands that a node exists. Spec: client 7.1, 7.7, 7.9.
namespace quorate::replica {
namespace {

using wire::Code;
using wire::Event;

constexpr Zxid kNoTxn{-1};  ///< In notifications that no txn caused. Spec: client 7.6.

bool complete(const wire::StringVector& paths) {
  bool whole = !paths.absent();
  paths.each([&whole](const wire::StringItem& path) { whole = whole && !wire::is_absent(path.text); });
  return whole;
}

/// A record of either type as the wider one; the lists that setWatches has not are left without items.
bool take(wire::Op op, wire::Decoder& in, wire::SetWatches2Request& request) {
  if (op == wire::Op::SetWatches2) {
    return wire::decode(in, request) && complete(request.persistent_watches) && complete(request.recursive_watches);
  }
  wire::SetWatchesRequest first;
  if (!wire::decode(in, first)) return false;
  request = {.relative_zxid = first.relative_zxid,
             .data_watches = first.data_watches,
             .exist_watches = first.exist_watches,
             .child_watches = first.child_watches,
             .persistent_watches = {},
             .recursive_watches = {}};
  return true;
}

bool take(wire::Decoder& in, wire::WatcherTypeRequest& request) {
  return wire::decode(in, request) && request.type >= 1 && request.type <= 5;
}

}  // namespace

Code Reads::add_watch(Connection& connection, wire::Decoder in) {
  wire::AddWatchRequest request;
  if (!wire::decode(in, request)) return Code::MarshallingError;
  if (request.mode != 0 && request.mode != 1) return Code::MarshallingError;
  if (request.mode == 1) {
    watch(connection, tree::WatchTable::Data, request.path, tree::kRecursive);
  } else {
    watch(connection, tree::WatchTable::Data, request.path, tree::kPersistent);
    watch(connection, tree::WatchTable::Child, request.path, tree::kPersistent);
  }
  wire::Encoder(connection.out).i32(0);
  return Code::Ok;
}

Code Reads::check_watches(const Connection& connection, wire::Decoder in) const {
  wire::WatcherTypeRequest request;
  if (!take(in, request)) return Code::MarshallingError;
  const bool found =
      connection.watcher.has_value() && watches_.contains(*connection.watcher, request.path, request.type);
  return found ? Code::Ok : Code::NoWatcher;
}

Code Reads::remove_watches(const Connection& connection, wire::Decoder in) {
  wire::WatcherTypeRequest request;
  if (!take(in, request)) return Code::MarshallingError;
  const bool removed =
      connection.watcher.has_value() && watches_.remove(*connection.watcher, request.path, request.type);
  return removed ? Code::Ok : Code::NoWatcher;
}

Code Reads::set_watches(Connection& connection, wire::Op op, wire::Decoder in) {
  wire::SetWatches2Request request;
  if (!take(op, in, request)) return Code::MarshallingError;
  if (!complete(request.data_watches) || !complete(request.exist_watches) || !complete(request.child_watches)) {
    return Code::MarshallingError;
  }
  const int64_t seen = request.relative_zxid;
  using Path = const wire::StringItem&;
  request.data_watches.each([&](Path path) { restore_data_watch(connection, path.text, seen); });
  request.exist_watches.each([&](Path path) { restore_exist_watch(connection, path.text); });
  request.child_watches.each([&](Path path) { restore_child_watch(connection, path.text, seen); });
  request.persistent_watches.each([&](Path path) {
    watch(connection, tree::WatchTable::Data, path.text, tree::kPersistent);
    watch(connection, tree::WatchTable::Child, path.text, tree::kPersistent);
  });
  request.recursive_watches.each(
      [&](Path path) { watch(connection, tree::WatchTable::Data, path.text, tree::kRecursive); });
  return Code::Ok;
}

void Reads::tell_missed(Connection& connection, Event event, std::string_view path) {
  if (auth::is_standard_utf8(path)) {
    notify(connection, event, path, kNoTxn);
  } else {
    notify(connection, event, auth::standard_utf8(path), kNoTxn);
  }
  ++connection.stats.sent;
}

void Reads::restore_data_watch(Connection& connection, std::string_view path, int64_t seen_zxid) {
  const tree::NodeRef node = tree_.find(path);
  if (node == tree::kNoNode) return tell_missed(connection, Event::Deleted, path);
  if (tree_.stored_stat(node).mzxid > seen_zxid) return tell_missed(connection, Event::DataChanged, path);
  watch(connection, tree::WatchTable::Data, path, tree::kStandard);
}

void Reads::restore_exist_watch(Connection& connection, std::string_view path) {
  // Any existing node counts as created, however old it is.
  if (tree_.find(path) != tree::kNoNode) return tell_missed(connection, Event::Created, path);
  watch(connection, tree::WatchTable::Data, path, tree::kStandard);
}

void Reads::restore_child_watch(Connection& connection, std::string_view path, int64_t seen_zxid) {
  const tree::NodeRef node = tree_.find(path);
  if (node == tree::kNoNode) return tell_missed(connection, Event::Deleted, path);
  if (tree_.stored_stat(node).pzxid > seen_zxid) return tell_missed(connection, Event::ChildrenChanged, path);
  watch(connection, tree::WatchTable::Child, path, tree::kStandard);
}

void Reads::watch(Connection& connection, tree::WatchTable table, std::string_view path, tree::WatchMode mode) {
  // The tables were already cleared of a closed connection; nobody would remove this entry (known-faults R-W1).
  if (connection.phase == Phase::Closed) return;
  // No node will ever have an absent path, or one that is not UTF-8; they are kept as operators are shown them.
  if (wire::is_absent(path)) return;
  if (!auth::is_standard_utf8(path)) return watch(connection, table, auth::standard_utf8(path), mode);
  if (!connection.watcher) connection.watcher = watches_.open(connection.id);
  watches_.add(*connection.watcher, table, path, mode);
}

}  // namespace quorate::replica
