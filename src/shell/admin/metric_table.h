#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "core/replica/server_stats.h"

/// Every counter and summary that Apache 3.9 has, declared once. Those of things that do not exist here stay empty.
/// Spec: operations 4.3.
namespace quorate::admin {

using Summary = replica::LatencyStats;         ///< BASIC: avg, min, max, cnt, sum.
using SampledSummary = replica::SampledStats;  ///< ADVANCED: percentiles, too.

template <class Value>
struct Metric {
  std::string_view name;
  Value replica::ServerStats::* core = nullptr;  ///< Where the core counts it; null: the shell does, in Metrics.
};

inline constexpr std::array<Metric<int64_t>, 51> kCounters = {{
    {"snapshot_error_count", nullptr},
    {"snapshot_rate_limited_count", nullptr},
    {"restore_error_count", nullptr},
    {"restore_rate_limited_count", nullptr},
    {"looking_count", nullptr},
    {"diff_count", nullptr},
    {"snap_count", nullptr},
    {"commit_count", &replica::ServerStats::commit_count},
    {"connection_request_count", &replica::ServerStats::connection_request_count},
    {"connection_rejected", &replica::ServerStats::connection_rejected},
    {"bytes_received_count", &replica::ServerStats::bytes_received_count},
    {"unrecoverable_error_count", nullptr},
    {"add_dead_watcher_stall_time", nullptr},
    {"dead_watchers_queued", nullptr},
    {"dead_watchers_cleared", nullptr},
    {"response_packet_cache_hits", nullptr},
    {"response_packet_cache_misses", nullptr},
    {"response_packet_get_children_cache_hits", nullptr},
    {"response_packet_get_children_cache_misses", nullptr},
    {"ensemble_auth_success", nullptr},
    {"ensemble_auth_fail", nullptr},
    {"ensemble_auth_skip", nullptr},
    {"prep_processor_request_queued", nullptr},
    {"outstanding_changes_queued", nullptr},
    {"outstanding_changes_removed", nullptr},
    {"revalidate_count", &replica::ServerStats::revalidate_count},
    {"connection_drop_count", &replica::ServerStats::connection_drop_count},
    {"connection_revalidate_count", &replica::ServerStats::connection_revalidate_count},
    {"sessionless_connections_expired", &replica::ServerStats::sessionless_connections_expired},
    {"stale_sessions_expired", &replica::ServerStats::stale_sessions_expired},
    {"request_commit_queued", nullptr},
    {"throttled_ops", &replica::ServerStats::throttled_ops},
    {"learner_proposal_received_count", nullptr},
    {"learner_commit_received_count", nullptr},
    {"sync_processor_request_queued", nullptr},
    {"proposal_count", &replica::ServerStats::proposal_count},
    {"quit_leading_due_to_disloyal_voter", nullptr},
    {"stale_requests", &replica::ServerStats::stale_requests},
    {"stale_requests_dropped", &replica::ServerStats::stale_requests_dropped},
    {"stale_replies", nullptr},
    {"request_throttle_wait_count", &replica::ServerStats::request_throttle_wait_count},
    {"large_requests_rejected", &replica::ServerStats::large_requests_rejected},
    {"digest_mismatches_count", &replica::ServerStats::digest_mismatches_count},
    {"unsuccessful_handshake", nullptr},
    {"insecure_admin_count", nullptr},
    {"tls_handshake_exceeded", nullptr},
    {"cnxn_closed_without_zk_server_running", nullptr},
    {"skip_learner_request_to_next_processor_count", nullptr},
    {"requests_not_forwarded_to_commit_processor", nullptr},
    {"response_bytes", &replica::ServerStats::response_bytes},
    {"watch_bytes", &replica::ServerStats::watch_bytes},
}};

inline constexpr std::array<Metric<Summary>, 42> kSummaries = {{
    {"fsynctime", nullptr},
    {"snapshottime", nullptr},
    {"restore_time", nullptr},
    {"dbinittime", nullptr},
    {"follower_sync_time", nullptr},
    {"observer_sync_time", nullptr},
    {"election_time", nullptr},
    {"connection_token_deficit", nullptr},
    {"inflight_snap_count", nullptr},
    {"inflight_diff_count", nullptr},
    {"node_created_watch_count", &replica::ServerStats::node_created_watch_count},
    {"node_deleted_watch_count", &replica::ServerStats::node_deleted_watch_count},
    {"node_changed_watch_count", &replica::ServerStats::node_changed_watch_count},
    {"node_children_watch_count", &replica::ServerStats::node_children_watch_count},
    {"prep_processor_queue_size", nullptr},
    {"prep_process_time", nullptr},
    {"proposal_process_time", nullptr},
    {"unavailable_time", nullptr},
    {"leader_unavailable_time", nullptr},
    {"requests_in_session_queue", nullptr},
    {"pending_session_queue_size", nullptr},
    {"reads_after_write_in_session_queue", nullptr},
    {"reads_issued_from_session_queue", nullptr},
    {"session_queues_drained", nullptr},
    {"time_waiting_empty_pool_in_commit_processor_read_ms", nullptr},
    {"write_batch_time_in_commit_processor", nullptr},
    {"concurrent_request_processing_in_commit_processor", nullptr},
    {"read_commit_proc_req_queued", nullptr},
    {"write_commit_proc_req_queued", nullptr},
    {"commit_commit_proc_req_queued", nullptr},
    {"read_commit_proc_issued", nullptr},
    {"write_commit_proc_issued", nullptr},
    {"commit_process_time", nullptr},
    {"startup_txns_loaded", nullptr},
    {"startup_txns_load_time", nullptr},
    {"startup_snap_load_time", nullptr},
    {"sync_processor_queue_size", nullptr},
    {"sync_process_time", nullptr},
    {"sync_processor_batch_size", nullptr},
    {"netty_queued_buffer_capacity", nullptr},
    {"learner_request_processor_queue_size", nullptr},
    {"socket_closing_time", nullptr},
}};

inline constexpr std::array<Metric<SampledSummary>, 23> kSampled = {{
    {"readlatency", &replica::ServerStats::read_latency},
    {"updatelatency", &replica::ServerStats::update_latency},
    {"propagation_latency", nullptr},
    {"dead_watchers_cleaner_latency", nullptr},
    {"prep_processor_queue_time_ms", nullptr},
    {"close_session_prep_time", nullptr},
    {"read_commitproc_time_ms", nullptr},
    {"write_commitproc_time_ms", nullptr},
    {"local_write_committed_time_ms", nullptr},
    {"server_write_committed_time_ms", nullptr},
    {"om_proposal_process_time_ms", nullptr},
    {"om_commit_process_time_ms", nullptr},
    {"read_final_proc_time_ms", nullptr},
    {"write_final_proc_time_ms", nullptr},
    {"proposal_latency", nullptr},
    {"proposal_ack_creation_latency", nullptr},
    {"commit_propagation_latency", nullptr},
    {"sync_processor_queue_and_flush_time_ms", nullptr},
    {"sync_processor_queue_time_ms", nullptr},
    {"sync_processor_queue_flush_time_ms", nullptr},
    {"quorum_ack_latency", nullptr},
    {"request_throttle_queue_time_ms", nullptr},
    {"jvm_pause_time_ms", nullptr},
}};

}  // namespace quorate::admin
