#include "sim/sim_disk.h"

#include <algorithm>
#include <utility>

namespace quorate::sim {
namespace {

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }
std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }
constexpr uint64_t kPageBytes = 4096;

/// With zeros behind, up to the end of the page.
std::string to_page_end(uint64_t offset, std::string_view bytes) {
  std::string padded(bytes);
  padded.resize((offset + bytes.size() + kPageBytes - 1) / kPageBytes * kPageBytes - offset);
  return padded;
}

bool is_log(const std::string& path) { return path.find("log.") != path.npos; }

}  // namespace

class SimDisk::OpenFile final : public env::File {
 public:
  OpenFile(SimDisk& disk, std::string path, SimFilePtr node, bool filler, bool whole_pages)
      : disk_(disk),
        path_(std::move(path)),
        node_(std::move(node)),
        filler_(filler),
        whole_pages_(whole_pages),
        incarnation_(disk.incarnation_),
        seen_errors_(node_->sync_errors) {}

  Result<void> write(uint64_t offset, std::string_view bytes) override {
    if (auto dead = refuse()) return std::unexpected(*dead);
    return whole_pages_ ? put(offset, to_page_end(offset, bytes), bytes) : put(offset, bytes, bytes);
  }

  Result<void> sync() override {
    if (auto dead = refuse()) return std::unexpected(*dead);
    const Turn turn = disk_.begin(Call::Sync, path_, filler_);
    disk_.trace_.say("disk: sync {}{}", path_, turn.error ? " FAILS" : "");
    if (turn.error) {
      if (!disk_.crashed_) {
        node_->content.fail_sync(disk_.rng_);
        seen_errors_ = ++node_->sync_errors;
      }
      return std::unexpected(*turn.error);
    }
    if (std::exchange(seen_errors_, node_->sync_errors) != node_->sync_errors) {
      return fail(Fault::Io, "an earlier sync of " + path_ + " failed");
    }
    node_->content.sync();
    return disk_.end(turn);
  }

  Result<size_t> read(uint64_t offset, std::span<char> into) override {
    if (auto dead = refuse()) return std::unexpected(*dead);
    if (Turn turn = disk_.begin(Call::Read, path_); turn.error) return std::unexpected(*turn.error);
    return node_->content.read(offset, into);
  }

  Result<uint64_t> size() override {
    if (auto dead = refuse()) return std::unexpected(*dead);
    return node_->content.bytes().size();
  }

  Result<void> truncate(uint64_t size) override {
    if (auto dead = refuse()) return std::unexpected(*dead);
    const Turn turn = disk_.begin(Call::Write, path_, filler_);
    disk_.trace_.say("disk: truncate {} to {}{}", path_, size, turn.error ? " FAILS" : "");
    if (turn.error) return std::unexpected(*turn.error);
    node_->content.truncate(size);
    return disk_.end(turn);
  }

  void write_back(uint64_t, uint64_t) override {}

 private:
  /// Writes `bytes`, of which the process has asked for the beginning.
  Result<void> put(uint64_t offset, std::string_view bytes, std::string_view asked) {
    if (!filler_ && is_log(path_) && disk_.on_log_bytes) disk_.on_log_bytes(asked);
    const Turn turn = disk_.begin(Call::Write, path_, filler_);
    disk_.trace_.note(offset ^ bytes.size());
    disk_.trace_.say("disk: write {} {}+{}{}", path_, offset, bytes.size(), turn.error ? " FAILS" : "");
    if (turn.error) {
      // Part of it may have got there.
      if (!disk_.crashed_) node_->content.write(offset, bytes.substr(0, disk_.rng_.below(bytes.size() + 1)));
      return std::unexpected(*turn.error);
    }
    const size_t fits = fitting(offset, bytes.size());
    node_->content.write(offset, bytes.substr(0, fits));
    node_->modified_ms = disk_.clock_.now().wall_ms;
    auto ended = disk_.end(turn);
    return ended && fits < bytes.size() ? std::unexpected(disk_.give_full(path_, filler_)) : ended;
  }

  std::optional<Error> refuse() const {
    if (!disk_.crashed_ && incarnation_ == disk_.incarnation_) return std::nullopt;
    return Error{Fault::Io, "crashed"};
  }
  /// How many of so many bytes the disk has room for.
  size_t fitting(uint64_t offset, size_t count) const {
    if (!disk_.is_limited()) return count;
    const uint64_t size = node_->content.bytes().size();
    const uint64_t end = size + disk_.room();
    return offset + count <= std::max(size, end) ? count : end - std::min(end, offset);
  }

  SimDisk& disk_;
  std::string path_;
  SimFilePtr node_;
  bool filler_;
  bool whole_pages_;
  uint64_t incarnation_;
  uint32_t seen_errors_;
};

void SimDisk::calm() {
  crash_odds_.fill(0);
  crash_call_ = 0;
  crash_point_.reset();
  fault_.reset();
}

SimDisk::Turn SimDisk::begin(Call call, const std::string& path, bool filler) {
  trace_.note(static_cast<uint64_t>(call));
  if (crashed_) return {Error{Fault::Io, "crashed"}};
  // Reading leaves nothing behind that a crash could cut short.
  if (call != Call::Read && crash_call_ > 0 && --crash_call_ == 0) {
    trace_.say("disk: CRASH at a call on {}", path);
    if (rng_.percent(50)) return {std::nullopt, true};
    crashed_ = true;
    return {Error{Fault::Io, "crashed"}};
  }
  if (fault_ && fits(*fault_, call, path, filler) && --fault_->countdown == 0) {
    return {give(*std::exchange(fault_, std::nullopt), path)};
  }
  return {};
}

bool SimDisk::fits(const DiskFault& fault, Call call, const std::string& path, bool filler) const {
  const bool right_call = fault.what == DiskFault::What::ReadError   ? call == Call::Read
                          : fault.what == DiskFault::What::SyncError ? call == Call::Sync
                                                                     : call == Call::Write || call == Call::Other;
  if (!right_call || fault.countdown == 0) return false;
  switch (fault.where) {
    case DiskFault::Where::Log:
      return is_log(path) && !filler;
    case DiskFault::Where::Filler:
      return filler;
    case DiskFault::Where::Snapshot:
      return path.find("snapshot.") != path.npos;
  }
  return false;
}

Error SimDisk::give(const DiskFault& fault, const std::string& path) {
  error_given_ = true;
  // What the kernel met while it synced for the filler, the log hears of at its own next sync.
  const bool sync_of_filler = fault.where == DiskFault::Where::Filler && fault.what == DiskFault::What::SyncError;
  if (fault.where == DiskFault::Where::Log || sync_of_filler) log_error_given_ = true;
  trace_.say("disk: error given to {}", path);
  return {Fault::Io, "input/output error on " + path};
}

Error SimDisk::give_full(const std::string& path, bool filler) {
  trace_.say("disk: FULL, no space for {}", path);
  trace_.hit(Rare::DiskFull);
  error_given_ = true;
  if (is_log(path) && !filler) log_error_given_ = true;
  return {Fault::NoSpace, "no space left for " + path};
}

/// Files that have no name any more count no more, open or not.
uint64_t SimDisk::used() const {
  uint64_t bytes = 0;
  for (const auto& [path, names] : directories_) {
    for (const auto& [name, node] : names.now()) bytes += node->content.bytes().size();
  }
  return bytes;
}

Result<void> SimDisk::end(const Turn& turn) {
  if (!turn.crash_behind) return {};
  crashed_ = true;
  return fail(Fault::Io, "crashed");
}

void SimDisk::reach(env::CrashPoint point) {
  if (crashed_) return;
  const auto number = static_cast<size_t>(point);
  ++reached[number];
  trace_.note(number);
  const bool one_of_many = crash_odds_[number] > 0 && rng_.below(8) < crash_odds_[number];
  if (!one_of_many && (crash_point_ != point || --crash_point_countdown_ > 0)) return;
  ++crashed_there[number];
  crash_point_.reset();
  crashed_ = true;
  trace_.say("disk: CRASH at point {}", number);
}

void SimDisk::power_cut() {
  trace_.say("power cut");
  for (auto& [path, names] : directories_) {
    names.power_cut(rng_);
    for (const auto& [name, node] : names.now()) {
      node->content.power_cut(rng_);
      trace_.say("  left: {}/{} {} bytes", path, name, node->content.bytes().size());
    }
  }
}

void SimDisk::process_end() {
  for (auto& [path, names] : directories_) {
    for (const auto& [name, node] : names.now()) node->content.process_end();
  }
}

void SimDisk::power_on() {
  ++incarnation_;
  crashed_ = false;
  log_error_given_ = false;
  error_given_ = false;
  calm();
}

SimNames* SimDisk::directory_of(const std::string& path) {
  const auto at = directories_.find(parent_of(path));
  return at == directories_.end() ? nullptr : &at->second;
}

SimFilePtr SimDisk::find(const std::string& path) const {
  const auto at = directories_.find(parent_of(path));
  return at == directories_.end() ? nullptr : at->second.find(name_of(path));
}

Result<std::unique_ptr<env::File>> SimDisk::open(const std::string& path, env::Open mode) {
  return open_file(path, mode, false);
}

Result<std::unique_ptr<env::File>> SimDisk::open_direct(const std::string& path, env::Open mode) {
  return open_file(path, mode, whole_pages_);
}

Result<std::unique_ptr<env::File>> SimDisk::open_file(const std::string& path, env::Open mode, bool whole_pages) {
  const Turn turn = begin(mode == env::Open::Create ? Call::Other : Call::Read, path);
  if (turn.error) return std::unexpected(*turn.error);
  SimNames* names = directory_of(path);
  if (names == nullptr) return fail(Fault::NotFound, path);
  SimFilePtr node = names->find(name_of(path));
  if (mode == env::Open::Create) {
    if (node == nullptr && room() == 0) return std::unexpected(give_full(path, false));
    if (node == nullptr) {
      node = names->create(name_of(path));
    } else {
      node->content.truncate(0);
    }
    if (auto ended = end(turn); !ended) return std::unexpected(ended.error());
  }
  if (node == nullptr) return fail(Fault::NotFound, path);
  return std::make_unique<OpenFile>(*this, path, std::move(node), mode == env::Open::ReadWrite && is_log(path),
                                    whole_pages);
}

Result<void> SimDisk::rename(const std::string& from, const std::string& to) {
  const Turn turn = begin(Call::Other, to);
  trace_.say("disk: rename {} to {}{}", from, name_of(to), turn.error ? " FAILS" : "");
  if (turn.error) return std::unexpected(*turn.error);
  SimNames* names = directory_of(from);
  if (names == nullptr || names->find(name_of(from)) == nullptr) return fail(Fault::NotFound, from);
  SimNames* others = directory_of(to);
  if (others == nullptr) return fail(Fault::NotFound, to);
  if (others == names) {
    names->rename(name_of(from), name_of(to));
  } else {
    others->take_in(name_of(to), names->give_away(name_of(from)));
  }
  return end(turn);
}

Result<void> SimDisk::remove(const std::string& path) {
  const Turn turn = begin(Call::Other, path);
  trace_.say("disk: remove {}{}", path, turn.error ? " FAILS" : "");
  if (turn.error) return std::unexpected(*turn.error);
  SimNames* names = directory_of(path);
  if (names == nullptr || names->find(name_of(path)) == nullptr) return fail(Fault::NotFound, path);
  names->remove(name_of(path));
  return end(turn);
}

Result<void> SimDisk::sync_directory(const std::string& path) {
  const Turn turn = begin(Call::Other, path);
  trace_.say("disk: sync directory {}{}", path, turn.error ? " FAILS" : "");
  if (turn.error) return std::unexpected(*turn.error);
  const auto at = directories_.find(path);
  if (at == directories_.end()) return fail(Fault::NotFound, path);
  at->second.sync();
  return end(turn);
}

Result<std::vector<env::Entry>> SimDisk::list(const std::string& path) {
  if (const Turn turn = begin(Call::Read, path); turn.error) return std::unexpected(*turn.error);
  const auto at = directories_.find(path);
  if (at == directories_.end()) return fail(Fault::NotFound, path);
  std::vector<env::Entry> entries;
  for (const auto& [name, node] : at->second.now()) {
    entries.push_back({name, node->content.bytes().size(), node->modified_ms});
  }
  return entries;
}

Result<void> SimDisk::make_directories(const std::string& path) {
  const Turn turn = begin(Call::Other, path);
  if (turn.error) return std::unexpected(*turn.error);
  for (size_t at = path.find('/', 1); at != path.npos; at = path.find('/', at + 1)) directories_[path.substr(0, at)];
  directories_[path];
  return end(turn);
}

Result<std::unique_ptr<env::DirectoryLock>> SimDisk::lock(const std::string&) {
  return std::make_unique<env::DirectoryLock>();
}

}  // namespace quorate::sim
