#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "shell/env/disk.h"
#include "shell/storage/directory.h"
#include "shell/storage/log_reader.h"

/// The log's records behind a zxid, over all its files, each once and without a gap: what a learner that is further
/// behind than the memory reaches is sent from. One thread; the log may be appended to, rolled and purged meanwhile.
/// Spec: disk 2.6, 2.7; quorum 3.5 (case 5), rules 23 and 35.
namespace quorate::storage {

struct FeedRange {
  Zxid after;  ///< The first record is the one behind it.
  /// The last record that is wanted; not beyond what is durable, for what is behind it may be half written.
  Zxid until;
  size_t max_record_bytes = 2 * 1048575;  ///< jute.maxbuffer + extra
};

class LogFeed {
 public:
  /// Goes to the first record. Errors: Corrupt (damage, a gap), Io, NotFound (purged meanwhile).
  static Result<LogFeed> open(env::Disk& disk, const std::string& log_directory, const FeedRange& range);

  /// The greatest zxid at or below `after` in the file that it was looked for in. None: the log begins later. Other
  /// than `after`: that txn is not in this history.
  std::optional<Zxid> anchor() const { return anchor_; }
  /// The summed length of all files behind the first that is read, zeros ahead of the data included, as
  /// snapshotSizeFactor counts it.
  uint64_t bytes_behind_first_file() const { return bytes_behind_; }

  /// The next record; its payload is valid until the next call. Nothing behind `until`, or where the log ends before
  /// it: last() tells. A refused write that repeats the zxid before it is passed over. Errors: as for open(); final.
  Result<std::optional<LogRecord>> next();
  /// Of the newest record that next() gave; before that, where it starts from.
  Zxid last() const { return last_; }

 private:
  LogFeed(env::Disk& disk, std::string directory, const FeedRange& range)
      : disk_(&disk), directory_(std::move(directory)), range_(range) {}

  Result<void> find_start();
  Result<std::optional<LogRecord>> read();
  Result<bool> take(const LogRecord& record);
  Result<void> leave_file();
  std::string path() const { return directory_ + "/" + files_[at_].name; }

  env::Disk* disk_;
  std::string directory_;
  FeedRange range_;
  std::vector<NamedFile> files_;
  size_t at_ = 0;
  std::optional<LogFileReader> reader_;
  std::optional<LogRecord> first_;  ///< Found by open(), for the first next().
  std::optional<Error> open_end_;   ///< What is wrong with an earlier file, should records follow.
  std::optional<Zxid> anchor_;
  Zxid last_;
  uint64_t bytes_behind_ = 0;
  bool done_ = false;
};

}  // namespace quorate::storage
