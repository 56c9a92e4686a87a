#include <string>
#include <vector>

#include "base/check.h"
#include "input.h"
#include "memory_stream.h"
#include "shell/net/peer_link.h"

/// The bytes of a connection to the quorum port: a link to which they come in pieces, and whose packets are taken a few
/// at a time, gives what one gives that has them all; behind each SNAP so many raw bytes as its zxid says are taken in
/// odd portions. A piece behind its length gives pieces and portions; the rest is the stream.
namespace quorate::fuzz {
namespace {

constexpr size_t kMaxData = 4096;
constexpr int kMostRounds = 100'000;

/// A byte of `choices` after the other, without end.
struct Choices {
  std::string_view choices;
  size_t at = 0;
  size_t next() { return choices.empty() ? 255 : static_cast<uint8_t>(choices[at++ % choices.size()]); }
};

class Reader {
 public:
  Reader(std::string_view stream, Choices choices)
      : stream_(stream),
        choices_(choices),
        link_(std::make_unique<MemoryStream>(wire_), {.max_data_bytes = kMaxData, .send_limit = Millis{1}}) {}

  std::string run() {
    for (int round = 0; link_.reason().empty(); ++round) {
      QUORATE_CHECK(round < kMostRounds);
      arrive();
      // A reader of raw bytes that receives before it has used them would miss the last ones of a stream that ends.
      if (!link_.raw() || link_.raw_bytes().empty()) QUORATE_CHECK(link_.receive() || !link_.reason().empty());
      take();
    }
    return found_ + "\n" + link_.reason();
  }

 private:
  /// One piece more, and at the end the end.
  void arrive() {
    const size_t count = std::min(1 + choices_.next(), stream_.size() - at_);
    wire_->client_gone = count == 0;
    wire_->to_server += stream_.substr(at_, count);
    at_ += count;
  }

  void take() {
    const size_t most = 1 + choices_.next() % 4;
    for (size_t taken = 0; taken < most; ++taken) {
      if (!(link_.raw() ? take_raw() : take_packet())) return;
    }
  }

  bool take_packet() {
    wire::QuorumPacket packet;
    if (link_.next(packet) != net::PeerInbound::Packet) {
      link_.settle();
      return false;
    }
    QUORATE_CHECK(wire::is_absent(packet.data) || packet.data.size() <= kMaxData);
    found_ += "\n" + std::to_string(packet.type) + " " + std::to_string(packet.zxid.value) + " ";
    if (!wire::is_absent(packet.data)) found_ += packet.data;
    if (packet.kind() == wire::PacketType::Snap) {
      raw_left_ = static_cast<size_t>(packet.zxid.value & 0x3ff);
      if (raw_left_ > 0) link_.begin_raw();
    }
    return true;
  }

  bool take_raw() {
    const std::string_view there = link_.raw_bytes();
    const size_t count = std::min({there.size(), raw_left_, 1 + choices_.next()});
    found_ += there.substr(0, count);
    link_.use_raw(count);
    raw_left_ -= count;
    if (raw_left_ == 0) link_.end_raw();
    return count > 0;
  }

  std::string_view stream_;
  Choices choices_;
  std::shared_ptr<Wire> wire_ = std::make_shared<Wire>();
  net::PeerLink link_;
  size_t at_ = 0;
  size_t raw_left_ = 0;
  std::string found_;
};

/// Appended and sent in portions, bytes leave in their order.
void send(std::string_view bytes, Choices choices) {
  auto wire = std::make_shared<Wire>();
  net::PeerLink link(std::make_unique<MemoryStream>(wire), {.max_data_bytes = kMaxData, .send_limit = Millis{1}});
  ByteBuffer out;
  size_t queued = 0;
  while (queued < bytes.size() || link.unsent(out) > 0) {
    const size_t more = std::min(1 + choices.next(), bytes.size() - queued);
    out.append(bytes.substr(queued, more));
    queued += more;
    wire->window = 1 + choices.next();
    const auto emptied = link.send(out, Millis{0});
    QUORATE_CHECK(emptied && *emptied == (wire->to_client.size() == queued) && wire->writable_wanted == !*emptied);
    QUORATE_CHECK(link.unsent(out) == queued - wire->to_client.size());
  }
  QUORATE_CHECK(wire->to_client == bytes);
}

}  // namespace
}  // namespace quorate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate;
  constexpr size_t kMostBytes = 16384;  // pieces may be single bytes
  fuzz::Input input(data, std::min(size, kMostBytes));
  const std::string_view choices = input.piece();
  const std::string whole = fuzz::Reader(input.rest(), {}).run();
  QUORATE_CHECK(fuzz::Reader(input.rest(), {choices}).run() == whole);
  fuzz::send(input.rest(), {choices});
  return 0;
}
