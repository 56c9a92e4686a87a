#pragma once
#include <string>
#include <vector>

#include "base/fifo.h"
#include "base/ids.h"
#include "core/replica/settings.h"
#include "core/tree/tree.h"

/// Finds empty containers and expired TTL nodes and paces their removal. The removal itself is an ordinary
/// deleteContainer txn, judged again when it is prepared. Spec: client 5.6.
namespace quorate::replica {

/// Whether a node without children has had its time: a container that was used, a TTL node that was not renewed.
bool is_over(const wire::StatPersisted& stat, tree::OwnerKind kind, const CleanerSettings& settings, int64_t wall_ms);

class Cleaner {
 public:
  Cleaner(const CleanerSettings& settings, Now now);

  /// Paths to delete now, at most as many as the pace allows.
  std::vector<std::string> due(const tree::Tree& tree, Now now);
  Millis next() const;

 private:
  void collect(const tree::Tree& tree, Now now);

  CleanerSettings settings_;
  Millis next_check_;
  Millis next_removal_{0};
  Fifo<std::string> candidates_;
};

}  // namespace quorate::replica
