#pragma once
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

/// A growing run of bytes that is never zero-filled: replies, log batches, partial frames. Movable, not copyable,
/// owned by one thread at a time.
namespace quorate {

class ByteBuffer {
 public:
  ByteBuffer() = default;
  ByteBuffer(ByteBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  ByteBuffer& operator=(ByteBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ByteBuffer(const ByteBuffer&) = delete;
  ByteBuffer& operator=(const ByteBuffer&) = delete;
  ~ByteBuffer() { std::free(data_); }

  char* data() { return data_; }
  const char* data() const { return data_; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }
  std::string_view view() const { return {data_, size_}; }

  /// Room for `n` more bytes at the end; their content is undefined until written.
  char* grow(size_t n) {
    reserve(size_ + n);
    char* at = data_ + size_;
    size_ += n;
    return at;
  }
  void append(std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(grow(bytes.size()), bytes.data(), bytes.size());
  }
  void reserve(size_t wanted) {
    if (wanted > capacity_) enlarge(wanted);
  }
  void truncate(size_t size) { size_ = size; }
  void clear() { size_ = 0; }
  /// Drops the first `n` bytes; costs a move of the rest.
  void drop_front(size_t n) {
    size_ -= n;
    if (size_ > 0) std::memmove(data_, data_ + n, size_);
  }
  /// Gives the memory back; an idle connection keeps none.
  void release() { *this = ByteBuffer(); }

 private:
  void enlarge(size_t wanted);

  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace quorate
