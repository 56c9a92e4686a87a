#include "shell/net/client_link.h"

#include <algorithm>

namespace quorate::net {
namespace {

int32_t length_at(std::string_view bytes) {
  uint32_t raw = 0;
  for (int i = 0; i < 4; ++i) raw = raw << 8 | static_cast<unsigned char>(bytes[i]);
  return static_cast<int32_t>(raw);
}

constexpr size_t kLengthBytes = 4;
// Above this a buffer that was drained gives its memory back.
constexpr size_t kKeepBytes = 4096;

}  // namespace

Result<size_t> ClientLink::receive(std::span<char> scratch) {
  if (kept_.empty()) {
    auto received = stream_.receive(scratch);
    if (received) unread_ = {scratch.data(), *received};
    return received;
  }
  // No more room than the cut frame needs: many slow clients must not cost a scratch buffer each.
  const size_t before = kept_.size();
  const auto arriving = static_cast<size_t>(std::max(arriving_length().value_or(0), 0)) + kLengthBytes;
  const size_t room = std::clamp(arriving > before ? arriving - before : 0, kKeepBytes, scratch.size());
  auto received = stream_.receive({kept_.grow(room), room});
  kept_.truncate(before + (received ? *received : 0));
  unread_ = kept_.view();
  return received;
}

std::optional<std::string_view> ClientLink::peek(size_t n) const {
  if (unread_.size() < n) return std::nullopt;
  return unread_.substr(0, n);
}

std::optional<int32_t> ClientLink::arriving_length() const {
  if (unread_.size() < kLengthBytes) return std::nullopt;
  return length_at(unread_);
}

Inbound ClientLink::next(std::string_view& frame) {
  if (unread_.size() < kLengthBytes) return Inbound::None;
  const int32_t length = length_at(unread_);
  if (length < 0 || length > max_frame_bytes_) {
    bad_length_ = length;
    return Inbound::BadLength;
  }
  const auto body = static_cast<size_t>(length);
  if (unread_.size() - kLengthBytes < body) return Inbound::None;
  frame = unread_.substr(kLengthBytes, body);
  unread_.remove_prefix(kLengthBytes + body);
  return Inbound::Frame;
}

void ClientLink::settle() {
  if (unread_.empty()) {
    kept_.capacity() > kKeepBytes ? kept_.release() : kept_.clear();
  } else if (kept_.empty()) {
    kept_.append(unread_);
  } else {
    kept_.drop_front(kept_.size() - unread_.size());
  }
  unread_ = kept_.view();
}

Result<bool> ClientLink::send(ByteBuffer& out) {
  while (!out.empty()) {
    const auto sent = stream_.send(out.view());
    if (!sent) return std::unexpected(sent.error());
    if (*sent == out.size()) {
      out.clear();
    } else if (*sent == 0) {
      return false;
    } else {
      out.drop_front(*sent);
      return false;
    }
  }
  return true;
}

}  // namespace quorate::net
