#include "sim/ensemble_plan.h"

#include <algorithm>

namespace quorate::sim {
namespace {

constexpr int64_t kSecond = 1'000'000;

void set_storage(node::NodeSettings& settings, Rng& rng) {
  storage::RecoverySettings& recovery = settings.recovery;
  recovery.data_directory = recovery.data_log_directory = "/data";
  recovery.snapshot_directory = recovery.log_directory = "/data/version-2";
  recovery.hash_key = {rng.next(), rng.next()};
  settings.log.directory = recovery.log_directory;
  constexpr uint64_t kPreallocated[] = {0, 4096, 16384, 65536};
  settings.log.preallocate_bytes = rng.pick(kPreallocated);
}

void set_small_files(node::NodeSettings& settings, Rng& rng) {
  if (rng.percent(30)) settings.log.size_limit_bytes = static_cast<uint64_t>(rng.between(1000, 12'000));
  node::SnapshotSettings& snapshot = settings.snapshot;
  snapshot.with_last_zxid = rng.percent(80);
  snapshot.snap_count = static_cast<int32_t>(rng.between(6, 80));
  snapshot.floor_bytes = rng.between(2000, 60'000);
  snapshot.slice_bytes = static_cast<size_t>(rng.between(100, 3000));
  if (rng.percent(60)) settings.purge.interval = {rng.between(200, 5000)};
  settings.purge.retain = static_cast<int32_t>(rng.between(1, 4));
}

void draw_limits(EnsemblePlan& plan, Rng& rng) {
  constexpr int64_t kTicks[] = {100, 200, 300, 500, 1000, 2000};
  replica::ReplicaSettings& replica = plan.settings.replica;
  replica.tick = {rng.pick(kTicks)};
  plan.init_limit = static_cast<int32_t>(rng.between(5, 10));
  plan.sync_limit = static_cast<int32_t>(rng.between(2, 5));
  plan.session_timeout_ms = static_cast<int32_t>(replica.tick.value * rng.between(2, 12));
  plan.kept_txns = rng.percent(60) ? static_cast<int32_t>(rng.between(1, 30)) : 500;
  plan.snapshot_size_factor = rng.percent(50) ? 0.33 : 10.0;
  plan.snap_only = rng.percent(50) ? 0 : static_cast<uint32_t>(rng.next());
  replica.timeouts = {static_cast<int32_t>(2 * replica.tick.value), static_cast<int32_t>(20 * replica.tick.value)};
  replica.digest = rng.percent(95);
  plan.settings.recovery.check_digest = replica.digest;
  plan.max_notification_interval = {rng.percent(50) ? 2000 : 60'000};
}

LifeFault draw_life(Rng& rng, const EnsemblePlan& plan) {
  using What = LifeFault::What;
  LifeFault fault;
  fault.at = rng.between(kSecond, kSecond + plan.work_us);
  const uint64_t draw = rng.below(20);
  fault.what = draw < 10 ? What::Kill : draw < 17 ? What::PowerLoss : draw < 19 ? What::AllPower : What::AllKilled;
  fault.server = 1 + static_cast<uint32_t>(rng.below(plan.servers));
  fault.leader = rng.percent(45);
  fault.down_us = rng.percent(70) ? rng.between(1000, 2 * kSecond) : rng.between(kSecond, 8 * kSecond);
  return fault;
}

void draw_faults(EnsemblePlan& plan, Rng& rng) {
  plan.work_us = rng.between(4, 16) * kSecond;
  plan.net_intensity = rng.percent(15) ? 0 : static_cast<uint32_t>(rng.between(5, 60));
  plan.far_links = rng.percent(30);
  plan.crash_percent = rng.percent(30) ? 0 : static_cast<uint32_t>(rng.between(10, 70));
  plan.rare_percent = rng.percent(50) ? 0 : static_cast<uint32_t>(rng.between(20, 90));
  plan.hasty_percent = rng.percent(75) ? 0 : static_cast<uint32_t>(rng.between(10, 60));
  plan.damaged_server = rng.percent(80) ? 0 : 1 + static_cast<uint32_t>(rng.below(plan.servers));
  plan.error_percent = rng.percent(60) ? 0 : static_cast<uint32_t>(rng.between(5, 30));
  const uint64_t lives = rng.percent(20) ? 0 : rng.below(7);
  for (uint64_t i = 0; i < lives; ++i) plan.lives.push_back(draw_life(rng, plan));
  std::ranges::sort(plan.lives, {}, &LifeFault::at);
}

/// By chance of its own: a seed without drift is the run that it would be if no seed had any.
void draw_paces(EnsemblePlan& plan, Rng rng) {
  rng = Rng(rng.next() + 1);
  if (rng.percent(70)) return;
  for (uint32_t id = 1; id <= plan.servers; ++id) plan.paces.push_back(rng.between(950, 1050));
}

wire::QuorumMember member(uint32_t server, wire::Role role) {
  wire::QuorumMember one;
  one.role = role;
  one.sid = server;
  one.addresses = {{Fabric::ip_of(host_of(server)), kQuorumPort, kElectionPort}};
  one.client = wire::ClientAddress{"0.0.0.0", kClientPort};
  return one;
}

}  // namespace

EnsemblePlan quiet_ensemble_plan(Rng& rng, uint32_t servers) {
  EnsemblePlan plan;
  plan.servers = servers;
  set_storage(plan.settings, rng);
  plan.settings.replica.tick = {200};
  plan.settings.replica.timeouts = {400, 40'000};
  plan.settings.recovery.tree_options = {false, false};
  plan.net_intensity = 0;
  plan.crash_percent = plan.error_percent = 0;
  return plan;
}

EnsemblePlan make_ensemble_plan(Rng& rng) {
  EnsemblePlan plan = quiet_ensemble_plan(rng, rng.percent(70) ? 3 : 5);
  set_small_files(plan.settings, rng);
  draw_limits(plan, rng);
  draw_faults(plan, rng);
  if (rng.percent(25)) plan.servers += plan.observers = 1;
  plan.clients = static_cast<uint32_t>(rng.between(1, 4));
  plan.mean_pause_us = int64_t{8000} << rng.below(5);
  plan.sync_us = int64_t{50} << rng.below(8);
  plan.vanish_percent = static_cast<uint32_t>(rng.below(4));
  draw_paces(plan, rng);
  return plan;
}

node::NodeSettings settings_of(const EnsemblePlan& plan, uint32_t server, uint32_t members) {
  node::NodeSettings settings = plan.settings;
  settings.replica.server_id = server;
  settings.ensemble.emplace();
  config::EnsembleSettings& ensemble = *settings.ensemble;
  ensemble.my_id = server;
  for (uint32_t each = 1; each <= std::max(members, server); ++each) {
    if (each > members && each != server) continue;
    const bool observes = each > plan.servers - plan.observers;
    ensemble.config.members.push_back(member(each, observes ? wire::Role::Observer : wire::Role::Participant));
  }
  ensemble.role = ensemble.me()->role;
  ensemble.init_limit = plan.init_limit;
  ensemble.sync_limit = plan.sync_limit;
  ensemble.connect_limit = plan.init_limit;
  ensemble.election_read_timeout = {settings.replica.tick.value * plan.sync_limit};
  ensemble.max_notification_interval = plan.max_notification_interval;
  ensemble.commit_log_count = plan.kept_txns;
  if (plan.most_counter != 0) ensemble.most_counter = plan.most_counter;
  const bool snap_only = (plan.snap_only >> server & 1) != 0;
  ensemble.snapshot_size_factor = snap_only ? -1 : plan.snapshot_size_factor;
  return settings;
}

}  // namespace quorate::sim
