#include <functional>
#include <string>
#include <vector>

#include "base/check.h"
#include "input.h"
#include "wire/quorum.h"

/// A stream of packets from the quorum port: cut in pieces it gives what it gives in one, and what was decoded encodes
/// to the same bytes. The first byte picks the limit, a piece behind its length the pieces to cut into, the rest is the
/// stream.
namespace quorate::fuzz {
namespace {

struct Outcome {
  std::vector<std::string> packets;
  std::string why;  ///< Of a malformed end.
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

template <class Record>
void round_trip(wire::Decoder in) {
  Record record;
  if (!wire::decode(in, record)) return;
  ByteBuffer once;
  wire::Encoder first(once);
  wire::encode(first, record);
  Record again;
  wire::Decoder back(once.view());
  QUORATE_CHECK(wire::decode(back, again) && back.ended());
  ByteBuffer twice;
  wire::Encoder second(twice);
  wire::encode(second, again);
  QUORATE_CHECK(once.view() == twice.view());
}

/// The bytes that a decoded packet encodes to.
std::string encoded(const wire::QuorumPacket& packet) {
  ByteBuffer out;
  wire::Encoder encoder(out);
  wire::encode(encoder, packet);
  return std::string(out.view());
}

void read_data(const wire::QuorumPacket& packet) {
  const wire::Decoder in(packet.data);
  round_trip<wire::LearnerInfo>(in);
  round_trip<wire::ForwardedHeader>(in);
  round_trip<wire::SessionTimeout>(in);
  round_trip<wire::Revalidated>(in);
  wire::LearnerInfo info;
  QUORATE_CHECK(wire::decode_learner_info(packet.data, info) == (packet.data.size() >= 8));
  int32_t identities = 0;
  packet.auth.each([&](const wire::AuthItem& item) {
    QUORATE_CHECK(item.scheme.size() + item.id.size() <= packet.auth.raw().size());
    ++identities;
  });
  QUORATE_CHECK(identities == packet.auth.size());
}

/// Reads like a connection: what arrives is handed over again from the packet's beginning.
class Reader {
 public:
  Reader(std::string_view stream, size_t limit, bool remembers)
      : stream_(stream), limit_(limit), remembers_(remembers) {}

  void arrive(size_t bytes) {
    arrived_ = std::min(arrived_ + bytes, stream_.size());
    while (last_.cut != wire::Cut::Malformed && take()) continue;
  }
  bool ended() const { return arrived_ == stream_.size() || last_.cut == wire::Cut::Malformed; }
  const Outcome& outcome() const { return outcome_; }

 private:
  bool take() {
    // A copy of exactly what is there: a look beyond it is found.
    const std::vector<char> there(stream_.begin() + begin_, stream_.begin() + arrived_);
    const std::string_view bytes(there.data(), there.size());
    const size_t needed = last_.needed;
    wire::QuorumPacket packet;
    last_ = wire::cut_packet(bytes, limit_, packet, remembers_ ? last_ : wire::PacketCut{});
    QUORATE_CHECK(last_.cut != wire::Cut::Whole || bytes.size() >= needed);
    if (last_.cut == wire::Cut::Incomplete) QUORATE_CHECK(last_.needed > bytes.size());
    if (last_.cut == wire::Cut::Malformed) outcome_.why = last_.why;
    if (last_.cut != wire::Cut::Whole) return false;
    QUORATE_CHECK(packet.data.size() <= limit_ && last_.bytes >= wire::kSmallestPacketBytes);
    QUORATE_CHECK(encoded(packet) == bytes.substr(0, last_.bytes));
    read_data(packet);
    outcome_.packets.push_back(encoded(packet));
    begin_ += static_cast<std::ptrdiff_t>(last_.bytes);
    return true;
  }

  std::string_view stream_;
  size_t limit_;
  bool remembers_;
  size_t arrived_ = 0;
  std::ptrdiff_t begin_ = 0;
  wire::PacketCut last_;
  Outcome outcome_;
};

Outcome in_pieces(Reader reader, const std::function<size_t()>& next_piece) {
  do {
    reader.arrive(next_piece());
  } while (!reader.ended());
  return reader.outcome();
}

}  // namespace
}  // namespace quorate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate;
  constexpr size_t kMostBytes = 4096;  // the pieces are copied anew at each step
  fuzz::Input input(data, std::min(size, kMostBytes));
  const size_t limit = input.byte() % 2 == 0 ? 2097150 : 64;
  const std::string_view pieces = input.piece();
  const std::string_view stream = input.rest();
  const fuzz::Outcome whole = in_pieces(fuzz::Reader(stream, limit, true), [&] { return stream.size(); });
  size_t at = 0;
  const auto next_piece = [&]() -> size_t {
    return pieces.empty() ? 1 : 1 + static_cast<uint8_t>(pieces[at++ % pieces.size()]);
  };
  QUORATE_CHECK(in_pieces(fuzz::Reader(stream, limit, true), next_piece) == whole);
  at = 0;
  QUORATE_CHECK(in_pieces(fuzz::Reader(stream, limit, false), next_piece) == whole);
  return 0;
}
