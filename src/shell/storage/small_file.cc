#include "shell/storage/small_file.h"

#include <fmt/format.h>

namespace quorate::storage {
namespace {

Result<void> write_whole(env::Disk& disk, const std::string& path, std::string_view bytes,
                         const ReplacePoints& points) {
  auto file = disk.open(path, env::Open::Create);
  if (!file) return std::unexpected(file.error());
  disk.reach(points.write);
  if (auto written = (*file)->write(0, bytes); !written) return written;
  disk.reach(points.sync);
  return (*file)->sync();
}

}  // namespace

std::string directory_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

Result<std::string> read_small_file(env::Disk& disk, const std::string& path, size_t limit) {
  auto file = disk.open(path, env::Open::Read);
  if (!file) return std::unexpected(file.error());
  std::string bytes(limit + 1, '\0');
  auto got = (*file)->read(0, bytes);
  if (!got) return std::unexpected(got.error());
  if (*got > limit) return fail(Fault::Corrupt, fmt::format("{} is longer than {} bytes", path, limit));
  bytes.resize(*got);
  return bytes;
}

Result<void> replace_file(env::Disk& disk, const std::string& path, std::string_view bytes,
                          const ReplacePoints& points) {
  const std::string temporary = path + ".tmp";
  auto done = write_whole(disk, temporary, bytes, points);
  if (done) {
    disk.reach(points.rename);
    done = disk.rename(temporary, path);
  }
  if (!done) {
    (void)disk.remove(temporary);
    return done;
  }
  disk.reach(points.directory_sync);
  return disk.sync_directory(directory_of(path));
}

Result<void> sync_existing(env::Disk& disk, const std::string& path) {
  auto file = disk.open(path, env::Open::ReadWrite);
  if (!file) return std::unexpected(file.error());
  return (*file)->sync();
}

}  // namespace quorate::storage
