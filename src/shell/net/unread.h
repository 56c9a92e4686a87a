#pragma once
#include <cstddef>
#include <string_view>

#include "base/byte_buffer.h"
#include "base/result.h"
#include "shell/env/stream.h"

/// What a connection between servers has received and nobody has used yet, as one run of bytes. Receiving and using
/// cost a constant number of copies a byte, however the two alternate. Loop thread.
namespace quorate::net {

class Unread {
 public:
  /// Receives once, at most `most` bytes, behind what is there. Invalidates view(). Errors: Closed, Io.
  Result<size_t> receive(env::Stream& stream, size_t most);
  /// The first `n` bytes are done with. Views of them stay valid until receive() or settle().
  void use(size_t n) { begin_ += n; }
  /// Gives the memory back when nothing is unread and it is more than `keep_bytes`.
  void settle(size_t keep_bytes);

  std::string_view view() const { return bytes_.view().substr(begin_); }
  size_t size() const { return bytes_.size() - begin_; }
  bool empty() const { return size() == 0; }
  size_t capacity() const { return bytes_.capacity(); }

 private:
  ByteBuffer bytes_;
  size_t begin_ = 0;
};

}  // namespace quorate::net
