#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"

/// Watches: per connection, in two tables (data, child) of path to modes. Compact: paths are interned once, entries
/// hold 32-bit ids; a watch on a path of its own, of 20 to 30 bytes, costs at most 100 bytes with its connection's 16,
/// one of many on the same path at most 40. They belong to the connection and die with it. Single-threaded,
/// deterministic order. Spec: client 7; known-faults 1.2.
namespace quorate::tree {

/// Modes accumulate on one (connection, path). Spec: client 7.1.
enum WatchMode : uint8_t { kStandard = 1, kPersistent = 2, kRecursive = 4 };
enum class WatchTable : uint8_t { Data, Child };

/// Dense number of a connection inside the watch tables, given out and reused by WatchTables.
enum class WatcherId : uint32_t {};

class WatchTables {
 public:
  /// `hash_seed` should be a secret in a server: clients choose the paths.
  explicit WatchTables(uint64_t hash_seed = 0);
  ~WatchTables();

  WatchTables(const WatchTables&) = delete;
  WatchTables& operator=(const WatchTables&) = delete;

  WatcherId open(ConnId conn);
  /// Removes every watch of the connection and frees the id. Using a closed id, or closing it twice, is a broken
  /// invariant: the caller drops queued requests of a dead connection. Spec: client 7.8, known-faults R-W.
  void close(WatcherId watcher);

  /// Requires: recursive watches go to the data table only. Persistent ones are added to both, one call each.
  void add(WatcherId watcher, WatchTable table, std::string_view path, WatchMode mode);
  /// Spec: client 7.9. `type` as on the wire (1 child, 2 data, 3 any, 4 persistent, 5 recursive).
  bool contains(WatcherId watcher, std::string_view path, int32_t type) const;
  /// True when something was removed.
  bool remove(WatcherId watcher, std::string_view path, int32_t type);

  /// Appends the connections to be told of a change at `path` in that table; standard registrations at `path` are
  /// removed. With the data table, connections with a recursive watch on any ancestor are included. Each connection is
  /// named once: those of `path`, recursive ones first, then those of "/" and so on down to the parent.
  /// `skip` (may be null, may be `out`) are connections that got the event in an earlier step. Spec: client 7.2.
  void trigger(WatchTable table, std::string_view path, const std::vector<ConnId>* skip, std::vector<ConnId>& out);

  /// Cheap test for the hot path: no watch exists at all.
  bool empty() const;
  /// Numbers for wchs, wchc, wchp (data table only) and zk_watch_count (both). Spec: operations 2.4.
  size_t data_watches() const;
  size_t child_watches() const;
  size_t data_paths() const;
  size_t data_watchers() const;
  std::vector<std::string> paths_of(WatcherId watcher) const;  ///< Data table; ascending.
  /// Data table; ascending by path.
  std::vector<std::pair<std::string, std::vector<ConnId>>> by_path() const;
  /// Memory held. Goes back to almost nothing when the last watch is gone.
  size_t resident_bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quorate::tree
