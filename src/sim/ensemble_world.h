#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/ensemble_client.h"
#include "sim/ensemble_server.h"
#include "sim/net_faults.h"
#include "sim/outcome.h"

/// One run of several servers and their clients on one fabric, with everything that goes wrong, in virtual time: the
/// same seed gives the same run, bit for bit. A random run, or what a script (ensemble_scenarios.h) makes happen; both
/// end in the same way: all heals, all servers serve, all clients leave, and everything is judged.
namespace quorate::sim {

class EnsembleWorld {
 public:
  /// The seed's chance has drawn the plan already.
  EnsembleWorld(Rng rng, EnsemblePlan plan, bool verbose);
  ~EnsembleWorld();

  /// The whole of a random run.
  Outcome run();

  // For scripts.
  void start();
  void start_clients();
  void run_for(int64_t micros);
  /// False: it did not come to be in that time.
  bool run_until(const std::function<bool()>& reached, int64_t patience_us);
  Outcome finish();
  void fail(std::string text) { verdict_.fail("{}", text); }
  bool failed() const { return verdict_.failed(); }

  EnsembleServer& server(uint32_t id) { return *servers_[id - 1]; }
  EnsembleClient& client(uint32_t number) { return *clients_[number]; }
  uint32_t server_count() const { return static_cast<uint32_t>(servers_.size()); }
  Fabric& fabric() { return fabric_; }
  Rng& rng() { return rng_; }
  EnsembleRecord& record() { return record_; }
  const EnsemblePlan& plan() const { return plan_; }
  /// Who leads with an established epoch, the newest of those; 0: nobody.
  uint32_t leader() const;
  /// Some server that serves and does not lead; 0: none.
  uint32_t follower() const;
  bool all_serve() const;
  /// Both ways.
  void cut(HostId one, HostId other, bool is_cut);
  void cut_off(uint32_t server, bool is_cut);

 private:
  // ensemble_world.cc
  void build();
  void plan_lives();
  void begin(const LifeFault& fault);

  // ensemble_finish.cc
  void heal();
  void wait_for_service();
  void prove_service();
  void let_clients_leave();
  void check_left();
  void check_server_left(EnsembleServer& server);
  bool is_level() const;
  std::string describe() const;
  std::string canonical(EnsembleServer& server) const;

  Rng rng_;
  EnsemblePlan plan_;
  Trace trace_;
  Verdict verdict_;
  SimClock clock_;
  Agenda agenda_{clock_, trace_};
  Fabric fabric_{agenda_, rng_, trace_};
  EnsembleRecord record_;
  std::unique_ptr<NetFaults> net_faults_;
  std::vector<std::unique_ptr<EnsembleServer>> servers_;
  std::vector<std::unique_ptr<EnsembleClient>> clients_;
};

Outcome run_ensemble_seed(uint64_t seed, bool verbose);

}  // namespace quorate::sim
