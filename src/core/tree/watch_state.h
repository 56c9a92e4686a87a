#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "core/tree/watch_index.h"
#include "core/tree/watch_paths.h"
#include "core/tree/watch_slab.h"
#include "core/tree/watch_table.h"

/// The inside of WatchTables: watches of 24 bytes, each a member of two rings. Included by its two source files only.
namespace quorate::tree {

constexpr uint8_t kAllModes = kStandard | kPersistent | kRecursive;
constexpr uint32_t kMaxWatchers = 1u << 28;
constexpr uint32_t kMaxPaths = 1u << 30;

/// All modes of one connection on one path in one table. It is a member of two rings: the path's, recursive ones in
/// front, and the connection's.
struct Watch {
  uint32_t path_next = 0;
  uint32_t path_prev = 0;
  uint32_t own_next = 0;
  uint32_t own_prev = 0;
  uint32_t watcher_and_bits = 0;
  uint32_t place = 0;  ///< Path reference * 2 + table.

  static constexpr uint32_t kIndexed = 8;  ///< Above the modes; the watcher's number follows.
  static constexpr uint32_t kBits = 4;
  uint32_t watcher() const { return watcher_and_bits >> kBits; }
  bool indexed() const { return (watcher_and_bits & kIndexed) != 0; }
  uint8_t modes() const { return static_cast<uint8_t>(watcher_and_bits & kAllModes); }
  uint32_t path() const { return place / 2; }
  uint32_t table() const { return place % 2; }
};
static_assert(sizeof(Watch) == 24);

struct Watcher {
  ConnId conn;
  uint32_t first = 0;  ///< Its ring of watches.
  uint32_t data_paths_and_bits = kOpen;

  static constexpr uint32_t kTold = 1;  ///< The running trigger has named it.
  static constexpr uint32_t kOpen = 2;
  static constexpr uint32_t kOneDataPath = 4;  ///< What a watch in the data table adds; kMaxPaths of them fit.
  bool watches_data() const { return data_paths_and_bits >= kOneDataPath; }
};
static_assert(sizeof(Watcher) == 16);

/// The ring through these two fields; its owner holds the first member, whose predecessor is the last.
struct Ring {
  uint32_t Watch::* next;
  uint32_t Watch::* prev;
};
constexpr Ring kOfPath{&Watch::path_next, &Watch::path_prev};
constexpr Ring kOfWatcher{&Watch::own_next, &Watch::own_prev};

constexpr uint32_t number_of(WatcherId watcher) { return static_cast<uint32_t>(watcher); }
constexpr uint32_t number_of(WatchTable table) { return static_cast<uint32_t>(table); }

struct WatchTables::State {
  explicit State(uint64_t seed) : hash_seed(seed), paths(seed) {}

  uint32_t find(uint32_t watcher, uint32_t path, WatchTable table) const;
  void set_modes(uint32_t ref, uint8_t modes);
  void move_to_end(uint32_t ref, bool front);
  void ensure_indexed(uint32_t ref);
  uint32_t insert(uint32_t watcher, uint32_t path, WatchTable table);
  void erase(uint32_t ref);
  bool clear(uint32_t watcher, uint32_t path, WatchTable table, uint8_t modes);
  void fire(uint32_t path, WatchTable table, std::vector<ConnId>& out);
  void fire_recursive(uint32_t path, std::vector<ConnId>& out);
  void tell(uint32_t watcher, std::vector<ConnId>& out);
  void end_trigger();
  void settle();
  uint32_t hash_of(uint32_t ref) const;
  Watcher& opened(WatcherId watcher);
  size_t resident_bytes() const;

  template <class Visit>
  void each(Ring ring, uint32_t first, Visit&& visit) const {
    uint32_t ref = first;
    while (ref != 0) {
      const Watch& watch = watches[ref];
      visit(watch);
      ref = watch.*ring.next == first ? 0 : watch.*ring.next;
    }
  }

  uint64_t hash_seed;
  WatchPaths paths;
  WatchSlab<Watch> watches;
  WatchSlab<Watcher> watchers;
  /// (watcher, path, table) to watch, but for those that were alone on their path when they came: while such a one is
  /// the first of its ring, find() sees it without.
  WatchIndex index;
  std::array<size_t, 2> count{};
  size_t recursive = 0;
  size_t data_paths = 0;
  size_t data_watchers = 0;
  std::vector<ConnId> skipped;  ///< Of the running trigger, sorted.
  std::vector<uint32_t> told;   ///< Watchers that the running trigger has named.
};

}  // namespace quorate::tree
