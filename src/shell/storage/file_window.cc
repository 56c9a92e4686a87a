#include "shell/storage/file_window.h"

#include <algorithm>
#include <cstring>

namespace quorate::storage {
namespace {

constexpr size_t kWindowBytes = 1 << 20;

}  // namespace

bool all_zero(std::string_view bytes) {
  // Equal to itself one byte further on, and the first is zero.
  return bytes.empty() || (bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

Result<FileWindow> FileWindow::open(env::Disk& disk, const std::string& path) {
  auto file = disk.open(path, env::Open::Read);
  if (!file) return std::unexpected(file.error());
  auto bytes = (*file)->size();
  if (!bytes) return std::unexpected(bytes.error());
  return FileWindow(std::move(*file), *bytes);
}

Result<std::string_view> FileWindow::refill(uint64_t offset, size_t wanted) {
  if (offset >= file_bytes_) return std::string_view();
  const uint64_t left = file_bytes_ - offset;
  const size_t count = static_cast<size_t>(std::min<uint64_t>(left, std::max(wanted, kWindowBytes)));
  if (buffer_.size() < count) buffer_.resize(count);
  uint64_t kept = 0;
  if (offset >= begin_ && offset < begin_ + size_) {
    kept = std::min<uint64_t>(begin_ + size_ - offset, count);
    std::memmove(buffer_.data(), buffer_.data() + (offset - begin_), kept);
  }
  begin_ = offset;
  size_ = kept;
  auto got = file_->read(offset + kept, {buffer_.data() + kept, count - kept});
  if (!got) return std::unexpected(got.error());
  size_ += *got;
  return std::string_view(buffer_.data(), size_);
}

Result<uint64_t> FileWindow::end_of_data(uint64_t from) {
  uint64_t end = file_bytes_;
  while (end > from) {
    const uint64_t begin = std::max(from, end > kWindowBytes ? end - kWindowBytes : 0);
    auto bytes = view(begin, static_cast<size_t>(end - begin));
    if (!bytes) return std::unexpected(bytes.error());
    const std::string_view part = bytes->substr(0, static_cast<size_t>(end - begin));
    if (!all_zero(part)) return begin + part.find_last_not_of('\0') + 1;
    end = begin;
  }
  return from;
}

}  // namespace quorate::storage
