#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "shell/env/disk.h"

/// What lies in a version-2 directory, by name. Spec: disk 1.1, 6.1 rules 8 and 20.
namespace quorate::storage {

/// Version of log and snapshot headers alike; readers ignore it.
constexpr uint32_t kFormatVersion = 2;

/// A log or a snapshot.
struct NamedFile {
  std::string name;
  Zxid zxid;
  uint64_t size = 0;
  int64_t modified_ms = 0;
};

/// Names that are logs or snapshots, by the strict rule (disk 6.1 rule 20), ascending by zxid.
struct DirectoryListing {
  std::vector<NamedFile> logs;
  std::vector<NamedFile> snapshots;
  std::vector<std::string> strays;     ///< Begin like one and are none: to be warned about.
  std::vector<std::string> leftovers;  ///< Our own tmp-*, to be deleted at start.
};
Result<DirectoryListing> list_directory(env::Disk& disk, const std::string& directory);

/// The zxid in "log.<hex>" or "snapshot.<hex>[.gz|.snappy]"; nothing for any other name.
std::optional<Zxid> zxid_of_name(std::string_view name);
std::string hex_name(std::string_view prefix, Zxid zxid);  ///< "log." and 0x1f give "log.1f".

}  // namespace quorate::storage
