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

/// What reading met behind the last good record.
enum class BadRecord : uint8_t { NoLength, Length, CutShort, EndByte, Checksum };

struct BadPlace {
  BadRecord what = BadRecord::NoLength;
  uint64_t offset = 0;    ///< Where the record starts.
  uint64_t checksum = 0;  ///< As stored.
  uint32_t length = 0;    ///< As stored.
  char end_byte = 0;      ///< For EndByte.
  size_t max_record_bytes = 0;
};

/// Sets end, leftover, damaged_zxid and detail. Errors: Io.
Result<void> judge_end(FileWindow& file, const BadPlace& place, LogFileEnd& end);

}  // namespace quorate::storage
