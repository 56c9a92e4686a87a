#include "shell/storage/purge.h"

#include <gtest/gtest.h>

#include "shell/storage/golden_testing.h"
#include "shell/storage/log_testing.h"

namespace quorate::storage {
namespace {

const std::string kDir = "/golden/data/version-2";

class PurgeTest : public testing::Test {
 protected:
  // snapshot.0 .1d .36 .4b .63 and log.1 .1f .38 .4d .65.
  void SetUp() override { unpack_golden("rolled-logs", disk_); }
  std::vector<std::string> run(int retain) {
    auto report = purge(disk_, kDir, kDir, retain, 1 << 21);
    EXPECT_TRUE(report);
    if (!report) return {};
    lines_ = report->lines;
    std::vector<std::string> names;
    for (const std::string& path : report->removed) names.push_back(path.substr(path.rfind('/') + 1));
    return names;
  }
  FakeDisk disk_;
  std::vector<LogLine> lines_;
};

// Spec: disk 4.5; known-faults R-D7.
TEST_F(PurgeTest, KeepsTheLogsThatTheOldestSnapshotNeeds) {
  EXPECT_EQ(run(3), (std::vector<std::string>{"snapshot.0", "snapshot.1d", "log.1"}));
  EXPECT_TRUE(disk_.has(kDir + "/log.1f"));  // snapshot.36 lies in it
  EXPECT_EQ(run(3), std::vector<std::string>{});
}

TEST_F(PurgeTest, NeverKeepsFewerThanThree) {
  EXPECT_EQ(run(1), (std::vector<std::string>{"snapshot.0", "snapshot.1d", "log.1"}));
}

TEST_F(PurgeTest, CountsOnlySnapshotsThatReadWell) {
  disk_.bytes(kDir + "/snapshot.63")[4000] ^= 1;
  EXPECT_EQ(run(3), (std::vector<std::string>{"snapshot.0"}));
  EXPECT_TRUE(disk_.has(kDir + "/snapshot.63"));
  disk_.bytes(kDir + "/snapshot.4b")[4000] ^= 1;
  disk_.bytes(kDir + "/snapshot.36")[4000] ^= 1;
  EXPECT_EQ(run(3), std::vector<std::string>{});
}

// Recovery would not load it, so it must not stand in for logs.
TEST_F(PurgeTest, DoesNotCountASnapshotUnderAWrongName) {
  FakeDisk other;
  unpack_golden("all-ops-3.9.5", other);
  disk_.put(kDir + "/snapshot.70", other.bytes(kDir + "/snapshot.0"));
  EXPECT_EQ(run(3), (std::vector<std::string>{"snapshot.0", "snapshot.1d", "log.1"}));
}

TEST_F(PurgeTest, SyncsWhatStaysBeforeItRemoves) {
  disk_.journal.clear();
  run(4);
  const auto removal = std::ranges::find_if(disk_.journal, [](const auto& line) { return line.starts_with("remove"); });
  const auto kept = std::ranges::find(disk_.journal, "sync " + kDir + "/snapshot.1d");
  ASSERT_NE(removal, disk_.journal.end());
  EXPECT_LT(kept, removal);
  EXPECT_EQ(disk_.journal.back(), "syncdir " + kDir);
}

TEST_F(PurgeTest, SaysWhatApacheSays) {
  run(3);
  ASSERT_EQ(lines_.size(), 5u);
  EXPECT_EQ(lines_.front().text, "Purge task started.");
  EXPECT_EQ(lines_.back().text, "Purge task completed.");
  EXPECT_TRUE(lines_[1].text.starts_with("Removing file: ")) << lines_[1].text;
  EXPECT_TRUE(lines_[1].text.ends_with("\t" + kDir + "/snapshot.0")) << lines_[1].text;
  disk_.failing = [](const std::string& line) {
    return line.starts_with("remove") ? std::optional(Fault::Io) : std::nullopt;
  };
  disk_.put(kDir + "/log.1", log_header());
  EXPECT_EQ(run(3), std::vector<std::string>{});
  EXPECT_EQ(lines_[2].text, "Failed to remove " + kDir + "/log.1");
}

TEST_F(PurgeTest, LeavesStraysAlone) {
  disk_.put(kDir + "/log.5.bak", "x");
  run(3);
  EXPECT_TRUE(disk_.has(kDir + "/log.5.bak"));
}

}  // namespace
}  // namespace quorate::storage
