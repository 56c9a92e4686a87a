#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/log_line.h"
#include "base/result.h"
#include "core/tree/apply.h"
#include "core/tree/tree.h"
#include "shell/env/disk.h"
#include "shell/storage/directory.h"
#include "shell/storage/log_reader.h"
#include "shell/storage/recovery.h"
#include "shell/storage/snapshot_file.h"

/// Applies what the logs hold behind a snapshot, record by record without a gap, and settles how they end: a torn tail
/// is cut off, damage refuses. Spec: disk 2.6, 2.7, 5.4, 6.1 rules 6 and 7; known-faults 1453.
namespace quorate::storage {

class Replay {
 public:
  /// `into` has the snapshot's tree and sessions; counts and lines are added to it.
  Replay(env::Disk& disk, const RecoverySettings& settings, const SnapshotFacts& base, Recovered& into);

  /// Newer snapshots that cannot be read. Each proves that there was a txn of its zxid; without its record, what lies
  /// between was lost, even where a later epoch hides the hole. Spec: known-faults R-D5.
  void must_hold(std::vector<NamedFile> snapshots) { unproven_ = std::move(snapshots); }

  /// Errors: Corrupt (refused, with file, offset, zxid and repair command), Io.
  Result<void> run(const std::vector<NamedFile>& logs);

 private:
  /// A file whose good data is followed by something; whether that is allowed depends on later files.
  struct OpenEnd {
    std::string path;
    LogFileEnd end;
  };

  Result<void> read_file(const NamedFile& file);
  bool on_record(const LogRecord& record);
  bool settle_earlier_ends();
  void apply(const LogRecord& record, const tree::TxnView& txn);
  void check_digest(Zxid zxid);
  Result<void> check_proven() const;
  void count_mismatch(Zxid zxid, std::string_view what);
  Result<void> close_end(const OpenEnd& open);
  Result<void> make_durable(const std::vector<NamedFile>& logs);
  void say(Level level, const char* component, std::string text);

  env::Disk& disk_;
  const RecoverySettings& settings_;
  const SnapshotFacts& base_;
  Recovered& into_;
  Zxid last_;         ///< Newest record that is in the tree.
  std::string path_;  ///< Of the file being read.
  std::vector<OpenEnd> open_ends_;
  std::vector<NamedFile> unproven_;
  std::optional<Error> refused_;           ///< Set inside a visit.
  std::optional<std::string> unreadable_;  ///< Why the record at hand does not parse.
  Zxid unreadable_zxid_;
  std::string why_;
  tree::TxnView txn_;
  tree::Applied applied_;
  bool planted_skip_;
};

}  // namespace quorate::storage
