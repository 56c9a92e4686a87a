#include "shell/storage/set_aside.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "shell/storage/directory.h"
#include "shell/storage/small_file.h"

namespace quorate::storage {
namespace {

using enum env::CrashPoint;

constexpr std::string_view kQuarantine = "quarantine-";

Result<bool> is_taken(env::Disk& disk, const std::string& directory) {
  auto entries = disk.list(directory);
  if (entries) return true;
  if (entries.error().fault == Fault::NotFound) return false;
  return std::unexpected(entries.error());
}

std::string quarantine_name(int number) { return fmt::format("{}{}", kQuarantine, number); }

/// The first that neither side has.
Result<int> free_number(env::Disk& disk, const HistoryDirectories& directories) {
  for (int number = 1;; ++number) {
    bool taken = false;
    for (const std::string& side : {directories.snapshots, directories.logs}) {
      auto found = is_taken(disk, side + "/" + quarantine_name(number));
      if (!found) return std::unexpected(found.error());
      taken = taken || *found;
    }
    if (!taken) return number;
  }
}

using Files = std::vector<NamedFile>;

/// Newest first: a program that does not know of the note finds a shorter history, or logs that it refuses.
Result<void> move_files(env::Disk& disk, const std::string& directory, const std::string& name,
                        Files DirectoryListing::* kind) {
  const std::string target = directory + "/" + name;
  disk.reach(AsideDirectory);
  if (auto made = disk.make_directories(target); !made) return made;
  if (auto synced = disk.sync_directory(directory); !synced) return synced;
  auto listing = list_directory(disk, directory);
  if (!listing) return std::unexpected(listing.error());
  for (const NamedFile& file : (*listing).*kind | std::views::reverse) {
    disk.reach(kind == &DirectoryListing::snapshots ? AsideSnapshot : AsideLog);
    if (auto moved = disk.rename(directory + "/" + file.name, target + "/" + file.name); !moved) return moved;
  }
  disk.reach(AsideSync);
  if (auto synced = disk.sync_directory(target); !synced) return synced;
  disk.reach(AsideDirSync);
  return disk.sync_directory(directory);
}

/// "2 logs (log.1 to log.5)"
std::string text_of(const Files& files, const char* what) {
  if (files.empty()) return fmt::format("no {}", what);
  return fmt::format("{} {} ({} to {})", files.size(), what, files.front().name, files.back().name);
}

}  // namespace

Result<std::string> set_history_aside(env::Disk& disk, const HistoryDirectories& directories, const std::string& why,
                                      std::vector<LogLine>& lines) {
  const auto number = free_number(disk, directories);
  if (!number) return std::unexpected(number.error());
  const std::string name = quarantine_name(*number);
  auto snapshots = list_directory(disk, directories.snapshots);
  if (!snapshots) return std::unexpected(snapshots.error());
  auto logs = list_directory(disk, directories.logs);
  if (!logs) return std::unexpected(logs.error());
  lines.push_back(
      {Level::Error, "FileTxnSnapLog",
       fmt::format("The history cannot be used: {}. Moving {} to {}/{} and {} to {}/{}. This server does not "
                   "vote, and serves nobody, until it has got a snapshot (SNAP) from a leader",
                   why, text_of(snapshots->snapshots, "snapshots"), directories.snapshots, name,
                   text_of(logs->logs, "logs"), directories.logs, name)});
  const HistoryChange change{HistoryChange::Kind::SetAside, {}, name};
  if (auto done = carry_out(disk, directories, change, 0); !done) return std::unexpected(done.error());
  return name;
}

Result<int64_t> count_set_aside(env::Disk& disk, const HistoryDirectories& directories) {
  const auto number = free_number(disk, directories);
  if (!number) return std::unexpected(number.error());
  return *number - 1;
}

std::string doubt_path(const HistoryDirectories& directories) { return directories.snapshots + "/history-in-doubt"; }

Result<void> mark_in_doubt(env::Disk& disk, const HistoryDirectories& directories, std::string_view why) {
  return replace_file(disk, doubt_path(directories), fmt::format("{}\n", why),
                      {DoubtWrite, DoubtSync, DoubtRename, DoubtDirSync});
}

Result<bool> history_is_in_doubt(env::Disk& disk, const HistoryDirectories& directories) {
  auto file = disk.open(doubt_path(directories), env::Open::Read);
  if (file) return true;
  if (file.error().fault == Fault::NotFound) return false;
  return std::unexpected(file.error());
}

bool is_quarantine(std::string_view name) {
  if (!name.starts_with(kQuarantine)) return false;
  name.remove_prefix(kQuarantine.size());
  return !name.empty() && name.size() < 10 && std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
}

/// The mark is there before anything is missing.
Result<void> move_history(env::Disk& disk, const HistoryDirectories& directories, const std::string& name) {
  if (auto marked = mark_in_doubt(disk, directories, "set aside in " + name); !marked) return marked;
  if (auto moved = move_files(disk, directories.snapshots, name, &DirectoryListing::snapshots); !moved) return moved;
  return move_files(disk, directories.logs, name, &DirectoryListing::logs);
}

Result<void> clear_doubt(env::Disk& disk, const HistoryDirectories& directories) {
  auto in_doubt = history_is_in_doubt(disk, directories);
  if (!in_doubt) return std::unexpected(in_doubt.error());
  if (!*in_doubt) return {};
  disk.reach(DoubtRemove);
  return disk.remove(doubt_path(directories));
}

}  // namespace quorate::storage
