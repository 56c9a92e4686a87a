#include "core/tree/watch_table.h"

#include <algorithm>

#include "base/check.h"
#include "base/planted.h"
#include "core/tree/watch_state.h"

namespace quorate::tree {

namespace {

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

}  // namespace

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
  closing.data_paths_and_bits &= ~Watcher::kOpen;
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
  if (skip != nullptr) state_->skipped = *skip;
  std::ranges::sort(state_->skipped);
  if (const uint32_t on = state_->paths.find(path); on != 0) state_->fire(on, table, out);
  if (table == WatchTable::Data && state_->recursive > 0) {
    state_->paths.each_ancestor(path, [&](uint32_t ancestor) { state_->fire_recursive(ancestor, out); });
  }
  state_->end_trigger();
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
