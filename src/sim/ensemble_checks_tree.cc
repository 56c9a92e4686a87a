#include <fmt/format.h>

#include <map>
#include <set>

#include "sim/ensemble_checks.h"
#include "sim/model.h"

/// What holds of the one history by itself.
namespace quorate::sim {
namespace {

class Ephemerals {
 public:
  std::string apply(const Committed& txn) {
    if (txn.opens != 0) live_.insert(txn.opens);
    for (const Change& change : txn.changes) {
      std::string wrong = apply(change, txn.zxid);
      if (!wrong.empty()) return wrong;
    }
    if (txn.closes == 0) return {};
    live_.erase(txn.closes);
    for (const auto& [path, owner] : owners_) {
      if (owner != txn.closes) continue;
      return fmt::format("{} is left behind its session 0x{:x}, closed at 0x{:x}", path, owner, txn.zxid);
    }
    return {};
  }

 private:
  std::string apply(const Change& change, int64_t zxid) {
    if (change.what == Change::What::Deleted) owners_.erase(change.path);
    if (change.what != Change::What::Created || change.owner == 0) return {};
    owners_[change.path] = change.owner;
    if (live_.contains(change.owner)) return {};
    return fmt::format("{} is created at 0x{:x} for session 0x{:x}, which is not there", change.path, zxid,
                       change.owner);
  }

  std::set<int64_t> live_;
  std::map<std::string, int64_t> owners_;
};

}  // namespace

std::string check_ephemerals(const EnsembleHistory& history) {
  Ephemerals ephemerals;
  for (const Committed& txn : history.committed) {
    std::string wrong = ephemerals.apply(txn);
    if (!wrong.empty()) return wrong;
  }
  return {};
}

std::string check_sequences(const EnsembleHistory& history) {
  std::map<std::string, int32_t> last;  // by parent
  for (const Committed& txn : history.committed) {
    for (const Change& change : txn.changes) {
      if (change.what != Change::What::Created) continue;
      last.erase(change.path);  // a new parent counts anew
      if (!change.sequence) continue;
      const auto [before, added] = last.emplace(parent_path(change.path), *change.sequence);
      // Behind the highest number there is nothing to be expected any more.
      if (!added && before->second == INT32_MAX) continue;
      if (!added && *change.sequence <= before->second) {
        return fmt::format("{} at 0x{:x} does not count on from {}", change.path, txn.zxid, before->second);
      }
      before->second = *change.sequence;
    }
  }
  return {};
}

}  // namespace quorate::sim
