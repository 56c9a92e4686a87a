#include "shell/config/keys.h"

#include "shell/config/java_text.h"

namespace quorate::config {
namespace {

bool is_family(std::string_view name) { return name.ends_with('.'); }

template <class Matches>
const Key* first_key(const Matches& matches) {
  for (const Section& section : sections()) {
    for (const Key& key : section.keys) {
      if (matches(key)) return &key;
    }
  }
  return nullptr;
}

}  // namespace

std::span<const Section> sections() {
  static constexpr std::string_view kMembersOnly = "A standalone server needs none of these keys.";
  static const Section all[] = {
      {"Server", table::server_keys()},
      {"Storage", table::storage_keys()},
      {"Connections and requests", table::client_keys()},
      {"Throttling", table::throttle_keys()},
      {"Administration and metrics", table::admin_keys()},
      {"Authentication and access", table::security_keys()},
      {"Ensemble", table::ensemble_keys(), kMembersOnly},
      {"Elections and learners", table::election_keys(), kMembersOnly},
      {"TLS", table::tls_keys()},
      {"Of other programs", table::foreign_keys()},
  };
  return all;
}

const Key* find_key(std::string_view name) {
  if (const Key* exact = first_key([&](const Key& key) { return key.name == name && !is_family(name); })) return exact;
  return first_key([&](const Key& key) { return is_family(key.name) && name.starts_with(key.name); });
}

const Key* find_key_in_any_case(std::string_view name) {
  return first_key([&](const Key& key) { return equals_ignoring_case(key.name, name); });
}

std::span<const Alias> aliases() {
  static constexpr Alias all[] = {
      {"connectionMaxTokens", "connection_throttle_tokens"},
      {"connectionTokenFillTime", "connection_throttle_fill_time"},
      {"connectionTokenFillCount", "connection_throttle_fill_count"},
      {"connectionFreezeTime", "connection_throttle_freeze_time"},
      {"connectionDropIncrease", "connection_throttle_drop_increase"},
      {"connectionDropDecrease", "connection_throttle_drop_decrease"},
      {"connectionDecreaseRatio", "connection_throttle_decrease_ratio"},
      {"requestThrottleLimit", "request_throttle_max_requests"},
      {"requestThrottleStallTime", "request_throttle_stall_time"},
      {"requestThrottleDropStale", "request_throttle_drop_stale"},
      {"requestStaleLatencyCheck", "request_stale_latency_check"},
      {"requestStaleConnectionCheck", "request_stale_connection_check"},
      {"throttledOpWaitTime", "throttled_op_wait_time"},
      {"advancedFlowControlEnabled", "netty.advancedFlowControl.enabled"},
      {"outstandingHandshake.limit", "netty.server.outstandingHandshake.limit"},
      {"maxConcurrentSnapSyncs", "leader.maxConcurrentSnapSyncs"},
      {"maxConcurrentDiffSyncs", "leader.maxConcurrentDiffSyncs"},
  };
  return all;
}

bool is_secret(std::string_view name) {
  constexpr std::string_view kMarks[] = {"password", "superdigest"};
  for (const std::string_view mark : kMarks) {
    for (size_t at = 0; at + mark.size() <= name.size(); ++at) {
      if (equals_ignoring_case(name.substr(at, mark.size()), mark)) return true;
    }
  }
  return name.starts_with("user_") || name.starts_with("zookeeper.user_");
}

std::string shown_value(std::string_view name, std::string_view value) {
  return is_secret(name) ? "***" : std::string(value);
}

}  // namespace quorate::config
