#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/log_line.h"
#include "base/result.h"
#include "shell/env/disk.h"
#include "shell/storage/history_change.h"

/// A member whose history cannot be loaded, or is not the ensemble's, keeps it for the operator and gets a leader's
/// tree. Until that is stored the server is in doubt, over restarts, too: a file of that name says so, and whoever
/// finds it must not vote, for it may have acknowledged what it has lost. Other programs ignore the names.
/// Spec: known-faults R-D5, R-D6, MUST-1, MUST-8; DESIGN, "Damaged directory".
namespace quorate::storage {

/// Moves every log and snapshot into subdirectories `quarantine-<n>`, durably and whole or not at all; epoch files
/// stay. recover() then finds nothing, and says in_doubt. `why` is what recover() said. Returns the name.
/// Requires what carry_out() requires; its word on errors goes here, too. Errors: Io, NoSpace.
Result<std::string> set_history_aside(env::Disk& disk, const HistoryDirectories& directories, const std::string& why,
                                      std::vector<LogLine>& lines);

/// The history stays where it is; it loads, but it is not to be trusted. Errors: Io, NoSpace.
Result<void> mark_in_doubt(env::Disk& disk, const HistoryDirectories& directories, std::string_view why);
Result<bool> history_is_in_doubt(env::Disk& disk, const HistoryDirectories& directories);
/// How many histories are kept here as quarantine-1, quarantine-2 and so on, up to the first gap. Errors: Io.
Result<int64_t> count_set_aside(env::Disk& disk, const HistoryDirectories& directories);
std::string doubt_path(const HistoryDirectories& directories);

// Steps of changes of the history.
bool is_quarantine(std::string_view name);
Result<void> move_history(env::Disk& disk, const HistoryDirectories& directories, const std::string& name);
/// Durable with the next sync of the directory of the snapshots.
Result<void> clear_doubt(env::Disk& disk, const HistoryDirectories& directories);

}  // namespace quorate::storage
