#pragma once
#include <cstdint>

#include "shell/node/settings.h"
#include "sim/rng.h"

/// What one seed decides before anything runs: settings small enough that rare things happen often, and how rough the
/// run is.
namespace quorate::sim {

struct Plan {
  node::NodeSettings settings;
  int64_t start_zxid = 0;  ///< Of what others left in the directory; 0: nothing.
  uint32_t clients = 3;
  uint32_t requests = 200;
  int32_t session_timeout_ms = 4000;
  int64_t mean_pause_us = 20'000;  ///< Between a client's bursts.
  int64_t sync_us = 300;           ///< A usual sync.
  uint32_t crash_percent = 60;     ///< Of the node's lives that end by a crash at some place on the disk.
  uint32_t error_percent = 15;     ///< Of the node's lives that meet a disk error or a full disk.
  uint32_t damage_percent = 0;     ///< Of the restarts that meet a damaged file.
  bool wall_jumps = false;
  uint32_t stranger_percent = 0;  ///< Of the connections, beside which one comes that is no client's.
  uint32_t kill_percent = 35;     ///< Of the crashes that leave the machine running.
  uint32_t max_restarts = 6;
};

Plan make_plan(Rng& rng);

}  // namespace quorate::sim
