#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/request.h"
#include "sim/rng.h"

/// What one client of an ensemble asks: few names, so that clients meet each other, and data that nobody else writes.
namespace quorate::sim {

class EnsembleAsks {
 public:
  EnsembleAsks(Rng& rng, uint32_t client) : rng_(rng), client_(client) {}

  /// Without xid and session.
  Request next();
  Request next_read() { return draw_read(); }
  /// What answers taught: a node's version, a sequential name.
  void learn_version(const std::string& path, int32_t version) { versions_[path] = version; }
  void learn_name(const std::string& path);

  // For scripts.
  Request create(const std::string& path, int32_t flags = 0);
  Request set(const std::string& path, int32_t version = -1);
  Request remove(const std::string& path);
  Request read(wire::Op op, const std::string& path, bool watch = false);

 private:
  Request draw_create();
  Request draw_write();
  Request draw_read();
  Request multi();
  std::string some_path();
  int32_t some_version(const std::string& path);
  DataPtr new_data();

  Rng& rng_;
  uint32_t client_;
  uint32_t written_ = 0;
  std::map<std::string, int32_t> versions_;
  std::vector<std::string> names_;  ///< Sequential ones.
};

}  // namespace quorate::sim
