#include "sim/ensemble_world.h"

#include <algorithm>
#include <utility>

namespace quorate::sim {
namespace {

constexpr uint64_t kMostActs = 3'000'000;

}  // namespace

Outcome run_ensemble_seed(uint64_t seed, bool verbose) {
  Rng rng(seed);
  EnsemblePlan plan = make_ensemble_plan(rng);
  return EnsembleWorld(rng, std::move(plan), verbose).run();
}

EnsembleWorld::EnsembleWorld(Rng rng, EnsemblePlan plan, bool verbose)
    : rng_(rng),
      plan_(std::move(plan)),
      trace_(verbose),
      record_(verdict_, trace_, clock_, plan_.servers - plan_.observers) {
  build();
}

EnsembleWorld::~EnsembleWorld() = default;

void EnsembleWorld::build() {
  record_.begin_at(plan_.start);
  for (uint32_t id = 1; id <= plan_.servers; ++id) fabric_.add_host(fmt::format("server {}", id));
  for (uint32_t number = 0; number < plan_.clients; ++number) fabric_.add_host(fmt::format("client {}", number));
  for (HostId from = 0; plan_.far_links && from < fabric_.host_count(); ++from) {
    for (HostId to = 0; to < fabric_.host_count(); ++to) {
      if (from != to) fabric_.set_quality(from, to, draw_quality(rng_));
    }
  }
  const ServerWorld world{agenda_, fabric_, clock_, rng_, trace_, verdict_, record_, plan_};
  for (uint32_t id = 1; id <= plan_.servers; ++id) servers_.push_back(std::make_unique<EnsembleServer>(world, id));
  const EnsembleClientWorld outside{agenda_, fabric_, rng_, trace_, verdict_, record_, plan_};
  for (uint32_t number = 0; number < plan_.clients; ++number) {
    clients_.push_back(std::make_unique<EnsembleClient>(outside, number, plan_.servers + number));
  }
}

void EnsembleWorld::start() {
  for (const auto& server : servers_) {
    agenda_.in(rng_.between(0, 300'000), [&server] { server->boot(); });
  }
  start_clients();
}

void EnsembleWorld::start_clients() {
  for (const auto& client : clients_) client->start();
}

Outcome EnsembleWorld::run() {
  const int64_t from = agenda_.now();
  const NetFaultRange range{.servers = plan_.servers,
                            .clients = plan_.clients,
                            .from = from,
                            .until = from + plan_.work_us,
                            .intensity = plan_.net_intensity};
  NetFaultPlan faults = draw_net_faults(rng_, range);
  for (const NetFault& fault : faults.faults) {
    if (fault.kind == NetFaultKind::Pause) record_.hit(EnsembleEvent::ServerPaused);
  }
  net_faults_ = std::make_unique<NetFaults>(fabric_, agenda_, trace_, std::move(faults));
  net_faults_->find_leader = [this]() -> std::optional<HostId> {
    const uint32_t id = leader();
    return id == 0 ? std::nullopt : std::optional(host_of(id));
  };
  net_faults_->start();
  plan_lives();
  start();
  run_for(plan_.work_us);
  return finish();
}

void EnsembleWorld::plan_lives() {
  for (const LifeFault& fault : plan_.lives) {
    agenda_.at(fault.at, [this, &fault] { begin(fault); });
  }
}

void EnsembleWorld::begin(const LifeFault& fault) {
  using What = LifeFault::What;
  const uint32_t found = fault.leader ? leader() : 0;
  EnsembleServer& one = server(found == 0 ? fault.server : found);
  if (fault.what == What::Kill) return one.kill(fault.down_us);
  if (fault.what == What::PowerLoss) return one.lose_power(fault.down_us);
  const bool power = fault.what == What::AllPower;
  if (power) record_.hit(EnsembleEvent::AllPowerLost);
  for (const auto& each : servers_) {
    const int64_t down_us = fault.down_us + rng_.between(0, 500'000);
    power ? each->lose_power(down_us) : each->kill(down_us);
  }
}

void EnsembleWorld::run_for(int64_t micros) {
  run_until([] { return false; }, micros);
}

bool EnsembleWorld::run_until(const std::function<bool()>& reached, int64_t patience_us) {
  const int64_t end = agenda_.now() + patience_us;
  for (uint64_t acts = 0; !verdict_.failed(); ++acts) {
    if (reached()) return true;
    if (agenda_.empty() || agenda_.next_at() > end) break;
    agenda_.run_next();
    if (acts > kMostActs) verdict_.fail("the world never comes to rest");
  }
  if (!verdict_.failed()) agenda_.run_until(end);
  return !verdict_.failed() && reached();
}

uint32_t EnsembleWorld::leader() const {
  uint32_t found = 0;
  int64_t epoch = 0;
  for (const auto& each : servers_) {
    replica::Member* member = each->member();
    if (member == nullptr || member->lead() == nullptr) continue;
    if (member->lead()->phase() != zab::LeadPhase::Broadcast || member->lead()->epoch() <= epoch) continue;
    epoch = member->lead()->epoch();
    found = each->id();
  }
  return found;
}

uint32_t EnsembleWorld::follower() const {
  for (const auto& each : servers_) {
    replica::Member* member = each->member();
    if (member != nullptr && member->follow() != nullptr && member->serving()) return each->id();
  }
  return 0;
}

bool EnsembleWorld::all_serve() const {
  return std::ranges::all_of(servers_,
                             [](const auto& each) { return each->member() != nullptr && each->member()->serving(); });
}

void EnsembleWorld::cut(HostId one, HostId other, bool is_cut) {
  fabric_.set_cut(one, other, is_cut);
  fabric_.set_cut(other, one, is_cut);
}

void EnsembleWorld::cut_off(uint32_t server, bool is_cut) {
  for (HostId other = 0; other < plan_.servers; ++other) {
    if (other != host_of(server)) cut(host_of(server), other, is_cut);
  }
}

}  // namespace quorate::sim
