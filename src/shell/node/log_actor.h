#pragma once
#include <optional>
#include <string>

#include "base/log_line.h"
#include "core/zab/journal.h"
#include "shell/env/clock.h"
#include "shell/node/actor.h"
#include "shell/node/disk_orders.h"
#include "shell/storage/txn_log.h"

/// Puts prepared batches on disk: one batch is one append and one sync, and starts only after the sync before it. In
/// between, orders of the protocol are carried out. Spec: disk 2.5; DESIGN, "Log" and "After a failed write or sync of
/// the log".
namespace quorate::node {

class LogActor final : public Actor {
 public:
  LogActor(env::Disk& disk, const env::Clock& clock, const storage::LogSettings& settings, Millis sync_warning);

  // Loop thread.
  bool busy() const { return working_; }
  /// The batch stays where it is until finish().
  void give(zab::LogBatch& batch) { next_ = &batch; }
  /// To be carried out instead of a batch, by the next begin().
  void give(DiskOrders& orders) { next_orders_ = &orders; }
  bool begin() override;
  /// What is at hand is an order: finish_orders() ends it.
  bool at_orders() const { return orders_ != nullptr; }
  struct Durable {
    int32_t txns = 0;
    size_t bytes = 0;
  };
  /// What the batch was. An error is final: the process must stop.
  Result<Durable> finish();
  Result<DiskOrders::Outcome> finish_orders();
  /// The next batch goes to a new file.
  void roll() { roll_ = true; }

  /// Written by finish() since the start.
  int64_t batches() const { return batches_; }
  /// Microseconds that recent syncs took, smoothed; decides whether a lone write is synced in the loop.
  int64_t typical_sync_micros() const { return typical_sync_micros_; }
  int64_t last_sync_micros() const { return last_micros_; }
  std::optional<LogLine> slow_sync_line() const;
  /// When the last batch began a new file.
  std::optional<LogLine> new_file_line() const;

  // Worker thread.
  void perform() override;
  storage::TxnLog& log() { return *log_; }

 private:
  env::Disk& disk_;
  const env::Clock& clock_;
  storage::LogSettings settings_;
  Millis sync_warning_;
  std::optional<storage::TxnLog> log_;  ///< Made anew when the files are changed behind it.
  bool working_ = false;
  bool roll_ = false;
  bool roll_now_ = false;
  zab::LogBatch* next_ = nullptr;
  zab::LogBatch* current_ = nullptr;
  DiskOrders* next_orders_ = nullptr;
  DiskOrders* orders_ = nullptr;
  Result<void> outcome_;
  Zxid new_file_;  ///< First zxid of the file that the last batch began; 0: none.
  int64_t batches_ = 0;
  int64_t last_micros_ = 0;
  int64_t typical_sync_micros_ = 0;
};

}  // namespace quorate::node
