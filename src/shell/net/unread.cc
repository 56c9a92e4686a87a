#include "shell/net/unread.h"

namespace quorate::net {

Result<size_t> Unread::receive(env::Stream& stream, size_t most) {
  // The rest moves only when at least as much was used since it moved last.
  if (begin_ > 0 && begin_ >= size()) {
    bytes_.drop_front(begin_);
    begin_ = 0;
  }
  const size_t before = bytes_.size();
  auto received = stream.receive({bytes_.grow(most), most});
  bytes_.truncate(before + (received ? *received : 0));
  return received;
}

void Unread::settle(size_t keep_bytes) {
  if (!empty()) return;
  begin_ = 0;
  bytes_.capacity() > keep_bytes ? bytes_.release() : bytes_.clear();
}

}  // namespace quorate::net
