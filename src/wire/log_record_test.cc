#include "wire/log_record.h"

#include <string>
#include <vector>

#include "wire/record_testing.h"

namespace quorate::wire {
namespace {

/// A record of an Apache server's log with the checksum left empty, as the core leaves it.
std::string without_checksum(std::string record) { return record.replace(0, 8, 8, '\0'); }

std::string payload_of(const std::string& record) {
  return record.substr(kRecordPrefixBytes, record.size() - kRecordPrefixBytes - 1);
}

TEST(LogRecord, FramesAsApacheDoes) {
  for (const GoldenFile& golden : golden_files("txn")) {
    SCOPED_TRACE(golden.name);
    const std::string record = golden.bytes;
    ByteBuffer batch;
    const size_t at = begin_record(batch);
    batch.append(payload_of(record));
    end_record(batch, at);
    EXPECT_EQ(to_hex(batch.view()), to_hex(without_checksum(record)));
  }
}

TEST(LogRecord, ABatchIsItsRecordsInOrder) {
  ByteBuffer batch;
  std::string wanted;
  std::vector<std::string> payloads;
  for (const GoldenFile& golden : golden_files("txn")) {
    payloads.push_back(payload_of(golden.bytes));
    wanted += without_checksum(golden.bytes);
    const size_t at = begin_record(batch);
    batch.append(payloads.back());
    end_record(batch, at);
  }
  EXPECT_EQ(batch.view(), wanted);
  const ExactBytes exact(batch.view());
  size_t offset = 0;
  for (const std::string& payload : payloads) EXPECT_EQ(next_payload(exact.view(), offset), payload);
  EXPECT_EQ(offset, batch.size());
}

TEST(LogRecord, OverwritesWhatTheBufferHeldBefore) {
  ByteBuffer batch;
  batch.append(std::string(100, '\xee'));
  batch.clear();
  end_record(batch, begin_record(batch));
  EXPECT_EQ(to_hex(batch.view()),
            "0000000000000000"
            "00000000"
            "42");
  size_t offset = 0;
  EXPECT_TRUE(next_payload(batch.view(), offset).empty());
  EXPECT_EQ(offset, batch.size());
}

TEST(LogRecordDeathTest, NothingToStepOverIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  size_t offset = 0;
  EXPECT_DEATH(next_payload("twelve bytes", offset), "");
}

}  // namespace
}  // namespace quorate::wire
