#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "base/ids.h"
#include "wire/quorum_config.h"

/// What only members of an ensemble need, as plain values. Limits are in ticks. Spec: operations 1.3 to 1.7.
namespace quorate::config {

using MemberSettings = wire::QuorumMember;

struct EnsembleSettings {
  int64_t my_id = 0;                            ///< The number in the file myid; 0: there is no such file.
  wire::QuorumConfig config;                    ///< All members, with groups, weights and version.
  wire::Role role = wire::Role::Participant;    ///< Of the own line, else peerType.
  std::optional<wire::QuorumConfig> last_seen;  ///< Of FILE.dynamic.next: proposed, perhaps not committed.
  std::string dynamic_file;                     ///< dynamicConfigFile as written
  bool standalone_enabled = true;

  int32_t init_limit = 0;
  int32_t sync_limit = 0;
  int32_t connect_limit = 0;  ///< connectToLearnerMasterLimit; resolved: init_limit when unset
  int32_t election_algorithm = 3;

  // Ports and connections.
  bool listen_on_all = false;  ///< quorumListenOnAllIPs
  bool multi_address = false;  ///< multiAddress.enabled
  bool check_reachability = true;
  Millis reachability_timeout{1000};
  Millis election_connect_timeout{5000};  ///< cnxTimeout
  Millis election_read_timeout{-1};       ///< quorumCnxnTimeoutMs; resolved: tick * sync_limit when unset
  int32_t election_bind_retries = 3;      ///< 0: without end
  bool election_keep_alive = false;       ///< tcpKeepAlive

  // Elections.
  Millis min_notification_interval{200};
  Millis max_notification_interval{60000};
  Millis epoch_patience{-1};  ///< leader.maxTimeToWaitForEpoch; -1: none but init_limit

  // The leader.
  uint32_t most_counter = 0xfffffffe;  ///< The last zxid of an epoch. No setting: only tests have less time.
  bool leader_serves = true;
  int32_t max_snap_syncs = 10;
  int32_t max_diff_syncs = 100;
  int32_t ack_sampling = 1000;  ///< leader.ackLoggingFrequency; 0 or less: no ack is measured
  int32_t commit_log_count = 500;
  double snapshot_size_factor = 0.33;  ///< Negative: never from the log on disk.
  bool force_snapshot_sync = false;

  // Learners.
  Millis leader_connect_delay{100};
  bool sync_enabled = true;          ///< Observers keep files, too.
  int32_t observer_master_port = 0;  ///< 0: off
  int32_t observer_master_bytes = 33554432;
  Millis observer_reconnect_delay{0};
  Millis observer_election_delay{200};
  bool local_sessions = false;
  bool local_sessions_upgrading = false;

  /// Is this server to be one of an ensemble? Spec: operations 1.1, "Start-up decision".
  bool distributed() const { return config.voters() > 0 && (!standalone_enabled || config.voters() > 1); }
  /// The own line; null without one.
  const MemberSettings* me() const { return config.find(my_id); }
};

}  // namespace quorate::config
