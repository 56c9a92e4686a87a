#include "shell/io/direct_file.h"

#include <fcntl.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace quorate::io {
namespace {

constexpr size_t kPageBytes = 4096;  // No disk has larger sectors.
// A longer write goes out in pieces: what the log writes meanwhile waits behind one of a snapshot's.
constexpr size_t kMostRoomBytes = 256 << 10;
constexpr uint64_t kNowhere = UINT64_MAX;

alignas(kPageBytes) char zeros[64 << 10];
constexpr size_t kMostRuns = 64;  // Of those: all that a log has zeroed ahead is one call.

}  // namespace

void DirectFile::Freed::operator()(char* room) const { std::free(room); }

DirectFile::DirectFile(Descriptor cached, Descriptor direct, std::string path)
    : PosixFile(std::move(cached), std::move(path)),
      direct_(std::move(direct)),
      last_page_(std::make_unique<char[]>(kPageBytes)),
      last_page_at_(kNowhere) {}

DirectFile::~DirectFile() = default;

Result<void> DirectFile::write(uint64_t offset, std::string_view bytes) {
  while (!bytes.empty() && !direct_refused_) {
    const uint64_t page = offset / kPageBytes * kPageBytes;
    const size_t head = offset - page;
    const size_t taken = std::min(bytes.size(), kMostRoomBytes - head);
    const size_t whole = (head + taken + kPageBytes - 1) / kPageBytes * kPageBytes;
    make_room(whole);
    if (auto got = take_head(page, head); !got) return got;
    std::memcpy(room_.get() + head, bytes.data(), taken);
    std::memset(room_.get() + head + taken, 0, whole - head - taken);
    if (auto put = put_pages(page, whole); !put) return put;
    if (direct_refused_) break;
    offset += taken;
    bytes.remove_prefix(taken);
  }
  return PosixFile::write(offset, bytes);
}

void DirectFile::make_room(size_t bytes) {
  if (bytes <= room_bytes_) return;
  room_bytes_ = std::bit_ceil(bytes);
  room_.reset(static_cast<char*>(std::aligned_alloc(kPageBytes, room_bytes_)));
  QUORATE_CHECK(room_ != nullptr);
}

/// What the first page holds in front of the write.
Result<void> DirectFile::take_head(uint64_t page, size_t head) {
  if (page == last_page_at_) {
    std::memcpy(room_.get(), last_page_.get(), head);
    return {};
  }
  const auto got = read(page, {room_.get(), head});
  if (!got) return std::unexpected(got.error());
  std::memset(room_.get() + *got, 0, head - *got);
  return {};
}

Result<void> DirectFile::put_pages(uint64_t page, size_t bytes) {
  last_page_at_ = kNowhere;
  if (auto put = write_through(direct_, page, {room_.get(), bytes}); !put) {
    direct_refused_ = errno == EINVAL;
    return direct_refused_ ? Result<void>() : put;
  }
  last_page_at_ = page + bytes - kPageBytes;
  std::memcpy(last_page_.get(), room_.get() + bytes - kPageBytes, kPageBytes);
  return {};
}

Result<void> DirectFile::write_zeros(uint64_t offset, uint64_t bytes) {
  QUORATE_CHECK(offset % kPageBytes == 0);
  if (direct_refused_) return PosixFile::write_zeros(offset, bytes);
  const uint64_t end = (offset + bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
  last_page_at_ = kNowhere;
  // A write that makes the file longer keeps all others of it waiting. Where this fails, the write finds its own place.
  (void)::fallocate(direct_.get(), 0, static_cast<off_t>(offset), static_cast<off_t>(end - offset));
  while (offset < end) {
    std::array<iovec, kMostRuns> runs;
    size_t count = 0;
    for (uint64_t at = offset; at < end && count < runs.size(); at += runs[count++].iov_len) {
      runs[count] = {zeros, std::min<uint64_t>(sizeof zeros, end - at)};
    }
    const ssize_t done = again(
        [&] { return ::pwritev(direct_.get(), runs.data(), static_cast<int>(count), static_cast<off_t>(offset)); });
    if (done < 0) {
      direct_refused_ = errno == EINVAL;
      return direct_refused_ ? PosixFile::write_zeros(offset, end - offset) : disk_failure("write", path());
    }
    offset += static_cast<uint64_t>(done);
  }
  return {};
}

}  // namespace quorate::io
