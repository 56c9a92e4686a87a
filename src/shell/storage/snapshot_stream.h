#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "shell/storage/byte_source.h"

/// A snapshot's uncompressed bytes as a moving window, with the running Adler-32 of all that was consumed. One thread.
namespace quorate::storage {

class SnapshotStream {
 public:
  explicit SnapshotStream(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}

  /// Makes `wanted` bytes available; false when the stream ends before. Errors: Io, Corrupt.
  Result<bool> need(size_t wanted) {
    if (filled_ - at_ >= wanted) return true;
    return refill(wanted);
  }
  /// What is available, at least what the last need() asked for when it said true.
  std::string_view rest() const { return {buffer_.data() + at_, filled_ - at_}; }
  void consume(size_t bytes) { at_ += bytes; }
  uint64_t position() const { return base_ + at_; }

  /// Of everything consumed so far.
  uint32_t adler();
  /// The same with the next `bytes` of rest().
  uint32_t adler_with(size_t bytes);

 private:
  Result<bool> refill(size_t wanted);

  std::unique_ptr<ByteSource> source_;
  std::vector<char> buffer_;
  size_t at_ = 0;
  size_t filled_ = 0;
  size_t summed_ = 0;  ///< Up to here in the buffer the sum is taken.
  uint64_t base_ = 0;  ///< Stream position of the buffer's start.
  uint32_t adler_ = 1;
};

}  // namespace quorate::storage
