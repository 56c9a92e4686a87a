#pragma once
#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "shell/env/disk.h"
#include "sim/rng.h"
#include "sim/sim_clock.h"
#include "sim/sim_names.h"
#include "sim/trace.h"

/// A disk that keeps only what was synced, that fills up, and that fails when told: a crash at some call or named
/// point, EIO, a sync that fails. After a crash every call fails and changes nothing until power_on(). Directories are
/// durable at once, as the posix disk makes them.
namespace quorate::sim {

constexpr size_t kCrashPoints = static_cast<size_t>(env::CrashPoint::kCount);

/// An error to come: the `countdown`th fitting call gets it.
struct DiskFault {
  enum class What : uint8_t { ReadError, WriteError, SyncError };
  enum class Where : uint8_t { Log, Filler, Snapshot };
  What what = What::WriteError;
  Where where = Where::Log;
  uint64_t countdown = 0;
};

class SimDisk final : public env::Disk {
 public:
  SimDisk(const SimClock& clock, Rng& rng, Trace& trace) : clock_(clock), rng_(rng), trace_(trace) {}

  /// Whether open_direct() does what it may: half of the file systems take whole pages only, half do as in open().
  void take_whole_pages(bool yes) { whole_pages_ = yes; }

  // What the world does to it.
  void crash_at_call(uint64_t countdown) { crash_call_ = countdown; }
  /// At any of them, one time in eight; more often at one that is named more often.
  void crash_at_some(std::span<const env::CrashPoint> points) {
    crash_odds_.fill(0);
    for (const env::CrashPoint point : points) ++crash_odds_[static_cast<size_t>(point)];
  }
  void crash_at_point(env::CrashPoint point, uint64_t countdown) {
    crash_point_ = point;
    crash_point_countdown_ = countdown;
  }
  void inject(const DiskFault& fault) { fault_ = fault; }
  /// Nothing is armed any more.
  void calm();
  /// From now on all files together may grow by so much; what is removed makes room again.
  void limit_growth(uint64_t bytes) { capacity_ = used() + bytes; }
  void lift_limit() { capacity_ = UINT64_MAX; }
  bool is_limited() const { return capacity_ != UINT64_MAX; }
  bool crashed() const { return crashed_; }
  void crash() { crashed_ = true; }
  void power_cut();
  void process_end();
  void power_on();
  /// An error reached the log, so the node may have stopped itself; or anything at all.
  bool log_error_given() const { return log_error_given_; }
  bool error_given() const { return error_given_; }

  // What the world reads.
  std::function<void(std::string_view)> on_log_bytes;
  std::array<uint64_t, kCrashPoints> reached{};
  std::array<uint64_t, kCrashPoints> crashed_there{};
  const std::map<std::string, SimNames>& directories() const { return directories_; }
  SimFilePtr find(const std::string& path) const;

  // env::Disk
  Result<std::unique_ptr<env::File>> open(const std::string& path, env::Open mode) override;
  Result<std::unique_ptr<env::File>> open_direct(const std::string& path, env::Open mode) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<std::vector<env::Entry>> list(const std::string& path) override;
  Result<void> make_directories(const std::string& path) override;
  Result<std::unique_ptr<env::DirectoryLock>> lock(const std::string& path) override;
  void reach(env::CrashPoint point) override;

 private:
  class OpenFile;
  enum class Call : uint8_t { Read, Write, Sync, Other };
  /// How a call goes: an error; or it takes effect, and perhaps the crash comes right behind it.
  struct Turn {
    std::optional<Error> error;
    bool crash_behind = false;
  };
  Turn begin(Call call, const std::string& path, bool filler = false);
  uint64_t used() const;
  uint64_t room() const { return capacity_ - std::min(capacity_, used()); }
  Error give_full(const std::string& path, bool filler);
  bool fits(const DiskFault& fault, Call call, const std::string& path, bool filler) const;
  Error give(const DiskFault& fault, const std::string& path);
  Result<void> end(const Turn& turn);
  SimNames* directory_of(const std::string& path);
  Result<std::unique_ptr<env::File>> open_file(const std::string& path, env::Open mode, bool whole_pages);

  const SimClock& clock_;
  Rng& rng_;
  Trace& trace_;
  std::map<std::string, SimNames> directories_;
  uint64_t capacity_ = UINT64_MAX;
  bool whole_pages_ = false;
  uint64_t incarnation_ = 1;
  bool crashed_ = false;
  uint64_t crash_call_ = 0;
  std::optional<env::CrashPoint> crash_point_;
  std::array<uint32_t, static_cast<size_t>(env::CrashPoint::kCount)> crash_odds_{};
  uint64_t crash_point_countdown_ = 0;
  std::optional<DiskFault> fault_;
  bool log_error_given_ = false;
  bool error_given_ = false;
};

}  // namespace quorate::sim
