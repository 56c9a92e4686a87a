#include "shell/server/from_config.h"

#include <build_stamp.h>

#include <algorithm>

namespace quorate::server {
namespace {

constexpr int32_t kDefaultSnapCount = 100000;
constexpr int64_t kDefaultSnapSizeKb = 4194304;
constexpr uint64_t kMaxZeroFillBytes = 4 << 20;

storage::Compression compression_of(const std::string& name) {
  if (name == "gz") return storage::Compression::Gzip;
  if (name == "snappy") return storage::Compression::Snappy;
  return storage::Compression::None;
}

node::SnapshotSettings snapshot_settings(const config::StorageSettings& storage) {
  node::SnapshotSettings snapshot;
  snapshot.compression = compression_of(storage.compression);
  snapshot.with_last_zxid = storage.last_zxid_in_snapshot;
  // Apache's defaults would write the whole tree every 100,000 txns; only what an operator sets is a bound
  // (docs/decisions/0002-when-to-snapshot.md).
  snapshot.snap_count = storage.snap_count == kDefaultSnapCount ? 0 : storage.snap_count;
  snapshot.size_limit_bytes =
      storage.snap_size_limit_kb == kDefaultSnapSizeKb ? 0 : std::max<int64_t>(storage.snap_size_limit_kb, 0) * 1024;
  snapshot.floor_bytes = storage.snap_floor_kb * 1024;
  return snapshot;
}

storage::RecoverySettings recovery_settings(const config::Settings& settings, tree::HashKey hash_key) {
  const config::StorageSettings& storage = settings.storage;
  storage::RecoverySettings recovery;
  recovery.data_directory = storage.data_dir;
  recovery.data_log_directory = storage.log_dir;
  recovery.snapshot_directory = storage.data_dir + "/version-2";
  recovery.log_directory = storage.log_dir + "/version-2";
  recovery.autocreate_directories = storage.create_directories;
  recovery.autocreate_database = storage.create_database;
  recovery.trust_empty = storage.trust_empty;
  recovery.check_digest = settings.replica.digest;
  const int64_t limit = settings.replica.max_frame_bytes;
  const int64_t slack = settings.client_port.record_slack_bytes < 0 ? limit : settings.client_port.record_slack_bytes;
  recovery.max_buffer_bytes = static_cast<size_t>(std::min<int64_t>(limit + slack, INT32_MAX));
  recovery.hash_key = hash_key;
  recovery.tree_options = {settings.replica.extended_types, settings.replica.emulate_353_ttl};
  return recovery;
}

admin::ConfView conf_view(const config::Settings& settings, const storage::RecoverySettings& recovery) {
  const config::ClientPortSettings& port = settings.client_port;
  admin::ConfView conf;
  conf.client_port = port.port > 0 ? port.port : -1;
  conf.secure_client_port = port.secure_port > 0 ? port.secure_port : -1;
  conf.data_directory = recovery.snapshot_directory;
  conf.log_directory = recovery.log_directory;
  conf.tick_ms = static_cast<int32_t>(settings.replica.tick.value);
  conf.max_client_connections = port.max_per_address;
  conf.timeouts = settings.replica.timeouts;
  conf.backlog = port.backlog;
  conf.server_id = settings.ensemble.distributed() ? settings.ensemble.my_id : 0;
  conf.sessionless_timeout = port.sessionless_timeout;
  return conf;
}

}  // namespace

node::NodeSettings node_settings(const config::Settings& settings, tree::HashKey hash_key) {
  const config::StorageSettings& storage = settings.storage;
  node::NodeSettings node;
  node.replica = settings.replica;
  node.auth = settings.auth;
  node.recovery = recovery_settings(settings, hash_key);
  node.log.directory = node.recovery.log_directory;
  node.log.preallocate_bytes =
      std::min<uint64_t>(static_cast<uint64_t>(std::max<int64_t>(storage.preallocate_kb, 0)) * 1024, kMaxZeroFillBytes);
  node.log.size_limit_bytes = static_cast<uint64_t>(std::max<int64_t>(storage.log_size_limit_kb, 0)) * 1024;
  node.log.force_sync = storage.force_sync;
  node.snapshot = snapshot_settings(storage);
  node.purge.retain = storage.purge_retain;
  node.purge.interval = Millis{static_cast<int64_t>(std::max(storage.purge_interval_hours, 0)) * 3600 * 1000};
  node.links.max_per_address = settings.client_port.max_per_address;
  node.links.max_total = settings.client_port.max_connections;
  node.links.sessionless_timeout = settings.client_port.sessionless_timeout;
  node.flush_delay = storage.flush_delay;
  node.max_batch = storage.max_batch;
  node.sync_warning = storage.sync_warning;
  if (settings.ensemble.distributed()) node.ensemble = settings.ensemble;
  node.conf = conf_view(settings, node.recovery);
  node.read_only_mode = settings.read_only_mode;
  node.words = {settings.admin.words, settings.read_only_word};
  node.version = admin::make_version(kRevision, kBuilt, kProductVersion);
  return node;
}

}  // namespace quorate::server
