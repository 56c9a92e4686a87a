#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "sim/history.h"

/// The watches that one connection has, kept naively, and the events that it must therefore get, in their order.
/// Spec: client 7.
namespace quorate::sim {

struct ExpectedEvent {
  int64_t zxid = 0;
  wire::Event type = wire::Event::Created;
  std::string path;
  friend bool operator==(const ExpectedEvent&, const ExpectedEvent&) = default;
};

class WatchTwin {
 public:
  enum Mode : uint8_t { kStandard = 1, kPersistent = 2, kRecursive = 4 };
  using Table = std::map<std::string, uint8_t>;

  /// Goes through all txns up to `zxid` and notes what they owe.
  void advance(const History& history, int64_t zxid, const std::string& who);
  std::deque<ExpectedEvent>& owed() { return owed_; }

  void add_data(const std::string& path, uint8_t mode) { data_[path] |= mode; }
  void add_child(const std::string& path, uint8_t mode) { child_[path] |= mode; }
  /// Spec: client 7.9. True when something was removed.
  bool remove(const std::string& path, int32_t type);
  bool contains(const std::string& path, int32_t type) const;
  /// Registers what setWatches2 asks for; what must be told at once comes back.
  std::vector<ExpectedEvent> restore(const Model& model, const WatchLists& lists, int64_t zxid);
  const Table& data() const { return data_; }
  const Table& child() const { return child_; }

 private:
  void apply(const NodeChange& change, int64_t zxid, const std::string& who);
  /// Takes the standard registration away; true when the event is owed.
  static bool trigger(Table& table, const std::string& path);
  bool has_recursive_above(const std::string& path) const;

  int64_t seen_ = 0;
  Table data_;
  Table child_;
  std::deque<ExpectedEvent> owed_;
};

}  // namespace quorate::sim
