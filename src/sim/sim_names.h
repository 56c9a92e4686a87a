#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/rng.h"
#include "sim/sim_content.h"

/// The names in one simulated directory: as they are, as they are on the disk, and the changes in between. A power cut
/// keeps the first few of them, or any that do not build on a lost one.
namespace quorate::sim {

struct SimFileNode {
  SimContent content;
  uint32_t sync_errors = 0;  ///< Grows with each failed sync; every open file hears of it once.
  int64_t modified_ms = 0;
};
using SimFilePtr = std::shared_ptr<SimFileNode>;

class SimNames {
 public:
  using Map = std::map<std::string, SimFilePtr>;

  const Map& now() const { return now_; }
  SimFilePtr find(const std::string& name) const;
  SimFilePtr create(const std::string& name);
  void rename(const std::string& from, const std::string& to);
  void remove(const std::string& name);
  /// Moves between two directories are durable at once: journals do both sides of them or neither.
  SimFilePtr give_away(const std::string& name);
  void take_in(const std::string& name, SimFilePtr file);
  void sync();
  void power_cut(Rng& rng);

 private:
  struct Change {
    std::string from;  ///< Empty for a creation.
    std::string to;    ///< Empty for a removal.
    SimFilePtr file;
  };
  static void apply(const Change& change, Map& names);

  Map now_;
  Map durable_;
  std::vector<Change> pending_;
};

}  // namespace quorate::sim
