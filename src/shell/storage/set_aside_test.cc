#include "shell/storage/set_aside.h"

#include <gtest/gtest.h>

#include "shell/storage/history_testing.h"
#include "shell/storage/small_file.h"

namespace quorate::storage {
namespace {

/// Snapshots 0 and 4, logs up to 12, and 9 and 10 are missing: without its last log it would load.
class SetAsideTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    places_.settings.may_be_in_doubt = true;
    for (const int64_t zxid : {0, 4}) old_[places_.snapshot(zxid)] = snapshot_bytes(zxid);
    old_[places_.log(1)] = log_bytes(1, 4);
    old_[places_.log(5)] = log_bytes(5, 8);
    old_[places_.log(11)] = log_bytes(11, 12);
    image_ = old_;
    for (const char* name : {"acceptedEpoch", "currentEpoch"}) image_[places_.directories.snapshots + "/" + name] = "3";
    image_[places_.directories.logs + "/other"] = "";
  }
  Result<std::string> set_aside(env::Disk& disk) {
    return set_history_aside(disk, places_.directories, "txns are missing", lines_);
  }
  /// As a member starts.
  Result<Recovered> start(env::Disk& disk) {
    auto recovered = recover(disk, places_.settings);
    if (recovered || recovered.error().fault != Fault::Corrupt) return recovered;
    if (auto name = set_aside(disk); !name) return std::unexpected(name.error());
    return recover(disk, places_.settings);
  }
  bool in_doubt(env::Disk& disk) {
    auto found = history_is_in_doubt(disk, places_.directories);
    EXPECT_TRUE(found);
    return found && *found;
  }
  /// Every file of the old history, in whole, in the subdirectory.
  void expect_kept(const DiskImage& left, const std::string& name) {
    for (const auto& [path, bytes] : old_) {
      const std::string moved = directory_of(path) + "/" + name + path.substr(path.rfind('/'));
      ASSERT_TRUE(left.contains(moved)) << moved;
      EXPECT_EQ(left.at(moved), bytes) << moved;
      EXPECT_FALSE(left.contains(path) && path != places_.snapshot(0)) << path;
    }
    EXPECT_EQ(left.at(places_.directories.snapshots + "/currentEpoch"), "3");
  }
  /// In the quarantine with the lowest number that there is.
  void expect_kept(const DiskImage& left) {
    const auto lies = [&](int n) {
      return left.contains(fmt::format("{}/quarantine-{}/snapshot.0", places_.directories.snapshots, n));
    };
    expect_kept(left, lies(1) ? "quarantine-1" : "quarantine-2");
  }

  TestPlaces places_{GetParam()};
  DiskImage old_;
  DiskImage image_;
  std::vector<LogLine> lines_;
};

TEST_P(SetAsideTest, AllIsKeptAndTheServerIsInDoubt) {
  CrashDisk disk(image_);
  auto refused = recover(disk, places_.settings);
  ASSERT_FALSE(refused);
  ASSERT_EQ(refused.error().fault, Fault::Corrupt);
  auto name = set_aside(disk);
  ASSERT_TRUE(name) << name.error().detail;
  EXPECT_EQ(*name, "quarantine-1");
  expect_kept(disk.everything(), "quarantine-1");
  EXPECT_EQ(count_set_aside(disk, places_.directories), 1);
  ASSERT_EQ(lines_.size(), 1U);
  for (const char* part : {"txns are missing", "2 snapshots (snapshot.0 to snapshot.4)", "3 logs (log.1 to log.b)",
                           "/quarantine-1", "SNAP"}) {
    EXPECT_TRUE(lines_[0].text.contains(part)) << lines_[0].text;
  }
  for (int starts = 0; starts < 2; ++starts) {
    auto recovered = recover(disk, places_.settings);
    ASSERT_TRUE(recovered) << recovered.error().detail;
    EXPECT_TRUE(recovered->in_doubt);
    EXPECT_EQ(recovered->last_zxid.value, 0);
    EXPECT_EQ(recovered->fresh, starts == 0);
  }
}

// A server of its own has nobody to get a tree from.
TEST_P(SetAsideTest, WithoutAnEnsembleDoubtRefusesTheStart) {
  CrashDisk disk(image_);
  ASSERT_TRUE(set_aside(disk));
  places_.settings.may_be_in_doubt = false;
  auto recovered = recover(disk, places_.settings);
  ASSERT_FALSE(recovered);
  EXPECT_EQ(recovered.error().fault, Fault::Corrupt);
  EXPECT_TRUE(recovered.error().detail.contains("history-in-doubt")) << recovered.error().detail;
  EXPECT_FALSE(disk.everything().contains(places_.snapshot(0)));
}

TEST_P(SetAsideTest, EachGetsANameOfItsOwn) {
  CrashDisk disk(image_);
  EXPECT_EQ(*set_aside(disk), "quarantine-1");
  EXPECT_EQ(*set_aside(disk), "quarantine-2");
  ASSERT_TRUE(recover(disk, places_.settings));
  EXPECT_EQ(*set_aside(disk), "quarantine-3");
  expect_kept(disk.everything(), "quarantine-1");
  EXPECT_TRUE(disk.everything().contains(places_.directories.snapshots + "/quarantine-3/snapshot.0"));
}

// A note that cannot be read is a reason, too; so is a log that is there twice.
TEST_P(SetAsideTest, WhateverRefusedTheStart) {
  const std::function<void()> cases[] = {
      [&] { image_[places_.directories.snapshots + "/history-change"] = "set aside nowhere\n"; },
      [&] { image_[places_.directories.snapshots + "/history-change"] = "replace snapshot.6\n"; },
      [&] { image_[places_.log(11) + ".gz"] = ""; },
      [&] { image_.erase(places_.snapshot(0)), image_.erase(places_.snapshot(4)); },
  };
  for (const auto& spoil : cases) {
    SetUp();
    spoil();
    CrashDisk disk(image_);
    auto recovered = start(disk);
    ASSERT_TRUE(recovered) << recovered.error().detail;
    EXPECT_TRUE(recovered->in_doubt);
    EXPECT_EQ(recovered->last_zxid.value, 0);
    EXPECT_TRUE(disk.everything().contains(directory_of(places_.log(1)) + "/quarantine-1/log.1"));
  }
}

TEST_P(SetAsideTest, NamesThatLeadElsewhereAreNoNote) {
  for (const char* name : {"", "quarantine-", "quarantine-1/..", "quarantine-x", "..", "quarantine-12345678901"}) {
    image_[places_.directories.snapshots + "/history-change"] = fmt::format("set aside {}\n", name);
    CrashDisk disk(image_);
    EXPECT_EQ(finish_change(disk, places_.directories, 0, lines_).error().fault, Fault::Corrupt) << name;
    EXPECT_EQ(disk.everything(), image_);
  }
}

// Goal: half of a history never passes for a whole one, and none of it is lost.
TEST_P(SetAsideTest, ACrashAnywhereLeavesTheOldOneOrNone) {
  size_t old = 0;
  const auto act = [&](CrashDisk& disk) { (void)start(disk); };
  const auto check = [&](const DiskImage& left) {
    CrashDisk disk(left);
    if (!recover(disk, places_.settings)) ++old;
    auto recovered = start(disk);
    ASSERT_TRUE(recovered) << recovered.error().detail;
    EXPECT_TRUE(recovered->in_doubt);
    EXPECT_EQ(recovered->last_zxid.value, 0);
    expect_kept(disk.everything());
  };
  EXPECT_GE(at_every_crash(image_, act, check), 20U);
  EXPECT_GT(old, 0U);
}

TEST_P(SetAsideTest, FinishingMayCrashToo) {
  image_[places_.directories.snapshots + "/history-change"] = "set aside quarantine-2\n";
  const auto act = [&](CrashDisk& disk) { (void)recover(disk, places_.settings); };
  const auto check = [&](const DiskImage& left) {
    CrashDisk disk(left);
    auto recovered = recover(disk, places_.settings);
    ASSERT_TRUE(recovered) << recovered.error().detail;
    EXPECT_TRUE(recovered->in_doubt);
    expect_kept(disk.everything(), "quarantine-2");
  };
  EXPECT_GE(at_every_crash(image_, act, check), 15U);
}

// Goal: who has lost its history, or doubts it, is in doubt until the leader's tree is stored, whatever happens.
TEST_P(SetAsideTest, OnlyALeadersTreeEndsTheDoubt) {
  {
    CrashDisk disk(image_);
    ASSERT_TRUE(start(disk));
    image_ = disk.everything();
  }
  bool done = false;
  const auto act = [&](CrashDisk& disk) {
    tree::Tree tree({});
    tree::SessionList sessions;
    apply_creates(tree, sessions, 100, 103);
    done = replace_history(disk, {.directories = places_.directories}, tree, sessions).has_value();
  };
  size_t fresh = 0;
  const auto check = [&](const DiskImage& left) {
    CrashDisk disk(left);
    auto recovered = recover(disk, places_.settings);
    ASSERT_TRUE(recovered) << recovered.error().detail;
    const bool is_new = recovered->tree->find("/n100") != tree::kNoNode;
    EXPECT_TRUE(is_new || recovered->in_doubt);
    EXPECT_TRUE(is_new || !done);
    fresh += is_new && !recovered->in_doubt ? 1 : 0;
  };
  EXPECT_GE(at_every_crash(image_, act, check), 16U);
  EXPECT_GT(fresh, 0U);
  CrashDisk whole(image_);
  act(whole);
  EXPECT_FALSE(in_doubt(whole));
}

// MUST-8: a tree that is not the leader's stays where it is and is not trusted any more.
TEST_P(SetAsideTest, AHistoryThatLoadsMayBeInDoubt) {
  image_.erase(places_.log(11));
  CrashDisk disk(image_);
  EXPECT_FALSE(in_doubt(disk));
  ASSERT_TRUE(mark_in_doubt(disk, places_.directories, "the tree after 0x8 is not the leader's"));
  EXPECT_TRUE(in_doubt(disk));
  auto recovered = recover(disk, places_.settings);
  ASSERT_TRUE(recovered) << recovered.error().detail;
  EXPECT_EQ(recovered->last_zxid.value, 8);
  EXPECT_TRUE(recovered->in_doubt);
}

TEST_P(SetAsideTest, ReachesItsCrashPoints) {
  FakeDisk disk;
  for (const auto& [path, bytes] : image_) disk.put(path, bytes);
  ASSERT_TRUE(set_aside(disk));
  using enum env::CrashPoint;
  const std::vector expected{NoteWrite,    NoteSync,       NoteRename,     NoteDirSync,   DoubtWrite,    DoubtSync,
                             DoubtRename,  DoubtDirSync,   AsideDirectory, AsideSnapshot, AsideSnapshot, AsideSync,
                             AsideDirSync, AsideDirectory, AsideLog,       AsideLog,      AsideLog,      AsideSync,
                             AsideDirSync, NoteRemove,     NoteGone};
  EXPECT_EQ(disk.reached, expected);
}

INSTANTIATE_TEST_SUITE_P(Directories, SetAsideTest, testing::Bool(),
                         [](const auto& each) { return each.param ? "Split" : "One"; });

}  // namespace
}  // namespace quorate::storage
