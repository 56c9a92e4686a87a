#include "shell/storage/history_change.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <ranges>

#include "base/planted.h"
#include "shell/storage/log_reader.h"
#include "shell/storage/set_aside.h"
#include "shell/storage/small_file.h"
#include "shell/storage/snapshot_file.h"

namespace quorate::storage {
namespace {

constexpr std::string_view kTruncate = "truncate snapshot.";
constexpr std::string_view kReplace = "replace ";
constexpr std::string_view kSetAside = "set aside ";

std::string note_path(const HistoryDirectories& directories) { return directories.snapshots + "/history-change"; }

std::string note_text(const HistoryChange& change) {
  switch (change.kind) {
    case HistoryChange::Kind::Truncate:
      return hex_name(kTruncate, change.zxid) + "\n";
    case HistoryChange::Kind::Replace:
      return fmt::format("{}{}\n", kReplace, change.name);
    case HistoryChange::Kind::SetAside:
      return fmt::format("{}{}\n", kSetAside, change.name);
  }
  return {};
}

std::optional<HistoryChange> parse_note(std::string_view text) {
  if (!text.ends_with('\n')) return std::nullopt;
  text.remove_suffix(1);
  if (text.starts_with(kSetAside)) {
    const std::string_view directory = text.substr(kSetAside.size());
    if (!is_quarantine(directory)) return std::nullopt;
    return HistoryChange{HistoryChange::Kind::SetAside, {}, std::string(directory)};
  }
  const bool cut = text.starts_with(kTruncate);
  if (!cut && !text.starts_with(kReplace)) return std::nullopt;
  const std::string_view name = text.substr(text.find(' ') + 1);
  const auto zxid = zxid_of_name(name);
  if (!zxid || !name.starts_with("snapshot.")) return std::nullopt;
  if (cut) return HistoryChange{HistoryChange::Kind::Truncate, *zxid};
  return HistoryChange{HistoryChange::Kind::Replace, *zxid, std::string(name)};
}

/// The steps of one change. Each may have been done before.
class Redo {
 public:
  Redo(env::Disk& disk, const HistoryDirectories& directories, size_t max_buffer_bytes)
      : disk_(disk), directories_(directories), max_buffer_bytes_(max_buffer_bytes) {}

  Result<void> run(const HistoryChange& change) {
    if (auto done = carry_out(change); !done) return done;
    disk_.reach(NoteRemove);
    if (auto removed = disk_.remove(note_path(directories_)); !removed) return removed;
    disk_.reach(NoteGone);
    auto synced = disk_.sync_directory(directories_.snapshots);
    // The note may come back after a crash and undo what is written from now on: never to be taken for "not begun".
    if (!synced) return fail(Fault::Io, synced.error().detail);
    return {};
  }

 private:
  using enum env::CrashPoint;

  Result<void> carry_out(const HistoryChange& change) {
    switch (change.kind) {
      case HistoryChange::Kind::Truncate:
        return truncate(change.zxid);
      case HistoryChange::Kind::Replace:
        return replace(change.name);
      case HistoryChange::Kind::SetAside:
        return move_history(disk_, directories_, change.name);
    }
    return {};
  }

  /// Newest first, here and below: a program that does not know of the note finds a shorter history, not a torn one.
  Result<void> truncate(Zxid zxid) {
    auto snapshots = list_directory(disk_, directories_.snapshots);
    if (!snapshots) return std::unexpected(snapshots.error());
    for (const NamedFile& file : snapshots->snapshots | std::views::reverse) {
      auto beyond = snapshot_is_beyond(disk_, directories_, file, zxid, max_buffer_bytes_);
      if (!beyond) return std::unexpected(beyond.error());
      if (!*beyond || planted(Planted::DirtySnapshotKept)) continue;
      disk_.reach(TruncSnapshot);
      if (auto removed = remove(directories_.snapshots, file); !removed) return removed;
    }
    disk_.reach(TruncSnapshotsSync);
    if (auto synced = disk_.sync_directory(directories_.snapshots); !synced) return synced;

    auto logs = list_directory(disk_, directories_.logs);
    if (!logs) return std::unexpected(logs.error());
    while (!logs->logs.empty() && logs->logs.back().zxid > zxid) {
      disk_.reach(TruncLater);
      if (auto removed = remove(directories_.logs, logs->logs.back()); !removed) return removed;
      logs->logs.pop_back();
    }
    if (!logs->logs.empty()) {
      if (auto cut = cut_log(directories_.logs + "/" + logs->logs.back().name, zxid); !cut) return cut;
    }
    disk_.reach(TruncDirSync);
    return disk_.sync_directory(directories_.logs);
  }

  Result<void> cut_log(const std::string& path, Zxid zxid) {
    const Zxid last = planted(Planted::CutOneTooMany) ? zxid.next() : zxid;
    auto end =
        read_log_file(disk_, path, max_buffer_bytes_, [last](const LogRecord& record) { return record.zxid <= last; });
    if (!end) return std::unexpected(end.error());
    if (end->end != LogEnd::Stopped && !end->leftover) return {};
    auto file = disk_.open(path, env::Open::ReadWrite);
    if (!file) return std::unexpected(file.error());
    disk_.reach(TruncCut);
    if (auto cut = (*file)->truncate(end->data_bytes); !cut) return cut;
    disk_.reach(TruncSync);
    return (*file)->sync();
  }

  Result<void> replace(const std::string& name) {
    const std::string path = directories_.snapshots + "/" + name;
    disk_.reach(ReplaceRename);
    auto renamed = disk_.rename(fmt::format("{}/tmp-{}", directories_.snapshots, name), path);
    if (!renamed && renamed.error().fault != Fault::NotFound) return renamed;
    if (!renamed) {
      auto complete = looks_complete(disk_, path);
      if (!complete) return std::unexpected(complete.error());
      if (!*complete) {
        return fail(Fault::Corrupt, fmt::format("{} says that {} replaces all other files, but it is not there",
                                                note_path(directories_), name));
      }
    }
    disk_.reach(ReplaceDirSync);
    if (auto synced = disk_.sync_directory(directories_.snapshots); !synced) return synced;
    if (planted(Planted::OldHistoryKept) || planted(Planted::HoleServed)) return {};

    auto logs = list_directory(disk_, directories_.logs);
    if (!logs) return std::unexpected(logs.error());
    for (const NamedFile& file : logs->logs | std::views::reverse) {
      disk_.reach(ReplaceLog);
      if (auto removed = remove(directories_.logs, file); !removed) return removed;
    }
    disk_.reach(ReplaceLogsSync);
    if (auto synced = disk_.sync_directory(directories_.logs); !synced) return synced;
    auto snapshots = list_directory(disk_, directories_.snapshots);
    if (!snapshots) return std::unexpected(snapshots.error());
    for (const NamedFile& file : snapshots->snapshots | std::views::reverse) {
      if (file.name == name) continue;
      disk_.reach(ReplaceSnapshot);
      if (auto removed = remove(directories_.snapshots, file); !removed) return removed;
    }
    // The name goes for good with the note's.
    if (auto cleared = clear_doubt(disk_, directories_); !cleared) return cleared;
    disk_.reach(ReplaceSnapshotsSync);
    return disk_.sync_directory(directories_.snapshots);
  }

  Result<void> remove(const std::string& directory, const NamedFile& file) {
    return disk_.remove(directory + "/" + file.name);
  }

  env::Disk& disk_;
  const HistoryDirectories& directories_;
  size_t max_buffer_bytes_;
};

}  // namespace

Result<bool> snapshot_is_beyond(env::Disk& disk, const HistoryDirectories& directories, const NamedFile& snapshot,
                                Zxid zxid, size_t max_buffer_bytes) {
  if (snapshot.zxid > zxid) return true;
  auto facts = verify_snapshot(disk, directories.snapshots, snapshot.name, max_buffer_bytes);
  if (facts) return std::max(facts->digest_zxid, facts->last_zxid) > zxid;
  if (facts.error().fault == Fault::Corrupt) return false;
  return std::unexpected(facts.error());
}

Result<void> carry_out(env::Disk& disk, const HistoryDirectories& directories, const HistoryChange& change,
                       size_t max_buffer_bytes) {
  using enum env::CrashPoint;
  if (auto noted =
          replace_file(disk, note_path(directories), note_text(change), {NoteWrite, NoteSync, NoteRename, NoteDirSync});
      !noted) {
    return noted;
  }
  return Redo(disk, directories, max_buffer_bytes).run(change);
}

bool change_is_pending(env::Disk& disk, const HistoryDirectories& directories) {
  auto text = read_small_file(disk, note_path(directories));
  return text || text.error().fault != Fault::NotFound;
}

Result<void> finish_change(env::Disk& disk, const HistoryDirectories& directories, size_t max_buffer_bytes,
                           std::vector<LogLine>& lines) {
  auto text = read_small_file(disk, note_path(directories));
  if (!text && text.error().fault == Fault::NotFound) return {};
  if (!text) return std::unexpected(text.error());
  const auto change = parse_note(*text);
  if (!change) {
    return fail(Fault::Corrupt, fmt::format("{} holds {:?}, which is no change of the history", note_path(directories),
                                            text->substr(0, 80)));
  }
  lines.push_back({Level::Warn, "FileTxnSnapLog",
                   fmt::format("Finishing what was interrupted: {}", text->substr(0, text->size() - 1))});
  // Its name may not be on the disk yet, and what follows must not get there before it.
  if (auto synced = disk.sync_directory(directories.snapshots); !synced) return synced;
  return Redo(disk, directories, max_buffer_bytes).run(*change);
}

}  // namespace quorate::storage
