#include "shell/storage/log_feed.h"

#include <fmt/format.h>

#include <utility>

#include "base/planted.h"
#include "wire/archive.h"
#include "wire/codes.h"

namespace quorate::storage {
namespace {

constexpr size_t kTypeOffset = 28;  // In a txn's header.

bool is_refused_write(const LogRecord& record) {
  return static_cast<int32_t>(wire::load_be32(record.payload.data() + kTypeOffset)) ==
         static_cast<int32_t>(wire::Op::Error);
}

}  // namespace

Result<LogFeed> LogFeed::open(env::Disk& disk, const std::string& log_directory, const FeedRange& range) {
  auto listing = list_directory(disk, log_directory);
  if (!listing) return std::unexpected(listing.error());
  LogFeed feed(disk, log_directory, range);
  feed.files_ = std::move(listing->logs);
  feed.at_ = first_needed(feed.files_, range.after);
  // Where a file begins right behind `after`, the one before it says whether `after` itself is there.
  const bool begins_behind = feed.at_ < feed.files_.size() && feed.files_[feed.at_].zxid > range.after;
  if (begins_behind && feed.at_ > 0) --feed.at_;
  for (size_t i = feed.at_ + 1; i < feed.files_.size(); ++i) feed.bytes_behind_ += feed.files_[i].size;
  feed.last_ = range.after;
  if (auto found = feed.find_start(); !found) return std::unexpected(found.error());
  return feed;
}

Result<void> LogFeed::find_start() {
  auto record = next();
  if (!record) return std::unexpected(record.error());
  first_ = *record;
  if (first_) last_ = anchor_.value_or(range_.after);
  return {};
}

Result<std::optional<LogRecord>> LogFeed::next() {
  if (first_) {
    last_ = first_->zxid;
    return std::exchange(first_, std::nullopt);
  }
  while (!done_) {
    auto record = read();
    if (!record) return record;
    if (!*record) {
      done_ = true;
      break;
    }
    auto wanted = take(**record);
    if (!wanted) return std::unexpected(wanted.error());
    if (*wanted) return record;
  }
  return std::nullopt;
}

/// The next record of whatever file.
Result<std::optional<LogRecord>> LogFeed::read() {
  while (at_ < files_.size()) {
    if (!reader_) {
      auto opened = LogFileReader::open(*disk_, path(), range_.max_record_bytes);
      if (!opened) return std::unexpected(opened.error());
      reader_.emplace(std::move(*opened));
    }
    auto record = reader_->next();
    if (!record) return std::unexpected(record.error());
    if (*record) {
      if (open_end_) return std::unexpected(*open_end_);
      return record;
    }
    if (auto left = leave_file(); !left) return std::unexpected(left.error());
  }
  return std::nullopt;
}

Result<void> LogFeed::leave_file() {
  const LogFileEnd& end = reader_->end();
  if (end.end == LogEnd::Damaged || end.end == LogEnd::TornBatch) return std::unexpected(damage_error(path(), end));
  if (end.end == LogEnd::BadHeader) open_end_ = damage_error(path(), end);
  reader_.reset();
  ++at_;
  return {};
}

/// Whether it is to be given out.
Result<bool> LogFeed::take(const LogRecord& record) {
  if (record.zxid > range_.until) {
    done_ = true;
    return false;
  }
  if (record.zxid <= range_.after) {
    anchor_ = last_ = record.zxid;
    return false;
  }
  if (record.zxid == last_ && is_refused_write(record)) return false;
  // Behind a snapshot from the leader the log goes on where that ends.
  const bool goes_on = follows(last_, record.zxid) || (last_ <= range_.after && follows(range_.after, record.zxid));
  if (record.zxid <= last_ || (!goes_on && !planted(Planted::HoleServed))) {
    return fail(Fault::Corrupt, fmt::format("{}: zxid 0x{:x} at offset {} is not the next one of 0x{:x}", path(),
                                            static_cast<uint64_t>(record.zxid.value), record.offset,
                                            static_cast<uint64_t>(last_.value)));
  }
  last_ = record.zxid;
  if (record.zxid == range_.until) done_ = true;
  return true;
}

}  // namespace quorate::storage
