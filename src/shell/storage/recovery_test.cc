#include "shell/storage/recovery.h"

#include <gtest/gtest.h>
#include <libdeflate.h>

#include <algorithm>
#include <limits>

#include "core/tree/apply.h"
#include "core/tree/snapshot_walk.h"
#include "shell/storage/fake_disk.h"
#include "shell/storage/log_reader.h"
#include "shell/storage/log_testing.h"
#include "shell/storage/repair.h"
#include "shell/storage/snapshot_file.h"
#include "shell/storage/txn_log.h"

namespace quorate::storage {
namespace {

const std::string kDir = "/data/version-2";
const std::string kLogs = "/logs/version-2";

class RecoveryTest : public testing::Test {
 protected:
  void SetUp() override {
    (void)disk_.make_directories(kDir);
    settings_.data_directory = settings_.data_log_directory = "/data";
    settings_.snapshot_directory = settings_.log_directory = kDir;
  }
  void split_directories() {
    settings_.data_log_directory = "/logs";
    settings_.log_directory = kLogs;
    (void)disk_.make_directories(kLogs);
  }
  /// snapshot.<last>: the tree after create txns 1..last.
  void put_snapshot(int64_t last, uint64_t digest_error = 0) {
    tree::Tree tree({});
    tree::SessionList sessions;
    tree::Applied applied;
    for (int64_t zxid = 1; zxid <= last; ++zxid) {
      const std::string record = record_bytes({zxid});
      size_t offset = 0;
      tree::TxnView txn;
      std::string why;
      ASSERT_TRUE(tree::parse_txn(wire::next_payload(record, offset), txn, why)) << why;
      tree::apply(tree, sessions, txn, applied);
    }
    SnapshotWriter writer(disk_, kDir, {last}, Compression::None);
    tree::SnapshotWalk walk(tree, sessions);
    while (!walk.slice(1 << 20)) {
    }
    ASSERT_TRUE(writer.write(walk.take().view()));
    ASSERT_TRUE(writer.finish(walk.digest() + digest_error, true, true));
  }
  void put_log(int64_t first, int64_t last) { disk_.put(log(first), log_bytes(first, last)); }
  static std::string log(int64_t first) { return kDir + "/" + hex_name("log.", {first}); }

  void expect_last(int64_t zxid) {
    auto got = recover(disk_, settings_);
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_EQ(got->last_zxid.value, zxid);
    EXPECT_EQ(got->tree->last_zxid().value, zxid);
    for (int64_t each = 1; each <= zxid; ++each) {
      EXPECT_NE(got->tree->find("/n" + std::to_string(each)), tree::kNoNode) << each;
    }
    EXPECT_EQ(got->tree->find("/n" + std::to_string(zxid + 1)), tree::kNoNode);
  }
  void expect_refused(const std::string& text, Fault fault = Fault::Corrupt) {
    auto got = recover(disk_, settings_);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().fault, fault);
    EXPECT_NE(got.error().detail.find(text), std::string::npos) << got.error().detail;
  }
  bool said(const Recovered& got, const std::string& text) {
    return std::ranges::any_of(got.lines, [&](const LogLine& line) { return line.text.find(text) != line.text.npos; });
  }

  FakeDisk disk_;
  RecoverySettings settings_;
};

// Spec: disk 6.1 rule 10.
TEST_F(RecoveryTest, AFreshDirectoryGetsADurableSnapshot) {
  auto got = recover(disk_, settings_);
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_TRUE(got->fresh);
  EXPECT_EQ(got->last_zxid, Zxid{});
  EXPECT_EQ(disk_.bytes(kDir + "/snapshot.0").size(), 478u);
  EXPECT_EQ(disk_.count("syncdir " + kDir), 1u);
  EXPECT_TRUE(said(*got, "Snapshotting: 0x0 to " + kDir + "/snapshot.0"));
  EXPECT_TRUE(said(*got, "Snapshot loaded in 0 ms, highest zxid is 0x0, digest is 1371985504"));
  auto again = recover(disk_, settings_);
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->fresh);
}

// Spec: disk 1.4.
TEST_F(RecoveryTest, WithoutAutocreateAnEmptyDatabaseNeedsTheMarker) {
  settings_.autocreate_database = false;
  auto got = recover(disk_, settings_);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->last_zxid.value, -1);
  EXPECT_FALSE(got->fresh);
  EXPECT_FALSE(disk_.has(kDir + "/snapshot.0"));
  for (const char* place : {"/data/initialize", "/logs/initialize"}) {
    disk_.files.clear();
    split_directories();
    disk_.put(place, "");
    got = recover(disk_, settings_);
    ASSERT_TRUE(got);
    EXPECT_TRUE(got->fresh) << place;
    EXPECT_FALSE(disk_.has(place));
  }
}

TEST_F(RecoveryTest, TheMarkerGoesOnEveryLoad) {
  put_snapshot(3);
  disk_.put("/data/initialize", "");
  expect_last(3);
  EXPECT_FALSE(disk_.has("/data/initialize"));
}

// Spec: disk 1.2, operations 1.2.
TEST_F(RecoveryTest, DirectoriesAreChecked) {
  settings_.data_directory = settings_.data_log_directory = "/new";
  settings_.snapshot_directory = settings_.log_directory = "/new/version-2";
  settings_.autocreate_directories = false;
  expect_refused(
      "Missing data directory /new/version-2, automatic data directory creation is disabled "
      "(zookeeper.datadir.autocreate is false)",
      Fault::Invalid);
  settings_.autocreate_directories = true;
  disk_.failing = [](const std::string& line) {
    return line == "syncdir /new" ? std::optional(Fault::Io) : std::nullopt;
  };
  expect_refused("syncdir /new", Fault::Io);
  disk_.directories.erase("/new/version-2");
  disk_.failing = nullptr;
  EXPECT_TRUE(recover(disk_, settings_));
  EXPECT_TRUE(disk_.has("/new/version-2/snapshot.0"));
  disk_.failing = [](const std::string& line) {
    return line.starts_with("create") ? std::optional(Fault::Io) : std::nullopt;
  };
  expect_refused("Cannot write to data directory /new/version-2", Fault::Invalid);
}

TEST_F(RecoveryTest, SwappedDirectoriesAreNoticed) {
  split_directories();
  disk_.put(kLogs + "/snapshot.0", "x");
  expect_refused("Log directory has snapshot files. Check if dataLogDir and dataDir configuration is correct.",
                 Fault::Invalid);
  disk_.files.clear();
  disk_.put(kDir + "/log.1.bak", "x");
  expect_refused("Snapshot directory has log files. Check if dataLogDir and dataDir configuration is correct.",
                 Fault::Invalid);
}

TEST_F(RecoveryTest, LeftoversGoAndStraysAreNamed) {
  put_snapshot(2);
  disk_.put(kDir + "/tmp-log.3", "x");
  disk_.put(kDir + "/tmp-snapshot.9", "x");
  disk_.put(kDir + "/log.3.bak", "x");
  disk_.put(kDir + "/currentEpoch.tmp", "1");
  auto got = recover(disk_, settings_);
  ASSERT_TRUE(got);
  EXPECT_FALSE(disk_.has(kDir + "/tmp-log.3"));
  EXPECT_FALSE(disk_.has(kDir + "/tmp-snapshot.9"));
  EXPECT_TRUE(disk_.has(kDir + "/log.3.bak"));
  EXPECT_TRUE(disk_.has(kDir + "/currentEpoch.tmp"));
  EXPECT_TRUE(said(*got, "Ignoring " + kDir + "/log.3.bak"));
}

TEST_F(RecoveryTest, TwinLogsAreRefused) {
  put_snapshot(0);
  put_log(1, 3);
  disk_.put(kDir + "/log.01", log_bytes(1, 2));
  expect_refused("log.01 and log.1 start at the same zxid");
}

TEST_F(RecoveryTest, ReplaysWhatTheSnapshotLacks) {
  put_snapshot(0);
  put_snapshot(4);
  put_log(1, 3);
  put_log(4, 6);
  put_log(7, 9);
  settings_.elapsed_ms = [clock = int64_t{0}]() mutable { return clock += 5; };
  auto got = recover(disk_, settings_);
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->last_zxid.value, 9);
  EXPECT_EQ(got->snapshot_zxid.value, 4);
  EXPECT_EQ(got->txns_replayed, 5u);
  EXPECT_TRUE(said(*got, "5 txns loaded in 5 ms"));
  expect_last(9);
}

// REC-GAP. Spec: disk 2.7.
TEST_F(RecoveryTest, GapsAreRefused) {
  put_snapshot(2);
  put_log(4, 6);
  expect_refused("log.4: zxid 0x4 at offset 16 is not the next one of 0x2");
  put_log(3, 3);
  expect_last(6);
  disk_.remove(log(4)).value();
  disk_.put(log(4), log_bytes(4, 4) + record_bytes({6}));
  expect_refused("zxid 0x6");
}

TEST_F(RecoveryTest, ANewEpochMayStartAnywhere) {
  put_snapshot(2);
  put_log(3, 3);
  const int64_t epoch = int64_t{1} << 32;
  disk_.put(log(epoch + 1), log_header() + record_bytes({epoch + 1}) + record_bytes({epoch + 2}));
  auto got = recover(disk_, settings_);
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->last_zxid.value, epoch + 2);
}

// Spec: disk 2.6: an undecodable write is logged with the zxid of the record before it.
TEST_F(RecoveryTest, RecordsThatAreThereAlreadyAreSkipped) {
  put_snapshot(0);
  disk_.put(log(1), log_bytes(1, 2) + record_bytes({2}) + record_bytes({3}));
  auto got = recover(disk_, settings_);
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->txns_replayed, 3u);
  expect_last(3);
}

// Spec: disk 6.1 rule 7.
TEST_F(RecoveryTest, ATornTailIsCutAndSynced) {
  put_snapshot(0);
  const std::string whole = log_bytes(1, 5);
  const std::string good = log_bytes(1, 4);
  const std::string zeros(2000, '\0');
  for (const std::string& torn : {whole.substr(0, whole.size() - 7), whole.substr(0, whole.size() - 7) + zeros,
                                  good + record_bytes({5}, 3000).replace(100, 2000, zeros)}) {
    disk_.put(log(1), torn);
    disk_.journal.clear();
    disk_.reached.clear();
    expect_last(4);
    EXPECT_EQ(disk_.bytes(log(1)), good);
    const auto cut = std::ranges::find(disk_.journal, fmt::format("truncate {} {}", log(1), good.size()));
    ASSERT_LT(cut, disk_.journal.end() - 1);
    EXPECT_EQ(*std::next(cut), "sync " + log(1));
    EXPECT_EQ(std::ranges::count(disk_.reached, env::CrashPoint::LogCutTorn), 1);
    expect_last(4);
  }
}

/// A killed process leaves bytes and names in the page cache. Served or written behind before they are on the disk, a
/// later power cut would take them out of the middle of the history.
TEST_F(RecoveryTest, WhatWasReadIsMadeDurable) {
  put_snapshot(0);
  disk_.put(log(1), log_bytes(1, 5));
  disk_.journal.clear();
  expect_last(5);
  EXPECT_GE(disk_.count("sync " + log(1)), 1u);
  const auto syncs =
      std::ranges::count_if(disk_.journal, [](const auto& line) { return line.starts_with("syncdir "); });
  EXPECT_GE(syncs, 2);
}

TEST_F(RecoveryTest, DamageIsRefusedUntilTheFileIsRepaired) {
  put_snapshot(0);
  std::string damaged = log_bytes(1, 5);
  damaged[log_bytes(1, 3).size() + 50] ^= 1;
  disk_.put(log(1), damaged);
  expect_refused(
      fmt::format("{} is damaged at offset {} (zxid 0x4): CRC check failed", log(1), log_bytes(1, 3).size()));
  expect_refused("quorate log repair " + log(1));
  EXPECT_EQ(disk_.bytes(log(1)), damaged);
  auto report = repair_log(disk_, log(1));
  ASSERT_TRUE(report) << report.error().detail;
  EXPECT_TRUE(report->changed);
  EXPECT_EQ(report->last.value, 3);
  EXPECT_EQ(report->bytes_removed, damaged.size() - log_bytes(1, 3).size());
  expect_last(3);
  EXPECT_FALSE(repair_log(disk_, log(1))->changed);
}

TEST_F(RecoveryTest, TheOptionDropsADamagedTailOfTheLastFileOnly) {
  put_snapshot(0);
  settings_.drop_damaged_tail = true;
  std::string damaged = log_bytes(1, 5);
  damaged[damaged.size() - 5] ^= 1;
  disk_.put(log(1), damaged);
  put_log(6, 7);
  expect_refused("is damaged at offset");
  disk_.remove(log(6)).value();
  expect_last(4);
  EXPECT_EQ(disk_.bytes(log(1)), log_bytes(1, 4));
}

TEST_F(RecoveryTest, ARecordThatIsNoTxnIsDamage) {
  put_snapshot(0);
  ByteBuffer batch;
  const size_t at = wire::begin_record(batch);
  wire::Encoder out(batch);
  wire::encode(out, wire::TxnHeader{{7}, 1, {3}, 1000, 99});
  wire::end_record(batch, at);
  wire::store_be64(batch.data(), libdeflate_adler32(1, batch.data() + 12, batch.size() - 13));
  disk_.put(log(1), log_bytes(1, 2).append(batch.view()));
  expect_refused("(zxid 0x3)");
  EXPECT_TRUE(repair_log(disk_, log(1))->changed);
  expect_last(2);
}

// known-faults 1453: the end of the data is legal in a file that is not the last only when the next goes on there.
TEST_F(RecoveryTest, ATornFileThatApacheWentOnFromIsRead) {
  put_snapshot(0);
  disk_.put(log(1), log_bytes(1, 3).substr(0, log_bytes(1, 3).size() - 4));
  put_log(3, 5);
  expect_last(5);
  disk_.put(log(1), log_bytes(1, 2).substr(0, log_bytes(1, 2).size() - 4));
  expect_refused("zxid 0x3 at offset 16 is not the next one of 0x1");
}

TEST_F(RecoveryTest, EmptyFilesBehindTheLastRecordsDoNotHideATornTail) {
  put_snapshot(0);
  disk_.put(log(1), log_bytes(1, 3).substr(0, log_bytes(1, 3).size() - 4));
  disk_.put(log(3), "");
  expect_last(2);
  EXPECT_FALSE(disk_.has(log(3)));
  EXPECT_EQ(disk_.bytes(log(1)), log_bytes(1, 2));
  disk_.put(log(3), log_header());
  expect_last(2);
}

TEST_F(RecoveryTest, AnEmptyFileBeforeRecordsIsDamage) {
  put_snapshot(0);
  disk_.put(log(1), "");
  put_log(2, 3);
  expect_refused("log.1 is damaged at offset 0");
}

TEST_F(RecoveryTest, FallsBackToAnOlderSnapshot) {
  put_snapshot(1);
  put_log(2, 5);
  put_snapshot(4);
  std::string& newest = disk_.bytes(kDir + "/snapshot.4");
  newest[300] ^= 1;
  auto got = recover(disk_, settings_);
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->snapshot_zxid.value, 1);
  EXPECT_TRUE(said(*got, "problem reading snap file " + kDir + "/snapshot.4"));
  expect_last(5);
  disk_.bytes(kDir + "/snapshot.1")[300] ^= 1;
  expect_refused("Not able to find valid snapshots in " + kDir);
}

// known-faults R-D5: an unreadable snapshot still proves that the history went on to its zxid.
TEST_F(RecoveryTest, AnOlderSnapshotMustReachTheUnreadableOne) {
  put_snapshot(1);
  put_snapshot(4);
  put_log(2, 3);
  disk_.put(log(4), "");
  disk_.bytes(kDir + "/snapshot.4")[300] ^= 1;
  expect_refused("snapshot.4 cannot be read, and the log behind snapshot 0x1 has no txn 0x4");
  EXPECT_TRUE(disk_.has(log(4))) << "a refused start changes nothing";
  put_log(4, 4);
  expect_last(4);
}

/// After a SNAP the log goes on in a later epoch, behind a hole that only the lost snapshot bridged.
TEST_F(RecoveryTest, ALaterEpochDoesNotHideAHoleUnderAnUnreadableSnapshot) {
  const int64_t epoch = int64_t{1} << 32;
  put_snapshot(1);
  put_log(2, 3);
  disk_.put(log(epoch + 6), log_header() + record_bytes({epoch + 6}));
  const std::string lost = kDir + "/" + hex_name("snapshot.", {epoch + 5});
  disk_.put(lost, std::string(30, 'x') + std::string("\0\0\0\1/", 5));
  expect_refused("snapshot.100000005 cannot be read");
  // A leader names its first snapshot by the start of its epoch, which is no txn.
  disk_.remove(lost).value();
  disk_.put(kDir + "/" + hex_name("snapshot.", {epoch}), std::string(30, 'x') + std::string("\0\0\0\1/", 5));
  EXPECT_TRUE(recover(disk_, settings_));
}

TEST_F(RecoveryTest, TheLargestZxidIsReadWithoutOverflow) {
  const int64_t last = std::numeric_limits<int64_t>::max();
  tree::Tree tree({});
  SnapshotWriter writer(disk_, kDir, {last}, Compression::None);
  tree::SnapshotWalk walk(tree, {});
  while (!walk.slice(1 << 20)) {
  }
  ASSERT_TRUE(writer.write(walk.take().view()));
  ASSERT_TRUE(writer.finish(walk.digest(), true, true));
  put_log(1, 3);
  auto got = recover(disk_, settings_);
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->last_zxid.value, last);
  EXPECT_EQ(disk_.count("sync " + log(1)), 1u);
}

TEST_F(RecoveryTest, ASnapshotUnderAWrongNameIsNotTaken) {
  put_snapshot(1);
  put_log(2, 9);
  disk_.put(kDir + "/snapshot.7", disk_.bytes(kDir + "/snapshot.1"));
  EXPECT_FALSE(verify_snapshot(disk_, kDir, "snapshot.7", 1 << 20));
  auto got = recover(disk_, settings_);
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->snapshot_zxid.value, 1);
  EXPECT_TRUE(said(*got, "it was taken at zxid 0x1"));
}

TEST_F(RecoveryTest, RepairNamesWhatIsNoLog) {
  for (const std::string& bytes : {std::string(), std::string(100, '\0'), std::string("ZKSN and more bytes")}) {
    disk_.put(log(1), bytes);
    auto report = repair_log(disk_, log(1));
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().fault, Fault::Invalid);
    EXPECT_FALSE(report.error().detail.ends_with(": ")) << report.error().detail;
    EXPECT_EQ(disk_.bytes(log(1)), bytes);
  }
}

TEST_F(RecoveryTest, ASnapshotThatFailsItsDigestIsTheLastResort) {
  put_snapshot(1);
  put_snapshot(4, /*digest_error=*/1);
  put_log(2, 5);
  auto got = recover(disk_, settings_);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->snapshot_zxid.value, 1);
  disk_.remove(kDir + "/snapshot.1").value();
  got = recover(disk_, settings_);
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->snapshot_zxid.value, 4);
  EXPECT_EQ(got->digest_mismatches, 1u);
  EXPECT_TRUE(said(*got, "Digests are not matching"));
}

TEST_F(RecoveryTest, LogsWithoutASnapshotNeedTheOption) {
  put_log(1, 3);
  expect_refused("No snapshot found, but there are log entries. Something is broken!");
  settings_.trust_empty = true;
  expect_last(3);
  EXPECT_TRUE(disk_.has(kDir + "/snapshot.3"));
  settings_.trust_empty = false;
  expect_last(3);
}

TEST_F(RecoveryTest, AnIncompleteFirstSnapshotAloneIsAFreshStart) {
  disk_.put(kDir + "/snapshot.0", "");
  expect_last(0);
  disk_.put(kDir + "/snapshot.0", "");
  disk_.put(kDir + "/snapshot.7", "");
  expect_refused("Not able to find valid snapshots in");
}

TEST_F(RecoveryTest, ALogWrittenByUsIsReadBack) {
  ASSERT_TRUE(recover(disk_, settings_));
  TxnLog writer(disk_,
                {.directory = kDir, .preallocate_bytes = 64 << 10, .size_limit_bytes = 3000, .force_sync = true});
  for (int64_t zxid = 1; zxid <= 100; ++zxid) {
    ByteBuffer batch;
    add_create(batch, {zxid}, "/n" + std::to_string(zxid), std::string(static_cast<size_t>(zxid), 'y'));
    ASSERT_TRUE(writer.append(batch, {zxid}));
    writer.fill_ahead();
  }
  ASSERT_TRUE(writer.sync());
  expect_last(100);
}

}  // namespace
}  // namespace quorate::storage
