#include "shell/storage/epoch_files.h"

#include <gtest/gtest.h>

#include "shell/storage/crash_testing.h"
#include "shell/storage/fake_disk.h"

namespace quorate::storage {
namespace {

const std::string kDir = "/data/version-2";
const std::string kAccepted = kDir + "/acceptedEpoch";
const std::string kCurrent = kDir + "/currentEpoch";

constexpr Zxid at_epoch(int64_t epoch) { return {(epoch << 32) + 5}; }

class EpochFilesTest : public testing::Test {
 protected:
  void SetUp() override { (void)disk_.make_directories(kDir); }
  Result<EpochFiles> open(int64_t epoch_of_database) {
    return EpochFiles::open(disk_, kDir, at_epoch(epoch_of_database), lines_);
  }
  FakeDisk disk_;
  std::vector<LogLine> lines_;
};

// Spec: quorum 3.4; known-faults R-E2.
TEST_F(EpochFilesTest, StartsAsTheTableSays) {
  struct Case {
    const char* why;
    std::optional<std::string> accepted;
    std::optional<std::string> current;
    std::optional<std::string> current_tmp;
    int64_t database;
    int64_t expected_accepted;
    int64_t expected_current;
    size_t lines;
  };
  const Case cases[] = {
      {"nothing there", {}, {}, {}, 3, 3, 3, 0},
      {"as it should be", "7", "6", {}, 6, 7, 6, 0},
      {"with a line feed", "7\n", "6\r\nrest", {}, 2, 7, 6, 0},
      {"accepted missing", {}, "6", {}, 3, 6, 6, 0},
      {"current missing", "7", {}, {}, 3, 7, 3, 0},
      {"current behind the database", "4", "4", {}, 6, 6, 6, 2},
      {"accepted behind current (2307)", "4", "5", {}, 5, 5, 5, 1},
      {"the rename was lost (4269)", "8", "4", "7", 6, 8, 7, 1},
      {"an older value is left over", "8", "4", "5", 6, 8, 6, 1},
      {"a torn value is left over", "8", "4", "", 6, 8, 6, 1},
      {"junk is left over", "8", "4", "x9", 6, 8, 6, 1},
      {"a larger value is left over, not needed", "9", "6", "8", 6, 9, 6, 0},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    disk_.files.clear();
    lines_.clear();
    if (c.accepted) disk_.put(kAccepted, *c.accepted);
    if (c.current) disk_.put(kCurrent, *c.current);
    if (c.current_tmp) disk_.put(kCurrent + ".tmp", *c.current_tmp);
    auto files = open(c.database);
    ASSERT_TRUE(files) << files.error().detail;
    EXPECT_EQ(files->accepted(), c.expected_accepted);
    EXPECT_EQ(files->current(), c.expected_current);
    EXPECT_EQ(disk_.bytes(kAccepted), std::to_string(c.expected_accepted));
    EXPECT_EQ(disk_.bytes(kCurrent), std::to_string(c.expected_current));
    EXPECT_FALSE(disk_.has(kCurrent + ".tmp"));
    EXPECT_EQ(lines_.size(), c.lines);
  }
}

TEST_F(EpochFilesTest, WithoutADatabaseBothAreZero) {
  auto files = EpochFiles::open(disk_, kDir, {-1}, lines_);
  ASSERT_TRUE(files);
  EXPECT_EQ(files->accepted(), 0);
  EXPECT_EQ(files->current(), 0);
}

TEST_F(EpochFilesTest, ReachesItsCrashPoints) {
  auto files = open(3);
  ASSERT_TRUE(files);
  using enum env::CrashPoint;
  EXPECT_EQ(disk_.reached, (std::vector{AcceptedWrite, AcceptedSync, AcceptedRename, AcceptedDirSync, CurrentWrite,
                                        CurrentSync, CurrentRename, CurrentDirSync}));
}

TEST_F(EpochFilesTest, DamageIsNamedAndNothingIsWritten) {
  for (const std::string& text : {std::string(), std::string(" 5"), std::string("5 "), std::string("-1"),
                                  std::string("0x5"), std::string("99999999999999999999"), std::string("2147483648"),
                                  std::string(5000, '1'), std::string("\n5"), std::string("5\0", 2)}) {
    for (const std::string& path : {kAccepted, kCurrent}) {
      disk_.files.clear();
      disk_.put(kAccepted, "5");
      disk_.put(kCurrent, "5");
      disk_.put(path, text);
      disk_.journal.clear();
      auto files = open(5);
      ASSERT_FALSE(files) << text;
      EXPECT_EQ(files.error().fault, Fault::Corrupt);
      EXPECT_NE(files.error().detail.find(path), std::string::npos) << files.error().detail;
      EXPECT_TRUE(disk_.journal.empty());
    }
  }
}

// Spec: quorum rules 16 and 17.
TEST_F(EpochFilesTest, AStoreIsDurable) {
  auto files = open(1);
  ASSERT_TRUE(files);
  disk_.journal.clear();
  ASSERT_TRUE(files->store_accepted(4));
  EXPECT_EQ(disk_.journal, (std::vector<std::string>{"create " + kAccepted + ".tmp", "write " + kAccepted + ".tmp 0 1",
                                                     "sync " + kAccepted + ".tmp",
                                                     "rename " + kAccepted + ".tmp " + kAccepted, "syncdir " + kDir}));
  ASSERT_TRUE(files->store_current(4));
  EXPECT_EQ(disk_.bytes(kCurrent), "4");
}

// Spec: quorum rule 19.
TEST_F(EpochFilesTest, NoEpochGoesDown) {
  auto files = open(3);
  ASSERT_TRUE(files);
  ASSERT_TRUE(files->store_accepted(5));
  disk_.journal.clear();
  EXPECT_EQ(files->store_accepted(4).error().fault, Fault::Invalid);
  EXPECT_EQ(files->store_current(6).error().fault, Fault::Invalid);
  EXPECT_EQ(files->store_current(2).error().fault, Fault::Invalid);
  EXPECT_EQ(files->store_accepted(int64_t{1} << 31).error().fault, Fault::Invalid);
  EXPECT_TRUE(disk_.journal.empty());
  EXPECT_EQ(files->accepted(), 5);
  EXPECT_EQ(files->current(), 3);
}

TEST_F(EpochFilesTest, AFailureIsReportedAndLeavesNoTemporaryFile) {
  auto files = open(1);
  ASSERT_TRUE(files);
  for (size_t failing_call = 0; failing_call < 5; ++failing_call) {
    size_t calls = 0;
    disk_.failing = [&](const std::string&) {
      return calls++ == failing_call ? std::optional(Fault::NoSpace) : std::nullopt;
    };
    auto stored = files->store_accepted(9);
    ASSERT_FALSE(stored) << failing_call;
    EXPECT_EQ(stored.error().fault, Fault::NoSpace);
    EXPECT_EQ(files->accepted(), 1);
    EXPECT_FALSE(disk_.has(kAccepted + ".tmp"));
  }
}

// Goal: what was reported durable is never lost, and no crash makes a start fail.
TEST_F(EpochFilesTest, SurvivesACrashAnywhere) {
  int64_t accepted = 0;
  int64_t current = 0;
  const DiskImage before = {{kAccepted, "2"}, {kCurrent, "1"}};
  const auto act = [&](CrashDisk& disk) {
    accepted = 2;
    current = 1;
    auto files = EpochFiles::open(disk, kDir, at_epoch(1), lines_);
    if (!files) return;
    if (files->store_accepted(12)) accepted = 12;
    if (accepted == 12 && files->store_current(12)) current = 12;
  };
  const auto check = [&](const DiskImage& left) {
    CrashDisk disk(left);
    auto files = EpochFiles::open(disk, kDir, at_epoch(1), lines_);
    ASSERT_TRUE(files) << files.error().detail;
    EXPECT_GE(files->accepted(), accepted);
    EXPECT_GE(files->current(), current);
    EXPECT_TRUE(files->accepted() == 2 || files->accepted() == 12);
    EXPECT_TRUE(files->current() == 1 || files->current() == 12);
  };
  EXPECT_GE(at_every_crash(before, act, check), 20u);
}

}  // namespace
}  // namespace quorate::storage
