#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "core/tree/watch_index.h"
#include "core/tree/watch_slab.h"
#include "core/tree/watch_text.h"

/// The paths that somebody watches, each held once and named by a 32-bit reference. The hash is keyed, because clients
/// choose paths, and runs over a path component by component, so that one pass finds all watched ancestors.
namespace quorate::tree {

/// One watched path. The lists of its watches run through the watches themselves; see watch_table.cc.
struct WatchPath {
  uint32_t text = 0;
  uint32_t hash = 0;
  std::array<uint32_t, 2> first{};  ///< First watch in the data table and in the child table; 0: none.
  uint32_t recursive = 0;           ///< How many of them are recursive.
};

/// Running hash over the components of a path; after each one it is the hash of the path so far.
class WatchPathHash {
 public:
  explicit WatchPathHash(uint64_t seed);
  void add(std::string_view component);
  uint32_t value() const { return static_cast<uint32_t>(state_ ^ (state_ >> 32)); }

 private:
  uint64_t factor_;  ///< Odd, and as secret as the seed.
  uint64_t state_;
};

class WatchPaths {
 public:
  explicit WatchPaths(uint64_t hash_seed);

  /// 0 when nobody watches `path`.
  uint32_t find(std::string_view path) const { return find(path, hash_of(path)); }
  uint32_t intern(std::string_view path);
  /// Requires: no watch is left on it.
  void drop(uint32_t ref);

  WatchPath& operator[](uint32_t ref) { return paths_[ref]; }
  const WatchPath& operator[](uint32_t ref) const { return paths_[ref]; }
  std::string_view text(uint32_t ref) const { return text_.get(paths_[ref].text); }

  /// Calls visit(ref) for each watched proper ancestor of `path`, from "/" downwards. visit may not drop paths.
  template <class Visit>
  void each_ancestor(std::string_view path, Visit&& visit) const {
    if (path.size() < 2) return;
    if (const uint32_t root = find("/", root_hash_); root != 0) visit(root);
    WatchPathHash hash(hash_seed_);
    size_t begin = 0;
    for (size_t slash = path.find('/'); slash != path.npos; slash = path.find('/', begin)) {
      hash.add(path.substr(begin, slash - begin));
      begin = slash + 1;
      if (slash == 0) continue;
      if (const uint32_t ref = find(path.substr(0, slash), hash.value()); ref != 0) visit(ref);
    }
  }

  /// Visits all watched paths; no order is promised.
  template <class Visit>
  void each(Visit&& visit) const {
    index_.each(visit);
  }

  size_t resident_bytes() const;

 private:
  uint32_t hash_of(std::string_view path) const;
  uint32_t find(std::string_view path, uint32_t hash) const;

  uint64_t hash_seed_;
  uint32_t root_hash_;
  WatchText text_;
  WatchSlab<WatchPath> paths_;
  WatchIndex index_;
};

}  // namespace quorate::tree
