#include <snappy.h>
#include <zlib.h>

#include "base/check.h"
#include "shell/storage/byte_source.h"
#include "wire/archive.h"

namespace quorate::storage {
namespace {

constexpr size_t kSnappyBlockBytes = 32 << 10;
constexpr int kGzipWindow = 15 + 16;
constexpr int kDefaultMemory = 8;
constexpr size_t kGzipStepBytes = 64 << 10;

class PlainSink : public ByteSink {
 public:
  void write(std::string_view bytes) override { out_.append(bytes); }
  void finish() override {}
};

class GzipSink : public ByteSink {
 public:
  GzipSink() {
    QUORATE_CHECK(deflateInit2(&zlib_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, kDefaultMemory,
                               Z_DEFAULT_STRATEGY) == Z_OK);
  }
  ~GzipSink() override { deflateEnd(&zlib_); }
  GzipSink(const GzipSink&) = delete;
  GzipSink& operator=(const GzipSink&) = delete;

  void write(std::string_view bytes) override { run(bytes, Z_NO_FLUSH); }
  void finish() override { run({}, Z_FINISH); }

 private:
  void run(std::string_view bytes, int flush) {
    zlib_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    zlib_.avail_in = static_cast<uInt>(bytes.size());
    do {
      const size_t had = out_.size();
      out_.resize(had + kGzipStepBytes);
      zlib_.next_out = reinterpret_cast<Bytef*>(out_.data() + had);
      zlib_.avail_out = kGzipStepBytes;
      deflate(&zlib_, flush);
      out_.resize(out_.size() - zlib_.avail_out);
    } while (zlib_.avail_out == 0);
  }

  z_stream zlib_{};
};

class SnappySink : public ByteSink {
 public:
  SnappySink() {
    out_.append(kSnappyMagic);
    out_.append(std::string_view("\0\0\0\1\0\0\0\1", 8));
  }
  void write(std::string_view bytes) override {
    while (pending_.size() + bytes.size() >= kSnappyBlockBytes) {
      const size_t count = kSnappyBlockBytes - pending_.size();
      pending_.append(bytes.substr(0, count));
      bytes.remove_prefix(count);
      block();
    }
    pending_.append(bytes);
  }
  void finish() override {
    if (!pending_.empty()) block();
  }

 private:
  void block() {
    const size_t had = out_.size();
    out_.resize(had + 4 + snappy::MaxCompressedLength(pending_.size()));
    size_t length = 0;
    snappy::RawCompress(pending_.data(), pending_.size(), out_.data() + had + 4, &length);
    wire::store_be32(out_.data() + had, static_cast<uint32_t>(length));
    out_.resize(had + 4 + length);
    pending_.clear();
  }

  std::string pending_;
};

}  // namespace

std::unique_ptr<ByteSink> make_sink(Compression compression) {
  if (compression == Compression::Gzip) return std::make_unique<GzipSink>();
  if (compression == Compression::Snappy) return std::make_unique<SnappySink>();
  return std::make_unique<PlainSink>();
}

}  // namespace quorate::storage
