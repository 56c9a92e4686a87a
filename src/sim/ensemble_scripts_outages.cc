#include "sim/ensemble_script.h"
#include "sim/ensemble_scripts.h"

/// Servers that go and come back under load. Spec: known-faults 9.3, 11.2, 11.6, 11.7.
namespace quorate::sim {
namespace {

constexpr int64_t kSecond = 1'000'000;

ScriptSettings busy(uint32_t servers = 3) { return {.servers = servers, .clients = 3, .busy_clients = true}; }

void calm_down(Script& script, uint32_t id) {
  // A kill that found nothing to kill is no matter; what was armed is over.
  script.server(id).disk().calm();
  script.start_server(id);
}

}  // namespace

Outcome leader_killed(uint64_t seed, bool verbose) {
  Script script(seed, verbose, busy(seed % 3 == 0 ? 5 : 3));
  script.up();
  for (int round = 0; round < 6 && !script.world.failed(); ++round) {
    script.run_a_while(1500);
    const uint32_t leader = script.world.leader();
    if (leader == 0) continue;
    const int64_t down_us = script.rng().between(0, 2 * kSecond);
    script.rng().percent(60) ? script.server(leader).kill(down_us) : script.server(leader).lose_power(down_us);
    if (script.rng().percent(60)) script.serve();
  }
  return script.finish();
}

Outcome leader_paused(uint64_t seed, bool verbose) {
  Script script(seed, verbose, busy());
  script.up();
  for (int round = 0; round < 4 && !script.world.failed(); ++round) {
    script.run_a_while(1000);
    const uint32_t leader = script.world.leader();
    if (leader == 0) continue;
    script.world.fabric().pause(host_of(leader));
    script.run_for_ms(script.rng().between(10, 6000));
    script.world.fabric().resume(host_of(leader));
    script.run_a_while(50);
    if (script.rng().percent(60)) script.serve();
  }
  return script.finish();
}

namespace {

Outcome away(uint64_t seed, bool verbose, bool from_disk) {
  ScriptSettings settings{.servers = 3, .clients = 1};
  settings.edit = [from_disk](EnsemblePlan& plan) {
    plan.kept_txns = 4;
    plan.snapshot_size_factor = from_disk ? 100 : -1;
  };
  Script script(seed, verbose, settings);
  script.up();
  script.write(0, 3);
  for (int round = 0; round < 2 && !script.world.failed(); ++round) {
    const uint32_t leader = script.world.leader();
    if (leader == 0) break;
    const uint32_t learner = script.other_than(leader);
    script.rng().percent(50) ? script.server(learner).kill(-1) : script.server(learner).lose_power(-1);
    script.write(0, 20 + static_cast<int>(script.rng().below(40)));
    script.start_server(learner);
    for (int i = 0; i < 5; ++i) script.write(0, 1, "/b");
    script.serve();
  }
  const EnsembleEvent wanted = from_disk ? EnsembleEvent::SyncDiffFromDisk : EnsembleEvent::SyncSnap;
  if (!script.world.failed() && script.count(wanted) == 0) script.world.fail("the learner was brought up otherwise");
  return script.finish();
}

}  // namespace

Outcome away_for_long(uint64_t seed, bool verbose) { return away(seed, verbose, true); }
Outcome away_for_longer(uint64_t seed, bool verbose) { return away(seed, verbose, false); }

Outcome all_power_lost(uint64_t seed, bool verbose) {
  Script script(seed, verbose, busy(seed % 3 == 0 ? 5 : 3));
  script.up();
  for (int round = 0; round < 5 && !script.world.failed(); ++round) {
    script.run_a_while(2000);
    for (uint32_t id = 1; id <= script.world.server_count(); ++id) {
      script.server(id).lose_power(script.rng().between(0, 2 * kSecond));
    }
    if (script.rng().percent(60)) script.serve();
  }
  return script.finish();
}

Outcome one_way_cuts(uint64_t seed, bool verbose) {
  Script script(seed, verbose, busy(seed % 2 == 0 ? 5 : 3));
  script.up();
  for (int round = 0; round < 5 && !script.world.failed(); ++round) {
    script.run_a_while(500);
    const uint32_t leader = script.world.leader();
    if (leader == 0) continue;
    const uint64_t shape = script.rng().below(4);
    for (uint32_t id = 1; id <= script.world.server_count(); ++id) {
      if (id == leader || (shape == 3 && id % 2 == 0)) continue;
      if (shape != 0) script.world.fabric().set_cut(host_of(leader), host_of(id), true);
      if (shape != 1) script.world.fabric().set_cut(host_of(id), host_of(leader), true);
    }
    script.run_for_ms(script.rng().between(50, 5000));
    script.world.cut_off(leader, false);
    if (script.rng().percent(50)) script.serve();
  }
  return script.finish();
}

Outcome log_sync_fails(uint64_t seed, bool verbose) {
  Script script(seed, verbose, busy());
  script.up();
  for (int round = 0; round < 5 && !script.world.failed(); ++round) {
    const uint32_t leader = script.world.leader();
    const uint32_t id = leader != 0 && script.rng().percent(60) ? leader : script.other_than(0);
    constexpr DiskFault::What kWhat[] = {DiskFault::What::SyncError, DiskFault::What::WriteError};
    script.server(id).disk().inject({script.rng().pick(kWhat), DiskFault::Where::Log, 1 + script.rng().below(5)});
    script.run_a_while(2500);
    calm_down(script, id);
    if (script.rng().percent(60)) script.serve();
  }
  return script.finish();
}

Outcome rolling_restart(uint64_t seed, bool verbose) {
  Script script(seed, verbose, busy());
  script.up();
  for (uint32_t turn = 0; turn < 6 && !script.world.failed(); ++turn) {
    script.server(1 + turn % 3).kill(script.rng().between(0, kSecond));
    script.run_a_while(300);
    script.serve();
    script.run_a_while(300);
  }
  return script.finish();
}

}  // namespace quorate::sim
