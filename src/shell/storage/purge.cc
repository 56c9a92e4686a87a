#include "shell/storage/purge.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <optional>
#include <ranges>
#include <utility>

#include "base/planted.h"
#include "shell/storage/directory.h"
#include "shell/storage/small_file.h"
#include "shell/storage/snapshot_file.h"

namespace quorate::storage {
namespace {

constexpr int kMinRetained = 3;
constexpr const char* kComponent = "PurgeTxnLog";

/// As Java's medium format prints it: "Nov 20, 2026, 7:23:13 AM".
std::string date_text(int64_t ms) {
  const time_t seconds = ms / 1000;
  tm fields{};
  localtime_r(&seconds, &fields);
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const int hour = fields.tm_hour % 12;
  return fmt::format("{} {}, {}, {}:{:02}:{:02} {}", kMonths[fields.tm_mon], fields.tm_mday, fields.tm_year + 1900,
                     hour == 0 ? 12 : hour, fields.tm_min, fields.tm_sec, fields.tm_hour < 12 ? "AM" : "PM");
}

class Purge {
 public:
  Purge(env::Disk& disk, const std::string& snapshots, const std::string& logs)
      : disk_(disk), snapshot_directory_(snapshots), log_directory_(logs) {}

  Result<PurgeReport> run(size_t retain, size_t max_buffer_bytes) {
    auto in_snapshots = list_directory(disk_, snapshot_directory_);
    if (!in_snapshots) return std::unexpected(in_snapshots.error());
    auto in_logs = list_directory(disk_, log_directory_);
    if (!in_logs) return std::unexpected(in_logs.error());
    say(Level::Info, "Purge task started.");
    auto least = oldest_retained(in_snapshots->snapshots, retain, max_buffer_bytes);
    if (!least) return std::unexpected(least.error());
    if (*least) {
      if (auto done = remove_older(in_snapshots->snapshots, in_logs->logs, **least); !done) {
        return std::unexpected(done.error());
      }
    }
    say(Level::Info, "Purge task completed.");
    return std::move(report_);
  }

 private:
  /// The oldest of the newest `retain` snapshots that read well to the last seal; nothing when there are fewer.
  Result<std::optional<Zxid>> oldest_retained(const std::vector<NamedFile>& snapshots, size_t retain,
                                              size_t max_buffer_bytes) {
    size_t good = 0;
    for (const NamedFile& file : snapshots | std::views::reverse) {
      auto facts = verify_snapshot(disk_, snapshot_directory_, file.name, max_buffer_bytes);
      if (!facts) {
        say(Level::Warn, fmt::format("Not counting a snapshot that cannot be read: {}", facts.error().detail));
        continue;
      }
      // Apache does not sync its snapshots; none may stand in for logs before it is on the disk.
      const std::string path = fmt::format("{}/{}", snapshot_directory_, file.name);
      if (auto kept = sync_existing(disk_, path); !kept) return std::unexpected(kept.error());
      if (++good == retain) return file.zxid;
    }
    return std::nullopt;
  }

  /// Oldest first, snapshots before logs: whatever a crash leaves, no snapshot misses a log in the middle.
  Result<void> remove_older(const std::vector<NamedFile>& snapshots, const std::vector<NamedFile>& logs, Zxid least) {
    if (auto synced = disk_.sync_directory(snapshot_directory_); !synced) return synced;
    for (const NamedFile& file : snapshots) {
      if (file.zxid < least) remove(snapshot_directory_, file);
    }
    if (auto done = settle(snapshot_directory_); !done) return done;
    // A snapshot that stays needs its logs; the next purge tries again.
    if (refused_) return {};
    // The log that `least` itself lies in holds the records behind it too.
    auto behind = std::ranges::upper_bound(logs, least, {}, &NamedFile::zxid);
    if (behind != logs.begin() && !planted(Planted::PurgeTooMuch)) --behind;
    for (auto file = logs.begin(); file != behind; ++file) remove(log_directory_, *file);
    return settle(log_directory_);
  }

  void remove(const std::string& directory, const NamedFile& file) {
    const std::string path = fmt::format("{}/{}", directory, file.name);
    disk_.reach(env::CrashPoint::PurgeRemove);
    say(Level::Info, fmt::format("Removing file: {}\t{}", date_text(file.modified_ms), path));
    if (auto removed = disk_.remove(path); !removed) {
      say(Level::Error, fmt::format("Failed to remove {}", path));
      refused_ = true;
      return;
    }
    report_.removed.push_back(path);
    changed_ = true;
  }

  Result<void> settle(const std::string& directory) {
    if (!std::exchange(changed_, false)) return {};
    disk_.reach(env::CrashPoint::PurgeDirSync);
    return disk_.sync_directory(directory);
  }

  void say(Level level, std::string text) { report_.lines.push_back({level, kComponent, std::move(text)}); }

  env::Disk& disk_;
  const std::string& snapshot_directory_;
  const std::string& log_directory_;
  PurgeReport report_;
  bool changed_ = false;
  bool refused_ = false;  ///< Some file could not be removed.
};

}  // namespace

Result<PurgeReport> purge(env::Disk& disk, const std::string& snapshot_directory, const std::string& log_directory,
                          int retain, size_t max_buffer_bytes) {
  const auto wanted = static_cast<size_t>(std::max(retain, kMinRetained));
  return Purge(disk, snapshot_directory, log_directory).run(wanted, max_buffer_bytes);
}

}  // namespace quorate::storage
