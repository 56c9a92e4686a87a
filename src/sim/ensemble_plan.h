#pragma once
#include <cstdint>
#include <vector>

#include "shell/node/settings.h"
#include "sim/fabric.h"

/// What one seed decides of an ensemble's run before anything runs: sizes and limits small enough that rare things
/// happen often, and what goes wrong with the servers themselves; the network's faults are net_faults.h's.
namespace quorate::sim {

/// A server's end that does not come from its disk.
struct LifeFault {
  enum class What : uint8_t { Kill, PowerLoss, AllPower, AllKilled };
  What what = What::Kill;
  int64_t at = 0;
  uint32_t server = 1;
  bool leader = false;  ///< Whoever leads then, instead.
  int64_t down_us = 0;  ///< Before it starts again.
};

struct EnsemblePlan {
  uint32_t servers = 3;
  uint32_t observers = 0;  ///< So many of these, the last ones, do not vote.
  uint32_t clients = 3;
  node::NodeSettings settings;  ///< What all servers have in common.
  uint32_t members = 0;         ///< So many are members when they start; 0: all.
  Zxid start;                   ///< A history of nothing that ends there is what they find; 0: an empty directory.
  int32_t init_limit = 10;
  int32_t sync_limit = 5;
  int32_t kept_txns = 500;  ///< commitLogCount
  double snapshot_size_factor = 0.33;
  uint32_t snap_only = 0;  ///< A bit a server: as leaders these never serve learners from their logs.
  Millis max_notification_interval{60'000};
  uint32_t most_counter = 0;   ///< How many zxids an epoch has; 0: as many as there are.
  std::vector<int64_t> paces;  ///< Of the servers' clocks (sim_clock.h); empty: all are right.

  int64_t work_us = 8'000'000;  ///< Until all heals.
  uint32_t net_intensity = 20;
  bool far_links = false;
  std::vector<LifeFault> lives;
  uint32_t crash_percent = 30;  ///< Of the lives that end at some place on the disk.
  uint32_t rare_percent = 0;    ///< Of the lives that end where few come by.
  uint32_t hasty_percent = 0;   ///< Of the lives before which another program took a snapshot.
  uint32_t damaged_server = 0;  ///< Whose files change on the disk between its lives; 0: nobody's.
  uint32_t error_percent = 5;   ///< Of the lives that meet a disk error or a full disk.
  uint32_t kill_percent = 50;   ///< Of the crashes on the disk that leave the machine running.

  int32_t session_timeout_ms = 4000;
  int64_t mean_pause_us = 20'000;  ///< Between a client's bursts.
  int64_t sync_us = 300;           ///< A usual sync.
  uint32_t vanish_percent = 1;     ///< Of a client's turns in which it leaves its connection.
  bool idle_clients = false;       ///< They do what a script tells them.
};

EnsemblePlan make_ensemble_plan(Rng& rng);
/// The usual limits, and nothing wrong: what scripts begin with.
EnsemblePlan quiet_ensemble_plan(Rng& rng, uint32_t servers);
/// Server 1 is the first host of the fabric.
inline HostId host_of(uint32_t server) { return server - 1; }
/// For an ensemble of the first `members`, of which it may be one.
node::NodeSettings settings_of(const EnsemblePlan& plan, uint32_t server, uint32_t members);

inline constexpr uint16_t kClientPort = 2181;
inline constexpr uint16_t kQuorumPort = 2888;
inline constexpr uint16_t kElectionPort = 3888;

}  // namespace quorate::sim
