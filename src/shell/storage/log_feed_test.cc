#include "shell/storage/log_feed.h"

#include <gtest/gtest.h>

#include <numeric>

#include "shell/storage/fake_disk.h"
#include "shell/storage/golden_testing.h"
#include "shell/storage/log_testing.h"
#include "shell/storage/txn_log.h"

namespace quorate::storage {
namespace {

const std::string kDir = "/d/version-2";
constexpr int64_t kEpoch = int64_t{1} << 32;

std::vector<int64_t> numbers(int64_t first, int64_t last) {
  std::vector<int64_t> all(static_cast<size_t>(std::max<int64_t>(last - first + 1, 0)));
  std::iota(all.begin(), all.end(), first);
  return all;
}

std::string error_record(int64_t zxid) {
  ByteBuffer batch;
  const size_t at = wire::begin_record(batch);
  wire::Encoder out(batch);
  wire::encode(out, wire::TxnHeader{{7}, 1, {zxid}, 1000, static_cast<int32_t>(wire::Op::Error)});
  out.i32(-101);
  wire::end_record(batch, at);
  wire::store_be64(batch.data(), libdeflate_adler32(1, batch.data() + 12, batch.size() - 13));
  return std::string(batch.view());
}

class LogFeedTest : public testing::Test {
 protected:
  void SetUp() override { (void)disk_.make_directories(kDir); }
  static std::string log(int64_t first) { return kDir + "/" + hex_name("log.", {first}); }
  void put(int64_t first, const std::string& bytes) { disk_.put(log(first), bytes); }
  void put(int64_t first, int64_t last) { put(first, log_bytes(first, last)); }
  Result<LogFeed> open(int64_t after, int64_t until) { return LogFeed::open(disk_, kDir, {{after}, {until}}); }
  struct Taken {
    std::vector<int64_t> zxids;
    std::optional<int64_t> anchor;
    int64_t last = 0;
    std::string error;
  };
  Taken read(int64_t after, int64_t until) {
    Taken taken;
    auto feed = open(after, until);
    if (!feed) return {{}, {}, 0, feed.error().detail};
    if (feed->anchor()) taken.anchor = feed->anchor()->value;
    while (true) {
      auto record = feed->next();
      if (!record) taken.error = record.error().detail;
      if (!record || !*record) break;
      const std::string expected = record_bytes((*record)->zxid);
      EXPECT_TRUE(expected.find((*record)->payload) == wire::kRecordPrefixBytes);
      taken.zxids.push_back((*record)->zxid.value);
      EXPECT_EQ(feed->last(), (*record)->zxid);
    }
    taken.last = feed->last().value;
    return taken;
  }
  FakeDisk disk_;
};

// Goal: every range of a log in several files. Method: all pairs against plain numbers.
TEST_F(LogFeedTest, EveryRangeIsReadInFull) {
  put(3, 5);
  put(6, log_bytes(6, 6) + std::string(3000, '\0'));
  put(7, 9);
  for (int64_t after = 0; after <= 11; ++after) {
    for (int64_t until = 0; until <= 11; ++until) {
      SCOPED_TRACE(fmt::format("{} to {}", after, until));
      const Taken taken = read(after, until);
      if (after < 2 && until >= 3) {
        EXPECT_NE(taken.error.find("zxid 0x3 at offset 16 is not the next one of"), std::string::npos);
        continue;
      }
      EXPECT_EQ(taken.error, "");
      EXPECT_EQ(taken.zxids, after < 2 ? numbers(1, 0) : numbers(after + 1, std::min<int64_t>(until, 9)));
      if (until > after) {
        EXPECT_EQ(taken.anchor, after < 3 ? std::nullopt : std::optional(std::min<int64_t>(after, 9)));
      }
    }
  }
}

TEST_F(LogFeedTest, AnEmptyDirectoryHasNothing) {
  const Taken taken = read(5, 9);
  EXPECT_TRUE(taken.zxids.empty());
  EXPECT_EQ(taken.error, "");
  EXPECT_EQ(taken.anchor, std::nullopt);
  EXPECT_EQ(taken.last, 5);
  EXPECT_EQ(LogFeed::open(disk_, "/other", {{1}, {2}}).error().fault, Fault::NotFound);
}

// Spec: quorum rule 23.
TEST_F(LogFeedTest, AGapIsRefusedAndALaterEpochIsNot) {
  put(1, 3);
  put(5, 6);
  EXPECT_EQ(read(1, 3).zxids, numbers(2, 3));
  const Taken taken = read(1, 6);
  EXPECT_EQ(taken.zxids, numbers(2, 3));
  EXPECT_EQ(taken.error, log(5) + ": zxid 0x5 at offset 16 is not the next one of 0x3");
  disk_.files.clear();
  put(1, 3);
  put(kEpoch + 1, log_header() + record_bytes({kEpoch + 1}) + record_bytes({kEpoch + 2}));
  EXPECT_EQ(read(2, kEpoch + 2).zxids, (std::vector<int64_t>{3, kEpoch + 1, kEpoch + 2}));
  // The peer has a txn that we do not: where our history leaves its own is for the caller to see.
  EXPECT_EQ(read(7, kEpoch + 2).anchor, 3);
}

/// Behind a snapshot from a leader: what the older log lacks came with the snapshot.
TEST_F(LogFeedTest, GoesOnBehindAHoleThatTheStartCovers) {
  put(1, 3);
  put(8, 9);
  const Taken taken = read(7, 9);
  EXPECT_EQ(taken.zxids, numbers(8, 9));
  EXPECT_EQ(taken.anchor, 3);
}

// Spec: quorum rule 35; disk 2.6.
TEST_F(LogFeedTest, ARefusedWriteMayRepeatItsZxid) {
  put(1, log_bytes(1, 2) + error_record(2) + record_bytes({3}) + error_record(3));
  for (int64_t after = 0; after <= 3; ++after) {
    const Taken taken = read(after, 3);
    EXPECT_EQ(taken.error, "");
    EXPECT_EQ(taken.zxids, numbers(after + 1, 3));
  }
  put(1, log_bytes(1, 2) + record_bytes({2}) + record_bytes({3}));
  EXPECT_NE(read(1, 3).error.find("zxid 0x2"), std::string::npos);
}

TEST_F(LogFeedTest, DamageIsAnErrorAndATornTailIsJudgedByWhatFollows) {
  std::string damaged = log_bytes(1, 4);
  damaged[log_bytes(1, 2).size() + 30] ^= 1;
  put(1, damaged);
  EXPECT_EQ(read(0, 2).error, "");
  const Taken taken = read(0, 4);
  EXPECT_EQ(taken.zxids, numbers(1, 2));
  EXPECT_NE(taken.error.find("is damaged at offset"), std::string::npos);
  put(1, log_bytes(1, 4).substr(0, log_bytes(1, 4).size() - 3));
  put(4, 5);
  EXPECT_EQ(read(0, 5).zxids, numbers(1, 5));
  put(1, "");
  EXPECT_NE(read(0, 5).error.find("log.1 is damaged at offset 0"), std::string::npos);
  EXPECT_EQ(read(3, 5).anchor, std::nullopt);
}

// Spec: quorum 3.5, case 5: padding counts.
TEST_F(LogFeedTest, SumsTheFilesBehindTheFirst) {
  put(1, 3);
  put(4, log_bytes(4, 6) + std::string(1000, '\0'));
  put(7, 8);
  const size_t tail = log_bytes(7, 8).size();
  const size_t middle = log_bytes(4, 6).size() + 1000;
  EXPECT_EQ(open(1, 8)->bytes_behind_first_file(), middle + tail);
  EXPECT_EQ(open(3, 8)->bytes_behind_first_file(), middle + tail);
  EXPECT_EQ(open(4, 8)->bytes_behind_first_file(), tail);
  EXPECT_EQ(open(8, 8)->bytes_behind_first_file(), 0u);
}

TEST_F(LogFeedTest, ReadsWhileTheLogGrows) {
  TxnLog writer(disk_, {.directory = kDir, .preallocate_bytes = 1 << 20, .size_limit_bytes = 2000});
  const auto add = [&](int64_t first, int64_t last) {
    for (int64_t zxid = first; zxid <= last; ++zxid) {
      ByteBuffer batch;
      add_create(batch, {zxid}, "/n" + std::to_string(zxid), std::string(10, 'x'));
      ASSERT_TRUE(writer.append(batch, {zxid}));
    }
  };
  add(1, 50);
  auto feed = open(20, 50);
  ASSERT_TRUE(feed);
  for (int64_t zxid = 21; zxid <= 50; ++zxid) {
    add(zxid + 30, zxid + 30);
    writer.fill_ahead();
    auto record = feed->next();
    ASSERT_TRUE(record && *record) << zxid;
    EXPECT_EQ((*record)->zxid.value, zxid);
  }
  EXPECT_FALSE(*feed->next());
  EXPECT_EQ(read(50, 80).zxids, numbers(51, 80));
}

TEST_F(LogFeedTest, APurgedFileIsAnError) {
  put(1, 3);
  put(4, 6);
  auto feed = open(1, 6);
  ASSERT_TRUE(feed);
  disk_.remove(log(4)).value();
  ASSERT_TRUE(feed->next());
  ASSERT_TRUE(feed->next());
  auto record = feed->next();
  ASSERT_FALSE(record);
  EXPECT_EQ(record.error().fault, Fault::NotFound);
}

TEST_F(LogFeedTest, ReadsWhatApacheWrote) {
  unpack_golden("rolled-logs", disk_);
  auto feed = LogFeed::open(disk_, "/golden/data/version-2", {{0x30}, {0x70}});
  ASSERT_TRUE(feed) << feed.error().detail;
  EXPECT_EQ(feed->anchor(), Zxid{0x30});
  int64_t expected = 0x31;
  for (auto record = feed->next(); record && *record; record = feed->next()) {
    EXPECT_EQ((*record)->zxid.value, expected++);
  }
  EXPECT_GT(expected, 0x65);
  EXPECT_EQ(feed->last().value, expected - 1);
}

}  // namespace
}  // namespace quorate::storage
