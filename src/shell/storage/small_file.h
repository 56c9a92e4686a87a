#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "shell/env/disk.h"

/// Small files that are replaced as a whole, and the syncs that make other files' bytes and names durable.
/// Spec: disk 6.2; quorum 3.4.
namespace quorate::storage {

/// Errors: NotFound, Io; Corrupt when it is longer than `limit`.
Result<std::string> read_small_file(env::Disk& disk, const std::string& path, size_t limit = 4096);

/// Reached before the steps.
struct ReplacePoints {
  env::CrashPoint write;
  env::CrashPoint sync;
  env::CrashPoint rename;
  env::CrashPoint directory_sync;
};

/// Temporary file `<path>.tmp`, sync, rename, directory sync. After an error the old content stands, or, where only
/// the last sync failed, one of the two.
Result<void> replace_file(env::Disk& disk, const std::string& path, std::string_view bytes,
                          const ReplacePoints& points);

/// Makes the bytes of a file durable that another process, or an earlier life of this one, may have left in memory.
Result<void> sync_existing(env::Disk& disk, const std::string& path);

std::string directory_of(const std::string& path);

}  // namespace quorate::storage
