#include "shell/storage/log_damage.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "wire/archive.h"
#include "wire/log_record.h"

namespace quorate::storage {
namespace {

constexpr int64_t kAdlerModulus = 65521;
constexpr uint32_t kLongestForBits = 64 << 10;
constexpr size_t kHeaderZxidOffset = 12;  // In a payload: clientId (8), cxid (4).

uint64_t record_end(const BadPlace& place) { return place.offset + wire::kRecordPrefixBytes + place.length + 1; }

struct AdlerSums {
  int64_t sum = 1;
  int64_t sum_of_sums = 0;
  void add(char byte) {
    sum = (sum + static_cast<uint8_t>(byte)) % kAdlerModulus;
    sum_of_sums = (sum_of_sums + sum) % kAdlerModulus;
  }
  uint64_t checksum() const { return static_cast<uint64_t>(sum_of_sums) << 16 | static_cast<uint64_t>(sum); }
};

AdlerSums adler_sums(std::string_view bytes) {
  AdlerSums sums;
  for (const char byte : bytes) sums.add(byte);
  return sums;
}

/// Whether a whole record with the stored checksum is there, only with another length: then the length was changed
/// after it had been written whole.
bool whole_with_other_length(std::string_view payloads, uint64_t checksum) {
  AdlerSums sums;
  for (size_t i = 0; i + 1 < payloads.size(); ++i) {
    sums.add(payloads[i]);
    if (payloads[i + 1] == wire::kRecordEnd && sums.checksum() == checksum) return true;
  }
  return false;
}

Result<bool> length_was_changed(FileWindow& file, const BadPlace& place, uint64_t data_end) {
  const uint64_t begin = place.offset + wire::kRecordPrefixBytes;
  if (data_end <= begin) return false;
  const size_t wanted = static_cast<size_t>(std::min<uint64_t>(data_end - begin, place.max_record_bytes + 1));
  auto bytes = file.view(begin, wanted);
  if (!bytes) return std::unexpected(bytes.error());
  return whole_with_other_length(bytes->substr(0, wanted), place.checksum);
}

/// Whether a sector of [begin, end) was never written: all zero, or, for the sector that the data before it ends in,
/// zero from `begin` on. The first four bytes of a record are zero anyway and prove nothing.
Result<bool> has_unwritten_sector(FileWindow& file, uint64_t begin, uint64_t end) {
  for (uint64_t sector = begin / kSectorBytes * kSectorBytes; sector < end; sector += kSectorBytes) {
    const uint64_t from = std::max(sector, begin);
    const size_t wanted = static_cast<size_t>(sector + kSectorBytes - from);
    auto bytes = file.view(from, wanted);
    if (!bytes) return std::unexpected(bytes.error());
    if (wanted > 4 && all_zero(bytes->substr(0, wanted))) return true;
  }
  return false;
}

/// Whether one changed bit explains the checksum: memory or a disk went wrong then, and the record was written whole.
/// Data may well have zeros of its own, so a zero sector alone does not tell a torn batch from that.
bool one_bit_was_changed(std::string_view payload, uint64_t checksum) {
  const AdlerSums sums = adler_sums(payload);
  if (std::popcount(sums.checksum() ^ checksum) == 1) return true;
  const auto [sum, sum_of_sums] = sums;
  const auto wanted = static_cast<int64_t>(checksum & 0xffff);
  const auto wanted_of_sums = static_cast<int64_t>(checksum >> 16);
  for (size_t i = 0; i < payload.size(); ++i) {
    const auto weight = static_cast<int64_t>(payload.size() - i);
    for (int bit = 0; bit < 8; ++bit) {
      const bool set = (static_cast<uint8_t>(payload[i]) >> bit & 1) != 0;
      const int64_t change = set ? -(1 << bit) : 1 << bit;
      const auto differs = [](int64_t now, int64_t by, int64_t wanted_sum) {
        return ((now + by - wanted_sum) % kAdlerModulus + kAdlerModulus) % kAdlerModulus != 0;
      };
      if (!differs(sum, change, wanted) && !differs(sum_of_sums, change * weight, wanted_of_sums)) return true;
    }
  }
  return false;
}

Result<bool> bit_was_changed(FileWindow& file, const BadPlace& place) {
  // In a long record some bit or other explains any checksum, by chance.
  if (place.what < BadRecord::EndByte || place.length > kLongestForBits) return false;
  const uint64_t begin = place.offset + wire::kRecordPrefixBytes;
  auto bytes = file.view(begin, place.length);
  if (!bytes) return std::unexpected(bytes.error());
  const std::string_view payload = bytes->substr(0, place.length);
  if (place.what == BadRecord::Checksum) return one_bit_was_changed(payload, place.checksum);
  const auto end_bits = static_cast<uint8_t>(place.end_byte ^ wire::kRecordEnd);
  return std::popcount(end_bits) == 1 && adler_sums(payload).checksum() == place.checksum;
}

/// Whether an unsynced batch after a power cut explains what is there.
Result<bool> is_torn_batch(FileWindow& file, const BadPlace& place, uint64_t data_end) {
  const bool no_frame = place.what == BadRecord::NoLength;
  const uint64_t end = no_frame ? place.offset + wire::kRecordPrefixBytes : record_end(place);
  const bool one_record = !no_frame && data_end <= end;
  if (data_end - place.offset > kMaxBatchBytes && !one_record) return false;
  return has_unwritten_sector(file, place.offset, std::min(end, file.file_bytes()));
}

/// What stands where a record has its zxid; 0 where the file ends before.
Result<Zxid> readable_zxid(FileWindow& file, uint64_t offset) {
  const size_t wanted = wire::kRecordPrefixBytes + kHeaderZxidOffset + 8;
  auto bytes = file.view(offset, wanted);
  if (!bytes) return std::unexpected(bytes.error());
  if (bytes->size() < wanted) return Zxid{};
  return Zxid{static_cast<int64_t>(wire::load_be64(bytes->data() + wanted - 8))};
}

std::string describe(const BadPlace& place, bool length_changed) {
  if (length_changed) return fmt::format("length {} is not the one written", static_cast<int32_t>(place.length));
  switch (place.what) {
    case BadRecord::NoLength:
      return "length 0 with data behind it";
    case BadRecord::Length:
      return fmt::format("Unreasonable length = {}", static_cast<int32_t>(place.length));
    case BadRecord::CutShort:
      return "the file ends inside the record";
    case BadRecord::EndByte:
      return fmt::format("end byte is 0x{:02x}", static_cast<uint8_t>(place.end_byte));
    case BadRecord::Checksum:
      return "CRC check failed";
  }
  return {};
}

/// Ends that a plain crash leaves: nothing was written, or the last record was not written whole.
bool is_plain_end(const BadPlace& place, uint64_t data_end, LogFileEnd& end) {
  switch (place.what) {
    case BadRecord::NoLength:
      // A checksum alone may have got to the disk.
      end.end = LogEnd::Zeros;
      return data_end <= place.offset + 8;
    case BadRecord::CutShort:
      end.end = LogEnd::EndOfFile;
      return true;
    case BadRecord::EndByte:
      end.end = LogEnd::Partial;
      return place.end_byte == 0 && data_end < record_end(place);
    case BadRecord::Length:
    case BadRecord::Checksum:
      break;
  }
  return false;
}

}  // namespace

Result<void> judge_end(FileWindow& file, const BadPlace& place, LogFileEnd& end) {
  const auto zxid = readable_zxid(file, place.offset);
  if (!zxid) return std::unexpected(zxid.error());
  auto data_end = file.end_of_data(place.offset);
  if (!data_end) return std::unexpected(data_end.error());
  auto changed = length_was_changed(file, place, *data_end);
  if (!changed) return std::unexpected(changed.error());
  end.leftover = *data_end > place.offset;
  if (end.leftover) end.detail = describe(place, *changed);
  if (!*changed && is_plain_end(place, *data_end, end)) return {};
  end.damaged_zxid = place.what == BadRecord::NoLength ? Zxid{} : *zxid;
  end.end = LogEnd::Damaged;
  auto bit = bit_was_changed(file, place);
  if (!bit) return std::unexpected(bit.error());
  if (*changed || *bit || place.what == BadRecord::Length) return {};
  auto torn = is_torn_batch(file, place, *data_end);
  if (!torn) return std::unexpected(torn.error());
  if (*torn) end.end = LogEnd::TornBatch;
  return {};
}

}  // namespace quorate::storage
