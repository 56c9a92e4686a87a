#include "shell/storage/log_reader.h"

#include <gtest/gtest.h>

#include "shell/storage/fake_disk.h"
#include "shell/storage/log_damage.h"
#include "shell/storage/log_testing.h"

namespace quorate::storage {
namespace {

constexpr size_t kMaxRecord = 2 * 1048575;
const std::string kPath = "/d/log.1";

struct Reading {
  LogFileEnd end;
  std::vector<int64_t> zxids;
};

Reading read(const std::string& bytes) {
  FakeDisk disk;
  disk.put(kPath, bytes);
  Reading reading;
  auto end = read_log_file(disk, kPath, kMaxRecord, [&](const LogRecord& record) {
    reading.zxids.push_back(record.zxid.value);
    return true;
  });
  EXPECT_TRUE(end);
  if (end) reading.end = *end;
  return reading;
}

std::string with(std::string bytes, size_t offset, std::string_view replacement) {
  return bytes.replace(offset, replacement.size(), replacement);
}

// Spec: disk 2.6, the table of conditions.
TEST(LogReader, EndsAsTheTableSays) {
  const std::string two = log_bytes(1, 2);
  const std::string zeros(4096, '\0');
  const size_t second = log_bytes(1, 1).size();
  const size_t end = two.size();
  struct Case {
    const char* why;
    std::string bytes;
    LogEnd end;
    size_t records;
    uint64_t data_bytes;
    bool leftover;
  };
  const std::string minus_one("\xff\xff\xff\xff", 4);
  const std::string huge("\x7f\xff\xff\xff", 4);
  const Case cases[] = {
      {"nothing at all", "", LogEnd::BadHeader, 0, 0, false},
      {"ten bytes", two.substr(0, 10), LogEnd::BadHeader, 0, 0, true},
      {"only zeros", zeros, LogEnd::BadHeader, 0, 0, false},
      {"wrong magic", "ZKSN" + two.substr(4), LogEnd::Damaged, 0, 0, true},
      {"header only", log_header(), LogEnd::EndOfFile, 0, 16, false},
      {"header and preallocation", log_header() + zeros, LogEnd::Zeros, 0, 16, false},
      {"no preallocation", two, LogEnd::EndOfFile, 2, end, false},
      {"preallocation", two + zeros, LogEnd::Zeros, 2, end, false},
      {"cut in the payload", two.substr(0, end - 5), LogEnd::EndOfFile, 1, second, true},
      {"cut before the end byte", two.substr(0, end - 1), LogEnd::EndOfFile, 1, second, true},
      {"cut in the length", two.substr(0, second + 10), LogEnd::EndOfFile, 1, second, true},
      {"end byte never written", with(two, end - 1, std::string(1, '\0')) + zeros, LogEnd::Partial, 1, second, true},
      {"second half never written", with(two, end - 20, std::string(20, '\0')) + zeros, LogEnd::Partial, 1, second,
       true},
      {"end byte changed", with(two, end - 1, "C") + zeros, LogEnd::Damaged, 1, second, true},
      {"checksum changed", with(two, second + 7, "\1") + zeros, LogEnd::Damaged, 1, second, true},
      {"payload changed", with(two, end - 10, "\1") + zeros, LogEnd::Damaged, 1, second, true},
      {"length -1", with(two, second + 8, minus_one) + zeros, LogEnd::Damaged, 1, second, true},
      {"length above the limit", with(two, second + 8, huge) + zeros, LogEnd::Damaged, 1, second, true},
      {"length beyond the file", with(two, second + 9, "\1") + zeros, LogEnd::Damaged, 1, second, true},
      {"length into the zeros", with(two, second + 10, "\1") + zeros, LogEnd::Damaged, 1, second, true},
      {"length 0 before data", with(two, second + 8, std::string(4, '\0')) + zeros, LogEnd::Damaged, 1, second, true},
      {"a checksum alone", log_bytes(1, 1) + two.substr(second, 8) + zeros, LogEnd::Zeros, 1, second, true},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    const Reading reading = read(c.bytes);
    EXPECT_EQ(reading.end.end, c.end) << reading.end.detail;
    EXPECT_EQ(reading.zxids.size(), c.records);
    EXPECT_EQ(reading.end.data_bytes, c.data_bytes);
    EXPECT_EQ(reading.end.leftover, c.leftover);
    EXPECT_EQ(reading.end.file_bytes, c.bytes.size());
  }
}

// A file without preallocation that a crash cut anywhere is never damage.
TEST(LogReader, EveryCutIsATornTail) {
  const std::string bytes = log_bytes(1, 4);
  for (size_t size = wire::kLogHeaderBytes; size <= bytes.size(); ++size) {
    const Reading reading = read(bytes.substr(0, size));
    ASSERT_EQ(reading.end.end, LogEnd::EndOfFile) << size;
    ASSERT_EQ(reading.end.leftover,
              bytes.substr(0, size).find_first_not_of('\0', reading.end.data_bytes) != bytes.npos);
    const Reading filled = read(bytes.substr(0, size) + std::string(3000, '\0'));
    ASSERT_NE(filled.end.end, LogEnd::Damaged) << size << filled.end.detail;
    ASSERT_NE(filled.end.end, LogEnd::TornBatch) << size;
  }
}

// REC-CORRUPT: one changed byte gives the same records, or is called damage; records are never dropped in silence.
TEST(LogReader, NoChangedByteDropsARecord) {
  const std::string bytes = log_bytes(1, 5, 40) + std::string(700, '\0');
  const size_t end_of_data = log_bytes(1, 5, 40).size();
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (const unsigned flip : {0x01u, 0x80u, 0x30u, 0x42u, 0xffu}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ flip);
      const Reading reading = read(damaged);
      if (reading.zxids.size() == 5u) continue;
      // The last end byte turned to zero is just what a crash leaves.
      const bool looks_torn = at == end_of_data - 1 && damaged[at] == 0;
      ASSERT_EQ(reading.end.end, looks_torn ? LogEnd::Partial : LogEnd::Damaged) << at << " ^ " << flip;
    }
  }
}

class TornBatches : public testing::TestWithParam<size_t> {};

// Goal: whichever sectors of the last, unsynced batch got to the disk, it is no damage, and nothing synced is lost.
// Method: all subsets of the batch's sectors, for batches that begin at each place in a sector.
TEST_P(TornBatches, AreCutWhateverSectorsArePersisted) {
  for (size_t shift = 0; shift < 64; ++shift) {
    const std::string synced = log_header() + record_bytes({1}, GetParam() + shift * 9);
    const std::string batch = record_bytes({2}, 100) + record_bytes({3}, 700) + record_bytes({4}, 450);
    const std::string whole = synced + batch;
    const size_t first = synced.size() / kSectorBytes;
    const size_t last = (whole.size() - 1) / kSectorBytes;
    const std::string before = synced + std::string((last + 4) * kSectorBytes - synced.size(), '\0');
    const std::string after = whole + std::string(before.size() - whole.size(), '\0');
    for (uint32_t subset = 0; subset < 1u << (last - first + 1); ++subset) {
      std::string disk = before;
      for (size_t sector = first; sector <= last; ++sector) {
        if ((subset >> (sector - first) & 1) == 0) continue;
        disk.replace(sector * kSectorBytes, kSectorBytes, after, sector * kSectorBytes, kSectorBytes);
      }
      const Reading reading = read(disk);
      ASSERT_NE(reading.end.end, LogEnd::Damaged) << shift << " " << subset << " " << reading.end.detail;
      ASSERT_GE(reading.zxids.size(), 1u);
      for (size_t i = 0; i < reading.zxids.size(); ++i) ASSERT_EQ(reading.zxids[i], static_cast<int64_t>(i + 1));
      ASSERT_EQ(reading.end.leftover, disk.find_first_not_of('\0', reading.end.data_bytes) != disk.npos);
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Sizes, TornBatches, testing::Values(1, 5, 8));

// Data may have zeros enough for a sector of its own: a changed bit in such a record is no torn batch.
TEST(LogReader, AChangedBitBesideZerosIsDamage) {
  const std::string begin = log_bytes(1, 3);
  ByteBuffer batch;
  add_create(batch, {4}, "/zeros", std::string(1500, '\0'));
  size_t offset = 0;
  const std::string_view payload = wire::next_payload(batch.view(), offset);
  wire::store_be64(batch.data(), libdeflate_adler32(1, payload.data(), payload.size()));
  const std::string bytes = begin + std::string(batch.view()) + record_bytes({5});
  ASSERT_EQ(read(bytes).zxids.size(), 5U);
  for (size_t at = 0; at < batch.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[begin.size() + at] = static_cast<char>(damaged[begin.size() + at] ^ (1 << bit));
      const Reading reading = read(damaged);
      if (reading.zxids.size() == 5U) continue;
      ASSERT_EQ(reading.end.end, LogEnd::Damaged) << at << "." << bit;
    }
  }
}

TEST(LogReader, AHoleBeforeTheLastMebibyteIsDamage) {
  const std::string begin = log_bytes(1, 1);
  const std::string holed = begin + with(record_bytes({2}, 2000), 600, std::string(1100, '\0'));
  std::string near = holed;
  for (int64_t zxid = 3; near.size() < (1 << 20); ++zxid) near += record_bytes({zxid}, 10000);
  EXPECT_EQ(read(near.substr(0, kMaxBatchBytes + begin.size())).end.end, LogEnd::TornBatch);
  EXPECT_EQ(read(near + record_bytes({9999}, 20000)).end.end, LogEnd::Damaged);
  // A batch of one record may be larger than that.
  const std::string large = with(record_bytes({2}, 1500000), 600, std::string(1100, '\0'));
  EXPECT_EQ(read(begin + large).end.end, LogEnd::TornBatch);
  EXPECT_EQ(read(begin + large + record_bytes({3})).end.end, LogEnd::Damaged);
}

TEST(LogReader, NamesTheDamagedRecord) {
  const std::string bytes = with(log_bytes(0x10, 0x14), 300, "\1");
  const Reading reading = read(bytes);
  EXPECT_EQ(reading.end.end, LogEnd::Damaged);
  EXPECT_EQ(reading.end.last.value + 1, reading.end.damaged_zxid.value);
  EXPECT_EQ(reading.end.detail, "CRC check failed");
}

TEST(LogReader, ReadsRecordsAcrossItsWindow) {
  std::string bytes = log_header();
  for (int64_t zxid = 1; zxid <= 9; ++zxid) bytes += record_bytes({zxid}, 400'000);
  EXPECT_EQ(read(bytes).zxids.size(), 9u);
}

TEST(LogReader, StopsWhenTold) {
  FakeDisk disk;
  disk.put(kPath, log_bytes(1, 5));
  auto end = read_log_file(disk, kPath, kMaxRecord, [](const LogRecord& record) { return record.zxid.value < 3; });
  ASSERT_TRUE(end);
  EXPECT_EQ(end->end, LogEnd::Stopped);
  EXPECT_EQ(end->last.value, 2);
  EXPECT_EQ(end->data_bytes, log_bytes(1, 2).size());
}

// Spec: disk 6.1 rule 20.
TEST(ListDirectory, TakesStrictNamesOnly) {
  FakeDisk disk;
  for (const char* name :
       {"log.1", "log.1f", "log.a0", "snapshot.0", "snapshot.ff.gz", "snapshot.fe.snappy", "log.65.bak", "log.",
        "log.1F", "snapshot.7b.tmp", "snapshot.zz", "log.ffffffffffffffff1", "snapshot.9.snappy.gz", "tmp-log.5",
        "tmp-snapshot.6.gz", "currentEpoch", "acceptedEpoch.tmp", "tmp-other"}) {
    disk.put(std::string("/d/") + name, "x");
  }
  auto listing = list_directory(disk, "/d");
  ASSERT_TRUE(listing);
  const auto names = [](const std::vector<NamedFile>& files) {
    std::vector<std::string> out;
    for (const NamedFile& file : files) out.push_back(file.name);
    return out;
  };
  EXPECT_EQ(names(listing->logs), (std::vector<std::string>{"log.1", "log.1f", "log.a0"}));
  EXPECT_EQ(names(listing->snapshots),
            (std::vector<std::string>{"snapshot.0", "snapshot.fe.snappy", "snapshot.ff.gz"}));
  EXPECT_EQ(listing->strays.size(), 7u);
  EXPECT_EQ(listing->leftovers, (std::vector<std::string>{"tmp-log.5", "tmp-snapshot.6.gz"}));
  EXPECT_EQ(hex_name("log.", {0x100000001}), "log.100000001");
}

}  // namespace
}  // namespace quorate::storage
