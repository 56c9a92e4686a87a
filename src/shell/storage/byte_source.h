#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "shell/env/disk.h"

/// Snapshot bytes in and out through a compression: the forms of disk 3.3. One thread at a time.
namespace quorate::storage {

enum class Compression : uint8_t { None, Gzip, Snappy };

/// By the name's last ending.
Compression compression_of(std::string_view name);
std::string_view ending_of(Compression compression);  ///< "", ".gz" or ".snappy".

/// The uncompressed bytes of a file, front to back.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Fills `into` as far as it can; 0 at the end. Errors: Io, Corrupt.
  virtual Result<size_t> read(std::span<char> into) = 0;
};
/// `mode` is one of those that read.
Result<std::unique_ptr<ByteSource>> open_source(env::Disk& disk, const std::string& path, Compression compression,
                                                env::Open mode);

/// Turns uncompressed bytes into a file's bytes, collected in out().
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual void write(std::string_view bytes) = 0;
  virtual void finish() = 0;
  /// What is ready for the file; the caller clears it.
  std::string& out() { return out_; }

 protected:
  std::string out_;
};
std::unique_ptr<ByteSink> make_sink(Compression compression);

/// First bytes of a snappy-java stream; version and compatible version follow. Spec: disk 3.3.
constexpr std::string_view kSnappyMagic{"\x82SNAPPY\0", 8};

}  // namespace quorate::storage
