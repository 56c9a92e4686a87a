#include "core/tree/watch_table.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/planted.h"
#include "core/tree/watch_index.h"
#include "core/tree/watch_paths.h"
#include "core/tree/watch_slab.h"

namespace quorate::tree {

namespace {

constexpr uint32_t kModeBits = 3;
constexpr uint8_t kAllModes = kStandard | kPersistent | kRecursive;
constexpr uint32_t kMaxWatchers = 1u << (32 - kModeBits);
constexpr uint32_t kMaxPaths = 1u << 31;

/// All modes of one connection on one path in one table. It is a member of two rings: the path's, in registration
/// order, and the connection's.
struct Watch {
  uint32_t path_next = 0;
  uint32_t path_prev = 0;
  uint32_t own_next = 0;
  uint32_t own_prev = 0;
  uint32_t watcher_and_modes = 0;
  uint32_t place = 0;  ///< Path reference * 2 + table.

  uint32_t watcher() const { return watcher_and_modes >> kModeBits; }
  uint8_t modes() const { return static_cast<uint8_t>(watcher_and_modes & kAllModes); }
  uint32_t path() const { return place / 2; }
  uint32_t table() const { return place % 2; }
};
static_assert(sizeof(Watch) == 24);

struct Watcher {
  ConnId conn;
  uint64_t told = 0;        ///< Number of the last trigger that named it.
  uint32_t first = 0;       ///< Its ring of watches.
  uint32_t data_paths = 0;  ///< Its watches in the data table.
  bool open = true;
};

/// The ring through these two fields; its owner holds the first member, whose predecessor is the last.
struct Ring {
  uint32_t Watch::* next;
  uint32_t Watch::* prev;
};
constexpr Ring kOfPath{&Watch::path_next, &Watch::path_prev};
constexpr Ring kOfWatcher{&Watch::own_next, &Watch::own_prev};

void link_last(WatchSlab<Watch>& watches, Ring ring, uint32_t& first, uint32_t ref) {
  if (first == 0) first = ref;
  const uint32_t last = first == ref ? ref : watches[first].*ring.prev;
  watches[ref].*ring.prev = last;
  watches[ref].*ring.next = first;
  watches[last].*ring.next = ref;
  watches[first].*ring.prev = ref;
}

void unlink(WatchSlab<Watch>& watches, Ring ring, uint32_t& first, uint32_t ref) {
  const uint32_t next = watches[ref].*ring.next;
  const uint32_t prev = watches[ref].*ring.prev;
  watches[prev].*ring.next = next;
  watches[next].*ring.prev = prev;
  if (first == ref) first = next == ref ? 0 : next;
}

/// Which modes a watcher type means in each table. Spec: client 7.9.
struct Meaning {
  uint8_t data = 0;
  uint8_t child = 0;
};

Meaning meaning_of(int32_t type) {
  switch (type) {
    case 1:
      return {0, kStandard};
    case 2:
      return {kStandard, 0};
    case 3:
      return {kAllModes, kAllModes};
    case 4:
      return {kPersistent, kPersistent};
    case 5:
      return {kRecursive, 0};
    default:
      return {};
  }
}

uint32_t pair_hash(uint32_t watcher, uint32_t place) {
  uint64_t x = (static_cast<uint64_t>(watcher) << 32 | place) * 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 32)) * 0xD6E8FEB86659FD93ULL;
  return static_cast<uint32_t>(x >> 32);
}

constexpr uint32_t number_of(WatcherId watcher) { return static_cast<uint32_t>(watcher); }
constexpr uint32_t number_of(WatchTable table) { return static_cast<uint32_t>(table); }

}  // namespace

struct WatchTables::State {
  explicit State(uint64_t seed) : hash_seed(seed), paths(seed) {}

  uint32_t find(uint32_t watcher, uint32_t path, WatchTable table) const;
  void set_modes(uint32_t ref, uint8_t modes);
  uint32_t insert(uint32_t watcher, uint32_t path, WatchTable table);
  void erase(uint32_t ref);
  bool clear(uint32_t watcher, uint32_t path, WatchTable table, uint8_t modes);
  void fire(uint32_t path, WatchTable table, std::vector<ConnId>& out);
  void fire_recursive(uint32_t path, std::vector<ConnId>& out);
  void tell(Watcher& watcher, std::vector<ConnId>& out) const;
  void settle();
  uint32_t hash_of(uint32_t ref) const { return pair_hash(watches[ref].watcher(), watches[ref].place); }
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
  WatchIndex index;  ///< (watcher, path, table) to watch.
  std::array<size_t, 2> count{};
  size_t recursive = 0;
  size_t data_paths = 0;
  size_t data_watchers = 0;
  uint64_t triggers = 0;
  std::vector<ConnId> skipped;  ///< Of the running trigger, sorted.
};

Watcher& WatchTables::State::opened(WatcherId watcher) {
  Watcher& found = watchers[number_of(watcher)];
  QUORATE_CHECK(found.open);
  return found;
}

uint32_t WatchTables::State::find(uint32_t watcher, uint32_t path, WatchTable table) const {
  const uint32_t place = path * 2 + number_of(table);
  return index.find(pair_hash(watcher, place),
                    [&](uint32_t ref) { return watches[ref].place == place && watches[ref].watcher() == watcher; });
}

void WatchTables::State::set_modes(uint32_t ref, uint8_t modes) {
  Watch& watch = watches[ref];
  const uint32_t gained = (modes & kRecursive) != 0 ? 1 : 0;
  const uint32_t lost = (watch.modes() & kRecursive) != 0 ? 1 : 0;
  paths[watch.path()].recursive += gained - lost;
  recursive += gained;
  recursive -= lost;
  watch.watcher_and_modes = watch.watcher() << kModeBits | modes;
}

uint32_t WatchTables::State::insert(uint32_t watcher, uint32_t path, WatchTable table) {
  const uint32_t ref = watches.take();
  watches[ref].place = path * 2 + number_of(table);
  watches[ref].watcher_and_modes = watcher << kModeBits;
  uint32_t& first = paths[path].first[number_of(table)];
  ++count[number_of(table)];
  if (table == WatchTable::Data) {
    if (first == 0) ++data_paths;
    if (watchers[watcher].data_paths++ == 0) ++data_watchers;
  }
  link_last(watches, kOfPath, first, ref);
  link_last(watches, kOfWatcher, watchers[watcher].first, ref);
  index.insert(ref, [this](uint32_t item) { return hash_of(item); });
  return ref;
}

void WatchTables::State::erase(uint32_t ref) {
  set_modes(ref, 0);
  index.erase(ref, [this](uint32_t item) { return hash_of(item); });
  const Watch& watch = watches[ref];
  Watcher& watcher = watchers[watch.watcher()];
  WatchPath& path = paths[watch.path()];
  unlink(watches, kOfPath, path.first[watch.table()], ref);
  unlink(watches, kOfWatcher, watcher.first, ref);
  --count[watch.table()];
  if (watch.table() == number_of(WatchTable::Data)) {
    if (path.first[watch.table()] == 0) --data_paths;
    if (--watcher.data_paths == 0) --data_watchers;
  }
  if (path.first[0] == 0 && path.first[1] == 0) paths.drop(watch.path());
  watches.give_back(ref);
}

/// Takes the modes away; true when one was there.
bool WatchTables::State::clear(uint32_t watcher, uint32_t path, WatchTable table, uint8_t modes) {
  const uint32_t ref = find(watcher, path, table);
  if (ref == 0 || (watches[ref].modes() & modes) == 0) return false;
  const auto rest = static_cast<uint8_t>(watches[ref].modes() & ~modes);
  if (rest == 0) {
    erase(ref);
  } else {
    set_modes(ref, rest);
  }
  return true;
}

void WatchTables::State::tell(Watcher& watcher, std::vector<ConnId>& out) const {
  if (watcher.told == triggers) return;
  watcher.told = triggers;
  if (!std::ranges::binary_search(skipped, watcher.conn)) out.push_back(watcher.conn);
}

void WatchTables::State::fire(uint32_t path, WatchTable table, std::vector<ConnId>& out) {
  uint32_t ref = paths[path].first[number_of(table)];
  if (ref == 0) return;
  // The path itself is dropped with its last watch, so the end is known before the walk starts.
  const uint32_t last = watches[ref].path_prev;
  for (bool more = true; more;) {
    const Watch& watch = watches[ref];
    const uint32_t next = watch.path_next;
    more = ref != last;
    tell(watchers[watch.watcher()], out);
    const auto rest = static_cast<uint8_t>(watch.modes() & ~kStandard);
    if (rest == 0) {
      erase(ref);
    } else {
      set_modes(ref, rest);
    }
    ref = next;
  }
}

void WatchTables::State::fire_recursive(uint32_t path, std::vector<ConnId>& out) {
  uint32_t left = paths[path].recursive;
  for (uint32_t ref = paths[path].first[number_of(WatchTable::Data)]; left > 0; ref = watches[ref].path_next) {
    if ((watches[ref].modes() & kRecursive) == 0) continue;
    tell(watchers[watches[ref].watcher()], out);
    --left;
  }
}

/// An empty table gives its memory back, unless it is too little to be worth the trouble.
void WatchTables::State::settle() {
  constexpr size_t kWorthIt = 1 << 20;
  if (watches.live() > 0 || watches.resident_bytes() + paths.resident_bytes() < kWorthIt) return;
  watches = {};
  index = {};
  paths = WatchPaths(hash_seed);
  skipped = {};
}

size_t WatchTables::State::resident_bytes() const {
  return paths.resident_bytes() + watches.resident_bytes() + watchers.resident_bytes() + index.resident_bytes() +
         skipped.capacity() * sizeof(ConnId);
}

WatchTables::WatchTables(uint64_t hash_seed) : state_(std::make_unique<State>(hash_seed)) {}
WatchTables::~WatchTables() = default;

WatcherId WatchTables::open(ConnId conn) {
  const uint32_t number = state_->watchers.take();
  QUORATE_CHECK(number < kMaxWatchers);
  state_->watchers[number].conn = conn;
  return WatcherId{number};
}

void WatchTables::close(WatcherId watcher) {
  Watcher& closing = state_->opened(watcher);
  closing.open = false;
  if (planted(Planted::WatchNotRemoved)) return;
  while (closing.first != 0) state_->erase(closing.first);
  state_->watchers.give_back(number_of(watcher));
  state_->settle();
}

void WatchTables::add(WatcherId watcher, WatchTable table, std::string_view path, WatchMode mode) {
  QUORATE_CHECK(table == WatchTable::Data || mode != kRecursive);
  state_->opened(watcher);
  const uint32_t on = state_->paths.intern(path);
  QUORATE_CHECK(on < kMaxPaths);
  uint32_t ref = state_->find(number_of(watcher), on, table);
  if (ref == 0) ref = state_->insert(number_of(watcher), on, table);
  state_->set_modes(ref, static_cast<uint8_t>(state_->watches[ref].modes() | mode));
}

bool WatchTables::contains(WatcherId watcher, std::string_view path, int32_t type) const {
  state_->opened(watcher);
  const uint32_t on = state_->paths.find(path);
  if (on == 0) return false;
  const auto has = [&](WatchTable table, uint8_t modes) {
    const uint32_t ref = state_->find(number_of(watcher), on, table);
    return ref != 0 && (state_->watches[ref].modes() & modes) != 0;
  };
  const Meaning meant = meaning_of(type);
  // Compat: the check for a persistent watch looks at the data table alone, its removal at both.
  const bool in_child = type != 4 && has(WatchTable::Child, meant.child);
  return in_child || has(WatchTable::Data, meant.data);
}

bool WatchTables::remove(WatcherId watcher, std::string_view path, int32_t type) {
  state_->opened(watcher);
  const Meaning meant = meaning_of(type);
  bool removed = false;
  for (const auto& [table, modes] :
       {std::pair{WatchTable::Data, meant.data}, std::pair{WatchTable::Child, meant.child}}) {
    // Looked up anew: the path goes with its last watch.
    const uint32_t on = state_->paths.find(path);
    if (on != 0 && state_->clear(number_of(watcher), on, table, modes)) removed = true;
  }
  state_->settle();
  return removed;
}

void WatchTables::trigger(WatchTable table, std::string_view path, const std::vector<ConnId>* skip,
                          std::vector<ConnId>& out) {
  if (state_->count[number_of(table)] == 0) return;
  ++state_->triggers;
  state_->skipped.clear();
  if (skip != nullptr) state_->skipped = *skip;
  std::ranges::sort(state_->skipped);
  if (const uint32_t on = state_->paths.find(path); on != 0) state_->fire(on, table, out);
  if (table == WatchTable::Data && state_->recursive > 0) {
    state_->paths.each_ancestor(path, [&](uint32_t ancestor) { state_->fire_recursive(ancestor, out); });
  }
  state_->settle();
}

bool WatchTables::empty() const { return state_->watches.live() == 0; }
size_t WatchTables::data_watches() const { return state_->count[number_of(WatchTable::Data)]; }
size_t WatchTables::child_watches() const { return state_->count[number_of(WatchTable::Child)]; }
size_t WatchTables::data_paths() const { return state_->data_paths; }
size_t WatchTables::data_watchers() const { return state_->data_watchers; }
size_t WatchTables::resident_bytes() const { return state_->resident_bytes(); }

std::vector<std::string> WatchTables::paths_of(WatcherId watcher) const {
  std::vector<std::string> found;
  state_->each(kOfWatcher, state_->opened(watcher).first, [&](const Watch& watch) {
    if (watch.table() == number_of(WatchTable::Data)) found.emplace_back(state_->paths.text(watch.path()));
  });
  std::ranges::sort(found);
  return found;
}

std::vector<std::pair<std::string, std::vector<ConnId>>> WatchTables::by_path() const {
  std::vector<uint32_t> watched;
  state_->paths.each([&](uint32_t path) {
    if (state_->paths[path].first[number_of(WatchTable::Data)] != 0) watched.push_back(path);
  });
  std::ranges::sort(watched, {}, [&](uint32_t path) { return state_->paths.text(path); });
  std::vector<std::pair<std::string, std::vector<ConnId>>> found;
  found.reserve(watched.size());
  for (const uint32_t path : watched) {
    auto& [text, conns] = found.emplace_back(state_->paths.text(path), std::vector<ConnId>());
    state_->each(kOfPath, state_->paths[path].first[number_of(WatchTable::Data)],
                 [&](const Watch& watch) { conns.push_back(state_->watchers[watch.watcher()].conn); });
  }
  return found;
}

}  // namespace quorate::tree
