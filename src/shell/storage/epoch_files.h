#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/log_line.h"
#include "base/result.h"
#include "shell/env/disk.h"

/// acceptedEpoch and currentEpoch, on the snapshot side: what a server has promised, kept over restarts and never
/// lowered. Written by the log thread, or at boot. Spec: disk 1.3, 4.2, 6.2; quorum 3.4, rules 16 to 19; known-faults
/// R-E2.
namespace quorate::storage {

class EpochFiles {
 public:
  /// Reads both. A missing file stands for the epoch of `last`, the newest zxid of the database; then both are raised
  /// to it, and acceptedEpoch to currentEpoch, durably. A value in currentEpoch.tmp, left by a rename that was lost,
  /// counts when currentEpoch is behind the database and it is not. `lines` gets what was repaired.
  /// Errors: Corrupt (no epoch in a file), Io, NoSpace.
  static Result<EpochFiles> open(env::Disk& disk, std::string directory, Zxid last, std::vector<LogLine>& lines);

  int64_t accepted() const { return accepted_; }
  int64_t current() const { return current_; }

  /// Durable when they return. Errors: Invalid (would go down, or current above accepted: nothing is written), Io,
  /// NoSpace; after those two the file holds the old value or the new one, and neither counts until open() reads it.
  Result<void> store_accepted(int64_t epoch);
  Result<void> store_current(int64_t epoch);

 private:
  EpochFiles(env::Disk& disk, std::string directory) : disk_(&disk), directory_(std::move(directory)) {}
  Result<void> load(int64_t of_database, std::vector<LogLine>& lines);
  Result<void> write_accepted(int64_t epoch);
  Result<void> write_current(int64_t epoch);
  std::string path(const char* name) const { return directory_ + "/" + name; }

  env::Disk* disk_;
  std::string directory_;
  int64_t accepted_ = 0;
  int64_t current_ = 0;
};

}  // namespace quorate::storage
