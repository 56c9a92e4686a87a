#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_buffer.h"
#include "wire/archive.h"

/// Whole request frames, made once and copied for each request; only the xid (and digits in a name) change.
/// Spec: client 1.2, 3.1, 3.3.
namespace quorate::tools {

std::string connect_frame(int32_t timeout_ms);
std::string get_frame(std::string_view path);
std::string exists_frame(std::string_view path);
std::string children_frame(std::string_view path);
std::string create_frame(std::string_view path, std::string_view data);  ///< Persistent, open to everybody.
std::string set_frame(std::string_view path, std::string_view data);     ///< Any version.
std::string delete_frame(std::string_view path);                         ///< Any version.
std::string ping_frame();
std::string close_frame();

constexpr size_t kXidOffset = 4;
inline void patch_xid(char* frame, int32_t xid) { wire::store_be32(frame + kXidOffset, static_cast<uint32_t>(xid)); }

/// Copies `frame` to the end of `out`, with this xid.
inline char* append_frame(ByteBuffer& out, std::string_view frame, int32_t xid) {
  char* at = out.grow(frame.size());
  std::memcpy(at, frame.data(), frame.size());
  patch_xid(at, xid);
  return at;
}

/// Writes `value` as exactly `width` decimal digits.
inline void patch_digits(char* at, size_t width, uint64_t value) {
  for (size_t i = width; i-- > 0; value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

}  // namespace quorate::tools
