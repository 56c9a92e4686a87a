#include "wire/log_record.h"

#include "base/check.h"
#include "wire/archive.h"

namespace quorate::wire {

void end_record(ByteBuffer& batch, size_t at) {
  const size_t payload = batch.size() - at - kRecordPrefixBytes;
  store_be64(batch.data() + at, 0);
  store_be32(batch.data() + at + 8, static_cast<uint32_t>(payload));
  *batch.grow(1) = kRecordEnd;
}

std::string_view next_payload(std::string_view batch, size_t& offset) {
  QUORATE_CHECK(batch.size() - offset > kRecordPrefixBytes);
  const size_t length = load_be32(batch.data() + offset + 8);
  const std::string_view payload = batch.substr(offset + kRecordPrefixBytes, length);
  offset += kRecordPrefixBytes + length + 1;
  return payload;
}

}  // namespace quorate::wire
