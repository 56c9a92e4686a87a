#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "shell/node/node.h"
#include "sim/ensemble_plan.h"
#include "sim/ensemble_record.h"
#include "sim/fabric_network.h"
#include "sim/sim_disk.h"

/// One server of the ensemble through all its lives: a host of the fabric, a disk, and while it runs a node with the
/// loop that turns it and the work of its actors on the disk.
namespace quorate::sim {

struct ServerWorld {
  Agenda& agenda;
  Fabric& fabric;
  SimClock& clock;
  Rng& rng;
  Trace& trace;
  Verdict& verdict;
  EnsembleRecord& record;
  const EnsemblePlan& plan;
};

class EnsembleServer {
 public:
  EnsembleServer(ServerWorld world, uint32_t id);
  ~EnsembleServer();

  // Its lives.
  /// Starts, again and again if its disk stops that; nothing if it runs.
  void boot();
  /// Kill -9, and a start after so long; negative: none.
  void kill(int64_t down_us);
  void lose_power(int64_t down_us);
  /// From its next start on it is one of so many members.
  void join(uint32_t members) { settings_ = settings_of(world_.plan, id_, members); }
  /// Nothing goes wrong by itself any more.
  void calm();
  /// All work on its disk takes so long at least, and none of it is done on the loop; 0: as usual.
  void slow_disk(int64_t us) { slow_disk_us_ = us; }

  uint32_t id() const { return id_; }
  bool runs() const { return node_ != nullptr; }
  /// Null while it does not run.
  replica::Member* member() { return node_ == nullptr ? nullptr : node_->member(); }
  node::Node* node() { return node_.get(); }
  SimDisk& disk() { return disk_; }
  HostClock& clock() { return clock_; }
  const node::NodeSettings& settings() const { return settings_; }
  uint64_t starts() const { return starts_; }
  uint64_t snapshots() const { return snapshots_; }

 private:
  class ClientStream;

  // ensemble_server.cc: how it starts and ends.
  bool start();
  void arm();
  void arm_error();
  void disturb_files();
  void damage_file();
  void listen();
  void accept(SimStreamPtr stream);
  void stop(bool power_cut, int64_t down_us);
  void crash_met();
  void start_in(int64_t delay_us);

  // ensemble_loop.cc: how it runs.
  void wake(int64_t delay_us);
  void round();
  void finish_work();
  void start_work();
  bool do_lone_write();
  void schedule_work(bool& done, void (EnsembleServer::*perform)());
  void perform_log();
  void perform_background();
  void perform_history();
  void after_input();
  void collect_lines();
  int64_t disk_delay();
  /// Later, in this life, and once its process runs.
  void later(int64_t delay_us, std::function<void()> act);

  ServerWorld world_;
  uint32_t id_;
  HostId host_;
  node::NodeSettings settings_;
  HostClock clock_;
  SimDisk disk_;
  std::unique_ptr<FabricNetwork> network_;
  std::unique_ptr<node::Node> node_;
  uint32_t life_ = 0;
  bool calm_ = false;
  int64_t slow_disk_us_ = 0;
  bool off_ = false;  ///< Without power.
  uint64_t starts_ = 0;
  uint64_t snapshots_ = 0;
  int64_t snapshots_seen_ = 0;
  int64_t round_at_ = -1;  ///< Negative: none is due.
  bool log_done_ = false, background_done_ = false, history_done_ = false;
};

}  // namespace quorate::sim
