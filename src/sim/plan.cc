#include "sim/plan.h"

#include <algorithm>

namespace quorate::sim {
namespace {

storage::Compression draw_compression(Rng& rng) {
  const uint64_t draw = rng.below(10);
  if (draw == 0) return storage::Compression::Gzip;
  return draw < 3 ? storage::Compression::Snappy : storage::Compression::None;
}

void set_storage(node::NodeSettings& settings, Rng& rng) {
  storage::RecoverySettings& recovery = settings.recovery;
  const bool apart = rng.percent(30);
  recovery.data_directory = "/data";
  recovery.data_log_directory = apart ? "/logs" : "/data";
  recovery.snapshot_directory = recovery.data_directory + "/version-2";
  recovery.log_directory = recovery.data_log_directory + "/version-2";
  recovery.hash_key = {rng.next(), rng.next()};
  settings.log.directory = recovery.log_directory;
  constexpr uint64_t kPreallocated[] = {0, 4096, 8192, 16384, 65536};
  settings.log.preallocate_bytes = rng.pick(kPreallocated);
  if (rng.percent(30)) settings.log.size_limit_bytes = static_cast<uint64_t>(rng.between(1000, 12000));
}

void set_snapshots(node::NodeSettings& settings, Rng& rng) {
  node::SnapshotSettings& snapshot = settings.snapshot;
  snapshot.compression = draw_compression(rng);
  snapshot.with_last_zxid = rng.percent(70);
  snapshot.snap_count = static_cast<int32_t>(rng.between(6, 80));
  snapshot.floor_bytes = rng.between(2000, 60'000);
  snapshot.size_limit_bytes = rng.percent(30) ? rng.between(2000, 20'000) : -1;
  snapshot.slice_bytes = static_cast<size_t>(rng.between(1, 1500));
  if (rng.percent(10)) snapshot.queue_limit_bytes = static_cast<size_t>(rng.between(500, 5000));
  if (rng.percent(80)) settings.purge.interval = {rng.between(200, 3000)};
  settings.purge.retain = static_cast<int32_t>(rng.between(1, 4));
}

void set_service(node::NodeSettings& settings, Rng& rng) {
  replica::ReplicaSettings& replica = settings.replica;
  replica.tick = {rng.between(100, 2000)};
  replica.extended_types = rng.percent(60);
  replica.digest = rng.percent(85);
  replica.close_session_txn = rng.percent(85);
  if (rng.percent(15)) replica.outstanding_limit = static_cast<int32_t>(rng.between(1, 8));
  if (rng.percent(15)) replica.request_throttle.max_requests = static_cast<int32_t>(rng.between(1, 8));
  replica.cleaner.check_interval = {rng.between(200, 5000)};
  replica.cleaner.max_per_minute = static_cast<int32_t>(rng.between(1000, 60'000));
  settings.recovery.check_digest = replica.digest;
  settings.recovery.tree_options = {replica.extended_types, false};
  settings.links.sessionless_timeout = {rng.between(500, 5000)};
}

void set_limits(node::NodeSettings& settings, Rng& rng) {
  replica::ReplicaSettings& replica = settings.replica;
  replica.timeouts = {static_cast<int32_t>(rng.between(500, 2000)), static_cast<int32_t>(rng.between(4000, 30'000))};
  replica.enforce_quota = rng.percent(20);
  if (rng.percent(15)) {
    replica.max_frame_bytes = static_cast<int32_t>(400 + rng.skewed(12));
    settings.recovery.max_buffer_bytes =
        static_cast<size_t>(replica.max_frame_bytes + std::max(replica.max_frame_bytes, 1024));
  }
  if (rng.percent(85)) return;
  replica::ConnectionThrottleSettings& throttle = replica.connection_throttle;
  throttle.tokens = static_cast<int32_t>(rng.between(1, 4));
  throttle.fill_count = static_cast<int32_t>(rng.between(1, 2));
  throttle.fill_time = {rng.between(1, 500)};
  if (rng.percent(30)) throttle.freeze_time = {rng.between(0, 100)};
  // Apache's pace downwards would keep a client out for longer than a run lasts.
  if (rng.percent(50)) throttle.drop_increase = 0.4, throttle.drop_decrease = 0.1;
}

/// Shortly before the counter is used up, in one of the first epochs.
int64_t draw_start(Rng& rng) {
  constexpr int64_t kCounters = int64_t{1} << 32;
  return rng.percent(88) ? 0 : rng.between(1, 3) * kCounters - 1 - rng.between(0, 80);
}

}  // namespace

Plan make_plan(Rng& rng) {
  Plan plan;
  set_storage(plan.settings, rng);
  set_snapshots(plan.settings, rng);
  set_service(plan.settings, rng);
  set_limits(plan.settings, rng);
  plan.start_zxid = draw_start(rng);
  plan.clients = static_cast<uint32_t>(rng.between(1, 5));
  plan.requests = static_cast<uint32_t>(rng.between(40, 480));
  plan.session_timeout_ms = static_cast<int32_t>(rng.between(400, 12'000));
  plan.mean_pause_us = int64_t{1000} << rng.below(7);
  plan.sync_us = int64_t{50} << rng.below(11);
  plan.crash_percent = rng.percent(15) ? 0 : static_cast<uint32_t>(rng.between(50, 100));
  plan.error_percent = rng.percent(40) ? 0 : static_cast<uint32_t>(rng.between(20, 80));
  plan.damage_percent = rng.percent(80) ? 0 : 50;
  plan.wall_jumps = rng.percent(20);
  plan.stranger_percent = rng.percent(70) ? 0 : 30;
  plan.max_restarts = static_cast<uint32_t>(rng.between(2, 14));
  return plan;
}

}  // namespace quorate::sim
