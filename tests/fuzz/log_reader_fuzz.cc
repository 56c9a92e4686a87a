#include <string>

#include "base/check.h"
#include "input.h"
#include "memory_disk.h"
#include "shell/storage/log_reader.h"
#include "wire/archive.h"
#include "wire/log_record.h"

/// A log file. First byte even: the rest is the file as it is. Odd: the rest is pieces that are put into records with
/// good checksums, so that the reader's later checks are reached; the last byte's piece may end in the middle.
namespace quorate::fuzz {
namespace {

constexpr size_t kMaxRecordBytes = 1 << 20;

uint32_t adler32(std::string_view bytes) {
  uint32_t low = 1;
  uint32_t high = 0;
  for (const char c : bytes) {
    low = (low + static_cast<uint8_t>(c)) % 65521;
    high = (high + low) % 65521;
  }
  return high << 16 | low;
}

std::string sealed_log(Input& input) {
  ByteBuffer out;
  wire::store_be32(out.grow(4), wire::kLogMagic);
  wire::store_be32(out.grow(4), 2);
  wire::store_be64(out.grow(8), 0);
  while (!input.empty()) {
    const std::string_view payload = input.piece();
    const size_t at = wire::begin_record(out);
    out.append(payload);
    wire::end_record(out, at);
    wire::store_be64(out.data() + at, adler32(payload));
  }
  return std::string(out.view());
}

}  // namespace
}  // namespace quorate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate;
  fuzz::Input input(data, size);
  const bool sealed = (input.byte() & 1) != 0;
  fuzz::MemoryDisk disk;
  const std::string& file = disk.files["d/log.1"] = sealed ? fuzz::sealed_log(input) : std::string(input.rest());

  uint64_t behind = 0;
  const auto end =
      storage::read_log_file(disk, "d/log.1", fuzz::kMaxRecordBytes, [&](const storage::LogRecord& record) {
        QUORATE_CHECK(record.offset >= behind && record.offset >= wire::kLogHeaderBytes);
        behind = record.offset + wire::kRecordPrefixBytes + record.payload.size() + 1;
        QUORATE_CHECK(behind <= file.size() && record.payload.size() <= fuzz::kMaxRecordBytes);
        QUORATE_CHECK(file.compare(record.offset + wire::kRecordPrefixBytes, record.payload.size(), record.payload) ==
                      0);
        return true;
      });
  if (!end) return 0;
  QUORATE_CHECK(end->data_bytes <= file.size() && end->data_bytes >= behind);
  QUORATE_CHECK(end->end != storage::LogEnd::Damaged || !end->detail.empty());
  return 0;
}
