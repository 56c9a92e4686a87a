#include "shell/storage/log_reader.h"

#include <fmt/format.h>
#include <libdeflate.h>

#include <algorithm>

#include "base/planted.h"
#include "shell/storage/file_window.h"
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

Result<LogFileEnd> read_log_file(env::Disk& disk, const std::string& path, size_t max_record_bytes,
                                 const std::function<bool(const LogRecord&)>& visit) {
  auto file = FileWindow::open(disk, path);
  if (!file) return std::unexpected(file.error());
  LogFileEnd end;
  auto readable = read_header(*file, end);
  if (!readable) return std::unexpected(readable.error());
  if (!*readable) return end;

  BadPlace place{.offset = wire::kLogHeaderBytes, .max_record_bytes = max_record_bytes};
  LogRecord record;
  while (true) {
    auto step = next_record(*file, place, record);
    if (!step) return std::unexpected(step.error());
    if (*step == Step::End) return end;
    if (*step == Step::Bad) {
      if (auto judged = judge_end(*file, place, end); !judged) return std::unexpected(judged.error());
      return end;
    }
    if (place.length < kTxnHeaderBytes) {
      end.end = LogEnd::Damaged;
      end.leftover = true;
      end.detail = fmt::format("payload of {} bytes is too short for a txn", place.length);
      return end;
    }
    record.zxid = {static_cast<int64_t>(wire::load_be64(record.payload.data() + kZxidOffset))};
    if (!visit(record)) {
      end.end = LogEnd::Stopped;
      return end;
    }
    place.offset += wire::kRecordPrefixBytes + place.length + 1;
    end.data_bytes = place.offset;
    end.last = record.zxid;
  }
}

}  // namespace quorate::storage
