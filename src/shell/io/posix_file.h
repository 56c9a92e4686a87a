#pragma once
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "shell/env/disk.h"

/// A file of the posix disk, through the kernel's cache. For this room's own files.
namespace quorate::io {

/// Repeats a call that a signal interrupted.
template <class Call>
auto again(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// What `errno` says about `call` on `path`; it stays as it is.
std::unexpected<Error> disk_failure(std::string_view call, const std::string& path);

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  /// O_CLOEXEC is added to `flags`. Not ok(): errno says why.
  static Descriptor open(const std::string& path, int flags);
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

class PosixFile : public env::File {
 public:
  PosixFile(Descriptor descriptor, std::string path) : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Result<void> write(uint64_t offset, std::string_view bytes) override;
  Result<void> sync() override;
  Result<size_t> read(uint64_t offset, std::span<char> into) override;
  Result<uint64_t> size() override;
  Result<void> truncate(uint64_t size) override;
  void write_back(uint64_t offset, uint64_t bytes) override;

 protected:
  const std::string& path() const { return path_; }
  /// All of `bytes`, through any descriptor of the file.
  Result<void> write_through(const Descriptor& descriptor, uint64_t offset, std::string_view bytes);

 private:
  Descriptor descriptor_;
  std::string path_;
};

}  // namespace quorate::io
