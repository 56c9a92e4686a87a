#include "sim/ensemble_script.h"
#include "sim/ensemble_scripts.h"
#include "sim/start_directory.h"

/// Histories that part and come together again. Spec: known-faults 1.3, 2; I-1 to I-9.
namespace quorate::sim {
namespace {

/// Server 5 leads, because it has the highest id of those that begin.
void begin_with_five(Script& script) {
  script.world.start_clients();
  for (const uint32_t id : {5U, 4U, 3U}) script.start_server(id);
  script.need("server 5 leads", [&] { return script.world.leader() == 5; });
  for (const uint32_t id : {1U, 2U}) script.start_server(id);
  script.serve();
}

ScriptSettings five_with_short_memory(bool leader_sends_snapshots) {
  ScriptSettings settings{.servers = 5, .clients = 1};
  settings.edit = [=](EnsemblePlan& plan) {
    plan.kept_txns = 3;
    plan.snapshot_size_factor = 10;
    if (leader_sends_snapshots) plan.snap_only = 1U << 5;
  };
  return settings;
}

/// The steps of known-faults 1.3: server 4 gets a SNAP over a log that ends long before it, then leads, and server 2,
/// which ends where that old log did, asks it for the rest.
Outcome hole(uint64_t seed, bool verbose, int writes_behind_snapshot) {
  Script script(seed, verbose, five_with_short_memory(true));
  begin_with_five(script);
  script.write(0, 2);
  script.server(2).kill(-1);
  script.server(4).kill(-1);
  script.write(0, 10 + static_cast<int>(script.rng().below(20)));
  // What the hole takes away shows where nothing behind it writes over it.
  script.write(0, 10, "/b");
  script.start_server(4);
  script.need("server 4 serves", [&] { return script.server(4).runs() && script.server(4).member()->serving(); });
  if (writes_behind_snapshot > 0) script.write(0, writes_behind_snapshot);
  script.server(5).kill(-1);
  script.need("a new leader", [&] { return script.world.leader() != 0 && script.world.leader() != 5; });
  script.write(0, 5);
  script.start_server(2);
  script.need("server 2 serves", [&] { return script.server(2).runs() && script.server(2).member()->serving(); });
  script.attach(0, 2);
  script.insist(0, script.client().asks().read(wire::Op::GetData, "/a"));
  script.start_server(5);
  return script.finish();
}

}  // namespace

Outcome hole_within_epoch(uint64_t seed, bool verbose) { return hole(seed, verbose, 5); }
Outcome hole_between_epochs(uint64_t seed, bool verbose) { return hole(seed, verbose, 0); }

/// A leader logs what nobody else gets; it leads again for a moment, or nearly; the others go on without it.
Outcome unacknowledged_tail(uint64_t seed, bool verbose) {
  Script script(seed, verbose, {.servers = 3, .clients = 1});
  script.up();
  script.write(0, 3);
  const uint32_t leader = script.world.leader();
  const uint32_t second = script.other_than(leader);
  const uint32_t third = script.other_than(leader, second);
  script.attach(0, leader);
  for (const uint32_t id : {second, third}) script.world.fabric().pause(host_of(id));
  for (int i = 0; i < 3; ++i) script.client().send(script.client().asks().set("/a"));
  script.client().flush();
  script.run_for_ms(script.rng().between(1, 300));
  for (const uint32_t id : {leader, second, third}) {
    script.rng().percent(50) ? script.server(id).kill(-1) : script.server(id).lose_power(-1);
  }
  if (script.rng().percent(50)) {
    // As another program does when it is about to lead: a snapshot of what nobody has acknowledged.
    script.server(leader).disk().power_on();
    if (!write_hasty_snapshot(script.server(leader).disk(), script.server(leader).settings())) {
      script.world.fail("the other program finds no history");
    }
  } else {
    // Perhaps too short for the two to become an ensemble; if they do, the tail is adopted.
    for (const uint32_t id : {leader, second}) script.start_server(id);
    script.run_a_while(1500);
    for (const uint32_t id : {leader, second}) script.server(id).kill(-1);
  }
  for (const uint32_t id : {second, third}) script.start_server(id);
  script.need("a leader", [&] { return script.world.leader() != 0; });
  if (script.rng().percent(60)) script.write(0, 2, "/b");
  script.start_server(leader);
  script.serve();
  script.write(0, 2);
  return script.finish();
}

namespace {

/// What the others say does not reach that server.
void mute_others(Script& script, uint32_t server) {
  for (uint32_t id = 1; id <= script.world.server_count(); ++id) {
    if (id != server) script.world.fabric().set_cut(host_of(id), host_of(server), true);
  }
}

}  // namespace

Outcome uncommitted_of_old_leader(uint64_t seed, bool verbose) {
  Script script(seed, verbose, {.servers = 3, .clients = 2});
  script.up();
  for (int round = 0; round < 3 && !script.world.failed(); ++round) {
    script.write(0, 2);
    script.insist(1, script.client(1).asks().create("/b"));
    const uint32_t leader = script.world.leader();
    const int64_t epoch = script.epoch();
    if (leader == 0) break;
    script.attach(0, leader);
    // The others get nothing, or get it and cannot say so.
    const bool adopted = script.rng().percent(50);
    adopted ? mute_others(script, leader) : script.world.cut_off(leader, true);
    for (int i = 0; i < 6; ++i) script.client(0).send(script.client(0).asks().set("/a"));
    script.client(0).flush();
    const uint64_t draw = script.rng().below(4);
    script.run_a_while(300);
    if (draw == 0) script.server(leader).kill(script.rng().between(0, 2'000'000));
    if (draw == 1) script.server(leader).lose_power(script.rng().between(0, 2'000'000));
    if (adopted) {
      script.need("the epoch ends", [&] { return script.epoch() != epoch; });
      script.world.cut_off(leader, false);
    }
    script.need("another epoch", [&] { return script.epoch() > epoch; });
    if (script.rng().percent(70)) script.write(1, 3);
    script.world.cut_off(leader, false);
    script.serve();
  }
  return script.finish();
}

/// The leader's own disk comes to its end somewhere while the learner is away, cuts, or takes the txn anew.
Outcome cut_behind_ack(uint64_t seed, bool verbose) {
  Script script(seed, verbose, {.servers = 3, .clients = 1});
  script.up();
  for (int round = 0; round < 3 && !script.world.failed(); ++round) {
    script.write(0, 2);
    const uint32_t leader = script.world.leader();
    if (leader == 0) break;
    const uint32_t learner = script.other_than(leader);
    const uint32_t third = script.other_than(leader, learner);
    script.attach(0, leader);
    script.server(leader).slow_disk(script.rng().between(200'000, 3'000'000));
    script.server(third).slow_disk(1'000'000'000);
    script.client().send(script.client().asks().set("/a"));
    script.client().flush();
    script.run_for_ms(100);
    script.server(learner).slow_disk(script.rng().between(10'000, 400'000));
    script.server(learner).kill(0);
    script.world.run_until([&] { return script.client().idle(); }, 5'000'000);
    for (const uint32_t id : {leader, learner, third}) {
      script.server(id).slow_disk(0);
      script.server(id).lose_power(-1);
    }
    for (const uint32_t id : {learner, third}) script.start_server(id);
    script.need("a leader", [&] { return script.world.leader() != 0; });
    script.write(0, 1);
    script.start_server(leader);
    script.serve();
  }
  return script.finish();
}

/// Server `behind` gets a DIFF, acknowledges, and loses its power: what it helped to commit must be there.
Outcome diff_made_durable(uint64_t seed, bool verbose) {
  ScriptSettings settings{.servers = 3, .clients = 1};
  settings.edit = [](EnsemblePlan& plan) { plan.sync_us = 20'000; };
  Script script(seed, verbose, settings);
  script.up();
  for (int round = 0; round < 3 && !script.world.failed(); ++round) {
    script.write(0, 2);
    const uint32_t leader = script.world.leader();
    if (leader == 0) break;
    const uint32_t behind = script.other_than(leader);
    const uint32_t third = script.other_than(leader, behind);
    script.server(behind).lose_power(-1);
    script.write(0, 4);
    script.server(third).kill(-1);
    script.start_server(behind);
    if (script.rng().percent(50)) {
      script.need("a quorum again", [&] { return script.world.leader() != 0 && script.world.follower() != 0; });
      if (script.rng().percent(70)) script.write(0, static_cast<int>(script.rng().below(3)), "/b");
    } else {
      script.run_a_while(2000);
    }
    for (const uint32_t id : {leader, behind}) {
      script.rng().percent(70) ? script.server(id).lose_power(-1) : script.server(id).kill(-1);
    }
    script.start_server(behind);
    script.start_server(third);
    script.need("a leader", [&] { return script.world.leader() != 0; });
    script.write(0, 2);
    script.start_server(leader);
    script.serve();
  }
  return script.finish();
}

namespace {

/// The leader has proposed what nobody but the learner can acknowledge; then it goes, and the third comes back.
void rely_on_learner(Script& script, uint32_t leader, uint32_t learner) {
  const uint32_t third = script.other_than(leader, learner);
  script.run_a_while(400);
  script.server(third).kill(-1);
  for (int i = 0; i < 2; ++i) script.client().send(script.client().asks().set("/a"));
  script.client().flush();
  script.run_a_while(1500);
  script.server(leader).lose_power(-1);
  for (const uint32_t id : {learner, third}) script.start_server(id);
  script.need("a leader", [&] { return script.world.leader() != 0; });
  script.write(0, 1);
  script.start_server(leader);
}

}  // namespace

Outcome crash_in_sync(uint64_t seed, bool verbose) {
  ScriptSettings settings{.servers = 3, .clients = 1};
  settings.edit = [seed](EnsemblePlan& plan) {
    plan.kept_txns = 3;
    plan.snapshot_size_factor = seed % 2 == 0 ? 10 : -1;
    plan.settings.log.preallocate_bytes = 4096;
    plan.sync_us = seed % 3 == 0 ? 10'000 : 300;
  };
  Script script(seed, verbose, settings);
  script.up();
  for (int round = 0; round < 3 && !script.world.failed(); ++round) {
    script.write(0, 2);
    const uint32_t leader = script.world.leader();
    if (leader == 0) break;
    const uint32_t learner = script.other_than(leader);
    script.server(learner).kill(-1);
    script.write(0, 1 + static_cast<int>(script.rng().below(8)));
    script.attach(0, leader);
    script.start_server(learner);
    script.server(learner).disk().crash_at_call(1 + script.rng().below(25));
    if (script.rng().percent(50)) {
      rely_on_learner(script, leader, learner);
    } else {
      script.run_a_while(3000);
      if (script.rng().percent(50)) script.server(leader).kill(script.rng().between(0, 1'000'000));
      script.start_server(learner);
    }
    script.serve();
  }
  return script.finish();
}

/// Each server in turn, or all at once, crashes at some call of what an election writes.
Outcome crash_at_epoch_files(uint64_t seed, bool verbose) {
  Script script(seed, verbose, {.servers = 3, .clients = 1});
  script.up();
  for (int round = 0; round < 5 && !script.world.failed(); ++round) {
    script.write(0, 1);
    for (uint32_t id = 1; id <= 3; ++id) script.server(id).kill(-1);
    for (uint32_t id = 1; id <= 3; ++id) {
      script.start_server(id);
      if (script.rng().percent(60)) script.server(id).disk().crash_at_call(1 + script.rng().below(14));
    }
    script.run_a_while(2500);
    for (uint32_t id = 1; id <= 3; ++id) script.start_server(id);
    script.serve();
  }
  return script.finish();
}

}  // namespace quorate::sim
