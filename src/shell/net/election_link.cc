#include "shell/net/election_link.h"

#include <algorithm>
#include <utility>

#include "shell/net/opening.h"

namespace quorate::net {
namespace {

// Many notifications, but not so many that one peer keeps the others waiting.
constexpr size_t kReceiveBytes = 16 << 10;
constexpr size_t kHelloHeadBytes = 20;
constexpr size_t kLongestHello = kHelloHeadBytes + wire::kMaxHelloAddressBytes;
constexpr size_t kKeepNone = 0;

}  // namespace

Result<size_t> ElectionLink::receive() {
  if (stage != Stage::AwaitingHello) return unread_.receive(*stream_, kReceiveBytes);
  return unread_.receive(*stream_, kLongestHello - std::min(unread_.size(), kLongestHello - 1));
}

wire::PacketCut ElectionLink::take_hello(wire::ElectionHello& hello) {
  if (auto foreign = foreign_opening(unread_.view())) return wire::PacketCut::malformed(std::move(*foreign));
  wire::PacketCut cut = wire::cut_hello(unread_.view(), hello);
  if (cut.cut == wire::Cut::Whole) unread_.use(cut.bytes);
  return cut;
}

wire::PacketCut ElectionLink::take_message(std::string_view& message) {
  // SASL follows the hello at once, if at all. Whoever only asks to be called is not held to it: it may accept without.
  if (first_) {
    if (unread_.size() < kOpeningBytes) return wire::PacketCut::incomplete(kOpeningBytes);
    if (auto foreign = foreign_opening(unread_.view())) return wire::PacketCut::malformed(std::move(*foreign));
    first_ = false;
  }
  wire::PacketCut cut = wire::cut_message(unread_.view(), message);
  if (cut.cut == wire::Cut::Whole) unread_.use(cut.bytes);
  return cut;
}

void ElectionLink::settle() { unread_.settle(kKeepNone); }

void ElectionLink::discard() {
  unread_.use(unread_.size());
  settle();
}

Result<bool> ElectionLink::flush() {
  if (!out_.empty()) {
    const auto sent = stream_->send(out_.view());
    if (!sent) return std::unexpected(sent.error());
    out_.drop_front(*sent);
  }
  if (out_.empty()) out_.release();
  if (std::exchange(writable_wanted_, !out_.empty()) == out_.empty()) stream_->want_writable(!out_.empty());
  return out_.empty();
}

}  // namespace quorate::net
