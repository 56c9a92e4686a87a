#include "sim/ensemble_script.h"
#include "sim/ensemble_scripts.h"

/// Clocks that disagree, and servers that let clients read while they have no leader. Spec: known-faults 1366, 3526,
/// R-N8.
namespace quorate::sim {
namespace {

constexpr int64_t kYearMs = int64_t{365} * 24 * 3600 * 1000;

bool is_there(Script& script, uint32_t number, const std::string& path) {
  script.insist(number, script.client(number).asks().read(wire::Op::Exists, path));
  return script.client(number).last_code() == 0;
}

/// The first clients look for another connection at once when they lose theirs.
void stay_for_ms(Script& script, int64_t ms, uint32_t clients) {
  for (int64_t left = ms; left > 0 && !script.world.failed(); left -= 100) {
    script.run_for_ms(100);
    for (uint32_t number = 0; number < clients; ++number) script.attach(number, 0);
  }
}

}  // namespace

Outcome clocks_disagree(uint64_t seed, bool verbose) {
  ScriptSettings settings{.clients = 3};
  settings.edit = [seed](EnsemblePlan& plan) {
    Rng rng(seed);
    for (uint32_t id = 0; id < plan.servers; ++id) plan.paces.push_back(rng.between(900, 1100));
    plan.session_timeout_ms = static_cast<int32_t>(rng.between(3000, 8000));
  };
  Script script(seed, verbose, settings);
  script.up();
  for (uint32_t number = 0; number < 3; ++number) {
    script.attach(number, 0);
    script.insist(number, script.client(number).asks().create("/b"));
    const auto ephemeral = static_cast<int32_t>(wire::CreateMode::Ephemeral);
    script.insist(number, script.client(number).asks().create(fmt::format("/b/{}", number), ephemeral));
  }
  for (int round = 0; round < 12 && !script.world.failed(); ++round) {
    const uint32_t id = script.other_than(0);
    script.server(id).clock().wall_shift_ms = script.rng().between(-10 * kYearMs, 10 * kYearMs);
    stay_for_ms(script, script.rng().between(200, 4000), 3);
    if (round % 4 == 3) script.server(script.other_than(0)).kill(script.rng().between(0, 500'000));
  }
  // One goes without a word, and what it had goes with it, in good time.
  stay_for_ms(script, 2000, 3);
  script.client(2).hang_up(false);
  const int64_t timeout_ms = script.world.plan().session_timeout_ms;
  stay_for_ms(script, timeout_ms * 10 / 9 + 2 * script.tick_us() / 1000 + 1000, 2);
  for (uint32_t number = 0; number < 2; ++number) {
    if (script.client(number).expiries() > 0) script.world.fail("a session that is used expires");
    if (!is_there(script, number, fmt::format("/b/{}", number))) {
      script.world.fail("an ephemeral of a live session is gone");
    }
  }
  if (is_there(script, 0, "/b/2")) script.world.fail("a session goes on though its client is gone");
  return script.finish();
}

namespace {

/// A client without a session finds a server that reads only, and comes again and again for a while.
void read_only_visit(Script& script, uint32_t number, uint32_t server) {
  EnsembleClient& client = script.client(number);
  for (uint64_t visits = 1 + script.rng().below(3); visits > 0 && !script.world.failed(); --visits) {
    script.attach(number, server);
    script.ask(number, client.asks().read(wire::Op::GetData, "/a"));
    if (script.ask(number, client.asks().set("/a")) && client.last_code() == 0) {
      script.world.fail("a server without a leader takes a write");
    }
    client.hang_up(script.rng().percent(50));
  }
}

}  // namespace

Outcome read_only_minority(uint64_t seed, bool verbose) {
  ScriptSettings settings{.clients = 4};
  settings.edit = [](EnsemblePlan& plan) { plan.settings.read_only_mode = true; };
  Script script(seed, verbose, settings);
  for (uint32_t number = 1; number < 4; ++number) script.client(number).accept_read_only();
  script.up();
  for (uint32_t round = 1; round < 4 && !script.world.failed(); ++round) {
    script.write(0, 2);
    const uint32_t alone = script.rng().percent(40) ? script.world.leader() : script.other_than(0);
    if (alone == 0) break;
    script.attach(0, alone);
    script.insist(0, script.client().asks().read(wire::Op::Sync, "/a"));
    script.world.cut_off(alone, true);
    read_only_visit(script, round, alone);
    if (script.rng().percent(60)) script.write(0, static_cast<int>(script.rng().below(4)));
    if (script.rng().percent(30)) {
      script.server(alone).kill(0);
      read_only_visit(script, round, alone);
    }
    // It comes back to the others, or to one of them, and may have to lead.
    const uint32_t leader = script.world.leader();
    if (leader != 0 && script.rng().percent(60)) script.server(leader).kill(script.rng().between(0, 3'000'000));
    script.world.cut_off(alone, false);
    script.serve();
    script.write(0, 2);
  }
  return script.finish();
}

}  // namespace quorate::sim
