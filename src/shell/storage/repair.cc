#include "shell/storage/repair.h"

#include <fmt/format.h>

#include "core/tree/apply.h"
#include "shell/storage/log_reader.h"

namespace quorate::storage {

Result<RepairReport> repair_log(env::Disk& disk, const std::string& path, size_t max_record_bytes) {
  RepairReport report;
  tree::TxnView txn;
  auto end = read_log_file(disk, path, max_record_bytes, [&](const LogRecord& record) {
    return tree::parse_txn(record.payload, txn, report.reason);
  });
  if (!end) return std::unexpected(end.error());
  if (end->data_bytes == 0) {
    const std::string_view why = end->detail.empty() ? "it has no header" : std::string_view(end->detail);
    return fail(Fault::Invalid, fmt::format("{} is not a log: {}", path, why));
  }
  report.last = end->last;
  report.cut_at = end->data_bytes;
  if (end->end == LogEnd::Stopped) {
    end->leftover = true;
  } else {
    report.reason = end->detail;
  }
  if (!end->leftover) return report;
  auto file = disk.open(path, env::Open::ReadWrite);
  if (!file) return std::unexpected(file.error());
  if (auto cut = (*file)->truncate(end->data_bytes); !cut) return std::unexpected(cut.error());
  if (auto synced = (*file)->sync(); !synced) return std::unexpected(synced.error());
  report.changed = true;
  report.bytes_removed = end->file_bytes - end->data_bytes;
  return report;
}

}  // namespace quorate::storage
