#include "shell/storage/truncate.h"

#include <gtest/gtest.h>

#include "shell/storage/history_testing.h"
#include "shell/storage/log_reader.h"

namespace quorate::storage {
namespace {

constexpr size_t kMaxBuffer = 2 * 1048575;

class TruncateTest : public testing::TestWithParam<bool> {
 protected:
  using Range = std::pair<int64_t, int64_t>;
  void put(std::vector<int64_t> snapshots, const std::vector<Range>& logs) {
    for (const int64_t zxid : snapshots) image_[places_.snapshot(zxid)] = snapshot_bytes(zxid);
    for (const auto& [first, last] : logs) image_[places_.log(first)] = log_bytes(first, last);
    image_[places_.directories.logs + "/other"] = "";
  }
  Result<Truncation> cut(env::Disk& disk, int64_t zxid) {
    return truncate_history(disk, places_.directories, {zxid}, kMaxBuffer);
  }
  /// Nothing on the disk is beyond `zxid`, and a start comes to `last`.
  void expect_cut(CrashDisk& disk, int64_t zxid, int64_t last) {
    EXPECT_EQ(started_at(disk, places_), last);
    for (const auto& [path, bytes] : disk.everything()) {
      const auto named = zxid_of_name(path.substr(path.rfind('/') + 1));
      if (!named) continue;
      EXPECT_LE(named->value, zxid) << path;
      if (path.find("log.") == path.npos) continue;
      auto end = read_log_file(disk, path, kMaxBuffer, [&](const LogRecord& record) {
        EXPECT_LE(record.zxid.value, zxid) << path;
        return true;
      });
      EXPECT_TRUE(end && !end->leftover) << path;
    }
  }

  TestPlaces places_{GetParam()};
  DiskImage image_;
};

// Spec: disk 2.8, the measured table, with Quorate's results.
TEST_P(TruncateTest, CutsBehindTheLastRecordThatStays) {
  struct Case {
    std::vector<int64_t> snapshots;
    std::vector<Range> logs;
    int64_t zxid;
    int64_t last;  ///< Below `zxid`: that is not there.
  };
  const Case cases[] = {
      {{0}, {{1, 4}, {5, 8}, {9, 12}}, 6, 6},
      {{0}, {{1, 4}, {5, 8}}, 4, 4},
      {{0}, {{1, 4}, {5, 8}}, 5, 5},
      {{0}, {{1, 5}, {8, 10}}, 6, 5},
      {{0}, {{5, 8}}, 3, 0},
      {{0}, {{1, 5}}, 9, 5},
      {{0}, {{1, 5}}, 0, 0},
      {{9}, {}, 9, 9},
      {{0, 4, 9}, {{1, 4}, {5, 8}, {9, 12}}, 6, 6},
      {{0, 6, 12}, {{1, 4}, {5, 8}, {9, 12}}, 6, 6},
      {{4, 9}, {{5, 12}}, 6, 6},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(fmt::format("{} in {} files", c.zxid, c.logs.size()));
    image_.clear();
    put(c.snapshots, c.logs);
    CrashDisk disk(image_);
    auto truncation = cut(disk, c.zxid);
    ASSERT_TRUE(truncation) << truncation.error().detail;
    EXPECT_FALSE(change_is_pending(disk, places_.directories));
    if (c.last == c.zxid) {
      ASSERT_TRUE(truncation->done) << truncation->why_not;
      expect_cut(disk, c.zxid, c.last);
    } else {
      EXPECT_FALSE(truncation->done);
      EXPECT_EQ(truncation->why_not,
                fmt::format("our history has no 0x{:x}, the last before it is 0x{:x}", c.zxid, c.last));
      EXPECT_EQ(disk.everything(), image_);
    }
  }
}

TEST_P(TruncateTest, WhatNeedNotChangeDoesNot) {
  put({0}, {{1, 5}});
  image_[places_.log(1)] += std::string(4096, '\0');
  CrashDisk disk(image_);
  const auto truncation = cut(disk, 5);
  EXPECT_TRUE(truncation && truncation->done);
  EXPECT_EQ(disk.everything(), image_);
}

// Spec: disk 2.8 (7).
TEST_P(TruncateTest, NothingIsTouchedWhenTheRestWouldNotLoad) {
  const auto damaged = [](std::string bytes, size_t at) {
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    return bytes;
  };
  const std::function<void()> cases[] = {
      [&] { put({4, 9}, {{5, 12}}), image_[places_.snapshot(4)] = damaged(snapshot_bytes(4), 300); },
      [&] { put({9}, {{1, 12}}); },
      [&] { put({0, 9}, {{1, 3}, {5, 12}}); },
      [&] { put({0, 9}, {{1, 12}}), image_[places_.log(1)] = damaged(log_bytes(1, 12), log_bytes(1, 4).size() + 40); },
  };
  for (const auto& set_up : cases) {
    image_.clear();
    set_up();
    CrashDisk disk(image_);
    auto truncation = cut(disk, 6);
    ASSERT_TRUE(truncation) << truncation.error().detail;
    EXPECT_FALSE(truncation->done);
    EXPECT_FALSE(truncation->why_not.empty());
    EXPECT_EQ(disk.everything(), image_);
    EXPECT_EQ(disk.calls, 0u);
  }
}

// ZOOKEEPER-1549: an Apache snapshot goes on past its name.
TEST_P(TruncateTest, AFuzzySnapshotGoesByItsEnd) {
  put({0, 4}, {{1, 12}});
  std::string bytes = snapshot_bytes(4);
  bytes.resize(bytes.size() - 21);
  ByteBuffer end;
  wire::Encoder out(end);
  out.i64(8);
  out.i64(libdeflate_adler32(libdeflate_adler32(1, bytes.data(), bytes.size()), end.data(), 8));
  out.view("/");
  image_[places_.snapshot(4)] = bytes.append(end.view());
  {
    CrashDisk disk(image_);
    ASSERT_EQ(verify_snapshot(disk, places_.directories.snapshots, "snapshot.4", kMaxBuffer)->last_zxid.value, 8);
    ASSERT_TRUE(cut(disk, 6)->done);
    EXPECT_FALSE(disk.everything().contains(places_.snapshot(4)));
    expect_cut(disk, 6, 6);
  }
  CrashDisk disk(image_);
  ASSERT_TRUE(cut(disk, 8)->done);
  EXPECT_TRUE(disk.everything().contains(places_.snapshot(4)));
  expect_cut(disk, 8, 8);
}

// Goal: a crash leaves the old history or the cut one. Spec: disk 6.1 rule 13; quorum rule 36.
TEST_P(TruncateTest, ACrashAnywhereLeavesAllOrNothing) {
  put({0, 4, 9}, {{1, 4}, {5, 8}, {9, 10}, {11, 12}});
  bool done = false;
  size_t old = 0;
  const auto act = [&](CrashDisk& disk) {
    auto truncation = cut(disk, 6);
    done = truncation.has_value();
  };
  const auto check = [&](const DiskImage& left) {
    CrashDisk disk(left);
    const int64_t last = started_at(disk, places_);
    EXPECT_TRUE(last == 6 || (last == 12 && !done)) << last;
    if (last == 6) expect_cut(disk, 6, 6);
    if (last == 12) ++old;
    // What was found once is found again after a power cut behind the start.
    std::mt19937 random(1);
    CrashDisk again(disk.power_cut(random));
    EXPECT_EQ(started_at(again, places_), last);
  };
  EXPECT_GE(at_every_crash(image_, act, check), 14u);
  EXPECT_GT(old, 0u);
}

// The start that finishes the work may itself be interrupted.
TEST_P(TruncateTest, FinishingMayCrashToo) {
  put({0, 4, 9}, {{1, 4}, {5, 8}, {9, 12}});
  image_[places_.directories.snapshots + "/history-change"] = "truncate snapshot.6\n";
  const auto act = [&](CrashDisk& disk) { (void)recover(disk, places_.settings); };
  const auto check = [&](const DiskImage& left) {
    CrashDisk disk(left);
    expect_cut(disk, 6, 6);
  };
  EXPECT_GE(at_every_crash(image_, act, check), 14u);
}

TEST_P(TruncateTest, ANoteThatCannotBeReadStopsTheStart) {
  for (const std::string& text :
       {std::string(), std::string("truncate snapshot.6"), std::string("truncate 6\n"), std::string("replace log.6\n"),
        std::string("forget snapshot.6\n"), std::string("replace snapshot.6\n"), std::string(5000, 'x')}) {
    image_.clear();
    put({0, 4, 9}, {{1, 12}});
    image_[places_.directories.snapshots + "/history-change"] = text;
    CrashDisk disk(image_);
    auto recovered = recover(disk, places_.settings);
    ASSERT_FALSE(recovered) << text;
    EXPECT_EQ(recovered.error().fault, Fault::Corrupt);
    EXPECT_NE(recovered.error().detail.find("history-change"), std::string::npos) << recovered.error().detail;
    EXPECT_TRUE(disk.everything().contains(places_.log(1)));
  }
}

TEST_P(TruncateTest, ReachesItsCrashPoints) {
  put({0, 9}, {{1, 8}, {9, 12}});
  FakeDisk disk;
  for (const auto& [path, bytes] : image_) disk.put(path, bytes);
  ASSERT_TRUE(cut(disk, 6)->done);
  using enum env::CrashPoint;
  EXPECT_EQ(disk.reached, (std::vector{NoteWrite, NoteSync, NoteRename, NoteDirSync, TruncSnapshot, TruncSnapshotsSync,
                                       TruncLater, TruncCut, TruncSync, TruncDirSync, NoteRemove, NoteGone}));
}

INSTANTIATE_TEST_SUITE_P(Directories, TruncateTest, testing::Bool(),
                         [](const auto& each) { return each.param ? "Split" : "One"; });

}  // namespace
}  // namespace quorate::storage
