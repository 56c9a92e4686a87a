#pragma once
#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "core/zab/epochs.h"
#include "core/zab/journal.h"

/// What a learner lacks, and how the leader brings it there. A pure choice; who makes it registers the learner for
/// live traffic in the same step (rule 21).
/// Spec: quorum 3.5, rules 21 to 25; known-faults MUST-3, R-S4.
namespace quorate::zab {

struct SyncSettings {
  bool force_snapshot = false;
  bool history_on_disk = true;     ///< snapshotSizeFactor >= 0
  size_t max_trees = 1;            ///< So many can be read at once: a tree has one walk (tree/snapshot_walk.h).
  size_t max_snap_syncs = 10;      ///< Of observers; a voter waits for no observer's sync, but for its tree.
  size_t max_diff_syncs = 100;     ///< The same, without a tree.
  std::vector<EpochStart> epochs;  ///< Those that this server knows of.
};

enum class SyncKind : uint8_t {
  Diff,          ///< The txns behind `from`, out of the journal.
  DiffFromDisk,  ///< The same, but the first of them have left the journal: the log may have them.
  Trunc,         ///< Cut behind `from`; then the txns behind it, if any.
  Snap,          ///< The whole tree.
};

struct SyncPlan {
  SyncKind kind = SyncKind::Snap;
  Zxid from;  ///< The peer holds our history up to here. Of Snap: nothing.
  const char* why = "";
};

/// Is it known that nothing is missing between the two, where `next` begins an epoch? By its counter alone a hole in
/// front of it does not show (known-faults R-D4, 2099).
bool joins_on(Zxid last, Zxid next, const std::vector<EpochStart>& epochs);

/// May `next` follow `last` in a gap-free history? Compat: Apache repeats a zxid on a failed txn (client 3.5).
bool follows(Zxid last, Zxid next);

/// For a learner whose history ends at `peer`. The committed part of `journal` is what it is compared with: a proposal
/// that it holds and that is not committed is cut, and sent again, so that its ack counts.
SyncPlan choose_sync(Zxid peer, const Journal& journal, const SyncSettings& settings);

}  // namespace quorate::zab
