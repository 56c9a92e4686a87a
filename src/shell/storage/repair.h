#pragma once
#include <cstdint>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "shell/env/disk.h"

/// `quorate log repair FILE`: the operator gives up what lies behind the first damaged record of a log. Never called
/// by a server. Spec: disk 2.6.
namespace quorate::storage {

struct RepairReport {
  bool changed = false;
  uint64_t cut_at = 0;  ///< The file's new size.
  uint64_t bytes_removed = 0;
  Zxid last;           ///< Newest zxid that is left; 0: none.
  std::string reason;  ///< What was wrong there; empty when nothing was.
};

/// Cuts the file at its first record that is damaged, torn or no txn, and syncs it. A sound file stays as it is.
/// Errors: Invalid (not a log at all: nothing is changed), Io, NotFound.
Result<RepairReport> repair_log(env::Disk& disk, const std::string& path, size_t max_record_bytes = 2 * 1048575);

}  // namespace quorate::storage
