#include "shell/storage/replay.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/planted.h"
#include "shell/storage/small_file.h"

namespace quorate::storage {
namespace {

constexpr int32_t kDigestVersion = 2;

uint64_t hex(Zxid zxid) { return static_cast<uint64_t>(zxid.value); }

}  // namespace

Replay::Replay(env::Disk& disk, const RecoverySettings& settings, const SnapshotFacts& base, Recovered& into)
    : disk_(disk),
      settings_(settings),
      base_(base),
      into_(into),
      last_(base.zxid),
      planted_skip_(planted(Planted::ReplayOffByOne)) {}

void Replay::say(Level level, const char* component, std::string text) {
  into_.lines.push_back({level, component, std::move(text)});
}

Result<void> Replay::run(const std::vector<NamedFile>& logs) {
  for (size_t i = first_needed(logs, base_.zxid); i < logs.size(); ++i) {
    if (auto read = read_file(logs[i]); !read) return read;
  }
  if (auto proven = check_proven(); !proven) return proven;
  for (const OpenEnd& open : open_ends_) {
    if (auto closed = close_end(open); !closed) return closed;
  }
  if (auto kept = make_durable(logs); !kept) return kept;
  into_.last_zxid = std::max(base_.zxid, last_);
  if (settings_.check_digest && base_.has_digest && base_.digest_zxid > into_.last_zxid) {
    say(Level::Warn, "FileTxnSnapLog",
        fmt::format("Highest txn zxid 0x{:x} is not covering the snapshot digest zxid 0x{:x}, which might lead to "
                    "inconsistent state",
                    hex(into_.last_zxid), hex(base_.digest_zxid)));
  }
  return {};
}

/// A process that was killed may have left records in the page cache only. What is served, and what new records are
/// written behind, must be on the disk. Spec: disk 6.1 rule 1.
Result<void> Replay::make_durable(const std::vector<NamedFile>& logs) {
  for (size_t i = first_needed(logs, base_.zxid); i < logs.size(); ++i) {
    auto synced = sync_existing(disk_, fmt::format("{}/{}", settings_.log_directory, logs[i].name));
    if (!synced && synced.error().fault == Fault::NotFound) continue;  // without a record, and removed
    if (!synced) return synced;
  }
  return logs.empty() ? Result<void>() : disk_.sync_directory(settings_.log_directory);
}

Result<void> Replay::read_file(const NamedFile& file) {
  path_ = fmt::format("{}/{}", settings_.log_directory, file.name);
  auto end = read_log_file(disk_, path_, settings_.max_buffer_bytes,
                           [this](const LogRecord& record) { return on_record(record); });
  if (!end) return std::unexpected(end.error());
  if (refused_) return std::unexpected(*refused_);
  if (unreadable_) {
    end->end = LogEnd::Damaged;
    end->leftover = true;
    end->damaged_zxid = unreadable_zxid_;
    end->detail = std::move(*unreadable_);
    unreadable_.reset();
  }
  if (end->end == LogEnd::Damaged && !settings_.drop_damaged_tail) return std::unexpected(damage_error(path_, *end));
  if (end->leftover || end->end == LogEnd::BadHeader) open_ends_.push_back({path_, *end});
  return {};
}

bool Replay::on_record(const LogRecord& record) {
  if (!open_ends_.empty() && !settle_earlier_ends()) return false;
  if (record.zxid <= base_.zxid) return true;
  if (!tree::parse_txn(record.payload, txn_, why_)) {
    unreadable_ = why_;
    unreadable_zxid_ = record.zxid;
    return false;
  }
  if (record.zxid <= last_) {
    // A refused write that could not be decoded shares the zxid of the record before it. Spec: disk 2.6.
    if (txn_.header.type != static_cast<int32_t>(wire::Op::Error)) {
      say(Level::Error, "FileTxnSnapLog",
          fmt::format("{}(highestZxid) > {}(next log): record skipped", last_.value, record.zxid.value));
    }
    return true;
  }
  if (!follows(last_, record.zxid)) {
    refused_ = Error{Fault::Corrupt, fmt::format("{}: zxid 0x{:x} at offset {} is not the next one of 0x{:x}: txns in "
                                                 "between are missing. Restore the log that has them, or move this "
                                                 "file and all behind it away",
                                                 path_, hex(record.zxid), record.offset, hex(last_))};
    return false;
  }
  apply(record, txn_);
  return true;
}

Result<void> Replay::check_proven() const {
  for (const NamedFile& snapshot : unproven_) {
    // A leader's snapshot may be named by the start of its epoch, which is no txn. Spec: quorum 3.8.
    if (snapshot.zxid.counter() == 0) continue;
    return fail(Fault::Corrupt,
                fmt::format("{0}/{1} cannot be read, and the log behind snapshot 0x{2:x} has no txn 0x{3:x}: txns are "
                            "missing. Restore the file, or move it away to give them up",
                            settings_.snapshot_directory, snapshot.name, hex(base_.zxid), hex(snapshot.zxid)));
  }
  return {};
}

/// Records follow in a later file. An Apache server that crashed leaves a torn tail and goes on in a new file: the gap
/// check says whether anything is missing then. Any other end is damage.
bool Replay::settle_earlier_ends() {
  for (const OpenEnd& open : open_ends_) {
    if (!is_torn_tail(open.end.end)) {
      refused_ = damage_error(open.path, open.end);
      return false;
    }
    say(Level::Warn, "FileTxnLog",
        fmt::format("{} has a torn record at offset {}; records go on in {}", open.path, open.end.data_bytes, path_));
  }
  open_ends_.clear();
  return true;
}

void Replay::apply(const LogRecord& record, const tree::TxnView& txn) {
  last_ = record.zxid;
  std::erase_if(unproven_, [this](const NamedFile& snapshot) { return snapshot.zxid == last_; });
  ++into_.txns_replayed;
  into_.log_bytes_replayed += record.payload.size();
  if (planted_skip_) {
    planted_skip_ = false;
    return;
  }
  tree::Tree& tree = *into_.tree;
  tree::apply(tree, into_.sessions, txn, applied_);
  tree::release_acls(tree, applied_);
  if (settings_.check_digest) check_digest(record.zxid);
}

/// Over a fuzzy snapshot the tree is right only from the snapshot's digest zxid on. Spec: disk 5.4.
void Replay::check_digest(Zxid zxid) {
  if (base_.has_digest && zxid < base_.digest_zxid) return;
  const auto digest = static_cast<int64_t>(into_.tree->digest());
  if (base_.has_digest && zxid == base_.digest_zxid && base_.digest_version == kDigestVersion &&
      digest != base_.digest) {
    count_mismatch(zxid, fmt::format("the snapshot says {}", base_.digest));
  } else if (applied_.has_digest && !applied_.digest_matches) {
    count_mismatch(zxid, fmt::format("the log says {}", txn_.digest.tree_digest));
  }
}

void Replay::count_mismatch(Zxid zxid, std::string_view what) {
  if (++into_.digest_mismatches > 1) return;
  say(Level::Error, "DataTree",
      fmt::format("Digests are not matching. Value is Zxid. Value:{}. First digest mismatch on txn 0x{:x}: {}, actual "
                  "digest is {}",
                  zxid.value, hex(zxid), what, static_cast<int64_t>(into_.tree->digest())));
}

/// No record follows: what is behind the good data was never acknowledged, or is given up by the operator's word.
Result<void> Replay::close_end(const OpenEnd& open) {
  const LogFileEnd& end = open.end;
  disk_.reach(env::CrashPoint::LogCutTorn);
  if (end.end == LogEnd::BadHeader) {
    const std::string name = open.path.substr(open.path.rfind('/') + 1);
    say(Level::Warn, "FileTxnLog", fmt::format("Delete empty tail log file to recover from corruption file: {}", name));
    if (auto removed = disk_.remove(open.path); !removed) return removed;
    return disk_.sync_directory(settings_.log_directory);
  }
  if (end.end == LogEnd::Damaged && end.data_bytes == 0) return std::unexpected(damage_error(open.path, end));
  if (end.end == LogEnd::Partial) say(Level::Error, "Util", "Last transaction was partial.");
  say(Level::Warn, "FileTxnLog",
      fmt::format("{} {} bytes at offset {} of {} after zxid 0x{:x}: {}",
                  end.end == LogEnd::Damaged ? "Dropped as asked:" : "Cut off an unfinished batch:",
                  end.file_bytes - end.data_bytes, end.data_bytes, open.path, hex(end.last), end.detail));
  auto file = disk_.open(open.path, env::Open::ReadWrite);
  if (!file) return std::unexpected(file.error());
  if (auto cut = (*file)->truncate(end.data_bytes); !cut) return cut;
  return (*file)->sync();
}

}  // namespace quorate::storage
