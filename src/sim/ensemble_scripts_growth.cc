#include "sim/ensemble_script.h"
#include "sim/ensemble_scripts.h"

/// Ensembles that get new members, and zxids that come to the end of their counter. Spec: known-faults 4352, 1277.
namespace quorate::sim {
namespace {

/// The servers from 1 on that the script has so far.
void serve_first(Script& script, uint32_t count) {
  script.need("those serve that there are", [&script, count] {
    for (uint32_t id = 1; id <= count; ++id) {
      if (script.server(id).member() == nullptr || !script.server(id).member()->serving()) return false;
    }
    return script.world.leader() != 0;
  });
}

/// All stop, and all come back with the new configuration, the new ones among them.
void grow_at_once(Script& script, uint32_t from, uint32_t to) {
  for (uint32_t id = 1; id <= from; ++id) script.server(id).kill(-1);
  for (uint32_t id = 1; id <= to; ++id) {
    script.server(id).join(to);
    script.start_server(id);
    script.run_a_while(200);
  }
  serve_first(script, to);
}

/// First the old ones, each in turn, then the new ones, with another leader in between. Those that have restarted need
/// more votes than the others, and may not find them before all have.
void grow_in_turn(Script& script, uint32_t from, uint32_t to) {
  for (uint32_t id = 1; id <= from; ++id) {
    script.server(id).kill(-1);
    script.server(id).join(to);
    script.start_server(id);
    script.run_a_while(2500);
  }
  if (from > 1) serve_first(script, from);
  for (uint32_t id = from + 1; id <= to; ++id) {
    script.server(id).join(to);
    script.start_server(id);
    if (id * 2 <= to) continue;
    serve_first(script, id);
    script.write(0, 1 + static_cast<int>(script.rng().below(4)));
    const uint32_t leader = script.world.leader();
    if (id == to || leader == 0) continue;
    // Without it there may be no quorum until it is back.
    script.server(leader).kill(script.rng().between(0, 1'000'000));
    serve_first(script, id);
    if (script.rng().percent(50)) script.write(0, 1);
  }
}

void grow(Script& script, uint32_t from, uint32_t to) {
  script.write(0, static_cast<int>(script.rng().below(12)));
  script.rng().percent(50) ? grow_at_once(script, from, to) : grow_in_turn(script, from, to);
  script.write(0, 1 + static_cast<int>(script.rng().below(6)), "/b");
  for (uint32_t id = from + 1; id <= to && !script.world.failed(); ++id) {
    script.attach(0, id);
    script.insist(0, script.client().asks().read(wire::Op::GetData, "/a"));
  }
}

}  // namespace

Outcome grown_from_one(uint64_t seed, bool verbose) {
  ScriptSettings settings{.servers = 5, .clients = 1};
  settings.edit = [seed](EnsemblePlan& plan) {
    plan.members = 1;
    plan.kept_txns = 1 + static_cast<int32_t>(seed % 5);
    plan.snapshot_size_factor = seed % 2 == 0 ? 10 : 0.33;
    plan.settings.log.preallocate_bytes = 4096;
  };
  Script script(seed, verbose, settings);
  script.world.start_clients();
  script.start_server(1);
  serve_first(script, 1);
  script.write(0, 2);
  if (script.rng().percent(50)) {
    script.server(1).kill(0);
    serve_first(script, 1);
  }
  grow(script, 1, 3);
  grow(script, 3, 5);
  return script.finish();
}

/// Epochs of few zxids, on top of a history that has used up one.
Outcome counters_run_out(uint64_t seed, bool verbose) {
  const auto most = static_cast<uint32_t>(24 + seed % 16);
  ScriptSettings settings;
  settings.edit = [=](EnsemblePlan& plan) {
    plan.start = Zxid{(int64_t{1} << 32) + 0xfffffff0};
    plan.most_counter = most;
    plan.kept_txns = seed % 2 == 0 ? 5 : 500;
    plan.snapshot_size_factor = seed % 3 == 0 ? -1 : 10;
    plan.settings.log.preallocate_bytes = 4096;
  };
  Script script(seed, verbose, settings);
  script.up();
  for (int round = 0; round < 3 && !script.world.failed(); ++round) {
    const int64_t epoch = script.epoch();
    const uint32_t away = script.other_than(script.world.leader());
    const bool goes = script.rng().percent(70);
    script.write(0, static_cast<int>(script.rng().below(most)));
    if (goes) script.server(away).kill(-1);
    for (uint32_t i = 0; i < 2 * most && script.epoch() == epoch && !script.world.failed(); ++i) script.write(0, 1);
    if (Zxid{script.world.record().newest_made()}.counter() > most) script.world.fail("a counter goes on too far");
    if (script.epoch() == epoch) script.world.fail("an epoch goes on without zxids");
    script.write(0, static_cast<int>(script.rng().below(4)));
    script.start_server(away);
    script.serve();
    script.attach(0, away);
    script.insist(0, script.client().asks().read(wire::Op::GetData, "/a"));
  }
  return script.finish();
}

}  // namespace quorate::sim
