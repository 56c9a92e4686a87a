#include "shell/node/log_actor.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "base/planted.h"

namespace quorate::node {

LogActor::LogActor(env::Disk& disk, const env::Clock& clock, const storage::LogSettings& settings, Millis sync_warning)
    : disk_(disk), clock_(clock), settings_(settings), sync_warning_(sync_warning) {
  log_.emplace(disk_, settings_);
}

bool LogActor::begin() {
  QUORATE_CHECK(!working_);
  orders_ = std::exchange(next_orders_, nullptr);
  if (orders_ != nullptr) return working_ = true;
  if (next_ == nullptr) return false;
  current_ = std::exchange(next_, nullptr);
  roll_now_ = std::exchange(roll_, false);
  working_ = true;
  return true;
}

void LogActor::perform() {
  if (orders_ != nullptr) return orders_->perform();
  const int64_t started = clock_.micros();
  if (roll_now_) log_->roll();
  const uint64_t files = log_->files_created();
  outcome_ = log_->append(current_->records, current_->first);
  new_file_ = log_->files_created() > files ? current_->first : Zxid{0};
  if (outcome_ && !planted(Planted::AckBeforeSync)) outcome_ = log_->sync();
  last_micros_ = clock_.micros() - started;
}

Result<LogActor::Durable> LogActor::finish() {
  QUORATE_CHECK(working_ && orders_ == nullptr);
  working_ = false;
  if (!outcome_) return std::unexpected(outcome_.error());
  ++batches_;
  typical_sync_micros_ = typical_sync_micros_ == 0 ? last_micros_ : (typical_sync_micros_ * 7 + last_micros_) / 8;
  return Durable{current_->txns, current_->records.size()};
}

Result<DiskOrders::Outcome> LogActor::finish_orders() {
  QUORATE_CHECK(working_ && orders_ != nullptr);
  working_ = false;
  DiskOrders& orders = *std::exchange(orders_, nullptr);
  if (orders.changes_history()) log_.emplace(disk_, settings_);
  return orders.finish();
}

std::optional<LogLine> LogActor::slow_sync_line() const {
  const int64_t millis = last_micros_ / 1000;
  if (millis <= sync_warning_.value) return std::nullopt;
  return LogLine{Level::Warn, "FileTxnLog",
                 fmt::format("fsync-ing the write ahead log in SyncThread took {}ms which will adversely effect "
                             "operation latency.File size is {} bytes. See the ZooKeeper troubleshooting guide",
                             millis, log_->file_bytes())};
}

std::optional<LogLine> LogActor::new_file_line() const {
  if (new_file_.value == 0) return std::nullopt;
  return LogLine{Level::Info, "FileTxnLog",
                 fmt::format("Creating new log file: log.{:x}", static_cast<uint64_t>(new_file_.value))};
}

}  // namespace quorate::node
