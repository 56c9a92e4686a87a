#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// Cuts a fuzzer's bytes into choices and pieces.
namespace quorate::fuzz {

class Input {
 public:
  Input(const uint8_t* data, size_t size) : bytes_(reinterpret_cast<const char*>(data), size) {}

  bool empty() const { return bytes_.empty(); }
  /// The next byte; 0 when there is none.
  uint8_t byte() {
    if (bytes_.empty()) return 0;
    const auto value = static_cast<uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return value;
  }
  /// A piece behind its length (2 bytes, big-endian), cut at the end of the input.
  std::string_view piece() {
    const size_t high = byte();
    const size_t length = std::min(high << 8 | byte(), bytes_.size());
    const std::string_view taken = bytes_.substr(0, length);
    bytes_.remove_prefix(length);
    return taken;
  }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
};

}  // namespace quorate::fuzz
