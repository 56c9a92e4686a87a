#include "shell/storage/byte_source.h"

#include <fmt/format.h>
#include <snappy.h>
#include <zlib.h>

#include <algorithm>
#include <vector>

#include "wire/archive.h"

namespace quorate::storage {
namespace {

constexpr size_t kInputBytes = 256 << 10;
constexpr size_t kSnappyHeaderBytes = 16;
constexpr uint32_t kMaxSnappyBlockBytes = 64 << 20;  // Writers use 32 KiB; this only bounds memory.
constexpr int kAnyGzipWindow = 15 + 16;              // zlib: gzip header and trailer expected.

class PlainSource : public ByteSource {
 public:
  explicit PlainSource(std::unique_ptr<env::File> file) : file_(std::move(file)) {}
  Result<size_t> read(std::span<char> into) override {
    auto got = file_->read(offset_, into);
    if (got) offset_ += *got;
    return got;
  }

 private:
  std::unique_ptr<env::File> file_;
  uint64_t offset_ = 0;
};

class GzipSource : public ByteSource {
 public:
  explicit GzipSource(std::unique_ptr<env::File> file) : file_(std::move(file)), input_(kInputBytes) {
    inflateInit2(&zlib_, kAnyGzipWindow);
  }
  ~GzipSource() override { inflateEnd(&zlib_); }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;

  Result<size_t> read(std::span<char> into) override {
    zlib_.next_out = reinterpret_cast<Bytef*>(into.data());
    zlib_.avail_out = static_cast<uInt>(into.size());
    while (zlib_.avail_out > 0) {
      if (auto more = refill(); !more) return std::unexpected(more.error());
      if (zlib_.avail_in == 0) break;
      const int code = inflate(&zlib_, Z_NO_FLUSH);
      between_members_ = code == Z_STREAM_END;
      if (between_members_) {
        inflateReset(&zlib_);
      } else if (code != Z_OK) {
        return fail(Fault::Corrupt, fmt::format("gzip: {}", zlib_.msg != nullptr ? zlib_.msg : "bad stream"));
      }
    }
    const size_t got = into.size() - zlib_.avail_out;
    if (got == 0 && !between_members_ && !into.empty()) return fail(Fault::Corrupt, "gzip: the file ends too early");
    return got;
  }

 private:
  Result<void> refill() {
    if (zlib_.avail_in > 0) return {};
    auto got = file_->read(offset_, input_);
    if (!got) return std::unexpected(got.error());
    offset_ += *got;
    zlib_.next_in = reinterpret_cast<Bytef*>(input_.data());
    zlib_.avail_in = static_cast<uInt>(*got);
    return {};
  }

  std::unique_ptr<env::File> file_;
  std::vector<char> input_;
  uint64_t offset_ = 0;
  z_stream zlib_{};
  bool between_members_ = false;
};

class SnappySource : public ByteSource {
 public:
  explicit SnappySource(std::unique_ptr<env::File> file) : file_(std::move(file)) {}

  Result<size_t> read(std::span<char> into) override {
    size_t done = 0;
    while (done < into.size()) {
      if (at_ == block_.size()) {
        auto more = next_block();
        if (!more) return std::unexpected(more.error());
        if (!*more) break;
      }
      const size_t count = std::min(into.size() - done, block_.size() - at_);
      std::copy_n(block_.data() + at_, count, into.data() + done);
      at_ += count;
      done += count;
    }
    return done;
  }

 private:
  /// `count` bytes from the file; fewer at its end.
  Result<std::string_view> take(size_t count) {
    if (input_.size() - input_at_ < count) {
      input_.erase(0, input_at_);
      input_at_ = 0;
      const size_t had = input_.size();
      input_.resize(std::max(count, kInputBytes));
      auto got = file_->read(offset_, {input_.data() + had, input_.size() - had});
      if (!got) return std::unexpected(got.error());
      offset_ += *got;
      input_.resize(had + *got);
    }
    const std::string_view bytes = std::string_view(input_).substr(input_at_, count);
    input_at_ += bytes.size();
    return bytes;
  }

  /// Uncompresses the next block that is not empty. False at the end of the file.
  Result<bool> next_block() {
    block_.clear();
    at_ = 0;
    while (block_.empty()) {
      auto head = take(4);
      if (!head) return std::unexpected(head.error());
      if (head->empty() && !first_) return false;
      if (head->size() < 4) return cut_short();
      const bool magic = *head == kSnappyMagic.substr(0, 4);
      if (first_ != magic && first_) return fail(Fault::Corrupt, "snappy: bad magic");
      first_ = false;
      auto done = magic ? skip_header() : uncompress(wire::load_be32(head->data()));
      if (!done) return std::unexpected(done.error());
    }
    return true;
  }
  Result<void> skip_header() {
    auto rest = take(kSnappyHeaderBytes - 4);
    if (!rest) return std::unexpected(rest.error());
    if (rest->size() < kSnappyHeaderBytes - 4) return cut_short();
    if (!rest->starts_with(kSnappyMagic.substr(4))) return fail(Fault::Corrupt, "snappy: bad magic");
    return {};
  }
  Result<void> uncompress(uint32_t length) {
    if (length > kMaxSnappyBlockBytes) return fail(Fault::Corrupt, fmt::format("snappy: block of {} bytes", length));
    auto bytes = take(length);
    if (!bytes) return std::unexpected(bytes.error());
    if (bytes->size() < length) return cut_short();
    size_t size = 0;
    if (!snappy::GetUncompressedLength(bytes->data(), length, &size) || size > kMaxSnappyBlockBytes) {
      return fail(Fault::Corrupt, "snappy: bad block");
    }
    block_.resize(size);
    if (!snappy::RawUncompress(bytes->data(), length, block_.data())) {
      return fail(Fault::Corrupt, "snappy: bad block");
    }
    return {};
  }
  static std::unexpected<Error> cut_short() { return fail(Fault::Corrupt, "snappy: the file ends too early"); }

  std::unique_ptr<env::File> file_;
  uint64_t offset_ = 0;
  std::string input_;
  size_t input_at_ = 0;
  std::string block_;
  size_t at_ = 0;
  bool first_ = true;
};

}  // namespace

Compression compression_of(std::string_view name) {
  if (name.ends_with(".gz")) return Compression::Gzip;
  if (name.ends_with(".snappy")) return Compression::Snappy;
  return Compression::None;
}

std::string_view ending_of(Compression compression) {
  switch (compression) {
    case Compression::None:
      return "";
    case Compression::Gzip:
      return ".gz";
    case Compression::Snappy:
      return ".snappy";
  }
  return "";
}

Result<std::unique_ptr<ByteSource>> open_source(env::Disk& disk, const std::string& path, Compression compression,
                                                env::Open mode) {
  auto file = disk.open(path, mode);
  if (!file) return std::unexpected(file.error());
  if (compression == Compression::Gzip) return std::make_unique<GzipSource>(std::move(*file));
  if (compression == Compression::Snappy) return std::make_unique<SnappySource>(std::move(*file));
  return std::make_unique<PlainSource>(std::move(*file));
}

}  // namespace quorate::storage
