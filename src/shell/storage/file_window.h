#pragma once
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "shell/env/disk.h"

/// A file read through a window of 1 MiB, mostly front to back: the reader asks for a run of bytes and gets it
/// contiguous. One thread.
namespace quorate::storage {

class FileWindow {
 public:
  static Result<FileWindow> open(env::Disk& disk, const std::string& path);

  uint64_t file_bytes() const { return file_bytes_; }
  /// At least `wanted` bytes from `offset` on; fewer only where the file ends. Valid until the next call.
  Result<std::string_view> view(uint64_t offset, size_t wanted) {
    const uint64_t end = begin_ + size_;
    if (offset >= begin_ && offset + wanted <= end) {
      return std::string_view(buffer_.data() + (offset - begin_), end - offset);
    }
    return refill(offset, wanted);
  }
  /// One behind the last byte that is not zero, looking back no further than `from`; `from` when all is zero.
  Result<uint64_t> end_of_data(uint64_t from);

 private:
  FileWindow(std::unique_ptr<env::File> file, uint64_t bytes) : file_(std::move(file)), file_bytes_(bytes) {}
  Result<std::string_view> refill(uint64_t offset, size_t wanted);

  std::unique_ptr<env::File> file_;
  uint64_t file_bytes_;
  std::vector<char> buffer_;
  uint64_t begin_ = 0;  ///< File offset of the buffer's first byte.
  uint64_t size_ = 0;   ///< Bytes in the buffer.
};

/// Whether every byte is zero.
bool all_zero(std::string_view bytes);

}  // namespace quorate::storage
