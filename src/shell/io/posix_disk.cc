#include "shell/io/posix_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string_view>
#include <utility>

#include "shell/io/direct_file.h"
#include "shell/io/posix_file.h"

namespace quorate::io {
namespace {

constexpr mode_t kDirectoryMode = 0777;  // Less the umask. Spec: disk 6.1 rule 22.

class PosixLock : public env::DirectoryLock {
 public:
  explicit PosixLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  Descriptor descriptor_;  ///< The kernel lets go of the lock with it.
};

int flags_of(env::Open mode) {
  switch (mode) {
    case env::Open::Read:
    case env::Open::ReadSlowly:
      return O_RDONLY;
    case env::Open::ReadWrite:
      return O_RDWR;
    case env::Open::Create:
      return O_RDWR | O_CREAT | O_TRUNC;
  }
  return O_RDONLY;
}

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<std::unique_ptr<env::File>> PosixDisk::open(const std::string& path, env::Open mode) {
  Descriptor descriptor = Descriptor::open(path, flags_of(mode));
  if (!descriptor.ok()) return disk_failure("open", path);
  // Or the kernel reads as far ahead as the disk is told to, 8 MiB in one go on some.
  if (mode == env::Open::ReadSlowly) (void)::posix_fadvise(descriptor.get(), 0, 0, POSIX_FADV_RANDOM);
  return std::make_unique<PosixFile>(std::move(descriptor), path);
}

Result<std::unique_ptr<env::File>> PosixDisk::open_direct(const std::string& path, env::Open mode) {
  Descriptor cached = Descriptor::open(path, flags_of(mode));
  if (!cached.ok()) return disk_failure("open", path);
  // Not every file system has it.
  Descriptor direct = Descriptor::open(path, O_RDWR | O_DIRECT);
  if (!direct.ok()) return std::make_unique<PosixFile>(std::move(cached), path);
  return std::make_unique<DirectFile>(std::move(cached), std::move(direct), path);
}

Result<void> PosixDisk::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) < 0) return disk_failure(fmt::format("rename {} to", from), to);
  return {};
}

Result<void> PosixDisk::remove(const std::string& path) {
  if (::unlink(path.c_str()) < 0) return disk_failure("remove", path);
  return {};
}

Result<void> PosixDisk::sync_directory(const std::string& path) {
  const Descriptor descriptor = Descriptor::open(path, O_RDONLY | O_DIRECTORY);
  if (!descriptor.ok()) return disk_failure("open", path);
  if (again([&] { return ::fsync(descriptor.get()); }) < 0) return disk_failure("fsync", path);
  return {};
}

Result<std::vector<env::Entry>> PosixDisk::list(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  if (!directory) return disk_failure("list", path);
  std::vector<env::Entry> entries;
  errno = 0;
  while (const dirent* each = ::readdir(directory.get())) {
    struct stat facts{};
    const bool gone = ::fstatat(::dirfd(directory.get()), each->d_name, &facts, 0) < 0;
    // A file that is there but cannot be looked at must not be taken for one that is not.
    if (gone && errno != ENOENT && errno != ELOOP) return disk_failure("stat", path + "/" + each->d_name);
    // A file may go while we look; what is no regular file is none of ours.
    if (!gone && S_ISREG(facts.st_mode)) {
      const int64_t modified_ms = facts.st_mtim.tv_sec * 1000 + facts.st_mtim.tv_nsec / 1'000'000;
      entries.push_back({each->d_name, static_cast<uint64_t>(facts.st_size), modified_ms});
    }
    errno = 0;
  }
  if (errno != 0) return disk_failure("list", path);
  std::ranges::sort(entries, {}, &env::Entry::name);
  return entries;
}

Result<void> PosixDisk::make_directories(const std::string& path) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) == 0) {
    if (S_ISDIR(facts.st_mode)) return {};
    return fail(Fault::Io, fmt::format("mkdir {}: {}", path, "there is a file of that name"));
  }
  const std::string parent = parent_of(path);
  if (parent != path) {
    if (auto made = make_directories(parent); !made) return made;
  }
  if (::mkdir(path.c_str(), kDirectoryMode) < 0 && errno != EEXIST) return disk_failure("mkdir", path);
  return sync_directory(parent);
}

Result<std::unique_ptr<env::DirectoryLock>> PosixDisk::lock(const std::string& path) {
  const std::string name = path + "/quorate.lock";
  Descriptor descriptor = Descriptor::open(name, O_RDWR | O_CREAT);
  if (!descriptor.ok()) return disk_failure("open", name);
  if (again([&] { return ::flock(descriptor.get(), LOCK_EX | LOCK_NB); }) < 0) {
    if (errno == EWOULDBLOCK) return fail(Fault::Exists, fmt::format("{} is in use by another process", path));
    return disk_failure("lock", name);
  }
  return std::make_unique<PosixLock>(std::move(descriptor));
}

}  // namespace quorate::io
