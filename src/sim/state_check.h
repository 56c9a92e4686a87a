#pragma once
#include <string>

#include "core/tree/session_list.h"
#include "core/tree/tree.h"
#include "shell/node/settings.h"
#include "sim/history.h"
#include "sim/sim_disk.h"

/// Trees, logs and snapshots held against the naive model. Each answers with what is wrong, or with nothing.
namespace quorate::sim {

/// Takes over what a server makes of itself before the first txn.
void seed_model(const tree::Tree& tree, Model& model);

std::string compare_state(const tree::Tree& tree, const tree::SessionList& sessions, const Model& model, int64_t zxid);

/// Every log record on the disk is the one that was logged, the logs have no gap, and reach back to every snapshot.
std::string check_logs(const SimDisk& disk, const node::NodeSettings& settings, const History& history);

/// Every snapshot that has its name is whole.
std::string check_snapshots(const SimDisk& disk, const node::NodeSettings& settings);
/// A snapshot shows the tree as it was at its zxid.
std::string check_snapshot(const SimDisk& disk, const node::NodeSettings& settings, Zxid zxid, const Model& model);

}  // namespace quorate::sim
