#include "sim/start_directory.h"

#include "base/check.h"
#include "core/tree/snapshot_walk.h"
#include "shell/storage/snapshot_file.h"

namespace quorate::sim {

void write_start(SimDisk& disk, const node::NodeSettings& settings, Zxid zxid) {
  const storage::RecoverySettings& recovery = settings.recovery;
  QUORATE_CHECK(disk.make_directories(recovery.snapshot_directory).has_value());
  tree::Tree tree(recovery.hash_key, recovery.tree_options);
  tree.set_last_zxid(zxid);
  tree::SnapshotWalk walk(tree, {});
  storage::SnapshotWriter writer(disk, recovery.snapshot_directory, zxid, settings.snapshot.compression);
  while (!walk.slice(SIZE_MAX)) {
  }
  QUORATE_CHECK(writer.write(walk.take().view()).has_value());
  QUORATE_CHECK(writer.finish(walk.digest(), settings.replica.digest, settings.snapshot.with_last_zxid).has_value());
}

}  // namespace quorate::sim
