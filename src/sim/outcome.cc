#include "sim/outcome.h"

#include <algorithm>
#include <functional>

namespace quorate::sim {

void Counts::add(const Counts& other) {
  std::ranges::transform(reached, other.reached, reached.begin(), std::plus());
  std::ranges::transform(crashed_there, other.crashed_there, crashed_there.begin(), std::plus());
  std::ranges::transform(hits, other.hits, hits.begin(), std::plus());
  std::ranges::transform(ensemble_hits, other.ensemble_hits, ensemble_hits.begin(), std::plus());
  txns += other.txns;
  restarts += other.restarts;
  snapshots += other.snapshots;
}

}  // namespace quorate::sim
