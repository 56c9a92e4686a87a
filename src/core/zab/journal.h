#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

#include "base/byte_buffer.h"
#include "base/ids.h"
#include "wire/archive.h"
#include "wire/log_record.h"

/// Every txn from its making to its end, in the order of the one history and as the records that the log will hold:
/// made → handed to the log → durable → applied once it is committed, too → kept for learners that are a little
/// behind. The bytes are written once and never copied. Leader, learner and standalone server use the same one.
/// Spec: quorum 3.5 (committed log), rules 23, 39, 44, 59; known-faults MUST-6.
namespace quorate::zab {

/// A batch is one write of at most this many bytes, or a single record: what a power cut can tear is then within the
/// last MiB of a log, which is how recovery tells it from damage (DESIGN, section 2).
constexpr size_t kMaxBatchBytes = 1 << 20;

/// Framed records (wire/log_record.h), ascending.
struct LogBatch {
  ByteBuffer records;
  Zxid first;
  Zxid last;
  int32_t txns = 0;
  bool empty() const { return txns == 0; }
};

class Journal {
 public:
  /// The log ends at `last`, and all of it is applied. At least `keep` applied txns stay readable.
  Journal(Zxid last, size_t keep);

  // Making. The leader's preparer appends one framed record to records(), then says made(); a learner appends what the
  // leader sent, unchanged (rule 59).
  ByteBuffer& records() { return open().records; }
  /// Returns the payload; it stays there until the next record begins.
  std::string_view made(Zxid zxid);
  void append(Zxid zxid, std::string_view payload);

  // The log. A batch stays here while the log thread writes it and fills in its checksums; nobody else changes it.
  bool has_batch() const { return !at_log_ && (has_full_batch() || !batches_.back()->empty()); }
  bool has_full_batch() const { return durable_batches_ + (at_log_ ? 1 : 0) + 1 < batches_.size(); }
  int32_t open_txns() const { return batches_.back()->txns; }
  /// Requires: has_batch().
  LogBatch& take_batch();
  /// The batch that was taken is durable.
  void on_persisted();

  // The quorum.
  /// Never goes back. Requires: zxid <= last_made().
  void commit(Zxid zxid);
  /// The payload of the next txn that is both durable here and committed; empty when there is none. It counts as
  /// applied with this call, and is valid until the next.
  std::string_view next_to_apply();

  Zxid last_made() const { return last_made_; }
  Zxid durable() const { return durable_; }
  Zxid committed() const { return committed_; }
  Zxid applied() const { return applied_; }

  // For learners.
  /// The zxid before the first txn that is still here: whoever is at it, or later, can be served from here.
  Zxid base() const { return base_; }
  /// Calls visit(zxid, payload) for every txn behind `after`, applied or not, in order. Requires: after >= base().
  template <class Visit>
  void each_after(Zxid after, Visit&& visit) const {
    each_between(after, last_made_, visit);
  }
  /// Those up to `until` only.
  template <class Visit>
  void each_between(Zxid after, Zxid until, Visit&& visit) const {
    for (const auto& batch : batches_) {
      if (batch->empty() || batch->last <= after) continue;
      const std::string_view records = batch->records.view();
      for (size_t offset = 0; offset < records.size();) {
        const std::string_view payload = wire::next_payload(records, offset);
        const Zxid zxid = zxid_of(payload);
        if (zxid > until) return;
        if (zxid > after) visit(zxid, payload);
      }
    }
  }

  /// The role has ended: what no log holds is forgotten, what it holds counts as committed, as after a start.
  /// Requires: no batch at the log.
  void settle();
  /// The history was replaced: it ends at `last`, all applied, nothing of it kept.
  void restart(Zxid last);

  static Zxid zxid_of(std::string_view payload) {
    return {static_cast<int64_t>(wire::load_be64(payload.data() + kZxidOffset))};
  }

 private:
  static constexpr size_t kZxidOffset = 12;  ///< In a txn's header.

  LogBatch& open() { return *batches_.back(); }
  void add_batch();
  void split_last_record();
  void trim();

  size_t keep_;
  std::deque<std::unique_ptr<LogBatch>> batches_;  ///< Durable ones, at most one at the log, full ones, the open one.
  std::vector<std::unique_ptr<LogBatch>> spare_;   ///< Memory to be used again.
  size_t durable_batches_ = 0;
  bool at_log_ = false;
  size_t open_bytes_ = 0;   ///< Of the open batch, without a record that made() has not closed yet.
  size_t apply_batch_ = 0;  ///< Where the next txn to apply begins.
  size_t apply_offset_ = 0;
  size_t kept_txns_ = 0;  ///< In batches that are applied to their end.
  Zxid base_, last_made_, durable_, committed_, applied_;
};

}  // namespace quorate::zab
