#include <algorithm>

#include "sim/ensemble_script.h"
#include "sim/ensemble_scripts.h"

/// Sessions that move, expire and close. Spec: known-faults 1.1, 1.2, 4; I-5, I-10, I-11.
namespace quorate::sim {
namespace {

using wire::Op;

/// Long ticks: what is held back for a while must not end a connection between servers.
ScriptSettings patient() {
  return {.edit = [](EnsemblePlan& plan) {
    plan.settings.replica.tick = {1000};
    plan.settings.replica.timeouts = {2000, 40'000};
  }};
}

Request nth_request(Script& script, uint64_t number) {
  EnsembleAsks& asks = script.client().asks();
  switch (number % 9) {
    case 0:
      return asks.create("/b");
    case 1:
      return asks.set("/a");
    case 2:
      return asks.remove("/b");
    case 3:
      return asks.read(Op::GetData, "/a", true);
    case 4:
      return asks.read(Op::Sync, "/a");
    case 5:
      return asks.read(Op::GetChildren2, "/a");
    case 6:
      return asks.read(Op::Exists, "/b");
    case 7:
      return asks.create("/a/e", static_cast<int32_t>(wire::CreateMode::EphemeralSequential));
    default: {
      Request multi;
      multi.op = multi.ask.op = Op::Multi;
      multi.parts.push_back(asks.set("/a").ask);
      return multi;
    }
  }
}

/// The client's way to a follower is taken and given up while that follower's way to the leader is held. Perhaps it
/// had been there before, and left a write on that way.
void renew_in_vain(Script& script, uint32_t follower) {
  EnsembleClient& client = script.client();
  if (client.connected() && client.server() == follower) {
    client.send(client.asks().set("/a"));
    client.flush();
    script.run_for_ms(script.rng().between(5, 100));
  }
  client.hang_up(script.rng().percent(50));
  client.connect_to(follower);
  script.run_for_ms(script.rng().between(20, 400));
  client.hang_up(script.rng().percent(70));
}

/// Any request may find its connection closed, but never twice, and never an answer that the session has moved.
void use_session(Script& script, uint32_t server) {
  const uint64_t losses = script.client().losses();
  const uint64_t first = script.rng().below(9);
  for (uint64_t i = 0; i < 9 && !script.world.failed(); ++i) {
    if (script.ask(0, nth_request(script, first + i))) continue;
    script.attach(0, server);
    if (!script.ask(0, nth_request(script, first + i))) script.world.fail("a renewed session is not served");
  }
  // The first loss is the script's own doing, the second the answer to a late move.
  if (script.client().losses() > losses + 1) script.world.fail("the session is moved again and again");
  if (script.client().expiries() > 0) script.world.fail("a session that is used expires");
}

}  // namespace

Outcome late_revalidation(uint64_t seed, bool verbose) {
  Script script(seed, verbose, patient());
  script.up();
  for (int round = 0; round < 4 && !script.world.failed(); ++round) {
    const uint32_t leader = script.world.leader();
    const uint32_t follower = script.other_than(leader);
    const uint32_t last = script.rng().percent(60) ? leader : script.other_than(leader, follower);
    script.attach(0, script.rng().percent(50) ? leader : follower);
    script.insist(0, script.client().asks().create("/a"));
    script.world.fabric().set_cut(host_of(follower), host_of(leader), true);
    renew_in_vain(script, follower);
    script.attach(0, last);
    if (script.rng().percent(50)) script.ask(0, script.client().asks().set("/a"));
    script.world.fabric().set_cut(host_of(follower), host_of(leader), false);
    if (script.rng().percent(70)) script.run_a_while(500);
    use_session(script, last);
  }
  return script.finish();
}

Outcome late_revalidation_after_switch(uint64_t seed, bool verbose) {
  Script script(seed, verbose, patient());
  script.up();
  script.attach(0, script.world.follower());
  script.insist(0, script.client().asks().create("/a"));
  const uint32_t old_leader = script.world.leader();
  const uint32_t follower = script.other_than(old_leader);
  script.world.fabric().set_cut(host_of(follower), host_of(old_leader), true);
  renew_in_vain(script, follower);
  script.server(old_leader).kill(script.rng().between(0, 3'000'000));
  script.run_a_while(500);
  script.world.fabric().set_cut(host_of(follower), host_of(old_leader), false);
  script.serve();
  // And the same under the new leader, which may have been the client's server before.
  const uint32_t leader = script.world.leader();
  if (leader == 0) return script.finish();
  const uint32_t late = script.other_than(leader);
  const uint32_t last = script.other_than(leader, late);
  script.attach(0, script.rng().percent(50) ? leader : last);
  script.world.fabric().set_cut(host_of(late), host_of(leader), true);
  renew_in_vain(script, late);
  script.attach(0, last);
  script.world.fabric().set_cut(host_of(late), host_of(leader), false);
  if (script.rng().percent(70)) script.run_a_while(500);
  use_session(script, last);
  return script.finish();
}

Outcome watches_of_the_expired(uint64_t seed, bool verbose) {
  ScriptSettings settings{.clients = 3};
  settings.edit = [](EnsemblePlan& plan) { plan.session_timeout_ms = 1000; };
  Script script(seed, verbose, settings);
  script.up();
  for (uint32_t number = 0; number < 3; ++number) {
    EnsembleClient& client = script.client(number);
    script.insist(number, client.asks().create("/a"));
    script.insist(number, client.asks().read(Op::GetData, "/a", true));
    script.insist(number, client.asks().read(Op::GetChildren, "/a", true));
    script.insist(number, client.asks().read(Op::Exists, "/c", true));
    client.hang_up(script.rng().percent(50));
  }
  const auto expired = [&](uint32_t id) { return script.server(id).node()->replica().sessions().size() == 0; };
  const uint64_t early = script.rng().below(3);
  // Most come back behind the end of their sessions, some when it is just being decided.
  if (early == 0) script.run_for_ms(script.rng().between(900, 1600));
  if (early > 0) script.need("the sessions expire", [&] { return expired(1) && expired(2) && expired(3); });
  for (uint32_t number = 0; number < 3; ++number) script.client(number).connect_to(script.other_than(0));
  script.run_a_while(800);
  if (early > 0) {
    for (uint32_t id = 1; id <= 3; ++id) {
      if (!script.server(id).node()->replica().watches().empty()) script.world.fail("watches of an expired session");
    }
  }
  return script.finish();
}

Outcome watches_of_the_cut_off(uint64_t seed, bool verbose) {
  Script script(seed, verbose, {.clients = 3});
  script.up();
  for (int round = 0; round < 3 && !script.world.failed(); ++round) {
    for (uint32_t number = 0; number < 3; ++number) {
      script.attach(number, 0);
      EnsembleClient& client = script.client(number);
      script.ask(number, client.asks().create("/a"));
      client.send(client.asks().read(Op::GetData, "/a", true));
      client.send(client.asks().set("/a"));
      client.send(client.asks().read(Op::Exists, "/a/0", true));
      client.flush();
    }
    const uint32_t alone = script.rng().percent(50) ? script.world.leader() : script.world.follower();
    if (alone == 0) break;
    script.run_a_while(20);
    script.world.cut_off(alone, true);
    script.run_for_ms(script.rng().between(500, 4000));
    replica::Replica& replica = script.server(alone).node()->replica();
    const bool let_go = !script.server(alone).member()->serving() && replica.connection_count() == 0;
    if (let_go && !replica.watches().empty()) script.world.fail("watches of connections that were let go");
    script.world.cut_off(alone, false);
    script.serve();
  }
  return script.finish();
}

Outcome ephemerals_of_the_closed(uint64_t seed, bool verbose) {
  Script script(seed, verbose, {.servers = 3, .clients = 3});
  script.up();
  for (int round = 0; round < 3 && !script.world.failed(); ++round) {
    for (uint32_t number = 0; number < 3; ++number) {
      script.insist(number, script.client(number).asks().create("/a"));
      EnsembleClient& client = script.client(number);
      for (int i = 0; i < 3; ++i) {
        client.send(client.asks().create("/a/e-", static_cast<int32_t>(wire::CreateMode::EphemeralSequential)));
      }
      Request close;
      close.op = close.ask.op = Op::CloseSession;
      client.send(std::move(close));
      client.flush();
    }
    script.run_a_while(15);
    const uint32_t leader = script.world.leader();
    if (leader != 0) {
      const int64_t down_us = script.rng().between(0, 2'000'000);
      script.rng().percent(50) ? script.server(leader).kill(down_us) : script.server(leader).lose_power(down_us);
    }
    script.serve();
  }
  return script.finish();
}

Outcome session_on_minority(uint64_t seed, bool verbose) {
  Script script(seed, verbose, {.servers = 5, .clients = 2});
  script.up();
  for (int round = 0; round < 2 && !script.world.failed(); ++round) {
    script.insist(0, script.client(0).asks().create("/a"));
    script.insist(1, script.client(1).asks().create("/a"));
    const uint32_t one = script.rng().percent(50) ? script.world.leader() : script.other_than(0);
    const uint32_t two = script.other_than(one);
    script.attach(0, one);
    for (uint32_t id = 1; id <= 5; ++id) {
      if (id == one || id == two) continue;
      script.world.cut(host_of(one), host_of(id), true);
      script.world.cut(host_of(two), host_of(id), true);
    }
    for (int i = 0; i < 5; ++i) script.client(0).send(script.client(0).asks().set("/a"));
    script.client(0).flush();
    script.write(1, 3);
    script.write(0, 3);
    for (uint32_t id = 1; id <= 5; ++id) {
      script.world.cut_off(id, false);
    }
    script.serve();
  }
  return script.finish();
}

}  // namespace quorate::sim
