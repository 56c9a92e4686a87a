#include "shell/storage/log_reader.h"

#include <fmt/format.h>
#include <libdeflate.h>

#include <algorithm>

#include "base/planted.h"
#include "shell/storage/log_damage.h"
#include "wire/archive.h"
#include "wire/log_record.h"

namespace quorate::storage {
namespace {

constexpr size_t kTxnHeaderBytes = 32;
constexpr size_t kZxidOffset = 12;

/// Checks the file's header. False: `end` is set and there is nothing to read.
Result<bool> read_header(FileWindow& file, LogFileEnd& end) {
  auto bytes = file.view(0, wire::kLogHeaderBytes);
  if (!bytes) return std::unexpected(bytes.error());
  end.file_bytes = file.file_bytes();
  if (bytes->size() >= wire::kLogHeaderBytes && wire::load_be32(bytes->data()) == wire::kLogMagic) {
    end.data_bytes = wire::kLogHeaderBytes;
    return true;
  }
  auto data_end = file.end_of_data(0);
  if (!data_end) return std::unexpected(data_end.error());
  end.leftover = *data_end > 0;
  end.end = LogEnd::BadHeader;
  if (end.file_bytes >= wire::kLogHeaderBytes && end.leftover) {
    end.end = LogEnd::Damaged;
    bytes = file.view(0, 4);
    end.detail = fmt::format("invalid magic number {} != {}", static_cast<int32_t>(wire::load_be32(bytes->data())),
                             wire::kLogMagic);
  }
  return false;
}

enum class Step : uint8_t { Good, End, Bad };

/// Looks at the record at `place.offset`. Good: `record` is it. Bad: `place` says what is wrong. Spec: disk 2.6.
Result<Step> next_record(FileWindow& file, BadPlace& place, LogRecord& record) {
  auto bytes = file.view(place.offset, wire::kRecordPrefixBytes);
  if (!bytes) return std::unexpected(bytes.error());
  if (bytes->empty()) return Step::End;
  if (bytes->size() < wire::kRecordPrefixBytes) {
    place.what = BadRecord::CutShort;
    return Step::Bad;
  }
  place.checksum = wire::load_be64(bytes->data());
  place.length = wire::load_be32(bytes->data() + 8);
  if (place.length == 0 || place.length > place.max_record_bytes) {
    place.what = place.length == 0 ? BadRecord::NoLength : BadRecord::Length;
    return Step::Bad;
  }
  const size_t whole = wire::kRecordPrefixBytes + place.length + 1;
  if (bytes->size() < whole) {
    bytes = file.view(place.offset, whole);
    if (!bytes) return std::unexpected(bytes.error());
  }
  if (bytes->size() < whole) {
    place.what = BadRecord::CutShort;
    return Step::Bad;
  }
  record.payload = bytes->substr(wire::kRecordPrefixBytes, place.length);
  record.offset = place.offset;
  place.end_byte = (*bytes)[whole - 1];
  if (place.end_byte != wire::kRecordEnd) {
    place.what = BadRecord::EndByte;
    return Step::Bad;
  }
  const uint32_t sum = libdeflate_adler32(1, record.payload.data(), record.payload.size());
  if (sum != place.checksum && !planted(Planted::TornBatchTaken)) {
    place.what = BadRecord::Checksum;
    return Step::Bad;
  }
  return Step::Good;
}

}  // namespace

size_t first_needed(const std::vector<NamedFile>& logs, Zxid base) {
  // A file that begins right behind `base` holds it; written so that the largest zxid has no sum that overflows.
  const auto behind = std::ranges::find_if(
      logs, [base](const NamedFile& file) { return file.zxid > base && file.zxid.value - 1 != base.value; });
  return behind == logs.begin() ? 0 : static_cast<size_t>(behind - logs.begin() - 1);
}

LogFileReader::LogFileReader(FileWindow file, size_t max_record_bytes)
    : file_(std::move(file)), place_{.offset = wire::kLogHeaderBytes, .max_record_bytes = max_record_bytes} {}

Result<LogFileReader> LogFileReader::open(env::Disk& disk, const std::string& path, size_t max_record_bytes) {
  auto file = FileWindow::open(disk, path);
  if (!file) return std::unexpected(file.error());
  LogFileReader reader(std::move(*file), max_record_bytes);
  auto readable = read_header(reader.file_, reader.end_);
  if (!readable) return std::unexpected(readable.error());
  reader.ended_ = !*readable;
  return reader;
}

Result<std::optional<LogRecord>> LogFileReader::next() {
  if (ended_) return std::nullopt;
  LogRecord record;
  auto step = next_record(file_, place_, record);
  if (!step) return std::unexpected(step.error());
  ended_ = *step != Step::Good;
  if (*step == Step::Bad) {
    if (auto judged = judge_end(file_, place_, end_); !judged) return std::unexpected(judged.error());
  }
  if (ended_) return std::nullopt;
  if (place_.length < kTxnHeaderBytes) {
    ended_ = true;
    end_.end = LogEnd::Damaged;
    end_.leftover = true;
    end_.detail = fmt::format("payload of {} bytes is too short for a txn", place_.length);
    return std::nullopt;
  }
  record.zxid = {static_cast<int64_t>(wire::load_be64(record.payload.data() + kZxidOffset))};
  place_.offset += wire::kRecordPrefixBytes + place_.length + 1;
  end_.data_bytes = place_.offset;
  end_.last = record.zxid;
  return record;
}

Result<LogFileEnd> read_log_file(env::Disk& disk, const std::string& path, size_t max_record_bytes,
                                 const std::function<bool(const LogRecord&)>& visit) {
  auto reader = LogFileReader::open(disk, path, max_record_bytes);
  if (!reader) return std::unexpected(reader.error());
  while (true) {
    const uint64_t good_bytes = reader->end().data_bytes;
    const Zxid last = reader->end().last;
    auto record = reader->next();
    if (!record) return std::unexpected(record.error());
    if (!*record) return reader->end();
    if (visit(**record)) continue;
    LogFileEnd stopped = reader->end();
    stopped.end = LogEnd::Stopped;
    stopped.data_bytes = good_bytes;
    stopped.last = last;
    return stopped;
  }
}

Error damage_error(const std::string& path, const LogFileEnd& end) {
  const auto hex = [](Zxid zxid) { return static_cast<uint64_t>(zxid.value); };
  const std::string zxid = end.damaged_zxid == Zxid{} ? fmt::format("after zxid 0x{:x}", hex(end.last))
                                                      : fmt::format("zxid 0x{:x}", hex(end.damaged_zxid));
  return {Fault::Corrupt, fmt::format("{} is damaged at offset {} ({}): {}. Txns from there on may have been "
                                      "acknowledged. Restore the file, or cut it there with: quorate log repair {}",
                                      path, end.data_bytes, zxid, end.detail, path)};
}

}  // namespace quorate::storage
