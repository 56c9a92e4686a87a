#include "sim/ensemble_script.h"

#include <fmt/format.h>

namespace quorate::sim {
namespace {

constexpr int kMostAttempts = 400;
constexpr int64_t kAttemptUs = 300'000;

EnsemblePlan plan_of(Rng& rng, const ScriptSettings& settings) {
  EnsemblePlan plan = quiet_ensemble_plan(rng, settings.servers);
  plan.clients = settings.clients;
  plan.idle_clients = !settings.busy_clients;
  plan.session_timeout_ms = 6000;
  plan.max_notification_interval = {2000};
  if (settings.edit) settings.edit(plan);
  return plan;
}

EnsembleWorld make_world(uint64_t seed, bool verbose, const ScriptSettings& settings) {
  Rng rng(seed);
  EnsemblePlan plan = plan_of(rng, settings);
  return EnsembleWorld(rng, std::move(plan), verbose);
}

}  // namespace

Script::Script(uint64_t seed, bool verbose, const ScriptSettings& settings)
    : world(make_world(seed, verbose, settings)) {}

void Script::up() {
  world.start();
  serve();
}

void Script::start_server(uint32_t id) { server(id).boot(); }

void Script::need(const std::string& what, const std::function<bool()>& reached, int64_t patience_ms) {
  if (world.failed() || world.run_until(reached, patience_ms * 1000)) return;
  if (!world.failed()) world.fail("the script waits in vain: " + what);
}

uint32_t Script::other_than(uint32_t one, uint32_t two) {
  for (;;) {
    const uint32_t id = 1 + static_cast<uint32_t>(rng().below(world.server_count()));
    if (id != one && id != two) return id;
  }
}

void Script::attach(uint32_t number, uint32_t server) {
  EnsembleClient& one = client(number);
  for (int attempt = 0; attempt < kMostAttempts && !world.failed(); ++attempt) {
    if (one.connected() && (server == 0 || one.server() == server)) return;
    one.hang_up(true);
    one.connect_to(server == 0 ? other_than(0) : server);
    world.run_until([&one] { return one.connected(); }, kAttemptUs);
  }
  if (!world.failed()) world.fail(fmt::format("client {} never gets a connection to server {}", number, server));
}

bool Script::ask(uint32_t number, Request request) {
  EnsembleClient& one = client(number);
  if (world.failed() || !one.connected()) return false;
  const uint64_t answers = one.answers();
  const uint64_t losses = one.losses();
  one.send(std::move(request));
  one.flush();
  world.run_until([&] { return one.answers() > answers || one.losses() > losses; }, 60'000'000);
  return one.answers() > answers;
}

void Script::insist(uint32_t number, const Request& request) {
  for (int attempt = 0; attempt < kMostAttempts && !world.failed(); ++attempt) {
    attach(number, 0);
    if (ask(number, request)) return;
  }
  if (!world.failed()) world.fail(fmt::format("client {} never gets an answer", number));
}

void Script::write(uint32_t number, int count, const std::string& path) {
  insist(number, client(number).asks().create(path));
  for (int i = 0; i < count; ++i) insist(number, client(number).asks().set(path));
}

}  // namespace quorate::sim
