#include "shell/storage/boot_directories.h"

#include <fmt/format.h>

#include <algorithm>

#include "shell/storage/history_change.h"

namespace quorate::storage {
namespace {

constexpr const char* kComponent = "FileTxnSnapLog";

/// One of the two version-2 directories. `kind` is "data" or "snap", as Apache words it.
struct Place {
  const std::string& path;
  const std::string& parent;
  std::string_view kind;
};

Result<void> check_writable(env::Disk& disk, const Place& place) {
  const std::string probe = place.path + "/tmp-probe";
  if (!disk.open(probe, env::Open::Create) || !disk.remove(probe)) {
    return fail(Fault::Invalid, fmt::format("Cannot write to {} directory {}", place.kind, place.path));
  }
  return {};
}

Result<void> check_there(env::Disk& disk, const Place& place, bool autocreate) {
  auto entries = disk.list(place.path);
  if (entries) return check_writable(disk, place);
  if (entries.error().fault != Fault::NotFound) return std::unexpected(entries.error());
  if (!autocreate) {
    return fail(Fault::Invalid, fmt::format("Missing {} directory {}, automatic data directory creation is disabled "
                                            "(zookeeper.datadir.autocreate is false). Please create this directory "
                                            "manually.",
                                            place.kind, place.path));
  }
  if (auto made = disk.make_directories(place.path); !made) {
    return fail(Fault::Invalid,
                fmt::format("Unable to create {} directory {}: {}", place.kind, place.path, made.error().detail));
  }
  if (auto synced = disk.sync_directory(place.parent); !synced) return synced;
  return check_writable(disk, place);
}

/// Logs among the snapshots or the other way round: the two directories were swapped. Spec: disk 1.2 (2).
Result<void> check_not_mixed(const DirectoryListing& of_logs, const DirectoryListing& of_snapshots) {
  const auto any = [](const std::vector<NamedFile>& files, const DirectoryListing& all, std::string_view prefix) {
    return !files.empty() ||
           std::ranges::any_of(all.strays, [&](const auto& name) { return name.starts_with(prefix); });
  };
  if (any(of_logs.snapshots, of_logs, "snapshot.")) {
    return fail(Fault::Invalid,
                "Log directory has snapshot files. Check if dataLogDir and dataDir configuration is correct.");
  }
  if (any(of_snapshots.logs, of_snapshots, "log.")) {
    return fail(Fault::Invalid,
                "Snapshot directory has log files. Check if dataLogDir and dataDir configuration is correct.");
  }
  return {};
}

Result<void> check_no_twins(const std::vector<NamedFile>& logs, const std::string& directory) {
  const auto twin = std::ranges::adjacent_find(logs, {}, &NamedFile::zxid);
  if (twin == logs.end()) return {};
  return fail(Fault::Corrupt, fmt::format("{}: {} and {} start at the same zxid; remove the one that does not belong "
                                          "there",
                                          directory, twin->name, std::next(twin)->name));
}

Result<void> clean(env::Disk& disk, const std::string& directory, const DirectoryListing& listing,
                   std::vector<LogLine>& lines) {
  for (const std::string& name : listing.strays) {
    lines.push_back(
        {Level::Warn, kComponent, fmt::format("Ignoring {}/{}: not the name of a log or a snapshot", directory, name)});
  }
  for (const std::string& name : listing.leftovers) {
    disk.reach(env::CrashPoint::BootCleanTmp);
    const std::string path = fmt::format("{}/{}", directory, name);
    if (auto removed = disk.remove(path); !removed) return removed;
    lines.push_back({Level::Info, kComponent, fmt::format("Removed {}, left by an interrupted write", path)});
  }
  return {};
}

}  // namespace

Result<BootListing> prepare_directories(env::Disk& disk, const RecoverySettings& settings,
                                        std::vector<LogLine>& lines) {
  const Place logs{settings.log_directory, settings.data_log_directory, "data"};
  const Place snapshots{settings.snapshot_directory, settings.data_directory, "snap"};
  for (const Place& place : {logs, snapshots}) {
    if (auto there = check_there(disk, place, settings.autocreate_directories); !there) {
      return std::unexpected(there.error());
    }
  }
  const HistoryDirectories history{snapshots.path, logs.path};
  if (auto finished = finish_change(disk, history, settings.max_buffer_bytes, lines); !finished) {
    return std::unexpected(finished.error());
  }
  auto in_logs = list_directory(disk, logs.path);
  if (!in_logs) return std::unexpected(in_logs.error());
  if (auto twins = check_no_twins(in_logs->logs, logs.path); !twins) return std::unexpected(twins.error());
  if (auto done = clean(disk, logs.path, *in_logs, lines); !done) return std::unexpected(done.error());
  if (logs.path == snapshots.path) return BootListing{std::move(in_logs->logs), std::move(in_logs->snapshots)};

  auto in_snapshots = list_directory(disk, snapshots.path);
  if (!in_snapshots) return std::unexpected(in_snapshots.error());
  if (auto mixed = check_not_mixed(*in_logs, *in_snapshots); !mixed) return std::unexpected(mixed.error());
  if (auto done = clean(disk, snapshots.path, *in_snapshots, lines); !done) return std::unexpected(done.error());
  return BootListing{std::move(in_logs->logs), std::move(in_snapshots->snapshots)};
}

Result<bool> initialize_present(env::Disk& disk, const RecoverySettings& settings) {
  for (const std::string& directory : {settings.data_log_directory, settings.data_directory}) {
    const auto marker = disk.open(directory + "/initialize", env::Open::Read);
    if (marker) return true;
    if (marker.error().fault != Fault::NotFound) return std::unexpected(marker.error());
  }
  return false;
}

void remove_initialize(env::Disk& disk, const RecoverySettings& settings) {
  for (const std::string& directory : {settings.data_log_directory, settings.data_directory}) {
    // Usually absent; a marker that stays does no harm while there is a snapshot.
    (void)disk.remove(directory + "/initialize");
  }
}

}  // namespace quorate::storage
