#pragma once
#include "base/byte_buffer.h"
#include "base/ids.h"
#include "wire/archive.h"
#include "wire/codes.h"

/// Frames a reply into a connection's output: length, ReplyHeader, body. Spec: client 1.2, 3.1.
namespace quorate::replica {

class ReplyFrame {
 public:
  static constexpr size_t kHeadBytes = 20;  ///< Length and ReplyHeader: all of a reply without a body.

  /// Opens a frame; write the body through body(), then close().
  ReplyFrame(ByteBuffer& out, int32_t xid, Zxid zxid, wire::Code code) : out_(out), at_(out.size()) {
    char* head = out.grow(kHeadBytes);
    wire::store_be32(head + 4, static_cast<uint32_t>(xid));
    wire::store_be64(head + 8, static_cast<uint64_t>(zxid.value));
    wire::store_be32(head + 16, static_cast<uint32_t>(code));
  }
  wire::Encoder body() { return wire::Encoder(out_); }
  /// Makes it a refusal: what was written of the body is dropped. Spec: client 3.1, rule 1.
  void refuse(wire::Code code) {
    out_.truncate(at_ + kHeadBytes);
    wire::store_be32(out_.data() + at_ + 16, static_cast<uint32_t>(code));
  }
  /// Sets the length. Returns the frame's size with it.
  size_t close() {
    const size_t size = out_.size() - at_;
    wire::store_be32(out_.data() + at_, static_cast<uint32_t>(size - 4));
    return size;
  }

 private:
  ByteBuffer& out_;
  size_t at_;
};

}  // namespace quorate::replica
