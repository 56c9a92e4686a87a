#pragma once
#include <string>
#include <vector>

#include "base/log_line.h"
#include "base/result.h"
#include "shell/env/disk.h"
#include "shell/storage/directory.h"
#include "shell/storage/recovery.h"

/// The part of a start that comes before anything is read: directories are there and not mixed up, leftovers of ours
/// are gone. Spec: disk 1.2, 6.1 rules 8 and 20.
namespace quorate::storage {

struct BootListing {
  std::vector<NamedFile> logs;
  std::vector<NamedFile> snapshots;
};

/// Errors: Invalid (missing, not writable, mixed up), Corrupt (two logs with one zxid), Io.
Result<BootListing> prepare_directories(env::Disk& disk, const RecoverySettings& settings, std::vector<LogLine>& lines);

/// Whether the marker `initialize` lies in either directory. Spec: disk 1.4. Errors: Io.
Result<bool> initialize_present(env::Disk& disk, const RecoverySettings& settings);
void remove_initialize(env::Disk& disk, const RecoverySettings& settings);

}  // namespace quorate::storage
