#include "shell/storage/txn_log.h"

#include <fmt/format.h>
#include <libdeflate.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/planted.h"
#include "shell/storage/directory.h"
#include "wire/archive.h"
#include "wire/log_record.h"

namespace quorate::storage {
namespace {

constexpr uint64_t kFirstFillBytes = 64 << 10;  // Rides along with the sync that creates a file.
constexpr uint64_t kFillAlignment = 4096;       // Never touches a page that holds data.

uint64_t round_up(uint64_t offset) { return (offset + kFillAlignment - 1) / kFillAlignment * kFillAlignment; }

void fill_checksums(ByteBuffer& batch) {
  size_t offset = 0;
  while (offset < batch.size()) {
    const size_t at = offset;
    const std::string_view payload = wire::next_payload(batch.view(), offset);
    wire::store_be64(batch.data() + at, libdeflate_adler32(1, payload.data(), payload.size()));
  }
}

std::string header_and(std::string_view batch) {
  std::string bytes(wire::kLogHeaderBytes, '\0');
  wire::store_be32(bytes.data(), wire::kLogMagic);
  wire::store_be32(bytes.data() + 4, kFormatVersion);
  bytes.append(batch);
  return bytes;
}

}  // namespace

// Two threads meet here. The log thread owns everything but `fill`. The filler writes zeros at and behind zero_end
// only, and moves zero_end only under fill.mutex. So an append that ends below zero_end needs no lock; one that goes
// further takes the mutex and thereby waits for zeros on their way.
struct TxnLog::State {
  State(env::Disk& d, LogSettings s) : disk(d), settings(std::move(s)) {}

  env::Disk& disk;
  LogSettings settings;
  std::unique_ptr<env::File> file;
  bool dirty = false;                                ///< The file has bytes that no sync has covered.
  std::vector<std::unique_ptr<env::File>> unsynced;  ///< Rolled away with such bytes.
  uint64_t rolled_bytes = 0;                         ///< In files closed by the size limit since roll().
  std::optional<Error> failed;
  uint64_t files_created = 0;
  std::atomic<uint64_t> data_end{0};  ///< Everything below is header and records.
  std::atomic<uint64_t> zero_end{0};  ///< The filler may write from here on.

  struct {
    std::mutex mutex;
    std::string path;  ///< Of the current file; empty when none is open.
    std::string opened_path;
    std::unique_ptr<env::File> handle;  ///< Its own: a sync error seen by the filler is still reported to the log.
    bool stopped = false;               ///< Disk full; tried again with the next file.
    std::atomic<bool> sync_failed = false;
  } fill;

  /// The first failure, for ever. A sync that failed for the filler may have dropped pages of the log too.
  bool is_broken() {
    if (!failed && fill.sync_failed) failed = Error{Fault::Io, fmt::format("fdatasync in {}", settings.directory)};
    return failed.has_value();
  }
  Result<void> remember(Result<void> result) {
    if (!result) failed = result.error();
    return result;
  }
  std::string path(std::string_view name) const { return fmt::format("{}/{}", settings.directory, name); }
  /// Who never syncs does not want to wait for the disk at all.
  Result<std::unique_ptr<env::File>> open(const std::string& which, env::Open mode) {
    return settings.force_sync ? disk.open_direct(which, mode) : disk.open(which, mode);
  }

  Result<void> create(std::string_view batch, Zxid first);
  Result<void> write_first(env::File& fresh, std::string_view batch, uint64_t& zeroed);
  Result<void> publish(const std::string& temporary, const std::string& name);
  Result<void> extend(std::string_view batch);
  Result<void> sync_file(env::File& which);
  Result<void> sync_rolled();
  void leave_file();
  bool zero_ahead();
};

Result<void> TxnLog::State::write_first(env::File& fresh, std::string_view batch, uint64_t& zeroed) {
  disk.reach(env::CrashPoint::LogCreateHeader);
  const std::string bytes = header_and(batch);
  if (auto done = fresh.write(0, bytes); !done) return done;
  zeroed = bytes.size();
  const uint64_t first_fill = std::min(settings.preallocate_bytes, kFirstFillBytes);
  if (first_fill > 0) {
    disk.reach(env::CrashPoint::LogPad);
    auto padded = fresh.write(bytes.size(), std::string(first_fill, '\0'));
    if (padded) zeroed += first_fill;
    if (!padded && padded.error().fault != Fault::NoSpace) return padded;
  }
  disk.reach(env::CrashPoint::LogCreateSync);
  return settings.force_sync ? fresh.sync() : Result<void>();
}

Result<void> TxnLog::State::publish(const std::string& temporary, const std::string& name) {
  disk.reach(env::CrashPoint::LogCreateRename);
  if (auto renamed = disk.rename(temporary, name); !renamed) return renamed;
  disk.reach(env::CrashPoint::LogCreateDirSync);
  if (planted(Planted::NoDirectorySync) || !settings.force_sync) return {};
  return disk.sync_directory(settings.directory);
}

Result<void> TxnLog::State::create(std::string_view batch, Zxid first) {
  // A new file must not outlive a crash that its predecessor's tail does not: that would be a gap.
  if (auto synced = sync_rolled(); !synced) return synced;
  disk.reach(env::CrashPoint::LogCreateTmp);
  const std::string temporary = path(hex_name("tmp-log.", first));
  const std::string name = path(hex_name("log.", first));
  auto opened = open(temporary, env::Open::Create);
  if (!opened) return std::unexpected(opened.error());
  uint64_t zeroed = 0;
  if (auto written = write_first(**opened, batch, zeroed); !written) return written;
  if (auto published = publish(temporary, name); !published) return published;
  file = std::move(*opened);
  ++files_created;
  const std::lock_guard lock(fill.mutex);
  data_end = wire::kLogHeaderBytes + batch.size();
  zero_end = zeroed;
  fill.path = name;
  fill.stopped = false;
  return {};
}

Result<void> TxnLog::State::extend(std::string_view batch) {
  disk.reach(env::CrashPoint::LogAppend);
  const uint64_t from = data_end;
  const uint64_t end = from + batch.size();
  std::unique_lock lock(fill.mutex, std::defer_lock);
  if (end > zero_end) lock.lock();
  dirty = true;
  if (auto written = file->write(from, batch); !written) return written;
  if (lock.owns_lock() && end > zero_end) zero_end = end;
  data_end = end;
  return {};
}

Result<void> TxnLog::State::sync_file(env::File& which) {
  disk.reach(env::CrashPoint::LogSyncBefore);
  const bool skipped = planted(Planted::LostLogSync) || !settings.force_sync;
  if (!skipped) {
    if (auto synced = which.sync(); !synced) return synced;
  }
  disk.reach(env::CrashPoint::LogSyncAfter);
  return {};
}

Result<void> TxnLog::State::sync_rolled() {
  while (!unsynced.empty()) {
    if (auto synced = sync_file(*unsynced.front()); !synced) return synced;
    unsynced.erase(unsynced.begin());
  }
  return {};
}

void TxnLog::State::leave_file() {
  disk.reach(env::CrashPoint::LogRoll);
  if (dirty) unsynced.push_back(std::move(file));
  file.reset();
  dirty = false;
  const std::lock_guard lock(fill.mutex);
  fill.path.clear();
  data_end = 0;
  zero_end = 0;
}

/// Zeros from the filled end up to the full distance, once less than half of it is left. They go out as one write: each
/// is a change of the file's map, which syncs of the log that fall between two of them have to carry.
bool TxnLog::State::zero_ahead() {
  const std::lock_guard lock(fill.mutex);
  if (fill.path.empty() || fill.stopped) return false;
  const uint64_t data = data_end;
  if (zero_end > data + settings.preallocate_bytes / 2) return false;
  if (fill.opened_path != fill.path) {
    auto opened = open(fill.path, env::Open::ReadWrite);
    fill.handle = opened ? std::move(*opened) : nullptr;
    fill.opened_path = fill.path;
  }
  const uint64_t from = round_up(zero_end);
  const uint64_t to = data + settings.preallocate_bytes;
  if (fill.handle == nullptr || from >= to) return false;
  QUORATE_CHECK(from >= data_end);
  disk.reach(env::CrashPoint::LogPad);
  // What failed may have got part of its way, so the whole range is closed to later zeros either way.
  fill.stopped = !fill.handle->write_zeros(from, to - from);
  zero_end = to;
  return true;
}

TxnLog::TxnLog(env::Disk& disk, LogSettings settings) : state_(std::make_unique<State>(disk, std::move(settings))) {}
TxnLog::~TxnLog() = default;

Result<void> TxnLog::append(ByteBuffer& batch, Zxid first) {
  State& state = *state_;
  if (state.is_broken()) return std::unexpected(*state.failed);
  if (batch.empty()) return {};
  fill_checksums(batch);
  const uint64_t limit = state.settings.size_limit_bytes;
  if (state.file && limit > 0 && state.data_end > limit) {
    state.rolled_bytes += state.data_end;
    state.leave_file();
  }
  return state.remember(state.file ? state.extend(batch.view()) : state.create(batch.view(), first));
}

Result<void> TxnLog::sync() {
  State& state = *state_;
  if (state.is_broken()) return std::unexpected(*state.failed);
  if (auto rolled = state.remember(state.sync_rolled()); !rolled) return rolled;
  if (!state.dirty) return {};
  if (auto synced = state.remember(state.sync_file(*state.file)); !synced) return synced;
  state.dirty = false;
  return {};
}

void TxnLog::roll() {
  if (state_->file) state_->leave_file();
  state_->rolled_bytes = 0;
}

bool TxnLog::fill_ahead() {
  State& state = *state_;
  if (state.settings.preallocate_bytes == 0 || !state.zero_ahead()) return false;
  // Synced here, so that the log's own syncs find the blocks allocated and nothing of ours to write.
  if (state.settings.force_sync) {
    auto synced = state.fill.handle->sync();
    if (!synced && synced.error().fault != Fault::NoSpace) state.fill.sync_failed = true;
  }
  return true;
}

uint64_t TxnLog::file_bytes() const { return state_->data_end; }
uint64_t TxnLog::bytes_since_roll() const { return state_->rolled_bytes + state_->data_end; }
bool TxnLog::file_open() const { return state_->file != nullptr; }
uint64_t TxnLog::files_created() const { return state_->files_created; }

}  // namespace quorate::storage
