#pragma once
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "shell/node/node.h"
#include "sim/outcome.h"
#include "sim/sim_client.h"
#include "sim/sim_disk.h"
#include "sim/throttle_twin.h"

/// One run: the node between simulated streams and a simulated disk, its clients, and everything that goes wrong, in
/// virtual time. The same seed gives the same run, bit for bit.
namespace quorate::sim {

Outcome run_seed(uint64_t seed, bool verbose);

class World {
 public:
  World(uint64_t seed, bool verbose);
  ~World();
  Outcome run();

 private:
  enum class What : uint8_t {
    ToServer,
    ToClient,
    Accept,
    Client,
    Round,
    LogPerform,
    LogDone,
    BackPerform,
    BackDone,
    Stop,
    End
  };
  struct Event {
    int64_t at;
    uint64_t order;
    What what;
    uint32_t number;  ///< Of the link or client; of the node's life.
    bool operator>(const Event& other) const { return at != other.at ? at > other.at : order > other.order; }
  };
  enum class Ending : uint8_t { Work, Drain, Leave, Done };

  // world.cc
  void schedule(int64_t delay, What what, uint32_t number);
  void schedule_at(int64_t at, What what, uint32_t number);
  void handle(const Event& event);
  bool handle_outside(const Event& event);
  void handle_node(const Event& event);
  void accept(Link& link);
  void advance_ending();
  bool is_quiet();
  void check_left();
  void check_quiet();
  void check_tables();
  void check_watches();
  void check_watches_of(const Link& link);

  // world_node.cc
  enum class Started : uint8_t { Up, Not };
  void boot();
  Started start();
  void damage();
  void repair();
  void arm();
  void arm_error();
  void check_recovered();
  void tend_disk();
  void note_prepared();
  void note_connects();
  void finish_log();
  void check_links();
  void stop(bool power_cut);
  void round();
  void take_inputs();
  void start_disk_work();
  void wake(int64_t delay);
  void after_disk_work();
  void check_lines();
  int64_t disk_delay();

  Rng rng_;
  Trace trace_;
  Verdict verdict_;
  SimClock clock_;
  Plan plan_;
  SimDisk disk_;
  History history_;
  Network network_;
  Workload workload_;
  uint32_t requests_left_;
  std::vector<std::unique_ptr<SimClient>> clients_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  uint64_t next_order_ = 0;
  Ending ending_ = Ending::Work;
  int64_t ending_since_ = 0;

  std::unique_ptr<node::Node> node_;
  uint32_t life_ = 0;
  bool seeded_ = false;
  bool round_due_ = false;
  int64_t round_at_ = 0;
  std::optional<ThrottleTwin> throttle_;
  int64_t connects_seen_ = 0;
  int64_t refusals_seen_ = 0;
  int64_t proposals_seen_ = 0;
  bool log_done_ = false;
  bool background_done_ = false;
  SimFilePtr damaged_file_;  ///< While a damaged disk is being read.
  uint64_t damaged_at_ = 0;
  uint8_t damage_mask_ = 0;
  int64_t snapshots_seen_ = 0;
  Counts counts_;
};

}  // namespace quorate::sim
