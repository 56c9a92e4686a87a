#pragma once
#include <cstdint>
#include <string_view>

#include "base/byte_buffer.h"

/// The frame around each txn in a log file: checksum (8), length (4), payload, 'B'. The core leaves the checksum
/// empty; the log thread fills it in. Spec: disk 2.2.
namespace quorate::wire {

constexpr uint32_t kLogMagic = 0x5A4B4C47;       ///< "ZKLG"
constexpr uint32_t kSnapshotMagic = 0x5A4B534E;  ///< "ZKSN"
constexpr size_t kLogHeaderBytes = 16;
constexpr size_t kRecordPrefixBytes = 12;
constexpr char kRecordEnd = 'B';

/// Opens a record at the end of `batch`; write the payload after it, then call end_record with the result.
inline size_t begin_record(ByteBuffer& batch) {
  const size_t at = batch.size();
  batch.grow(kRecordPrefixBytes);
  return at;
}

/// Closes the record opened at `at`: sets its length and end byte, leaves the checksum to the log.
void end_record(ByteBuffer& batch, size_t at);

/// Steps over a batch made by begin_record and end_record. `offset` moves past the record; returns its payload.
std::string_view next_payload(std::string_view batch, size_t& offset);

}  // namespace quorate::wire
