#include "shell/storage/txn_log.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "shell/storage/file_window.h"
#include "shell/storage/golden_testing.h"
#include "shell/storage/log_reader.h"
#include "shell/storage/log_testing.h"

namespace quorate::storage {
namespace {

const std::string kDir = "/d/version-2";

class TxnLogTest : public testing::Test {
 protected:
  void SetUp() override { (void)disk_.make_directories(kDir); }
  LogSettings settings(uint64_t preallocate = 0) const {
    return {.directory = kDir, .preallocate_bytes = preallocate, .size_limit_bytes = 0, .force_sync = true};
  }
  /// Appends create txns first..last as one batch.
  static Result<void> add(TxnLog& log, int64_t first, int64_t last, size_t data_bytes = 10) {
    ByteBuffer batch;
    for (int64_t zxid = first; zxid <= last; ++zxid) {
      add_create(batch, {zxid}, "/n" + std::to_string(zxid), std::string(data_bytes, 'x'));
    }
    return log.append(batch, {first});
  }
  std::string& file(const std::string& name) { return disk_.bytes(kDir + "/" + name); }

  FakeDisk disk_;
};

using env::CrashPoint;

// Spec: disk 6.1 rules 2 and 8: temporary name, content, sync, rename, directory sync, in that order.
TEST_F(TxnLogTest, ANewFileIsDurableBeforeItHasItsName) {
  TxnLog log(disk_, settings());
  ASSERT_TRUE(add(log, 0x1f, 0x20));
  const std::string bytes = log_bytes(0x1f, 0x20);
  const std::string tmp = kDir + "/tmp-log.1f";
  EXPECT_EQ(disk_.journal,
            (std::vector<std::string>{"create " + tmp, fmt::format("write {} 0 {}", tmp, bytes.size()), "sync " + tmp,
                                      "rename " + tmp + " " + kDir + "/log.1f", "syncdir " + kDir}));
  EXPECT_EQ(disk_.reached,
            (std::vector{CrashPoint::LogCreateTmp, CrashPoint::LogCreateHeader, CrashPoint::LogCreateSync,
                         CrashPoint::LogCreateRename, CrashPoint::LogCreateDirSync}));
  EXPECT_EQ(file("log.1f"), bytes);
  EXPECT_EQ(log.file_bytes(), bytes.size());
}

TEST_F(TxnLogTest, AppendsAreOneWriteAndWaitForSync) {
  TxnLog log(disk_, settings());
  ASSERT_TRUE(add(log, 1, 1));
  ASSERT_TRUE(log.sync());
  disk_.journal.clear();
  disk_.reached.clear();
  const size_t end = file("log.1").size();
  ASSERT_TRUE(add(log, 2, 9));
  ASSERT_TRUE(log.sync());
  ASSERT_TRUE(log.sync());
  EXPECT_EQ(disk_.journal,
            (std::vector<std::string>{fmt::format("write {}/log.1 {} {}", kDir, end, file("log.1").size() - end),
                                      "sync " + kDir + "/log.1"}));
  EXPECT_EQ(disk_.reached, (std::vector{CrashPoint::LogAppend, CrashPoint::LogSyncBefore, CrashPoint::LogSyncAfter}));
  EXPECT_EQ(file("log.1"), log_bytes(1, 9));
}

// A new file that survives a crash which its predecessor's tail does not would leave a gap.
TEST_F(TxnLogTest, TheOldFileIsSyncedBeforeTheNewOneIsNamed) {
  TxnLog log(disk_, settings());
  ASSERT_TRUE(add(log, 1, 1));
  ASSERT_TRUE(add(log, 2, 2));
  log.roll();
  EXPECT_FALSE(log.file_open());
  disk_.journal.clear();
  ASSERT_TRUE(add(log, 3, 3));
  ASSERT_GE(disk_.journal.size(), 2u);
  EXPECT_EQ(disk_.journal.front(), "sync " + kDir + "/log.1");
  EXPECT_EQ(disk_.journal[1], "create " + kDir + "/tmp-log.3");
  EXPECT_EQ(log.bytes_since_roll(), file("log.3").size());
}

TEST_F(TxnLogTest, ARolledFileIsSyncedByTheNextSync) {
  TxnLog log(disk_, settings());
  ASSERT_TRUE(add(log, 1, 1));
  ASSERT_TRUE(add(log, 2, 2));
  log.roll();
  ASSERT_TRUE(log.sync());
  EXPECT_EQ(disk_.count("sync " + kDir + "/log.1"), 1u);
}

TEST_F(TxnLogTest, TheSizeLimitOpensANewFile) {
  LogSettings limited = settings();
  limited.size_limit_bytes = 200;
  TxnLog log(disk_, limited);
  for (int64_t zxid = 1; zxid <= 6; ++zxid) ASSERT_TRUE(add(log, zxid, zxid));
  EXPECT_TRUE(disk_.has(kDir + "/log.1"));
  EXPECT_TRUE(disk_.has(kDir + "/log.3"));
  EXPECT_TRUE(disk_.has(kDir + "/log.5"));
  EXPECT_EQ(log.bytes_since_roll(), file("log.1").size() + file("log.3").size() + file("log.5").size());
}

// Spec: disk 6.1 rule 8: a header-only file of that name is replaced; rule 5: it is never written to.
TEST_F(TxnLogTest, AStaleFileOfThatNameIsReplaced) {
  disk_.put(kDir + "/log.1", log_header());
  TxnLog log(disk_, settings());
  ASSERT_TRUE(add(log, 1, 3));
  EXPECT_EQ(file("log.1"), log_bytes(1, 3));
}

TEST_F(TxnLogTest, ForceSyncOffSyncsNothing) {
  LogSettings unsafe = settings();
  unsafe.force_sync = false;
  TxnLog log(disk_, unsafe);
  ASSERT_TRUE(add(log, 1, 1));
  ASSERT_TRUE(add(log, 2, 2));
  ASSERT_TRUE(log.sync());
  for (const std::string& line : disk_.journal) EXPECT_FALSE(line.starts_with("sync")) << line;
}

// Spec: disk 6.1 rule 3. Whatever fails first, nothing is tried again, and nothing after it reports success.
TEST_F(TxnLogTest, AnyFailureIsFinal) {
  for (const Fault fault : {Fault::Io, Fault::NoSpace}) {
    for (size_t failing_call = 0; failing_call < 7; ++failing_call) {
      SCOPED_TRACE(failing_call);
      FakeDisk disk;
      (void)disk.make_directories(kDir);
      size_t calls = 0;
      disk.failing = [&](const std::string&) { return calls++ == failing_call ? std::optional(fault) : std::nullopt; };
      TxnLog log(disk, settings());
      const bool all_went_well = add(log, 1, 1) && add(log, 2, 2) && log.sync();
      EXPECT_FALSE(all_went_well);
      const size_t before = disk.journal.size();
      auto again = add(log, 3, 3);
      ASSERT_FALSE(again);
      EXPECT_EQ(again.error().fault, fault);
      EXPECT_FALSE(log.sync());
      EXPECT_EQ(disk.journal.size(), before);
    }
  }
}

// Goal: the file that Apache wrote comes out again, byte for byte, from its payloads.
TEST_F(TxnLogTest, RewritesGoldenLogs) {
  for (const char* name : {"all-ops-3.9.5", "all-ops-3.8.0", "no-digest"}) {
    SCOPED_TRACE(name);
    FakeDisk golden;
    unpack_golden(name, golden);
    const std::string path = "/golden/data/version-2/log.1";
    FakeDisk ours;
    (void)ours.make_directories(kDir);
    TxnLog log(ours, settings());
    auto end = read_log_file(golden, path, 1 << 21, [&](const LogRecord& record) {
      ByteBuffer batch;
      const size_t at = wire::begin_record(batch);
      batch.append(record.payload);
      wire::end_record(batch, at);
      return log.append(batch, record.zxid).has_value();
    });
    ASSERT_TRUE(end);
    EXPECT_EQ(end->end, LogEnd::Zeros);
    EXPECT_TRUE(ours.bytes(kDir + "/log.1") == golden.bytes(path).substr(0, end->data_bytes));
  }
}

// Goal: zeros never touch data, whatever the order. Method: random appends, rolls and fills against a plain string.
TEST_F(TxnLogTest, FillingNeverTouchesData) {
  for (uint32_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    FakeDisk disk;
    (void)disk.make_directories(kDir);
    TxnLog log(disk, settings(random() % 2 == 0 ? 64 << 10 : 4 << 20));
    std::string expected;
    int64_t first = 1;
    for (int64_t zxid = 1; zxid < 100; ++zxid) {
      const size_t bytes = random() % 4 == 0 ? random() % 60000 : random() % 100;
      if (!log.file_open()) first = zxid, expected = log_header();
      ASSERT_TRUE(add(log, zxid, zxid, bytes));
      expected += record_bytes({zxid}, bytes);
      if (random() % 3 == 0) log.fill_ahead();
      const std::string& file = disk.bytes(kDir + "/" + hex_name("log.", {first}));
      ASSERT_TRUE(file.starts_with(expected));
      ASSERT_TRUE(all_zero(std::string_view(file).substr(expected.size())));
      ASSERT_LE(file.size(), expected.size() + (4 << 20) + 8192);
      if (random() % 50 == 0) log.roll();
    }
  }
}

TEST_F(TxnLogTest, FillsOnceLessThanHalfIsLeft) {
  TxnLog log(disk_, settings(1 << 20));
  EXPECT_FALSE(log.fill_ahead());
  ASSERT_TRUE(add(log, 1, 1));
  EXPECT_TRUE(log.fill_ahead());
  EXPECT_FALSE(log.fill_ahead());
  EXPECT_EQ(file("log.1").size(), log.file_bytes() + (1 << 20));
  ASSERT_TRUE(add(log, 2, 2, 600'000));
  EXPECT_TRUE(log.fill_ahead());
}

TEST_F(TxnLogTest, AFullDiskOnlyStopsTheFilling) {
  TxnLog log(disk_, settings(1 << 20));
  ASSERT_TRUE(add(log, 1, 1));
  disk_.failing = [](const std::string& line) {
    return line.starts_with("write") ? std::optional(Fault::NoSpace) : std::nullopt;
  };
  EXPECT_FALSE(log.fill_ahead() && log.fill_ahead());
  disk_.failing = nullptr;
  EXPECT_FALSE(log.fill_ahead());
  ASSERT_TRUE(add(log, 2, 2));
  ASSERT_TRUE(log.sync());
  EXPECT_TRUE(file("log.1").starts_with(log_bytes(1, 2)));
}

// The kernel drops pages of the whole file when a sync fails, whoever asked for it.
TEST_F(TxnLogTest, AFailedSyncOfTheFillerIsFinal) {
  TxnLog log(disk_, settings(1 << 20));
  ASSERT_TRUE(add(log, 1, 1));
  ASSERT_TRUE(add(log, 2, 2));
  disk_.failing = [](const std::string& line) {
    return line.starts_with("sync") ? std::optional(Fault::Io) : std::nullopt;
  };
  log.fill_ahead();
  disk_.failing = nullptr;
  EXPECT_FALSE(log.sync());
  EXPECT_FALSE(add(log, 3, 3));
}

// Goal: the log thread and the filler may run at once. Run under the thread sanitizer too.
TEST_F(TxnLogTest, FillsWhileTheLogIsWritten) {
  TxnLog log(disk_, settings(256 << 10));
  std::atomic<bool> done = false;
  std::thread filler([&] {
    while (!done) log.fill_ahead();
  });
  std::string expected = log_header();
  for (int64_t zxid = 1; zxid <= 300; ++zxid) {
    ASSERT_TRUE(add(log, zxid, zxid, 5000));
    ASSERT_TRUE(log.sync());
    expected += record_bytes({zxid}, 5000);
  }
  done = true;
  filler.join();
  EXPECT_TRUE(file("log.1").starts_with(expected));
  EXPECT_TRUE(all_zero(std::string_view(file("log.1")).substr(expected.size())));
}

}  // namespace
}  // namespace quorate::storage
