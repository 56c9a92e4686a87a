#include "shell/storage/epoch_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "base/planted.h"
#include "shell/storage/small_file.h"

namespace quorate::storage {
namespace {

constexpr const char* kAccepted = "acceptedEpoch";
constexpr const char* kCurrent = "currentEpoch";
constexpr int64_t kMaxEpoch = std::numeric_limits<int32_t>::max();  // The high half of a zxid.

/// The first line, a decimal number and nothing else.
std::optional<int64_t> parse_epoch(std::string_view text) {
  std::string_view line = text.substr(0, text.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  int64_t epoch = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), epoch);
  if (error != std::errc() || end != line.data() + line.size() || epoch < 0 || epoch > kMaxEpoch) return std::nullopt;
  return epoch;
}

/// Nothing when there is no such file.
Result<std::optional<int64_t>> read_epoch(env::Disk& disk, const std::string& path) {
  auto text = read_small_file(disk, path);
  if (!text && text.error().fault == Fault::NotFound) return std::nullopt;
  if (!text) return std::unexpected(text.error());
  const auto epoch = parse_epoch(*text);
  if (epoch) return epoch;
  return fail(
      Fault::Corrupt,
      fmt::format("Found {:?} in {}, where a decimal epoch has to be. Write the epoch of the newest zxid there, "
                  "or of the ensemble's leader, whichever is larger",
                  text->substr(0, 40), path));
}

/// An interrupted write may have left anything there.
Result<std::optional<int64_t>> read_leftover(env::Disk& disk, const std::string& path) {
  auto epoch = read_epoch(disk, path);
  if (!epoch && epoch.error().fault == Fault::Corrupt) return std::nullopt;
  return epoch;
}

}  // namespace

Result<EpochFiles> EpochFiles::open(env::Disk& disk, std::string directory, Zxid last, std::vector<LogLine>& lines) {
  EpochFiles files(disk, std::move(directory));
  if (auto loaded = files.load(std::max<int64_t>(last.epoch(), 0), lines); !loaded) {
    return std::unexpected(loaded.error());
  }
  return files;
}

Result<void> EpochFiles::load(int64_t of_database, std::vector<LogLine>& lines) {
  auto current = read_epoch(*disk_, path(kCurrent));
  if (!current) return std::unexpected(current.error());
  auto accepted = read_epoch(*disk_, path(kAccepted));
  if (!accepted) return std::unexpected(accepted.error());

  current_ = current->value_or(of_database);
  if (current_ < of_database) {
    const auto leftover = read_leftover(*disk_, path("currentEpoch.tmp"));
    if (!leftover) return std::unexpected(leftover.error());
    const int64_t raised = std::max(of_database, leftover->value_or(0));
    lines.push_back({Level::Warn, "QuorumPeer",
                     fmt::format("The current epoch, {:x}, is older than the newest zxid's, {:x}; raised to {:x}",
                                 current_, of_database, raised)});
    current_ = raised;
  }
  accepted_ = accepted->value_or(current_);
  if (accepted_ < current_) {
    lines.push_back({Level::Warn, "QuorumPeer",
                     fmt::format("The accepted epoch, {:x} is less than the current epoch, {:x}; raised to it",
                                 accepted_, current_)});
    accepted_ = current_;
  }
  // accepted first: at no time does the disk say that we follow what we have not promised. Rewritten when unchanged,
  // too: a killed process may have left them in memory only.
  if (auto written = write_accepted(accepted_); !written) return written;
  return write_current(current_);
}

Result<void> EpochFiles::write_accepted(int64_t epoch) {
  using enum env::CrashPoint;
  return replace_file(*disk_, path(kAccepted), fmt::format("{}", epoch),
                      {AcceptedWrite, AcceptedSync, AcceptedRename, AcceptedDirSync});
}

Result<void> EpochFiles::write_current(int64_t epoch) {
  using enum env::CrashPoint;
  return replace_file(*disk_, path(kCurrent), fmt::format("{}", epoch),
                      {CurrentWrite, CurrentSync, CurrentRename, CurrentDirSync});
}

Result<void> EpochFiles::store_accepted(int64_t epoch) {
  if (epoch < accepted_ || epoch > kMaxEpoch) {
    return fail(Fault::Invalid, fmt::format("acceptedEpoch cannot go from {} to {}", accepted_, epoch));
  }
  if (!planted(Planted::AcceptedEpochLate)) {
    if (auto written = write_accepted(epoch); !written) return written;
  }
  accepted_ = epoch;
  if (planted(Planted::CurrentEpochFirst)) return store_current(epoch);
  return {};
}

Result<void> EpochFiles::store_current(int64_t epoch) {
  if (epoch < current_ || epoch > accepted_) {
    return fail(Fault::Invalid, fmt::format("currentEpoch cannot go from {} to {} while acceptedEpoch is {}", current_,
                                            epoch, accepted_));
  }
  if (auto written = write_current(epoch); !written) return written;
  current_ = epoch;
  return {};
}

}  // namespace quorate::storage
