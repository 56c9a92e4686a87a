#pragma once
#include <optional>
#include <string>

#include "base/log_line.h"
#include "core/zab/journal.h"
#include "shell/env/clock.h"
#include "shell/node/actor.h"
#include "shell/storage/txn_log.h"

/// Puts prepared batches on disk: one batch is one append and one sync, and starts only after the sync before it.
/// Spec: disk 2.5; DESIGN, "Log" and "After a failed write or sync of the log".
namespace quorate::node {

class LogActor final : public Actor {
 public:
  LogActor(env::Disk& disk, const env::Clock& clock, const storage::LogSettings& settings, Millis sync_warning);

  // Loop thread.
  bool busy() const { return working_; }
  /// The batch stays where it is until finish().
  void give(zab::LogBatch& batch) { next_ = &batch; }
  bool begin() override;
  struct Durable {
    int32_t txns = 0;
    size_t bytes = 0;
  };
  /// What the batch was. An error is final: the process must stop.
  Result<Durable> finish();
  /// The next batch goes to a new file.
  void roll() { roll_ = true; }

  /// Microseconds that recent syncs took, smoothed; decides whether a lone write is synced in the loop.
  int64_t typical_sync_micros() const { return typical_sync_micros_; }
  int64_t last_sync_micros() const { return last_micros_; }
  std::optional<LogLine> slow_sync_line() const;
  /// When the last batch began a new file.
  std::optional<LogLine> new_file_line() const;

  // Worker thread.
  void perform() override;
  storage::TxnLog& log() { return log_; }

 private:
  const env::Clock& clock_;
  Millis sync_warning_;
  storage::TxnLog log_;
  bool working_ = false;
  bool roll_ = false;
  bool roll_now_ = false;
  zab::LogBatch* next_ = nullptr;
  zab::LogBatch* current_ = nullptr;
  Result<void> outcome_;
  Zxid new_file_;  ///< First zxid of the file that the last batch began; 0: none.
  int64_t last_micros_ = 0;
  int64_t typical_sync_micros_ = 0;
};

}  // namespace quorate::node
