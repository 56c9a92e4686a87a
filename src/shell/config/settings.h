#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "core/auth/auth.h"
#include "core/replica/settings.h"
#include "shell/config/ensemble.h"

/// What a configuration comes to: plain values, filled once by load() (load.h) from the table of keys (keys.h) and
/// read by the rooms that they are for. The defaults here are Apache's; a test holds them against the table.
/// Spec: operations 1.3, 1.7.
namespace quorate::config {

/// The listeners of clients.
struct ClientPortSettings {
  int32_t port = 0;         ///< clientPort; 0: none, nobody is served.
  std::string address;      ///< clientPortAddress as written; empty: all.
  int32_t secure_port = 0;  ///< secureClientPort
  std::string secure_address;
  int32_t backlog = -1;               ///< -1: the system's limit
  int32_t max_per_address = 60;       ///< maxClientCnxns; 0: no limit
  int32_t max_connections = 0;        ///< maxCnxns; 0: no limit
  bool keep_alive = false;            ///< clientTcpKeepAlive
  Millis sessionless_timeout{10000};  ///< nio.sessionlessCnxnTimeout
  int32_t record_slack_bytes = -1;    ///< jute.maxbuffer.extrasize; resolved: at least 1024
  friend bool operator==(const ClientPortSettings&, const ClientPortSettings&) = default;
};

/// The files. Paths are as written; "version-2" is not part of them.
struct StorageSettings {
  std::string data_dir;
  std::string log_dir;  ///< dataLogDir; resolved to data_dir when unset.
  int32_t snap_count = 100000;
  int64_t snap_size_limit_kb = 4194304;  ///< <= 0: no limit
  int64_t snap_floor_kb = 65536;         ///< snapshot.floorInKb
  int64_t log_size_limit_kb = -1;        ///< txnLogSizeLimitInKb; <= 0: no limit
  int64_t preallocate_kb = 65536;        ///< preAllocSize
  bool force_sync = true;                ///< forceSync
  Millis sync_warning{1000};             ///< fsync.warningthresholdms
  std::string compression;               ///< "", "gz" or "snappy"
  bool trust_empty = false;              ///< snapshot.trust.empty
  bool create_database = true;           ///< db.autocreate
  bool create_directories = true;        ///< datadir.autocreate
  bool last_zxid_in_snapshot = true;     ///< serializeLastProcessedZxid.enabled
  Millis flush_delay{0};                 ///< flushDelay
  Millis max_queue_poll{-1};             ///< maxWriteQueuePollTime; resolved: flush_delay / 3 when unset
  int32_t max_batch = 1000;              ///< maxBatchSize
  int32_t purge_retain = 3;              ///< autopurge.snapRetainCount
  int32_t purge_interval_hours = 0;      ///< autopurge.purgeInterval; <= 0: never
  friend bool operator==(const StorageSettings&, const StorageSettings&) = default;
};

/// Four-letter words, HTTP and metrics.
struct AdminSettings {
  std::vector<std::string> words;  ///< 4lw.commands.whitelist, trimmed; "*" is all.
  bool enabled = true;             ///< admin.enableServer
  std::string address = "0.0.0.0";
  int32_t port = 8080;
  Millis idle_timeout{30000};
  std::string command_url = "/commands";
  bool port_unification = false;
  bool force_https = false;
  bool need_client_auth = false;
  Millis rate_limit_interval{300000};
  bool snapshot_enabled = false;  ///< Quorate: off until an admin credential rule exists (operations 6.9).
  bool restore_enabled = false;
  std::string metrics_provider = "org.apache.zookeeper.metrics.impl.DefaultMetricsProvider";
  friend bool operator==(const AdminSettings&, const AdminSettings&) = default;
};

/// An unknown key, kept as the system property that Apache would make of it.
struct ExtraProperty {
  std::string name;
  std::string value;
};

struct Settings {
  ClientPortSettings client_port;
  StorageSettings storage;
  AdminSettings admin;
  EnsembleSettings ensemble;
  replica::ReplicaSettings replica;
  auth::AuthSettings auth;
  bool read_only_mode = false;  ///< readonlymode.enabled is "true" in any case.
  bool read_only_word = false;  ///< ... is exactly "true": the word isro needs no whitelist.
  std::vector<ExtraProperty> extra;
};

/// For `quorate serve` without a file: a private server on 127.0.0.1:2181 under ./data, all words enabled.
Settings default_settings();

}  // namespace quorate::config
