#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "shell/env/disk.h"
#include "shell/storage/directory.h"
#include "shell/storage/file_window.h"

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

/// One file, front to back, a record at a time. Memory: a window of 1 MiB, or one record. Spec: disk 2.6.
class LogFileReader {
 public:
  /// `max_record_bytes` is jute.maxbuffer + extra. Errors: Io, NotFound.
  static Result<LogFileReader> open(env::Disk& disk, const std::string& path, size_t max_record_bytes);

  /// The next good record, valid until the next call. Nothing: end() says why. Errors: Io; damage is no error here, it
  /// is an end.
  Result<std::optional<LogRecord>> next();
  const LogFileEnd& end() const { return end_; }

 private:
  LogFileReader(FileWindow file, size_t max_record_bytes);

  FileWindow file_;
  BadPlace place_;
  LogFileEnd end_;
  bool ended_ = false;
};

/// Calls visit for each good record of a file, until it ends or visit returns false. Errors: Io, NotFound.
Result<LogFileEnd> read_log_file(env::Disk& disk, const std::string& path, size_t max_record_bytes,
                                 const std::function<bool(const LogRecord&)>& visit);

/// What the operator is told about damage: place, zxid, and how to cut the file there.
Error damage_error(const std::string& path, const LogFileEnd& end);

/// Ends that a crash of the writer leaves in any file, also one that Apache went on from without cutting it. What is
/// missing then, the next record's zxid tells.
inline bool is_torn_tail(LogEnd end) {
  return end == LogEnd::Partial || end == LogEnd::EndOfFile || end == LogEnd::Zeros;
}

/// Where to begin for the records behind `base`: the first file that can hold the next one. Spec: disk 2.6.
size_t first_needed(const std::vector<NamedFile>& logs, Zxid base);

/// Within an epoch there are no holes; a new one may start at any counter. Requires: next > last. Spec: disk 2.7.
inline bool follows(Zxid last, Zxid next) {
  return next.value - 1 == last.value || next == last.next() || next.epoch() > last.epoch();
}

}  // namespace quorate::storage
