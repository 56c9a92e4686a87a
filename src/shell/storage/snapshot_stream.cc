#include "shell/storage/snapshot_stream.h"

#include <libdeflate.h>

#include <algorithm>
#include <cstring>

namespace quorate::storage {
namespace {

constexpr size_t kWindowBytes = 256 << 10;  // One read; others of a busy disk wait behind it.

}  // namespace

uint32_t SnapshotStream::adler() {
  adler_ = libdeflate_adler32(adler_, buffer_.data() + summed_, at_ - summed_);
  summed_ = at_;
  return adler_;
}

uint32_t SnapshotStream::adler_with(size_t bytes) { return libdeflate_adler32(adler(), buffer_.data() + at_, bytes); }

Result<bool> SnapshotStream::refill(size_t wanted) {
  if (at_ > 0) {
    adler();
    std::memmove(buffer_.data(), buffer_.data() + at_, filled_ - at_);
    base_ += at_;
    filled_ -= at_;
    at_ = summed_ = 0;
  }
  if (buffer_.size() < std::max(wanted, kWindowBytes)) buffer_.resize(std::max(wanted, kWindowBytes));
  while (filled_ < wanted) {
    auto got = source_->read({buffer_.data() + filled_, buffer_.size() - filled_});
    if (!got) return std::unexpected(got.error());
    if (*got == 0) return false;
    filled_ += *got;
  }
  return true;
}

}  // namespace quorate::storage
