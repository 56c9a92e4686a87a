#include "shell/storage/replace.h"

#include <gtest/gtest.h>

#include "shell/storage/history_testing.h"
#include "shell/storage/txn_log.h"

namespace quorate::storage {
namespace {

class ReplaceTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    settings_.directories = places_.directories;
    image_[places_.directories.logs + "/other"] = "";
  }
  void put_old(std::vector<int64_t> snapshots, int64_t first, int64_t last) {
    for (const int64_t zxid : snapshots) image_[places_.snapshot(zxid)] = snapshot_bytes(zxid);
    image_[places_.log(first)] = log_bytes(first, last - 1);
    image_[places_.log(last)] = log_bytes(last, last);
  }
  /// The leader's tree at `zxid`: nodes of its own, so that it can be told from ours.
  Result<std::string> replace(env::Disk& disk, int64_t zxid) {
    tree::Tree tree({});
    tree::SessionList sessions;
    apply_creates(tree, sessions, 100, 103);
    sessions.add({77}, 4000);
    tree.set_last_zxid({zxid});
    return replace_history(disk, settings_, tree, sessions);
  }
  void expect_new(CrashDisk& disk, int64_t zxid) {
    auto recovered = recover(disk, places_.settings);
    ASSERT_TRUE(recovered) << recovered.error().detail;
    EXPECT_EQ(recovered->last_zxid.value, zxid);
    EXPECT_EQ(recovered->txns_replayed, 0u);
    EXPECT_NE(recovered->tree->find("/n100"), tree::kNoNode);
    EXPECT_EQ(recovered->tree->find("/n1"), tree::kNoNode);
    EXPECT_TRUE(recovered->sessions.contains({77}));
    size_t files = 0;
    for (const auto& [path, bytes] : disk.everything()) files += path.ends_with("/other") ? 0 : 1;
    EXPECT_EQ(files, 1u);
    EXPECT_TRUE(disk.everything().contains(places_.snapshot(zxid)));
  }
  void expect_old(CrashDisk& disk, int64_t zxid) {
    auto recovered = recover(disk, places_.settings);
    ASSERT_TRUE(recovered) << recovered.error().detail;
    EXPECT_EQ(recovered->last_zxid.value, zxid);
    EXPECT_NE(recovered->tree->find("/n1"), tree::kNoNode);
    EXPECT_EQ(recovered->tree->find("/n100"), tree::kNoNode);
  }

  TestPlaces places_{GetParam()};
  ReplaceSettings settings_;
  DiskImage image_;
};

TEST_P(ReplaceTest, TheNewTreeIsAllThatStays) {
  for (const int64_t zxid : {int64_t{3}, int64_t{12}, int64_t{50}, int64_t{2} << 32}) {
    image_.clear();
    put_old({0, 3, 9}, 1, 12);
    CrashDisk disk(image_);
    auto name = replace(disk, zxid);
    ASSERT_TRUE(name) << name.error().detail;
    EXPECT_EQ(*name, hex_name("snapshot.", {zxid}));
    EXPECT_FALSE(change_is_pending(disk, places_.directories));
    expect_new(disk, zxid);
  }
}

TEST_P(ReplaceTest, AnEmptyDirectoryIsFilled) {
  image_[places_.directories.snapshots + "/other"] = "";
  CrashDisk disk(image_);
  ASSERT_TRUE(replace(disk, 7));
  EXPECT_EQ(started_at(disk, places_), 7);
}

// ZOOKEEPER-3642, 2872; disk 6.1 rule 12; quorum rule 37. Behind the old end, at a snapshot that is there already, and
// below the old end, where the old log would be replayed on top.
TEST_P(ReplaceTest, ACrashAnywhereLeavesOneHistory) {
  for (const int64_t zxid : {int64_t{50}, int64_t{9}, int64_t{5}}) {
    SCOPED_TRACE(zxid);
    image_.clear();
    put_old({0, 3, 9}, 1, 12);
    bool done = false;
    size_t old = 0;
    size_t fresh = 0;
    const auto act = [&](CrashDisk& disk) { done = replace(disk, zxid).has_value(); };
    const auto check = [&](const DiskImage& left) {
      CrashDisk disk(left);
      auto recovered = recover(disk, places_.settings);
      ASSERT_TRUE(recovered) << recovered.error().detail;
      const bool is_new = recovered->tree->find("/n100") != tree::kNoNode;
      EXPECT_TRUE(is_new || !done);
      ++(is_new ? fresh : old);
      is_new ? expect_new(disk, zxid) : expect_old(disk, 12);
    };
    EXPECT_GE(at_every_crash(image_, act, check), 16u);
    EXPECT_GT(old, 0u);
    EXPECT_GT(fresh, 0u);
  }
}

// Goal: records behind the new snapshot never stand on the old history, whatever is lost of either.
TEST_P(ReplaceTest, TheLogGoesOnBehindTheNewSnapshotOnly) {
  put_old({0}, 1, 12);
  int64_t durable = 0;
  const auto act = [&](CrashDisk& disk) {
    durable = 12;
    if (!replace(disk, 50)) return;
    durable = 50;
    TxnLog log(disk, {.directory = places_.directories.logs, .preallocate_bytes = 0});
    for (int64_t zxid = 51; zxid <= 53; ++zxid) {
      ByteBuffer batch;
      add_create(batch, {zxid}, "/n" + std::to_string(zxid), "x");
      if (!log.append(batch, {zxid}) || !log.sync()) return;
      durable = zxid;
    }
  };
  const auto check = [&](const DiskImage& left) {
    CrashDisk disk(left);
    const int64_t last = started_at(disk, places_);
    EXPECT_GE(last, durable);
    EXPECT_TRUE(last == 12 || last >= 50) << last;
  };
  EXPECT_GE(at_every_crash(image_, act, check), 20u);
}

// Goal: a full disk at any step before the note leaves the old history and no leftover.
TEST_P(ReplaceTest, AFailureIsPendingOrHasDoneNothing) {
  put_old({0, 3, 9}, 1, 12);
  size_t undone = 0;
  for (size_t failing_call = 0;; ++failing_call) {
    SCOPED_TRACE(failing_call);
    FakeDisk disk;
    for (const auto& [path, bytes] : image_) disk.put(path, bytes);
    size_t calls = 0;
    std::string last_line;
    disk.failing = [&](const std::string& line) {
      last_line = line;
      return calls++ == failing_call ? std::optional(Fault::NoSpace) : std::nullopt;
    };
    auto replaced = replace(disk, 50);
    disk.failing = nullptr;
    if (calls <= failing_call) break;
    EXPECT_FALSE(replaced) << last_line;
    if (replaced) continue;
    if (change_is_pending(disk, places_.directories) || replaced.error().fault != Fault::NoSpace) {
      EXPECT_EQ(started_at(disk, places_), 50) << last_line;
    } else {
      ++undone;
      EXPECT_EQ(started_at(disk, places_), 12);
      for (const auto& [path, bytes] : disk.files) EXPECT_EQ(path.find("tmp"), std::string::npos) << path;
    }
  }
  EXPECT_GE(undone, 6u);
}

TEST_P(ReplaceTest, ReachesItsCrashPoints) {
  put_old({0}, 1, 12);
  FakeDisk disk;
  for (const auto& [path, bytes] : image_) disk.put(path, bytes);
  ASSERT_TRUE(replace(disk, 50));
  using enum env::CrashPoint;
  EXPECT_EQ(disk.reached, (std::vector{SnapOpen, SnapSeal, SnapBody, SnapSync, ReplaceWritten, NoteWrite, NoteSync,
                                       NoteRename, NoteDirSync, ReplaceRename, ReplaceDirSync, ReplaceLog, ReplaceLog,
                                       ReplaceLogsSync, ReplaceSnapshot, ReplaceSnapshotsSync, NoteRemove, NoteGone}));
}

TEST_P(ReplaceTest, EveryCompressionIsInstalled) {
  for (const Compression compression : {Compression::Gzip, Compression::Snappy}) {
    image_.clear();
    put_old({0}, 1, 12);
    settings_.compression = compression;
    CrashDisk disk(image_);
    auto name = replace(disk, 50);
    ASSERT_TRUE(name) << name.error().detail;
    EXPECT_TRUE(name->ends_with(ending_of(compression)));
    EXPECT_EQ(started_at(disk, places_), 50);
  }
}

INSTANTIATE_TEST_SUITE_P(Directories, ReplaceTest, testing::Bool(),
                         [](const auto& each) { return each.param ? "Split" : "One"; });

}  // namespace
}  // namespace quorate::storage
