#include "shell/node/snapshot_actor.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "shell/storage/purge.h"

namespace quorate::node {
namespace {

// Chunks are handed to the disk in steps of this size; small enough that a piece never keeps the worker long.
constexpr size_t kChunkBytes = 1 << 20;

}  // namespace

SnapshotActor::SnapshotActor(env::Disk& disk, const env::Clock& clock, const NodeSettings& settings)
    : disk_(disk), clock_(clock), settings_(settings) {}

SnapshotActor::~SnapshotActor() = default;

void SnapshotActor::start(tree::Tree& tree, const tree::SessionList& sessions) {
  QUORATE_CHECK(!snapshotting());
  writing_ = true;
  walk_ = std::make_unique<tree::SnapshotWalk>(tree, sessions);
  current_zxid_ = walk_->zxid();
  digest_ = walk_->digest();
  started_micros_ = clock_.micros();
  writer_ = std::make_unique<storage::SnapshotWriter>(disk_, settings_.recovery.snapshot_directory, current_zxid_,
                                                      settings_.snapshot.compression);
  lines_.push_back({Level::Info, "FileTxnSnapLog",
                    fmt::format("Snapshotting: 0x{:x} to {}/snapshot.{:x}", static_cast<uint64_t>(current_zxid_.value),
                                settings_.recovery.snapshot_directory, static_cast<uint64_t>(current_zxid_.value))});
}

bool SnapshotActor::walk() {
  if (walk_ == nullptr) return false;
  if (queued_bytes_ > settings_.snapshot.queue_limit_bytes) {
    give_up("the disk does not keep up with it");
    return false;
  }
  const bool disk_is_behind = queued_bytes_ > 4 * kChunkBytes;
  const bool done = !disk_is_behind && walk_->slice(settings_.snapshot.slice_bytes);
  ByteBuffer produced = walk_->take();
  queued_bytes_ += produced.size();
  if (!produced.empty()) chunks_.push(std::move(produced));
  if (done) {
    walk_.reset();
    sealing_ = true;
  }
  return !disk_is_behind;
}

void SnapshotActor::give_up(const std::string& why) {
  if (abandon_) return;  // while a chunk of it was still being written
  ++errors_;
  drop(why);
}

void SnapshotActor::drop(const std::string& why) {
  walk_.reset();
  sealing_ = false;
  chunks_.clear();
  queued_bytes_ = 0;
  abandon_ = true;
  lines_.push_back({Level::Warn, "FileTxnSnapLog",
                    fmt::format("Giving up snapshot 0x{:x}: {}; it will be tried again later",
                                static_cast<uint64_t>(current_zxid_.value), why)});
}

bool SnapshotActor::stop_walk(const char* why) {
  if (walk_ == nullptr) return false;
  drop(why);
  return true;
}

bool SnapshotActor::has_work() const {
  return abandon_ || !chunks_.empty() || sealing_ || purge_wanted_ || log_to_fill_ != nullptr;
}

bool SnapshotActor::begin() {
  QUORATE_CHECK(!busy());
  if (abandon_) {
    abandon_ = false;
    piece_ = Piece::Abandon;
  } else if (log_to_fill_ != nullptr) {
    filling_ = std::exchange(log_to_fill_, nullptr);
    piece_ = Piece::Fill;
  } else if (!chunks_.empty()) {
    write_chunk();
  } else if (sealing_) {
    piece_ = Piece::Seal;
  } else if (std::exchange(purge_wanted_, false)) {
    piece_ = Piece::Purge;
  }
  return busy();
}

void SnapshotActor::write_chunk() {
  chunk_.clear();
  while (!chunks_.empty() && chunk_.size() < kChunkBytes) chunk_.append(chunks_.pop().view());
  queued_bytes_ -= chunk_.size();
  piece_ = Piece::Write;
}

void SnapshotActor::perform() {
  outcome_ = {};
  switch (piece_) {
    case Piece::Write:
      outcome_ = writer_->write(chunk_.view());
      break;
    case Piece::Seal: {
      const bool with_digest = settings_.replica.digest;
      auto size = writer_->finish(digest_, with_digest, settings_.snapshot.with_last_zxid);
      if (!size) outcome_ = std::unexpected(size.error());
      break;
    }
    case Piece::Purge: {
      auto report = storage::purge(disk_, settings_.recovery.snapshot_directory, settings_.recovery.log_directory,
                                   settings_.purge.retain, settings_.recovery.max_buffer_bytes);
      if (report) piece_lines_ = std::move(report->lines);
      if (!report) piece_lines_ = {{Level::Warn, "PurgeTxnLog", "purge failed: " + report.error().detail}};
      break;
    }
    case Piece::Fill:
      filling_->fill_ahead();
      break;
    case Piece::Abandon:
      writer_.reset();
      break;
    case Piece::None:
      break;
  }
}

void SnapshotActor::finish() {
  const Piece done = std::exchange(piece_, Piece::None);
  for (LogLine& line : piece_lines_) lines_.push_back(std::move(line));
  piece_lines_.clear();
  if (done == Piece::Abandon) writing_ = false;
  if (done == Piece::Write || done == Piece::Seal) {
    if (!outcome_) return give_up(outcome_.error().detail);
    if (done == Piece::Seal) finish_seal();
  }
}

void SnapshotActor::finish_seal() {
  sealing_ = false;
  writing_ = false;
  writer_.reset();
  ++taken_;
  last_zxid_ = current_zxid_;
  last_duration_ms_ = (clock_.micros() - started_micros_) / 1000;
  lines_.push_back({Level::Info, "ZooKeeperServer", fmt::format("Snapshot taken in {} ms", last_duration_ms_)});
}

}  // namespace quorate::node
