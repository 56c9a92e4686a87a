#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/byte_buffer.h"
#include "base/result.h"
#include "shell/env/stream.h"

/// Cuts a client's byte stream into frames and sends replies back. Whole frames are handed out where they were
/// received; only a cut one is kept, so an idle link holds no memory. Loop thread. Spec: client 1.2, 1.3.
namespace quorate::net {

enum class Inbound : uint8_t {
  None,  ///< No whole frame is there.
  Frame,
  BadLength,  ///< Negative or above the limit; nothing more can be read.
};

class ClientLink {
 public:
  ClientLink(env::Stream& stream, int32_t max_frame_bytes) : stream_(stream), max_frame_bytes_(max_frame_bytes) {}

  /// Receives once, into `scratch` or behind a kept piece. Returns the number of bytes, 0 when none are there. Call
  /// settle() before `scratch` is used for anything else. Errors: Closed, Io.
  Result<size_t> receive(std::span<char> scratch);

  /// The first `n` unread bytes, once that many are there.
  std::optional<std::string_view> peek(size_t n) const;
  /// The next whole frame's body; for BadLength the length that the client sent is in bad_length().
  Inbound next(std::string_view& frame);
  int32_t bad_length() const { return bad_length_; }
  /// Length of the frame that is still arriving, once its first four bytes are there.
  std::optional<int32_t> arriving_length() const;
  bool has_unread() const { return !unread_.empty(); }
  /// Keeps what is unread beyond the life of `scratch`.
  void settle();

  /// Sends from the front of `out` and drops what went. True when nothing is left.
  Result<bool> send(ByteBuffer& out);

  env::Stream& stream() { return stream_; }

 private:
  env::Stream& stream_;
  int32_t max_frame_bytes_;
  int32_t bad_length_ = 0;
  ByteBuffer kept_;
  std::string_view unread_;  ///< Into scratch, or into kept_.
};

}  // namespace quorate::net
