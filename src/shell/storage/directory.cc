#include "shell/storage/directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tuple>

namespace quorate::storage {
namespace {

/// The zxid in what follows "log." or "snapshot.": lower-case hex, then at most a compression's ending.
std::optional<Zxid> zxid_of(std::string_view rest) {
  for (const std::string_view ending : {".gz", ".snappy"}) {
    if (!rest.ends_with(ending)) continue;
    rest.remove_suffix(ending.size());
    break;
  }
  if (rest.empty() || rest.find_first_not_of("0123456789abcdef") != rest.npos) return std::nullopt;
  Zxid zxid;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), zxid.value, 16);
  if (error != std::errc() || end != rest.data() + rest.size()) return std::nullopt;
  return zxid;
}

/// True when the name starts with `prefix`: filed under `files` or `strays`.
bool take(const env::Entry& entry, std::string_view prefix, std::vector<NamedFile>& files,
          std::vector<std::string>& strays) {
  const std::string_view name = entry.name;
  if (!name.starts_with(prefix)) return false;
  if (const auto zxid = zxid_of(name.substr(prefix.size()))) {
    files.push_back({entry.name, *zxid, entry.size, entry.modified_ms});
  } else {
    strays.push_back(entry.name);
  }
  return true;
}

}  // namespace

std::optional<Zxid> zxid_of_name(std::string_view name) {
  for (const std::string_view prefix : {"log.", "snapshot."}) {
    if (name.starts_with(prefix)) return zxid_of(name.substr(prefix.size()));
  }
  return std::nullopt;
}

Result<DirectoryListing> list_directory(env::Disk& disk, const std::string& directory) {
  auto entries = disk.list(directory);
  if (!entries) return std::unexpected(entries.error());
  DirectoryListing listing;
  for (const env::Entry& entry : *entries) {
    if (take(entry, "log.", listing.logs, listing.strays)) continue;
    if (take(entry, "snapshot.", listing.snapshots, listing.strays)) continue;
    const std::string_view name = entry.name;
    if (name.starts_with("tmp-log.") || name.starts_with("tmp-snapshot.") || name == "tmp-probe" ||
        name == "history-change.tmp" || name == "history-in-doubt.tmp") {
      listing.leftovers.push_back(entry.name);
    }
  }
  const auto earlier = [](const NamedFile& a, const NamedFile& b) {
    return std::tie(a.zxid, a.name) < std::tie(b.zxid, b.name);
  };
  std::ranges::sort(listing.logs, earlier);
  std::ranges::sort(listing.snapshots, earlier);
  return listing;
}

std::string hex_name(std::string_view prefix, Zxid zxid) {
  return fmt::format("{}{:x}", prefix, static_cast<uint64_t>(zxid.value));
}

}  // namespace quorate::storage
