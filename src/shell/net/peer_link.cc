#include "shell/net/peer_link.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "shell/net/opening.h"

namespace quorate::net {
namespace {

constexpr size_t kReceiveBytes = 64 << 10;
// A buffer that held a burst, and is empty again, gives its memory back above this.
constexpr size_t kKeepBytes = 256 << 10;
// A raw piece may be one node of the tree with all its data; this is for its path and the rest.
constexpr size_t kRawSlackBytes = 1 << 20;
// Sent bytes stay in front until they are so many of the rest's parts: each byte moves at most this often, and the
// queue seems longer than it is by no more than one such part.
constexpr size_t kDropAtPart = 4;

std::string ended(const Error& error) {
  return error.detail.empty() ? "the other side closed the connection" : error.detail;
}

}  // namespace

bool PeerLink::wants_bytes() const {
  if (!reason_.empty()) return false;
  if (raw_) return unread_.size() < settings_.max_data_bytes + kRawSlackBytes;
  return unread_.empty() || cut_.needed > unread_.size();
}

Result<size_t> PeerLink::receive() {
  if (!reason_.empty()) return fail(Fault::Closed, reason_);
  if (!wants_bytes()) {
    if (!raw_) return size_t{0};
    return broken(Fault::Corrupt, fmt::format("{} bytes of the tree make no whole piece", unread_.size()));
  }
  auto received = unread_.receive(*stream_, kReceiveBytes);
  if (received) return received;
  std::string why = ended(received.error());
  if (!raw_ && !unread_.empty()) why += fmt::format(", within a packet of which {} bytes had come", unread_.size());
  return broken(received.error().fault, std::move(why));
}

PeerInbound PeerLink::next(wire::QuorumPacket& packet) {
  QUORATE_CHECK(!raw_);
  if (!reason_.empty()) return PeerInbound::Bad;
  if (first_) {
    if (auto foreign = foreign_opening(unread_.view())) {
      reason_ = std::move(*foreign);
      return PeerInbound::Bad;
    }
  }
  cut_ = wire::cut_packet(unread_.view(), settings_.max_data_bytes, packet, cut_);
  if (cut_.cut == wire::Cut::Incomplete) return PeerInbound::None;
  if (cut_.cut == wire::Cut::Malformed) {
    reason_ = std::move(cut_.why);
    return PeerInbound::Bad;
  }
  first_ = false;
  unread_.use(cut_.bytes);
  cut_ = {};
  return PeerInbound::Packet;
}

void PeerLink::begin_raw() {
  raw_ = true;
  cut_ = {};
}

void PeerLink::use_raw(size_t n) {
  QUORATE_CHECK(raw_ && n <= unread_.size());
  unread_.use(n);
}

void PeerLink::want_readable(bool wanted) {
  if (std::exchange(readable_wanted_, wanted) != wanted) stream_->want_readable(wanted);
}

void PeerLink::want_writable(bool wanted) {
  if (std::exchange(writable_wanted_, wanted) != wanted) stream_->want_writable(wanted);
}

void PeerLink::settle() { unread_.settle(kKeepBytes); }

Result<bool> PeerLink::send(ByteBuffer& out, Millis now) {
  if (!reason_.empty()) return fail(Fault::Closed, reason_);
  if (unsent(out) > 0) {
    const auto sent = stream_->send(out.view().substr(sent_));
    if (!sent) return broken(sent.error().fault, ended(sent.error()));
    sent_ += *sent;
    if (*sent > 0 || send_deadline_ == kNever) send_deadline_ = now + settings_.send_limit;
  }
  const size_t rest = unsent(out);
  want_writable(rest > 0);
  if (rest == 0) {
    send_deadline_ = kNever;
    out.capacity() > kKeepBytes ? out.release() : out.clear();
    sent_ = 0;
  } else if (sent_ >= rest / kDropAtPart) {
    out.drop_front(std::exchange(sent_, 0));
  }
  return rest == 0;
}

Result<void> PeerLink::on_time(Millis now) {
  if (now < send_deadline_) return {};
  return broken(Fault::Closed,
                fmt::format("for {} ms the other side took nothing of what waits for it", settings_.send_limit.value));
}

std::unexpected<Error> PeerLink::broken(Fault fault, std::string reason) {
  reason_ = std::move(reason);
  send_deadline_ = kNever;
  return fail(fault, reason_);
}

}  // namespace quorate::net
