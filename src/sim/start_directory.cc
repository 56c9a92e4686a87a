#include "sim/start_directory.h"

#include "base/check.h"
#include "core/tree/snapshot_walk.h"
#include "shell/storage/snapshot_file.h"

namespace quorate::sim {
namespace {

bool write_snapshot(SimDisk& disk, const node::NodeSettings& settings, tree::Tree& tree,
                    const tree::SessionList& sessions) {
  tree::SnapshotWalk walk(tree, sessions);
  storage::SnapshotWriter writer(disk, settings.recovery.snapshot_directory, tree.last_zxid(),
                                 settings.snapshot.compression);
  while (!walk.slice(SIZE_MAX)) {
  }
  return writer.write(walk.take().view()) &&
         writer.finish(walk.digest(), settings.replica.digest, settings.snapshot.with_last_zxid);
}

}  // namespace

void write_start(SimDisk& disk, const node::NodeSettings& settings, Zxid zxid) {
  const storage::RecoverySettings& recovery = settings.recovery;
  QUORATE_CHECK(disk.make_directories(recovery.snapshot_directory).has_value());
  tree::Tree tree(recovery.hash_key, recovery.tree_options);
  tree.set_last_zxid(zxid);
  QUORATE_CHECK(write_snapshot(disk, settings, tree, {}));
}

bool write_hasty_snapshot(SimDisk& disk, const node::NodeSettings& settings) {
  auto recovered = storage::recover(disk, settings.recovery);
  if (!recovered || recovered->fresh || recovered->last_zxid.value <= 0) return false;
  return write_snapshot(disk, settings, *recovered->tree, recovered->sessions);
}

}  // namespace quorate::sim
