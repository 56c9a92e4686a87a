#pragma once
#include <cstddef>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "shell/env/disk.h"
#include "shell/storage/history_change.h"

/// TRUNC: everything behind a zxid goes, from the log and from the snapshots, durably and whole or not at all.
/// Spec: disk 2.8; quorum 3.7, rule 36; known-faults R-S3.
namespace quorate::storage {

struct Truncation {
  /// False: that txn is not in this history, or what would be left could not be loaded. Nothing was changed; ask for a
  /// SNAP.
  bool done = false;
  std::string why_not;
};

/// Requires what carry_out() requires; its word on errors goes here, too. The memory is to be loaded anew afterwards.
/// Errors: Io, NoSpace.
Result<Truncation> truncate_history(env::Disk& disk, const HistoryDirectories& directories, Zxid zxid,
                                    size_t max_buffer_bytes);

}  // namespace quorate::storage
