#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/byte_buffer.h"

/// The primitive types of every layout another program sees ("jute"): big-endian, no tags, no padding.
/// Decoder reads from bytes that outlive it and never allocates; Encoder appends to a ByteBuffer.
/// Spec: client 1.1, disk 0.
namespace quorate::wire {

/// Strings and buffers are views. Absent (length -1) and empty (length 0) are different on the wire and on disk: a
/// view with data() == nullptr is absent. Encoder and Decoder keep the difference.
constexpr std::string_view kAbsent{};
constexpr bool is_absent(std::string_view view) { return view.data() == nullptr; }

inline uint64_t load_be64(const char* at) {
  uint64_t raw;
  std::memcpy(&raw, at, 8);
  return __builtin_bswap64(raw);
}
inline uint32_t load_be32(const char* at) {
  uint32_t raw;
  std::memcpy(&raw, at, 4);
  return __builtin_bswap32(raw);
}
inline void store_be64(char* at, uint64_t value) {
  value = __builtin_bswap64(value);
  std::memcpy(at, &value, 8);
}
inline void store_be32(char* at, uint32_t value) {
  value = __builtin_bswap32(value);
  std::memcpy(at, &value, 4);
}

/// Reads primitives from a bounded run of bytes. A short or malformed field makes ok() false for good; later reads
/// then return zeros, so that callers check once, at the end.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool ok() const { return ok_; }
  bool ended() const { return at_ == end_; }
  std::string_view rest() const { return {at_, static_cast<size_t>(end_ - at_)}; }
  const char* position() const { return at_; }
  void fail() {
    ok_ = false;
    at_ = end_;
  }

  int8_t byte() { return take(1) ? static_cast<int8_t>(at_[-1]) : int8_t{0}; }
  bool boolean() { return byte() != 0; }
  int32_t i32() { return take(4) ? static_cast<int32_t>(load_be32(at_ - 4)) : 0; }
  int64_t i64() { return take(8) ? static_cast<int64_t>(load_be64(at_ - 8)) : 0; }
  /// A buffer or ustring; kAbsent for length -1. Any other negative length fails.
  std::string_view view() {
    const int32_t length = i32();
    if (length == -1 || !ok_) return kAbsent;
    if (length < 0 || !take(static_cast<size_t>(length))) {
      fail();
      return kAbsent;
    }
    return {at_ - length, static_cast<size_t>(length)};
  }

 private:
  bool take(size_t n) {
    if (static_cast<size_t>(end_ - at_) < n) {
      fail();
      return false;
    }
    at_ += n;
    return true;
  }

  const char* at_;
  const char* end_;
  bool ok_ = true;
};

/// Appends primitives to a buffer.
class Encoder {
 public:
  explicit Encoder(ByteBuffer& out) : out_(out) {}

  void byte(int8_t value) { *out_.grow(1) = static_cast<char>(value); }
  void boolean(bool value) { byte(value ? 1 : 0); }
  void i32(int32_t value) { store_be32(out_.grow(4), static_cast<uint32_t>(value)); }
  void i64(int64_t value) { store_be64(out_.grow(8), static_cast<uint64_t>(value)); }
  void view(std::string_view bytes) {
    if (is_absent(bytes)) return i32(-1);
    char* at = out_.grow(4 + bytes.size());
    store_be32(at, static_cast<uint32_t>(bytes.size()));
    std::memcpy(at + 4, bytes.data(), bytes.size());
  }
  /// Bytes without a length.
  void raw(std::string_view bytes) { out_.append(bytes); }
  ByteBuffer& out() { return out_; }

 private:
  ByteBuffer& out_;
};

}  // namespace quorate::wire
