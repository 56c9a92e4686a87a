#pragma once
#include <string_view>

#include "base/byte_buffer.h"
#include "wire/archive.h"
#include "wire/vectors.h"

/// Lists as bytes: the one that nearly all nodes have, and a writer for the others.
namespace quorate::auth {

/// world:anyone ALL, count and item.
constexpr std::string_view kOpenList("\0\0\0\1\0\0\0\x1f\0\0\0\5world\0\0\0\6anyone", 27);

inline bool is_open(const wire::AclVector& list) { return list.raw() == kOpenList; }
inline bool is_anyone(const wire::AclItem& item) { return item.scheme == "world" && item.id == "anyone"; }

/// Appends a list to a buffer; its count is filled in at the end.
class AclWriter {
 public:
  explicit AclWriter(ByteBuffer& out) : out_(out), begin_(out.size()) { out.grow(4); }

  void add(const wire::AclItem& item) {
    wire::Encoder encoder(out_);
    encoder.i32(item.perms);
    encoder.view(item.scheme);
    encoder.view(item.id);
    ++count_;
  }
  size_t bytes() const { return out_.size() - begin_; }
  void finish() { wire::store_be32(out_.data() + begin_, count_); }
  /// Leaves the buffer as it was.
  void abandon() { out_.truncate(begin_); }

 private:
  ByteBuffer& out_;
  size_t begin_;
  uint32_t count_ = 0;
};

}  // namespace quorate::auth
