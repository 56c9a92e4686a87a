#pragma once
#include <cstdint>

#include "base/result.h"
#include "shell/storage/file_window.h"
#include "shell/storage/log_reader.h"

/// Telling a crash from damage, where a log file's good records end. A crash leaves the last, unsynced batch cut
/// short, or, in a zero-filled file, with sectors that still hold zeros; it never changes a length, an end byte or a
/// checksum to something else. Everything that a crash does not explain is damage. Spec: disk 2.6; known-faults 1453.
namespace quorate::storage {

/// A batch is one write of at most this, or one record, and starts only after the sync before it.
constexpr uint64_t kMaxBatchBytes = 1 << 20;
constexpr uint64_t kSectorBytes = 512;

/// Sets end, leftover, damaged_zxid and detail. Errors: Io.
Result<void> judge_end(FileWindow& file, const BadPlace& place, LogFileEnd& end);

}  // namespace quorate::storage
