#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/log_line.h"
#include "base/result.h"
#include "shell/env/disk.h"
#include "shell/storage/directory.h"

/// A change of the stored history that takes many steps and must happen whole or not at all: a cut, its replacement by
/// a leader's snapshot, or its being set aside. A note of it is made durable first; from then on the change has
/// happened, and whoever finds the note, at once or at the next start, carries it out, as often as it takes. Other
/// programs ignore the note's name. Spec: disk 2.8, 4.3, 6.1 rules 12 and 13; quorum rules 36 and 37; known-faults
/// 3642, 2872.
namespace quorate::storage {

struct HistoryDirectories {
  std::string snapshots;  ///< dataDir/version-2; the note lies here.
  std::string logs;       ///< dataLogDir/version-2; may be the same.
};

struct HistoryChange {
  enum class Kind : uint8_t {
    Truncate,  ///< No record and no snapshot beyond `zxid` stays.
    Replace,   ///< The snapshot `name`, so far under its temporary name, becomes all there is, and out of doubt.
    SetAside,  ///< All of it moves into subdirectories `name`, and what is left is in doubt (set_aside.h).
  };
  Kind kind = Kind::Truncate;
  Zxid zxid;
  std::string name = {};
};

/// Requires: nobody else reads or writes the directories; a log that was open is not written to any more. After an
/// error the process must stop, and the next start decides; only with NoSpace, and when change_is_pending() says no,
/// nothing has happened and it may go on.
/// Errors: Io, NoSpace, Corrupt.
Result<void> carry_out(env::Disk& disk, const HistoryDirectories& directories, const HistoryChange& change,
                       size_t max_buffer_bytes);

bool change_is_pending(env::Disk& disk, const HistoryDirectories& directories);

/// Carries out what an earlier life noted; before anything else is done in the directories. Errors: Corrupt (the note
/// cannot be read, or its snapshot is missing), Io, NoSpace.
Result<void> finish_change(env::Disk& disk, const HistoryDirectories& directories, size_t max_buffer_bytes,
                           std::vector<LogLine>& lines);

/// Whether the snapshot holds txns beyond `zxid`: by its name, or by what an Apache server wrote into its end, which
/// went on while it was written. Unreadable ones count by their name. Errors: Io.
Result<bool> snapshot_is_beyond(env::Disk& disk, const HistoryDirectories& directories, const NamedFile& snapshot,
                                Zxid zxid, size_t max_buffer_bytes);

}  // namespace quorate::storage
