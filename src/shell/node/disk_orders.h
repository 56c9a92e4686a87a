#pragma once
#include <optional>
#include <string>

#include "core/zab/epochs.h"
#include "shell/env/disk.h"
#include "shell/node/settings.h"
#include "shell/storage/epoch_files.h"
#include "shell/storage/recovery.h"

/// What the protocol wants done on the disk besides the log: promises of epochs, cuts and replacements of the history,
/// and loading it anew. One at a time, between two batches, on the log's thread. Spec: quorum 3.4, 3.7; DISK-12, 13.
namespace quorate::node {

/// No vote, and a SNAP before anything else: what was here is lost, or there is nothing and nobody asked for an empty
/// database. Spec: quorum 2.9; known-faults R-D6.
inline bool in_doubt(const storage::Recovered& recovered) {
  return recovered.in_doubt || recovered.last_zxid.value < 0;
}

class DiskOrders {
 public:
  DiskOrders(env::Disk& disk, const NodeSettings& settings, storage::EpochFiles epochs);

  // Loop thread.
  /// The tree and the sessions are StoreSnapshot's; nobody changes them until it is done.
  void give(const zab::DiskOrder& order, tree::Tree& tree, const tree::SessionList& sessions);
  /// `in_doubt`: what is loaded is not to be trusted, and that is noted first.
  void give_reload(bool in_doubt);
  /// Logs and snapshots change: nobody else may work on them meanwhile, and the log that was open is not written any
  /// more.
  bool changes_history() const { return reload_ || is_history(order_.kind); }
  static bool is_history(zab::DiskOrder::Kind kind);
  struct Outcome {
    std::string refused;  ///< Why it was not done; empty: it was.
    std::optional<storage::Recovered> memory;
    std::vector<LogLine> lines;
    zab::Epochs epochs;
    bool reload = false;
    bool set_aside = false;  ///< The old history is kept as another quarantine.
  };
  /// An error is final: the process must stop, and the next start decides.
  Result<Outcome> finish();

  // Log thread.
  void perform();

 private:
  Result<void> carry_out();
  Result<void> truncate();
  Result<void> keep_evidence();
  Result<void> store_tree();
  Result<void> load();

  env::Disk& disk_;
  const NodeSettings& settings_;
  storage::EpochFiles epochs_;
  zab::DiskOrder order_;
  bool reload_ = false;
  bool in_doubt_ = false;
  tree::Tree* tree_ = nullptr;
  const tree::SessionList* sessions_ = nullptr;
  Result<void> done_;
  Outcome outcome_;
};

}  // namespace quorate::node
