#include <fmt/format.h>
#include <libdeflate.h>

#include <optional>
#include <utility>

#include "base/check.h"
#include "base/planted.h"
#include "shell/storage/directory.h"
#include "shell/storage/snapshot_file.h"
#include "wire/archive.h"

namespace quorate::storage {
namespace {

// One write: what the log writes and syncs meanwhile waits behind it.
constexpr size_t kPieceBytes = 64 << 10;
constexpr int32_t kDigestVersion = 2;

}  // namespace

struct SnapshotWriter::State {
  State(env::Disk& d, std::string dir, Zxid z, Compression c)
      : disk(d), directory(std::move(dir)), zxid(z), compression(c) {}

  env::Disk& disk;
  std::string directory;
  Zxid zxid;
  Compression compression;
  std::unique_ptr<ByteSink> sink;
  std::unique_ptr<env::File> file;
  std::optional<Error> failed;
  uint32_t adler = 1;
  uint64_t written = 0;
  bool temporary_there = false;

  std::string name() const { return hex_name("snapshot.", zxid).append(ending_of(compression)); }
  std::string temporary() const { return fmt::format("{}/tmp-{}", directory, name()); }

  Result<void> open();
  Result<void> add(std::string_view bytes);
  Result<void> flush(size_t at_least);
  Result<void> seal();
  Result<void> sections(uint64_t digest, bool with_digest, bool with_last_zxid);
  Result<void> sync();
  Result<void> publish();
  std::unexpected<Error> give_up(Error error);
};

Result<void> SnapshotWriter::State::open() {
  disk.reach(env::CrashPoint::SnapOpen);
  auto opened = disk.open_direct(temporary(), env::Open::Create);
  if (!opened) return std::unexpected(opened.error());
  temporary_there = true;
  file = std::move(*opened);
  sink = make_sink(compression);
  return {};
}

Result<void> SnapshotWriter::State::add(std::string_view bytes) {
  if (!file) {
    if (auto opened = open(); !opened) return opened;
  }
  adler = libdeflate_adler32(adler, bytes.data(), bytes.size());
  sink->write(bytes);
  return flush(kPieceBytes);
}

/// Hands the bytes to the disk while there are enough, and starts their way to the platter, so that the final sync
/// finds little left to do.
Result<void> SnapshotWriter::State::flush(size_t at_least) {
  std::string_view rest = sink->out();
  while (rest.size() >= at_least) {
    const std::string_view piece = rest.substr(0, kPieceBytes);
    disk.reach(env::CrashPoint::SnapBody);
    if (auto done = file->write(written, piece); !done) return done;
    file->write_back(written, piece.size());  // Where it went into the cache.
    written += piece.size();
    rest.remove_prefix(piece.size());
  }
  sink->out().erase(0, sink->out().size() - rest.size());
  return {};
}

Result<void> SnapshotWriter::State::seal() {
  char bytes[13];
  wire::store_be64(bytes, adler);
  wire::store_be32(bytes + 8, 1);
  bytes[12] = '/';
  return add({bytes, sizeof bytes});
}

Result<void> SnapshotWriter::State::sections(uint64_t digest, bool with_digest, bool with_last_zxid) {
  if (auto sealed = seal(); !sealed) return sealed;
  if (with_digest) {
    char bytes[20];
    wire::store_be64(bytes, static_cast<uint64_t>(zxid.value));
    wire::store_be32(bytes + 8, kDigestVersion);
    wire::store_be64(bytes + 12, zxid.value == 0 ? 0 : digest);
    if (auto added = add({bytes, sizeof bytes}); !added) return added;
    if (auto sealed = seal(); !sealed) return sealed;
  }
  if (!with_last_zxid) return {};
  char bytes[8];
  wire::store_be64(bytes, static_cast<uint64_t>(zxid.value));
  if (auto added = add({bytes, sizeof bytes}); !added) return added;
  return seal();
}

Result<void> SnapshotWriter::State::sync() {
  if (auto cut = file->truncate(written); !cut) return cut;
  disk.reach(env::CrashPoint::SnapSync);
  if (!planted(Planted::SnapshotNotSynced)) {
    if (auto synced = file->sync(); !synced) return synced;
  }
  file.reset();
  return {};
}

Result<void> SnapshotWriter::State::publish() {
  disk.reach(env::CrashPoint::SnapRename);
  if (auto renamed = disk.rename(temporary(), fmt::format("{}/{}", directory, name())); !renamed) return renamed;
  temporary_there = false;
  disk.reach(env::CrashPoint::SnapDirSync);
  return disk.sync_directory(directory);
}

std::unexpected<Error> SnapshotWriter::State::give_up(Error error) {
  file.reset();
  if (std::exchange(temporary_there, false)) (void)disk.remove(temporary());
  failed = error;
  return std::unexpected(std::move(error));
}

SnapshotWriter::SnapshotWriter(env::Disk& disk, std::string directory, Zxid zxid, Compression compression)
    : state_(std::make_unique<State>(disk, std::move(directory), zxid, compression)) {}

SnapshotWriter::~SnapshotWriter() {
  state_->file.reset();
  if (state_->temporary_there) (void)state_->disk.remove(state_->temporary());
}

std::string SnapshotWriter::file_name() const { return state_->name(); }

Result<void> SnapshotWriter::write(std::string_view bytes) {
  if (state_->failed) return std::unexpected(*state_->failed);
  if (auto added = state_->add(bytes); !added) return state_->give_up(added.error());
  return {};
}

Result<uint64_t> SnapshotWriter::seal(uint64_t tree_digest, bool with_digest, bool with_last_zxid) {
  State& state = *state_;
  if (state.failed) return std::unexpected(*state.failed);
  state.disk.reach(env::CrashPoint::SnapSeal);
  if (auto done = state.sections(tree_digest, with_digest, with_last_zxid); !done) return state.give_up(done.error());
  state.sink->finish();
  if (auto done = state.flush(1); !done) return state.give_up(done.error());
  if (auto done = state.sync(); !done) return state.give_up(done.error());
  return state.written;
}

Result<uint64_t> SnapshotWriter::finish(uint64_t tree_digest, bool with_digest, bool with_last_zxid) {
  auto bytes = seal(tree_digest, with_digest, with_last_zxid);
  if (!bytes) return bytes;
  if (auto done = state_->publish(); !done) return state_->give_up(done.error());
  return bytes;
}

void SnapshotWriter::leave() { state_->temporary_there = false; }

}  // namespace quorate::storage
