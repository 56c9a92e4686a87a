#include "shell/storage/truncate.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <ranges>
#include <utility>

#include "shell/storage/log_feed.h"
#include "shell/storage/snapshot_file.h"

namespace quorate::storage {
namespace {

Truncation refused(std::string why_not) { return {false, std::move(why_not)}; }

uint64_t hex(Zxid zxid) { return static_cast<uint64_t>(zxid.value); }

/// The newest readable snapshot that holds nothing behind `zxid`.
Result<std::optional<Zxid>> find_base(env::Disk& disk, const HistoryDirectories& directories, Zxid zxid,
                                      size_t max_buffer_bytes) {
  auto listing = list_directory(disk, directories.snapshots);
  if (!listing) return std::unexpected(listing.error());
  for (const NamedFile& file : listing->snapshots | std::views::reverse) {
    if (file.zxid > zxid) continue;
    auto facts = verify_snapshot(disk, directories.snapshots, file.name, max_buffer_bytes);
    if (!facts && facts.error().fault != Fault::Corrupt) return std::unexpected(facts.error());
    if (facts && std::max(facts->digest_zxid, facts->last_zxid) <= zxid) return file.zxid;
  }
  return std::nullopt;
}

/// How far the log goes on from `base` without a gap, up to `zxid`.
Result<Zxid> follow_log(env::Disk& disk, const HistoryDirectories& directories, const FeedRange& range) {
  auto feed = LogFeed::open(disk, directories.logs, range);
  if (!feed) return std::unexpected(feed.error());
  while (true) {
    auto record = feed->next();
    if (!record) return std::unexpected(record.error());
    if (!*record) return std::max(range.after, feed->last());
  }
}

}  // namespace

Result<Truncation> truncate_history(env::Disk& disk, const HistoryDirectories& directories, Zxid zxid,
                                    size_t max_buffer_bytes) {
  auto base = find_base(disk, directories, zxid, max_buffer_bytes);
  if (!base) return std::unexpected(base.error());
  if (!*base) return refused(fmt::format("no snapshot at or before 0x{:x} can be read", hex(zxid)));
  auto last = follow_log(disk, directories, {**base, zxid, max_buffer_bytes});
  if (!last && last.error().fault == Fault::Corrupt) {
    return refused(fmt::format("the log behind snapshot 0x{:x} cannot be read up to 0x{:x}: {}", hex(**base), hex(zxid),
                               last.error().detail));
  }
  if (!last) return std::unexpected(last.error());
  if (*last != zxid) {
    return refused(fmt::format("our history has no 0x{:x}, the last before it is 0x{:x}", hex(zxid), hex(*last)));
  }
  const HistoryChange change{HistoryChange::Kind::Truncate, zxid};
  if (auto done = carry_out(disk, directories, change, max_buffer_bytes); !done) return std::unexpected(done.error());
  return Truncation{true, {}};
}

}  // namespace quorate::storage
