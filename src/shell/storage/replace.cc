#include "shell/storage/replace.h"

#include "core/tree/snapshot_walk.h"
#include "shell/storage/snapshot_file.h"

namespace quorate::storage {
namespace {

constexpr size_t kSliceBytes = 1 << 20;

}  // namespace

Result<void> write_tree(SnapshotWriter& writer, tree::Tree& tree, const tree::SessionList& sessions) {
  tree::SnapshotWalk walk(tree, sessions);
  bool done = false;
  while (!done) {
    done = walk.slice(kSliceBytes);
    if (auto written = writer.write(walk.take().view()); !written) return written;
  }
  return {};
}

Result<std::string> replace_history(env::Disk& disk, const ReplaceSettings& settings, tree::Tree& tree,
                                    const tree::SessionList& sessions) {
  const HistoryDirectories& directories = settings.directories;
  SnapshotWriter writer(disk, directories.snapshots, tree.last_zxid(), settings.compression);
  if (auto written = write_tree(writer, tree, sessions); !written) return std::unexpected(written.error());
  auto sealed = writer.seal(tree.digest(), settings.with_digest, settings.with_last_zxid);
  if (!sealed) return std::unexpected(sealed.error());
  const std::string name = writer.file_name();
  auto facts = verify_snapshot(disk, directories.snapshots, "tmp-" + name, settings.max_buffer_bytes);
  if (!facts) return std::unexpected(facts.error());
  disk.reach(env::CrashPoint::ReplaceWritten);
  // The temporary name must be found by whoever finds the note.
  if (auto synced = disk.sync_directory(directories.snapshots); !synced) return std::unexpected(synced.error());
  auto done =
      carry_out(disk, directories, {HistoryChange::Kind::Replace, tree.last_zxid(), name}, settings.max_buffer_bytes);
  if (done || change_is_pending(disk, directories)) writer.leave();
  if (!done) return std::unexpected(done.error());
  return name;
}

}  // namespace quorate::storage
