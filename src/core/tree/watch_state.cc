#include "core/tree/watch_state.h"

#include <algorithm>

#include "base/check.h"

namespace quorate::tree {

namespace {

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

uint32_t pair_hash(uint32_t watcher, uint32_t place) {
  uint64_t x = (static_cast<uint64_t>(watcher) << 32 | place) * 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 32)) * 0xD6E8FEB86659FD93ULL;
  return static_cast<uint32_t>(x >> 32);
}

}  // namespace

Watcher& WatchTables::State::opened(WatcherId watcher) {
  Watcher& found = watchers[number_of(watcher)];
  const bool open = (found.data_paths_and_bits & Watcher::kOpen) != 0;
  QUORATE_CHECK(open);
  return found;
}

uint32_t WatchTables::State::hash_of(uint32_t ref) const {
  return pair_hash(watches[ref].watcher(), watches[ref].place);
}

uint32_t WatchTables::State::find(uint32_t watcher, uint32_t path, WatchTable table) const {
  const uint32_t first = paths[path].first[number_of(table)];
  if (first == 0 || watches[first].watcher() == watcher) return first;
  const uint32_t place = path * 2 + number_of(table);
  return index.find(pair_hash(watcher, place),
                    [&](uint32_t ref) { return watches[ref].place == place && watches[ref].watcher() == watcher; });
}

void WatchTables::State::set_modes(uint32_t ref, uint8_t modes) {
  Watch& watch = watches[ref];
  const bool was = (watch.modes() & kRecursive) != 0;
  const bool is = (modes & kRecursive) != 0;
  watch.watcher_and_bits = (watch.watcher_and_bits & ~uint32_t{kAllModes}) | modes;
  if (was == is) return;
  paths[watch.path()].recursive += is ? 1 : -1;
  recursive += is ? 1 : -1;
  move_to_end(ref, is);
}

/// Of its path's ring. The recursive ones stand in front: a change below must not pass by all others.
void WatchTables::State::move_to_end(uint32_t ref, bool front) {
  uint32_t& first = paths[watches[ref].path()].first[watches[ref].table()];
  unlink(watches, kOfPath, first, ref);
  if (first != 0) ensure_indexed(front ? first : ref);
  link_last(watches, kOfPath, first, ref);
  if (front) first = ref;
}

void WatchTables::State::ensure_indexed(uint32_t ref) {
  if (watches[ref].indexed()) return;
  watches[ref].watcher_and_bits |= Watch::kIndexed;
  index.insert(ref, [this](uint32_t item) { return hash_of(item); });
}

uint32_t WatchTables::State::insert(uint32_t watcher, uint32_t path, WatchTable table) {
  const uint32_t ref = watches.take();
  uint32_t& first = paths[path].first[number_of(table)];
  const bool alone = first == 0;
  watches[ref].place = path * 2 + number_of(table);
  watches[ref].watcher_and_bits = watcher << Watch::kBits;
  Watcher& owner = watchers[watcher];
  ++count[number_of(table)];
  if (table == WatchTable::Data) {
    data_paths += alone ? 1 : 0;
    data_watchers += owner.watches_data() ? 0 : 1;
    owner.data_paths_and_bits += Watcher::kOneDataPath;
  }
  link_last(watches, kOfPath, first, ref);
  link_last(watches, kOfWatcher, owner.first, ref);
  if (!alone) ensure_indexed(ref);
  return ref;
}

void WatchTables::State::erase(uint32_t ref) {
  set_modes(ref, 0);
  const Watch& watch = watches[ref];
  if (watch.indexed()) index.erase(ref, [this](uint32_t item) { return hash_of(item); });
  Watcher& watcher = watchers[watch.watcher()];
  WatchPath& path = paths[watch.path()];
  unlink(watches, kOfPath, path.first[watch.table()], ref);
  unlink(watches, kOfWatcher, watcher.first, ref);
  --count[watch.table()];
  if (watch.table() == number_of(WatchTable::Data)) {
    watcher.data_paths_and_bits -= Watcher::kOneDataPath;
    data_paths -= path.first[watch.table()] == 0 ? 1 : 0;
    data_watchers -= watcher.watches_data() ? 0 : 1;
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

void WatchTables::State::tell(uint32_t number, std::vector<ConnId>& out) {
  Watcher& watcher = watchers[number];
  if ((watcher.data_paths_and_bits & Watcher::kTold) != 0) return;
  watcher.data_paths_and_bits |= Watcher::kTold;
  told.push_back(number);
  if (!std::ranges::binary_search(skipped, watcher.conn)) out.push_back(watcher.conn);
}

void WatchTables::State::end_trigger() {
  for (const uint32_t number : told) watchers[number].data_paths_and_bits &= ~Watcher::kTold;
  told.clear();
  skipped.clear();
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
    tell(watch.watcher(), out);
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
  uint32_t ref = paths[path].first[number_of(WatchTable::Data)];
  for (uint32_t left = paths[path].recursive; left > 0; --left, ref = watches[ref].path_next) {
    tell(watches[ref].watcher(), out);
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
  told = {};
}

size_t WatchTables::State::resident_bytes() const {
  return paths.resident_bytes() + watches.resident_bytes() + watchers.resident_bytes() + index.resident_bytes() +
         skipped.capacity() * sizeof(ConnId) + told.capacity() * sizeof(uint32_t);
}

}  // namespace quorate::tree
