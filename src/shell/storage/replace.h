#pragma once
#include <cstddef>
#include <string>

#include "base/result.h"
#include "core/tree/session_list.h"
#include "core/tree/tree.h"
#include "shell/env/disk.h"
#include "shell/storage/byte_source.h"
#include "shell/storage/history_change.h"

/// Whole trees on disk: as a snapshot among others, or, after a SNAP, as the snapshot that everything else gives way
/// to, so that no older log or snapshot ever looks like one history with it. Spec: disk 4.3, 6.1 rules 9 and 12; quorum
/// rules 31 and 37; known-faults 3642, 2872.
namespace quorate::storage {

class SnapshotWriter;

/// Everything that a SnapshotWriter needs before finish(). Holds the tree for as long as it takes.
Result<void> write_tree(SnapshotWriter& writer, tree::Tree& tree, const tree::SessionList& sessions);

struct ReplaceSettings {
  HistoryDirectories directories;
  Compression compression = Compression::None;
  bool with_digest = true;
  bool with_last_zxid = true;
  size_t max_buffer_bytes = 2 * 1048575;
};

/// Makes the tree, as of its last zxid, the whole stored history; all older logs and snapshots are removed once it is
/// written, synced and read back. A crash leaves the old history or the new one. Returns the snapshot's name.
/// Requires what carry_out() requires; its word on errors goes here, too. Errors: Io, NoSpace, Corrupt (what was
/// written reads back wrong).
Result<std::string> replace_history(env::Disk& disk, const ReplaceSettings& settings, tree::Tree& tree,
                                    const tree::SessionList& sessions);

}  // namespace quorate::storage
