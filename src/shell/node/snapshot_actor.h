#pragma once
#include <memory>
#include <vector>

#include "base/fifo.h"
#include "base/log_line.h"
#include "core/tree/snapshot_walk.h"
#include "shell/env/clock.h"
#include "shell/node/actor.h"
#include "shell/node/settings.h"
#include "shell/storage/txn_log.h"

/// The background's work on disk, one piece at a time: chunks of a snapshot, its sealing, purge, zeros ahead of the
/// log. The walk itself happens in slices on the loop. Spec: disk 3, 4.4, 4.5.
namespace quorate::node {

class SnapshotActor final : public Actor {
 public:
  SnapshotActor(env::Disk& disk, const env::Clock& clock, const NodeSettings& settings);
  ~SnapshotActor() override;

  // Loop thread.
  bool busy() const { return piece_ != Piece::None; }
  bool snapshotting() const { return writing_; }
  /// Starts a snapshot of the tree as it is now. Requires: !snapshotting().
  void start(tree::Tree& tree, const tree::SessionList& sessions);
  /// Walks one slice on, unless the disk is behind. True when there was something to walk.
  bool walk();
  /// The tree is needed by somebody else. False: nothing was being walked.
  bool stop_walk(const char* why);
  void want_purge() { purge_wanted_ = true; }
  void want_fill(storage::TxnLog& log) { log_to_fill_ = &log; }
  /// A piece is waiting for begin().
  bool has_work() const;
  bool begin() override;
  void finish();
  std::vector<LogLine> take_lines() { return std::exchange(lines_, {}); }

  int64_t snapshots_taken() const { return taken_; }
  int64_t errors() const { return errors_; }
  int64_t last_duration_ms() const { return last_duration_ms_; }
  Zxid last_zxid() const { return last_zxid_; }

  // Worker thread.
  void perform() override;

 private:
  enum class Piece : uint8_t { None, Write, Seal, Purge, Fill, Abandon };
  void write_chunk();
  void give_up(const std::string& why);
  void drop(const std::string& why);
  void finish_seal();

  env::Disk& disk_;
  const env::Clock& clock_;
  const NodeSettings& settings_;

  std::unique_ptr<tree::SnapshotWalk> walk_;
  bool sealing_ = false;
  bool writing_ = false;  ///< From start() until the file is there or the writer is gone.
  uint64_t digest_ = 0;
  Fifo<ByteBuffer> chunks_;
  size_t queued_bytes_ = 0;
  int64_t started_micros_ = 0;
  bool purge_wanted_ = false;
  bool abandon_ = false;
  storage::TxnLog* log_to_fill_ = nullptr;

  Piece piece_ = Piece::None;
  ByteBuffer chunk_;
  std::unique_ptr<storage::SnapshotWriter> writer_;
  storage::TxnLog* filling_ = nullptr;
  Result<void> outcome_;
  std::vector<LogLine> piece_lines_;

  std::vector<LogLine> lines_;
  int64_t taken_ = 0;
  int64_t errors_ = 0;
  int64_t last_duration_ms_ = 0;
  Zxid last_zxid_{-1};
  Zxid current_zxid_;
};

}  // namespace quorate::node
