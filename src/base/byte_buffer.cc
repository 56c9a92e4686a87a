#include "base/byte_buffer.h"

#include <algorithm>

#include "base/check.h"

namespace quorate {

void ByteBuffer::enlarge(size_t wanted) {
  const size_t capacity = std::max({wanted, capacity_ * 2, size_t{256}});
  data_ = static_cast<char*>(std::realloc(data_, capacity));
  QUORATE_CHECK(data_ != nullptr);
  capacity_ = capacity;
}

}  // namespace quorate
