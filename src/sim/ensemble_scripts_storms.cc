#include <fmt/format.h>

#include "sim/ensemble_crowd.h"
#include "sim/ensemble_script.h"
#include "sim/ensemble_scripts.h"

/// Very much of one thing at once. Spec: known-faults 9.3 (STORM).
namespace quorate::sim {
namespace {

constexpr size_t kCrowd = 600;
constexpr uint32_t kWatches = 1500;

void everybody_may_come(EnsemblePlan& plan) { plan.settings.links.max_per_address = 0; }

size_t ephemerals(Script& script, uint32_t id) {
  EnsembleServer& server = script.server(id);
  return server.runs() ? server.node()->replica().tree().ephemeral_count() : 0;
}

}  // namespace

/// Their sessions end in one or two ticks. Meanwhile another client is served, in good time.
Outcome sessions_expire_at_once(uint64_t seed, bool verbose) {
  ScriptSettings settings{.clients = 1};
  settings.edit = [](EnsemblePlan& plan) {
    everybody_may_come(plan);
    plan.session_timeout_ms = 4000;
  };
  Script script(seed, verbose, settings);
  script.up();
  script.write(0, 1);
  script.attach(0, 0);
  Crowd crowd(script.world);
  crowd.come(kCrowd, 1500);
  script.need("the crowd is there", [&] { return crowd.present() > kCrowd * 9 / 10; });
  script.need("its nodes are there", [&] { return ephemerals(script, 1) >= crowd.present(); });
  crowd.go();
  if (script.rng().percent(30)) {
    script.run_a_while(1500);
    const uint32_t leader = script.world.leader();
    if (leader != 0) script.server(leader).kill(script.rng().between(0, 1'000'000));
  }
  for (int i = 0; i < 40 && !script.world.failed(); ++i) {
    script.insist(0, script.client().asks().set("/a"));
    script.run_for_ms(100);
  }
  script.serve();
  script.need(
      "nothing of the crowd is left",
      [&] { return ephemerals(script, 1) + ephemerals(script, 2) + ephemerals(script, 3) == 0; }, 8000);
  if (script.client().expiries() > 0) script.world.fail("a session that is used expires among the others");
  return script.finish();
}

/// All its watches come back in one burst, some of them are owed events, and the client is served behind them.
Outcome watches_come_back(uint64_t seed, bool verbose) {
  ScriptSettings settings{.clients = 2};
  settings.edit = everybody_may_come;
  Script script(seed, verbose, settings);
  script.up();
  script.write(1, 0);
  script.attach(0, 0);
  EnsembleClient& client = script.client(0);
  for (uint32_t i = 0; i < kWatches; ++i)
    client.send(client.asks().read(wire::Op::Exists, fmt::format("/a/{}", i), true));
  client.send(client.asks().read(wire::Op::GetChildren, "/a", true));
  client.flush();
  script.need("all watches are set", [&] { return client.idle(); });
  for (int round = 0; round < 2 && !script.world.failed(); ++round) {
    client.hang_up(script.rng().percent(50));
    for (int i = 0; i < 20; ++i) {
      const std::string path = fmt::format("/a/{}", script.rng().below(kWatches));
      script.insist(
          1, script.rng().percent(70) ? script.client(1).asks().create(path) : script.client(1).asks().remove(path));
    }
    if (script.rng().percent(40)) script.server(script.other_than(0)).kill(script.rng().between(0, 1'000'000));
    script.attach(0, 0);
    script.insist(0, client.asks().read(wire::Op::GetData, "/a"));
    script.insist(1, script.client(1).asks().create(fmt::format("/a/{}", script.rng().below(kWatches))));
    script.insist(0, client.asks().read(wire::Op::Sync, "/a"));
  }
  return script.finish();
}

}  // namespace quorate::sim
