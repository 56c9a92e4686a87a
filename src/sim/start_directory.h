#pragma once
#include "shell/node/settings.h"
#include "sim/sim_disk.h"

namespace quorate::sim {

/// Lays out what a server finds that takes over from others: an empty tree in a durable snapshot as of `zxid`.
void write_start(SimDisk& disk, const node::NodeSettings& settings, Zxid zxid);

/// Writes a snapshot of all that the logs hold, committed or not, as Apache's server does when it enters leading: it
/// may be of a history that is never to be (known-faults 1.3, C2). False: there is nothing to be read.
bool write_hasty_snapshot(SimDisk& disk, const node::NodeSettings& settings);

}  // namespace quorate::sim
