#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/auth/auth.h"
#include "core/replica/settings.h"
#include "shell/admin/server_view.h"
#include "shell/config/ensemble.h"
#include "shell/storage/recovery.h"
#include "shell/storage/snapshot_file.h"
#include "shell/storage/txn_log.h"

/// All that a node is told at boot: the settings of its rooms and a few of its own. Filled by shell/server from the
/// configuration, and by the simulator.
namespace quorate::node {

/// When a snapshot is taken, and how it is written. Spec: disk 4.4; DESIGN, "When to snapshot".
struct SnapshotSettings {
  storage::Compression compression = storage::Compression::None;
  bool with_last_zxid = true;            ///< serializeLastProcessedZxid.enabled
  int32_t snap_count = 100000;           ///< Upper bound of txns between snapshots.
  int64_t size_limit_bytes = 4LL << 30;  ///< snapSizeLimitInKb; <= 0: none.
  int64_t floor_bytes = 64 << 20;        ///< The log must have grown by this much at least.
  size_t slice_bytes = 64 << 10;         ///< Walked between two rounds of the loop.
  size_t queue_limit_bytes = 64 << 20;   ///< More than this waiting for the disk gives the snapshot up.
};

struct PurgeSettings {
  int32_t retain = 3;
  Millis interval{0};  ///< 0 = never
};

/// Client connections before they have a session, and how many there may be. Spec: client 12.
struct LinkSettings {
  int32_t max_per_address = 60;  ///< maxClientCnxns; 0 = no limit
  int32_t max_total = 0;         ///< maxCnxns; 0 = no limit
  Millis sessionless_timeout{10000};
};

struct NodeSettings {
  replica::ReplicaSettings replica;
  auth::AuthSettings auth;
  storage::RecoverySettings recovery;
  storage::LogSettings log;
  SnapshotSettings snapshot;
  PurgeSettings purge;
  LinkSettings links;
  Millis flush_delay{0};      ///< flushDelay: least time from one sync to the next batch; 0 = none.
  int32_t max_batch = 1000;   ///< maxBatchSize: so many txns end that wait; <= 0: they do not.
  Millis sync_warning{1000};  ///< fsync.warningthresholdms
  admin::ConfView conf;       ///< For the word conf.
  admin::WordRules words;     ///< 4lw.commands.whitelist
  admin::Version version;
  bool read_only_mode = false;  ///< readonlymode.enabled: a member without a leader lets clients read.
  std::optional<config::EnsembleSettings> ensemble;  ///< A member of one; else a server of its own.
};

}  // namespace quorate::node
