#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "shell/env/disk.h"
#include "shell/storage/directory.h"

/// Reading one log file: where the data ends, and what is damage. The bytes alone are judged here; what an end means
/// depends on whether records follow in later files, which recovery knows. Spec: disk 2.6 (the table of conditions).
namespace quorate::storage {

/// Why reading a file came to its end.
enum class LogEnd : uint8_t {
  Zeros,      ///< Length 0 and nothing but zeros behind: preallocated space.
  EndOfFile,  ///< Cut at a record's border, or inside the last record.
  Partial,    ///< The last record lacks its end byte and nothing follows.
  BadHeader,  ///< Shorter than 16 bytes, or all zeros: nothing was ever stored.
  TornBatch,  ///< Damage that an unsynced batch of a zero-filled file explains (all-zero aligned sector, last MiB).
  Damaged,    ///< Checksum, length or content wrong in bytes that were synced.
  Stopped,    ///< visit returned false.
};

struct LogFileEnd {
  LogEnd end = LogEnd::EndOfFile;
  uint64_t data_bytes = 0;  ///< Offset behind the last good record; 0 where even the header is bad.
  uint64_t file_bytes = 0;
  bool leftover = false;  ///< Bytes other than zero follow the good data: a torn tail, to be cut, or damage.
  Zxid last;              ///< Zxid of the last good record; 0: none.
  Zxid damaged_zxid;      ///< Of the damaged record where its header can be read; 0: unknown.
  std::string detail;     ///< What is wrong, unless the end is plain.
};

/// One good record: payload and its place.
struct LogRecord {
  std::string_view payload;
  uint64_t offset = 0;
  Zxid zxid;
};

/// Reads one file front to back and calls visit for each good record, until it ends or visit returns false.
/// `max_record_bytes` is jute.maxbuffer + extra. Errors: Io, NotFound; damage is not an error here, it is an end.
Result<LogFileEnd> read_log_file(env::Disk& disk, const std::string& path, size_t max_record_bytes,
                                 const std::function<bool(const LogRecord&)>& visit);

/// Where to begin for the records behind `base`: the first file that can hold the next one. Spec: disk 2.6.
size_t first_needed(const std::vector<NamedFile>& logs, Zxid base);

/// Within an epoch there are no holes; a new one may start at any counter. Requires: next > last. Spec: disk 2.7.
inline bool follows(Zxid last, Zxid next) {
  return next.value - 1 == last.value || next == last.next() || next.epoch() > last.epoch();
}

}  // namespace quorate::storage
