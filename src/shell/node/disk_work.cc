#include <fmt/format.h>

#include <utility>

#include "shell/node/node.h"

/// What a node gives to its actors, and what becomes of it.
namespace quorate::node {
namespace {

// Under a load that outgrows the tree every second, snapshots would follow each other without a break: after each, the
// disk is left to the log for so many times as long (docs/decisions/0002).
constexpr int64_t kRestAfterSnapshot = 5;
// A disk that refused a snapshot is given this long.
constexpr Millis kSnapshotRetryAfter{60000};

}  // namespace

bool Node::has_batch() const { return ensemble_ ? ensemble_->member().has_batch() : replica_->journal().has_batch(); }

bool Node::begin_log() {
  if (log_.busy() || failed_) return false;
  return ensemble_ && ensemble_->wants_orders() ? begin_orders() : begin_batch();
}

bool Node::begin_batch() {
  if (!has_batch() || !flush_is_due()) return false;
  zab::Journal& journal = replica().journal();
  zab::LogBatch& batch = ensemble_ ? ensemble_->member().take_batch() : journal.take_batch();
  lone_write_ = batch.txns == 1 && !journal.has_full_batch() && journal.open_txns() == 0;
  log_.give(batch);
  return log_.begin();
}

/// Files that are to be replaced are nobody else's: the background's work on them comes to its end before.
bool Node::begin_orders() {
  if (ensemble_->order_changes_history()) {
    let_go_of_tree("the history changes");
    if (background_.busy() || background_.snapshotting() || background_.has_work()) return false;
    // Nothing else may be begun until it is done.
    history_changes_ = true;
    txns_since_snapshot_ = bytes_since_snapshot_ = 0;
    filled_at_ = 0;
  }
  lone_write_ = false;
  log_.give(ensemble_->prepare_orders());
  return log_.begin();
}

void Node::on_log_done() { log_.at_orders() ? on_orders_done() : on_batch_done(); }

void Node::on_orders_done() {
  history_changes_ = false;
  auto outcome = log_.finish_orders();
  if (!outcome) return stop_serving(outcome.error());
  for (LogLine& line : outcome->lines) lines_.push_back(std::move(line));
  if (outcome->memory) {
    for (LogLine& line : outcome->memory->lines) lines_.push_back(std::move(line));
  }
  ensemble_->on_orders_done(std::move(*outcome));
}

void Node::on_batch_done() {
  const auto durable = log_.finish();
  if (!durable) return stop_serving(durable.error());
  last_flush_ = now().monotonic;
  metrics_.summary<"fsynctime">().add(log_.last_sync_micros() / 1000);
  metrics_.summary<"sync_processor_batch_size">().add(durable->txns);
  if (auto created = log_.new_file_line()) lines_.push_back(std::move(*created));
  if (auto slow = log_.slow_sync_line()) {
    lines_.push_back(std::move(*slow));
    ++sync_warnings_;
  }
  txns_since_snapshot_ += durable->txns;
  bytes_since_snapshot_ += static_cast<int64_t>(durable->bytes);
  ensemble_ ? ensemble_->on_persisted() : replica_->on_persisted();
  consider_fill();
  consider_snapshot();
}

void Node::stop_serving(const Error& why) {
  failed_ = true;
  lines_.push_back({Level::Error, "SyncRequestProcessor",
                    fmt::format("Severe unrecoverable error, from thread : SyncThread: {}; nothing more is "
                                "acknowledged and the process stops",
                                why.detail)});
}

bool Node::begin_background() {
  walking_ = background_.walk();
  note_given_up();
  return !history_changes_ && !background_.busy() && background_.has_work() && background_.begin();
}

void Node::on_background_done() {
  const int64_t taken = background_.snapshots_taken();
  background_.finish();
  if (background_.snapshots_taken() > taken) {
    const int64_t took_ms = background_.last_duration_ms();
    metrics_.summary<"snapshottime">().add(took_ms);
    next_snapshot_ = now().monotonic + Millis{took_ms * kRestAfterSnapshot};
  }
  note_given_up();
  collect_lines();
}

void Node::note_given_up() {
  const int64_t errors = background_.errors();
  const int64_t before = std::exchange(snapshot_errors_, errors);
  if (errors == before) return;
  metrics_.counter<"snapshot_error_count">() += errors - before;
  snapshot_wanted_ = true;
  next_snapshot_ = now().monotonic + kSnapshotRetryAfter;
}

/// A snapshot that was being walked is begun anew when nothing stands in its way.
void Node::let_go_of_tree(const char* why) { snapshot_wanted_ |= background_.stop_walk(why); }

bool Node::begin_history() { return ensemble_ && ensemble_->history().has_work() && ensemble_->history().begin(); }

}  // namespace quorate::node
