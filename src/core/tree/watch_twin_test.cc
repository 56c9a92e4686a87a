#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "core/tree/watch_table.h"

namespace quorate::tree {
namespace {

using Conns = std::vector<ConnId>;

Conns fire(WatchTables& watches, WatchTable table, std::string_view path, const Conns* skip = nullptr) {
  Conns out;
  watches.trigger(table, path, skip, out);
  return out;
}

/// Plain lists, in the words of client 7.
class NaiveWatches {
 public:
  struct Entry {
    ConnId conn;
    std::string path;
    uint8_t modes;
  };
  using Table = std::vector<Entry>;

  Entry* find(ConnId conn, WatchTable table, const std::string& path) {
    for (Entry& entry : of(table)) {
      if (entry.conn == conn && entry.path == path) return &entry;
    }
    return nullptr;
  }
  void add(ConnId conn, WatchTable table, const std::string& path, uint8_t mode) {
    if (find(conn, table, path) == nullptr) of(table).push_back({conn, path, 0});
    Entry* entry = find(conn, table, path);
    set_modes(table, *entry, static_cast<uint8_t>(entry->modes | mode));
  }
  bool clear(ConnId conn, WatchTable table, const std::string& path, uint8_t modes) {
    Entry* entry = find(conn, table, path);
    if (entry == nullptr || (entry->modes & modes) == 0) return false;
    set_modes(table, *entry, static_cast<uint8_t>(entry->modes & ~modes));
    sweep();
    return true;
  }
  bool clear_both(ConnId conn, const std::string& path, uint8_t modes) {
    const bool in_data = clear(conn, WatchTable::Data, path, modes);
    return clear(conn, WatchTable::Child, path, modes) || in_data;
  }
  bool has(ConnId conn, WatchTable table, const std::string& path, uint8_t modes) {
    const Entry* entry = find(conn, table, path);
    return entry != nullptr && (entry->modes & modes) != 0;
  }
  bool contains(ConnId conn, const std::string& path, int32_t type) {
    switch (type) {
      case 1:
        return has(conn, WatchTable::Child, path, kStandard);
      case 2:
        return has(conn, WatchTable::Data, path, kStandard);
      case 3:
        return has(conn, WatchTable::Data, path, 7) || has(conn, WatchTable::Child, path, 7);
      case 4:
        return has(conn, WatchTable::Data, path, kPersistent);
      default:
        return has(conn, WatchTable::Data, path, kRecursive);
    }
  }
  bool remove(ConnId conn, const std::string& path, int32_t type) {
    switch (type) {
      case 1:
        return clear(conn, WatchTable::Child, path, kStandard);
      case 2:
        return clear(conn, WatchTable::Data, path, kStandard);
      case 3:
        return clear_both(conn, path, 7);
      case 4:
        return clear_both(conn, path, kPersistent);
      default:
        return clear(conn, WatchTable::Data, path, kRecursive);
    }
  }
  void close(ConnId conn) {
    for (Table& table : tables_) std::erase_if(table, [&](const Entry& entry) { return entry.conn == conn; });
  }
  Conns trigger(WatchTable table, const std::string& path, const Conns& skip) {
    Conns told;
    collect(table, path, 7, told);
    for (Entry& entry : of(table)) {
      if (entry.path == path) entry.modes = static_cast<uint8_t>(entry.modes & ~kStandard);
    }
    sweep();
    if (table == WatchTable::Data && path != "/") {
      collect(table, "/", kRecursive, told);
      for (size_t at = 1; (at = path.find('/', at)) != path.npos; ++at) {
        collect(table, path.substr(0, at), kRecursive, told);
      }
    }
    std::erase_if(told, [&](ConnId conn) { return std::ranges::count(skip, conn) > 0; });
    return told;
  }
  Table& of(WatchTable table) { return tables_[static_cast<size_t>(table)]; }

 private:
  void collect(WatchTable table, const std::string& path, uint8_t modes, Conns& told) {
    for (const Entry& entry : of(table)) {
      if (entry.path != path || (entry.modes & modes) == 0) continue;
      if (std::ranges::count(told, entry.conn) == 0) told.push_back(entry.conn);
    }
  }
  /// What becomes recursive moves to the front, what no longer is to the back.
  void set_modes(WatchTable table, Entry& entry, uint8_t modes) {
    const auto changed = static_cast<uint8_t>(entry.modes ^ modes);
    entry.modes = modes;
    if ((changed & kRecursive) == 0) return;
    const Entry moved = entry;
    of(table).erase(of(table).begin() + (&entry - of(table).data()));
    of(table).insert((modes & kRecursive) != 0 ? of(table).begin() : of(table).end(), moved);
  }
  void sweep() {
    for (Table& table : tables_) std::erase_if(table, [](const Entry& entry) { return entry.modes == 0; });
  }

  Table tables_[2];
};

class TwinRun {
 public:
  explicit TwinRun(uint32_t seed) : random_(seed), watches_(seed) {
    const std::string names[] = {"a", "b", "longer-than-one-word-of-hash", ""};
    for (const std::string& top : names) {
      paths_.push_back("/" + top);
      if (top.empty()) continue;
      for (const std::string middle : {"a", "c"}) {
        paths_.push_back("/" + top + "/" + middle);
        paths_.push_back("/" + top + "/" + middle + "/d");
      }
    }
  }

  void step() {
    if (open_.empty() || pick(20) == 0) return open();
    const size_t who = pick(open_.size());
    const auto [conn, watcher] = open_[who];
    const std::string& path = paths_[pick(paths_.size())];
    const auto table = static_cast<WatchTable>(pick(2));
    const auto type = static_cast<int32_t>(1 + pick(5));
    switch (pick(12)) {
      case 0:
        return close(who);
      case 1:
      case 2:
        return trigger(table, path);
      case 3:
        EXPECT_EQ(watches_.remove(watcher, path, type), naive_.remove(conn, path, type));
        return;
      case 4:
        EXPECT_EQ(watches_.contains(watcher, path, type), naive_.contains(conn, path, type));
        return;
      default:
        return add(who, table, path);
    }
  }

  void compare() {
    const NaiveWatches::Table& data = naive_.of(WatchTable::Data);
    std::map<std::string, Conns> by_path;
    std::map<ConnId, std::set<std::string>> by_conn;
    for (const NaiveWatches::Entry& entry : data) {
      by_path[entry.path].push_back(entry.conn);
      by_conn[entry.conn].insert(entry.path);
    }
    EXPECT_EQ(watches_.data_watches(), data.size());
    EXPECT_EQ(watches_.child_watches(), naive_.of(WatchTable::Child).size());
    EXPECT_EQ(watches_.data_paths(), by_path.size());
    EXPECT_EQ(watches_.data_watchers(), by_conn.size());
    const std::vector<std::pair<std::string, Conns>> wanted(by_path.begin(), by_path.end());
    EXPECT_EQ(watches_.by_path(), wanted);
    for (const auto& [conn, watcher] : open_) {
      const std::vector<std::string> paths(by_conn[conn].begin(), by_conn[conn].end());
      EXPECT_EQ(watches_.paths_of(watcher), paths);
    }
  }

 private:
  size_t pick(size_t count) { return random_() % count; }
  void open() {
    if (open_.size() > 12) return;
    const ConnId conn{++conns_};
    open_.emplace_back(conn, watches_.open(conn));
  }
  void close(size_t who) {
    naive_.close(open_[who].first);
    watches_.close(open_[who].second);
    open_.erase(open_.begin() + static_cast<ptrdiff_t>(who));
  }
  void add(size_t who, WatchTable table, const std::string& path) {
    const WatchMode mode = static_cast<WatchMode>(1 << pick(table == WatchTable::Data ? 3 : 2));
    watches_.add(open_[who].second, table, path, mode);
    naive_.add(open_[who].first, table, path, mode);
  }
  void trigger(WatchTable table, const std::string& path) {
    Conns skip;
    for (const auto& [conn, watcher] : open_) {
      if (pick(4) == 0) skip.insert(skip.begin(), conn);
    }
    EXPECT_EQ(fire(watches_, table, path, skip.empty() ? nullptr : &skip), naive_.trigger(table, path, skip));
  }

  std::mt19937 random_;
  WatchTables watches_;
  NaiveWatches naive_;
  std::vector<std::string> paths_;
  std::vector<std::pair<ConnId, WatcherId>> open_;
  uint64_t conns_ = 0;
};

// Goal: the compact tables and the plain lists never differ. Method: random operations on few paths and connections.
TEST(WatchTables, LikeTheirNaiveTwin) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    TwinRun run(seed);
    for (int i = 0; i < 3000 && !testing::Test::HasFailure(); ++i) {
      run.step();
      if (i % 50 == 0) run.compare();
    }
  }
}

}  // namespace
}  // namespace quorate::tree
