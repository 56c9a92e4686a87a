#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/ensemble_history.h"
#include "sim/verdict.h"
#include "wire/codes.h"

/// All txns that any server wrote to its log, by zxid: a zxid is given to one txn only, whoever logs it. And the one
/// history among them, found from its end: each txn but the first of an epoch is behind its predecessor, and that one
/// is behind the last txn of its leader's history.
namespace quorate::sim {

/// What a read shows of a node, in the recorder's words.
std::string shown(int64_t mzxid, int32_t version);

class EnsembleTxns {
 public:
  explicit EnsembleTxns(Verdict& verdict) : verdict_(verdict) {}

  /// As they go to a log: perhaps a file's header first, or padding. Calls visit(zxid) for each.
  template <class Visit>
  void logged(std::string_view bytes, Visit&& visit) {
    for (const std::string_view payload : cut(bytes)) visit(add(payload));
  }
  int64_t add(std::string_view payload);

  bool contains(int64_t zxid) const { return txns_.contains(zxid); }
  /// 0: never logged.
  uint64_t hash_of(int64_t zxid) const;
  /// Requires: logged.
  const std::string& payload_of(int64_t zxid) const { return txns_.at(zxid); }
  size_t size() const { return txns_.size(); }
  /// What that txn wrote there; nothing: it did not.
  std::optional<std::string> data_of(int64_t zxid, const std::string& path) const;
  /// Those that refuse a request because its session has moved.
  uint64_t moved() const { return moved_; }

  /// All behind the first and up to the second. The leaderships give each epoch's beginning.
  std::vector<int64_t> chain(std::pair<int64_t, int64_t> ends, const std::vector<Leadership>& leaderships);
  Committed committed(int64_t zxid) const;

 private:
  static std::vector<std::string_view> cut(std::string_view bytes);

  Verdict& verdict_;
  std::map<int64_t, std::string> txns_;  ///< Payloads by zxid.
  std::map<std::pair<int64_t, std::string>, std::string> data_;
  uint64_t moved_ = 0;
};

}  // namespace quorate::sim
