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

namespace quorate::io {
namespace {

constexpr mode_t kFileMode = 0666;  // Less the umask. Spec: disk 6.1 rule 22.
constexpr mode_t kDirectoryMode = 0777;

std::unexpected<Error> failed(std::string_view call, const std::string& path) {
  const int code = errno;
  const Fault fault = code == ENOENT ? Fault::NotFound : code == ENOSPC || code == EDQUOT ? Fault::NoSpace : Fault::Io;
  char buffer[128];
  return fail(fault, fmt::format("{} {}: {}", call, path, strerror_r(code, buffer, sizeof buffer)));
}

/// Repeats a call that a signal interrupted.
template <class Call>
auto again(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

Descriptor open_descriptor(const std::string& path, int flags) {
  return Descriptor(again([&] { return ::open(path.c_str(), flags | O_CLOEXEC, kFileMode); }));
}

class PosixFile : public env::File {
 public:
  PosixFile(Descriptor descriptor, std::string path) : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Result<void> write(uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t done =
          again([&] { return ::pwrite(descriptor_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
      if (done < 0) return failed("write", path_);
      offset += static_cast<uint64_t>(done);
      bytes.remove_prefix(static_cast<size_t>(done));
    }
    return {};
  }
  Result<void> sync() override {
    if (again([&] { return ::fdatasync(descriptor_.get()); }) < 0) return failed("fdatasync", path_);
    return {};
  }
  Result<size_t> read(uint64_t offset, std::span<char> into) override {
    size_t got = 0;
    while (got < into.size()) {
      const ssize_t done = again([&] {
        return ::pread(descriptor_.get(), into.data() + got, into.size() - got, static_cast<off_t>(offset + got));
      });
      if (done < 0) return failed("read", path_);
      if (done == 0) break;
      got += static_cast<size_t>(done);
    }
    return got;
  }
  Result<uint64_t> size() override {
    struct stat facts{};
    if (::fstat(descriptor_.get(), &facts) < 0) return failed("fstat", path_);
    return static_cast<uint64_t>(facts.st_size);
  }
  Result<void> truncate(uint64_t size) override {
    if (again([&] { return ::ftruncate(descriptor_.get(), static_cast<off_t>(size)); }) < 0) {
      return failed("ftruncate", path_);
    }
    return {};
  }
  void write_back(uint64_t offset, uint64_t bytes) override {
    // A hint: where it fails, the later sync does all the work.
    (void)::sync_file_range(descriptor_.get(), static_cast<off_t>(offset), static_cast<off_t>(bytes),
                            SYNC_FILE_RANGE_WRITE);
  }

 private:
  Descriptor descriptor_;
  std::string path_;
};

class PosixLock : public env::DirectoryLock {
 public:
  explicit PosixLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  Descriptor descriptor_;  ///< The kernel lets go of the lock with it.
};

int flags_of(env::Open mode) {
  switch (mode) {
    case env::Open::Read:
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
  Descriptor descriptor = open_descriptor(path, flags_of(mode));
  if (!descriptor.ok()) return failed("open", path);
  return std::make_unique<PosixFile>(std::move(descriptor), path);
}

Result<void> PosixDisk::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) < 0) return failed(fmt::format("rename {} to", from), to);
  return {};
}

Result<void> PosixDisk::remove(const std::string& path) {
  if (::unlink(path.c_str()) < 0) return failed("remove", path);
  return {};
}

Result<void> PosixDisk::sync_directory(const std::string& path) {
  const Descriptor descriptor = open_descriptor(path, O_RDONLY | O_DIRECTORY);
  if (!descriptor.ok()) return failed("open", path);
  if (again([&] { return ::fsync(descriptor.get()); }) < 0) return failed("fsync", path);
  return {};
}

Result<std::vector<env::Entry>> PosixDisk::list(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  if (!directory) return failed("list", path);
  std::vector<env::Entry> entries;
  errno = 0;
  while (const dirent* each = ::readdir(directory.get())) {
    struct stat facts{};
    const bool gone = ::fstatat(::dirfd(directory.get()), each->d_name, &facts, 0) < 0;
    // A file that is there but cannot be looked at must not be taken for one that is not.
    if (gone && errno != ENOENT && errno != ELOOP) return failed("stat", path + "/" + each->d_name);
    // A file may go while we look; what is no regular file is none of ours.
    if (!gone && S_ISREG(facts.st_mode)) {
      const int64_t modified_ms = facts.st_mtim.tv_sec * 1000 + facts.st_mtim.tv_nsec / 1'000'000;
      entries.push_back({each->d_name, static_cast<uint64_t>(facts.st_size), modified_ms});
    }
    errno = 0;
  }
  if (errno != 0) return failed("list", path);
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
  if (::mkdir(path.c_str(), kDirectoryMode) < 0 && errno != EEXIST) return failed("mkdir", path);
  return sync_directory(parent);
}

Result<std::unique_ptr<env::DirectoryLock>> PosixDisk::lock(const std::string& path) {
  const std::string name = path + "/quorate.lock";
  Descriptor descriptor = open_descriptor(name, O_RDWR | O_CREAT);
  if (!descriptor.ok()) return failed("open", name);
  if (again([&] { return ::flock(descriptor.get(), LOCK_EX | LOCK_NB); }) < 0) {
    if (errno == EWOULDBLOCK) return fail(Fault::Exists, fmt::format("{} is in use by another process", path));
    return failed("lock", name);
  }
  return std::make_unique<PosixLock>(std::move(descriptor));
}

}  // namespace quorate::io
