#pragma once
#include <gtest/gtest.h>

#include <string>

#include "core/tree/apply.h"
#include "core/tree/session_list.h"
#include "core/tree/tree.h"
#include "shell/storage/crash_testing.h"
#include "shell/storage/fake_disk.h"
#include "shell/storage/history_change.h"
#include "shell/storage/log_testing.h"
#include "shell/storage/recovery.h"
#include "shell/storage/replace.h"
#include "shell/storage/snapshot_file.h"

/// For tests: whole histories of create txns, and what a start makes of them.
namespace quorate::storage {

/// The tree after the txns first..last of log_testing.h.
inline void apply_creates(tree::Tree& tree, tree::SessionList& sessions, int64_t first, int64_t last) {
  tree::Applied applied;
  for (int64_t zxid = first; zxid <= last; ++zxid) {
    const std::string record = record_bytes({zxid});
    size_t offset = 0;
    tree::TxnView txn;
    std::string why;
    ASSERT_TRUE(tree::parse_txn(wire::next_payload(record, offset), txn, why)) << why;
    tree::apply(tree, sessions, txn, applied);
  }
}

/// A snapshot's bytes, of the tree after 1..last, named by `last` or as it is told.
inline std::string snapshot_bytes(int64_t last) {
  FakeDisk disk;
  (void)disk.make_directories("/s");
  tree::Tree tree({});
  tree::SessionList sessions;
  apply_creates(tree, sessions, 1, last);
  SnapshotWriter writer(disk, "/s", {last}, Compression::None);
  EXPECT_TRUE(write_tree(writer, tree, sessions));
  EXPECT_TRUE(writer.finish(tree.digest(), true, true));
  return disk.bytes("/s/" + writer.file_name());
}

struct TestPlaces {
  explicit TestPlaces(bool split) {
    settings.data_directory = "/data";
    settings.data_log_directory = split ? "/logs" : "/data";
    settings.snapshot_directory = directories.snapshots = "/data/version-2";
    settings.log_directory = directories.logs = settings.data_log_directory + "/version-2";
  }
  std::string log(int64_t first) const { return directories.logs + "/" + hex_name("log.", {first}); }
  std::string snapshot(int64_t zxid) const { return directories.snapshots + "/" + hex_name("snapshot.", {zxid}); }

  RecoverySettings settings;
  HistoryDirectories directories;
};

/// The zxid that a start comes to; -2 with a failure when it is refused.
inline int64_t started_at(env::Disk& disk, const TestPlaces& places) {
  auto recovered = recover(disk, places.settings);
  EXPECT_TRUE(recovered) << recovered.error().detail;
  return recovered ? recovered->last_zxid.value : -2;
}

}  // namespace quorate::storage
