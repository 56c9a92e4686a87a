#include "shell/io/posix_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace quorate::io {
namespace {

constexpr mode_t kFileMode = 0666;  // Less the umask. Spec: disk 6.1 rule 22.

}  // namespace

std::unexpected<Error> disk_failure(std::string_view call, const std::string& path) {
  const int code = errno;
  const Fault fault = code == ENOENT ? Fault::NotFound : code == ENOSPC || code == EDQUOT ? Fault::NoSpace : Fault::Io;
  char buffer[128];
  auto failure = fail(fault, fmt::format("{} {}: {}", call, path, strerror_r(code, buffer, sizeof buffer)));
  errno = code;
  return failure;
}

Descriptor Descriptor::open(const std::string& path, int flags) {
  return Descriptor(again([&] { return ::open(path.c_str(), flags | O_CLOEXEC, kFileMode); }));
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> PosixFile::write(uint64_t offset, std::string_view bytes) {
  return write_through(descriptor_, offset, bytes);
}

Result<void> PosixFile::write_through(const Descriptor& descriptor, uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t done =
        again([&] { return ::pwrite(descriptor.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
    if (done < 0) return disk_failure("write", path_);
    offset += static_cast<uint64_t>(done);
    bytes.remove_prefix(static_cast<size_t>(done));
  }
  return {};
}

Result<void> PosixFile::sync() {
  if (again([&] { return ::fdatasync(descriptor_.get()); }) < 0) return disk_failure("fdatasync", path_);
  return {};
}

Result<size_t> PosixFile::read(uint64_t offset, std::span<char> into) {
  size_t got = 0;
  while (got < into.size()) {
    const ssize_t done = again([&] {
      return ::pread(descriptor_.get(), into.data() + got, into.size() - got, static_cast<off_t>(offset + got));
    });
    if (done < 0) return disk_failure("read", path_);
    if (done == 0) break;
    got += static_cast<size_t>(done);
  }
  return got;
}

Result<uint64_t> PosixFile::size() {
  struct stat facts{};
  if (::fstat(descriptor_.get(), &facts) < 0) return disk_failure("fstat", path_);
  return static_cast<uint64_t>(facts.st_size);
}

Result<void> PosixFile::truncate(uint64_t size) {
  if (again([&] { return ::ftruncate(descriptor_.get(), static_cast<off_t>(size)); }) < 0) {
    return disk_failure("ftruncate", path_);
  }
  return {};
}

void PosixFile::write_back(uint64_t offset, uint64_t bytes) {
  // A hint: where it fails, the later sync does all the work.
  (void)::sync_file_range(descriptor_.get(), static_cast<off_t>(offset), static_cast<off_t>(bytes),
                          SYNC_FILE_RANGE_WRITE);
}

}  // namespace quorate::io
