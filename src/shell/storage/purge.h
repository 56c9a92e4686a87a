#pragma once
#include <string>
#include <vector>

#include "base/log_line.h"
#include "base/result.h"
#include "shell/env/disk.h"

/// Removing snapshots and logs that are no longer needed. Spec: disk 4.5; known-faults R-D7.
namespace quorate::storage {

struct PurgeReport {
  std::vector<std::string> removed;
  std::vector<LogLine> lines;
};

/// Keeps the newest `retain` snapshots whose seals were verified, and every log from the one that the oldest of them
/// needs. With fewer verified ones it removes nothing. Background thread.
Result<PurgeReport> purge(env::Disk& disk, const std::string& snapshot_directory, const std::string& log_directory,
                          int retain, size_t max_buffer_bytes);

}  // namespace quorate::storage
