#include "core/zab/journal.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/planted.h"

namespace quorate::zab {
namespace {

constexpr size_t kSparesKept = 2;  // One at the log, one being filled.

}  // namespace

Journal::Journal(Zxid last, size_t keep)
    : keep_(keep), base_(last), last_made_(last), durable_(last), committed_(last), applied_(last) {
  add_batch();
}

void Journal::add_batch() {
  if (spare_.empty()) {
    batches_.push_back(std::make_unique<LogBatch>());
  } else {
    batches_.push_back(std::move(spare_.back()));
    spare_.pop_back();
  }
  open_bytes_ = 0;
}

std::string_view Journal::made(Zxid zxid) {
  QUORATE_CHECK(zxid >= last_made_);
  if (open_txns() > 0 && open().records.size() > kMaxBatchBytes) split_last_record();
  LogBatch& batch = open();
  if (batch.empty()) batch.first = zxid;
  batch.last = zxid;
  ++batch.txns;
  size_t record = std::exchange(open_bytes_, batch.records.size());
  last_made_ = zxid;
  return wire::next_payload(batch.records.view(), record);
}

void Journal::append(Zxid zxid, std::string_view payload) {
  const size_t at = wire::begin_record(records());
  records().append(payload);
  wire::end_record(records(), at);
  made(zxid);
}

/// The record that made the batch too long opens the next one.
void Journal::split_last_record() {
  LogBatch& full = open();
  const size_t begin = open_bytes_;
  add_batch();
  open().records.append(full.records.view().substr(begin));
  full.records.truncate(begin);
}

LogBatch& Journal::take_batch() {
  QUORATE_CHECK(has_batch());
  if (!has_full_batch()) add_batch();
  at_log_ = true;
  return *batches_[durable_batches_];
}

void Journal::on_persisted() {
  QUORATE_CHECK(at_log_);
  at_log_ = false;
  durable_ = batches_[durable_batches_++]->last;
}

void Journal::commit(Zxid zxid) {
  QUORATE_CHECK(zxid <= last_made_);
  committed_ = std::max(committed_, zxid);
}

std::string_view Journal::next_to_apply() {
  trim();
  if (apply_batch_ == durable_batches_) return {};
  const std::string_view records = batches_[apply_batch_]->records.view();
  size_t offset = apply_offset_;
  const std::string_view payload = wire::next_payload(records, offset);
  const Zxid zxid = zxid_of(payload);
  if (zxid > committed_) return {};
  applied_ = zxid;
  apply_offset_ = offset;
  if (offset == records.size()) {
    kept_txns_ += static_cast<size_t>(batches_[apply_batch_++]->txns);
    apply_offset_ = 0;
  }
  return payload;
}

/// Gives back batches of which enough younger txns are kept.
void Journal::trim() {
  while (apply_batch_ > 0 && kept_txns_ - static_cast<size_t>(batches_.front()->txns) >= keep_) {
    std::unique_ptr<LogBatch> batch = std::move(batches_.front());
    batches_.pop_front();
    --apply_batch_;
    --durable_batches_;
    kept_txns_ -= static_cast<size_t>(batch->txns);
    base_ = batch->last;
    if (spare_.size() == kSparesKept) continue;
    batch->records.clear();
    batch->txns = 0;
    spare_.push_back(std::move(batch));
  }
}

void Journal::settle() {
  QUORATE_CHECK(!at_log_);
  if (planted(Planted::UndurableKept)) {
    durable_batches_ = batches_.size() - (open().empty() ? 1 : 0);
    durable_ = last_made_;
  }
  batches_.resize(durable_batches_);
  add_batch();
  last_made_ = committed_ = durable_;
}

void Journal::restart(Zxid last) {
  QUORATE_CHECK(!at_log_);
  batches_.clear();
  durable_batches_ = apply_batch_ = apply_offset_ = kept_txns_ = 0;
  base_ = last_made_ = durable_ = committed_ = applied_ = last;
  add_batch();
}

}  // namespace quorate::zab
