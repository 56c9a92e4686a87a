#pragma once
#include "shell/node/settings.h"
#include "sim/sim_disk.h"

namespace quorate::sim {

/// Lays out what a server finds that takes over from others: an empty tree in a durable snapshot as of `zxid`.
void write_start(SimDisk& disk, const node::NodeSettings& settings, Zxid zxid);

}  // namespace quorate::sim
