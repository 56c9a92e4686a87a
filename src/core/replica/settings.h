#pragma once
#include <cstddef>
#include <cstdint>

#include "base/ids.h"
#include "core/session/session_table.h"

/// What operators can set about the service itself; filled by shell/config, read at start only. Names of the keys are
/// in the comments. Spec: operations 1.3, 1.7.
namespace quorate::replica {

/// connection_throttle_*: a token bucket for new connections. Spec: client 9.5.
struct ConnectionThrottleSettings {
  int32_t tokens = 0;  ///< 0 = off
  Millis fill_time{1};
  int32_t fill_count = 1;
  Millis freeze_time{-1};  ///< -1 = no random dropping
  double drop_increase = 0.02;
  double drop_decrease = 0.002;
  double decrease_ratio = 0;
  bool weight_enabled = false;
  int32_t global_session_weight = 3;
  int32_t renew_session_weight = 2;
};

/// request_throttle_*, throttled_op_wait_time. Spec: client 9.7.
struct RequestThrottleSettings {
  int32_t max_requests = 0;  ///< 0 = off
  bool drop_stale = true;
  bool stale_latency_check = false;
  bool stale_connection_check = true;
  Millis throttled_op_wait_time{0};  ///< 0 = off
};

/// znode.container.*. Spec: client 5.6.
struct CleanerSettings {
  Millis check_interval{60000};
  int32_t max_per_minute = 10000;
  Millis max_never_used{0};
};

struct ReplicaSettings {
  int64_t server_id = 1;
  bool in_ensemble = false;  ///< Sessions that are not known have expired.
  Millis tick{3000};
  session::TimeoutLimits timeouts{6000, 60000};
  bool local_sessions = false;                  ///< localSessionsEnabled
  bool local_sessions_upgrade = false;          ///< localSessionsUpgradingEnabled
  bool extended_types = false;                  ///< extendedTypesEnabled
  bool emulate_353_ttl = false;                 ///< emulate353TTLNodes
  bool enforce_quota = false;                   ///< enforceQuota
  bool close_session_txn = true;                ///< closeSessionTxn.enabled
  bool digest = true;                           ///< digest.enabled
  bool reconfig_enabled = false;                ///< reconfigEnabled
  bool eager_acl_check = false;                 ///< enableEagerACLCheck
  int32_t max_frame_bytes = 1048575;            ///< jute.maxbuffer
  int32_t outstanding_limit = 1000;             ///< globalOutstandingLimit
  int32_t large_request_threshold = -1;         ///< largeRequestThreshold, -1 = off
  int64_t large_request_max_bytes = 100 << 20;  ///< largeRequestMaxBytes
  ConnectionThrottleSettings connection_throttle;
  RequestThrottleSettings request_throttle;
  CleanerSettings cleaner;
};

}  // namespace quorate::replica
