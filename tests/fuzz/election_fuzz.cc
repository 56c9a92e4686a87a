#include <string>
#include <vector>

#include "base/check.h"
#include "input.h"
#include "wire/election.h"

/// The bytes of a connection to the election port: cut at any place they give what they give in one, and what was
/// decoded is written and read back as the same. The first byte says whether a hello comes first or one message fills
/// all; a piece behind its length gives the pieces to cut into; the rest is the stream.
namespace quorate::fuzz {
namespace {

bool same(const wire::Notification& a, const wire::Notification& b) {
  return a.state == b.state && a.leader == b.leader && a.zxid == b.zxid && a.round == b.round &&
         a.peer_epoch == b.peer_epoch && a.version == b.version && a.config == b.config;
}

/// Old shapes are read only, so they are written as the shape of today.
std::string read_message(std::string_view message) {
  wire::Notification read;
  if (!wire::decode_notification(message, read)) return "skipped";
  QUORATE_CHECK((read.version > 1) == !wire::is_absent(read.config));
  if (read.version <= 1) {
    read.version = wire::kNotificationVersion;
    read.config = "";
  }
  ByteBuffer out;
  wire::append_notification(out, read);
  std::string_view again;
  wire::Notification back;
  QUORATE_CHECK(out.size() - 4 <= std::max<size_t>(message.size(), 44));
  QUORATE_CHECK(wire::cut_message(out.view(), again).bytes == out.size());
  QUORATE_CHECK(wire::decode_notification(again, back) && same(back, read));
  return std::string(out.view());
}

std::string read_hello(const wire::ElectionHello& hello) {
  if (hello.addresses.empty()) return "sid " + std::to_string(hello.sid.value);
  ByteBuffer out;
  wire::append_hello(out, hello);
  wire::ElectionHello back;
  QUORATE_CHECK(wire::cut_hello(out.view(), back).bytes == out.size());
  QUORATE_CHECK(back.sid == hello.sid && back.addresses == hello.addresses);
  return std::string(out.view());
}

class Reader {
 public:
  Reader(std::string_view stream, bool hello_first) : stream_(stream), hello_next_(hello_first) {}

  void arrive(size_t bytes) {
    arrived_ = std::min(arrived_ + bytes, stream_.size());
    while (last_.cut != wire::Cut::Malformed && take()) continue;
  }
  bool ended() const { return arrived_ == stream_.size() || last_.cut == wire::Cut::Malformed; }
  /// What was read; a malformed end says why.
  const std::vector<std::string>& found() const { return found_; }

 private:
  bool take() {
    // A copy of exactly what is there: a look beyond it is found.
    const std::vector<char> there(stream_.begin() + begin_, stream_.begin() + arrived_);
    const std::string_view bytes(there.data(), there.size());
    const size_t needed = last_.needed;
    wire::ElectionHello hello;
    std::string_view message;
    last_ = hello_next_ ? wire::cut_hello(bytes, hello) : wire::cut_message(bytes, message);
    QUORATE_CHECK(last_.cut != wire::Cut::Whole || bytes.size() >= needed);
    if (last_.cut == wire::Cut::Incomplete) QUORATE_CHECK(last_.needed > bytes.size());
    if (last_.cut == wire::Cut::Malformed) found_.push_back(last_.why);
    if (last_.cut != wire::Cut::Whole) return false;
    found_.push_back(hello_next_ ? read_hello(hello) : read_message(message));
    hello_next_ = false;
    begin_ += static_cast<std::ptrdiff_t>(last_.bytes);
    return true;
  }

  std::string_view stream_;
  bool hello_next_;
  size_t arrived_ = 0;
  std::ptrdiff_t begin_ = 0;
  wire::PacketCut last_;
  std::vector<std::string> found_;
};

void read_both_ways(std::string_view stream, std::string_view pieces, bool hello_first) {
  Reader whole(stream, hello_first);
  whole.arrive(stream.size());
  Reader parts(stream, hello_first);
  size_t at = 0;
  do {
    parts.arrive(pieces.empty() ? 1 : 1 + static_cast<uint8_t>(pieces[at++ % pieces.size()]));
  } while (!parts.ended());
  QUORATE_CHECK(parts.found() == whole.found());
}

}  // namespace
}  // namespace quorate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate;
  constexpr size_t kMostBytes = 4096;  // the pieces are copied anew at each step
  fuzz::Input input(data, std::min(size, kMostBytes));
  const uint8_t what = input.byte() % 3;
  if (what == 2) {
    fuzz::read_message(input.rest());
    return 0;
  }
  const std::string_view pieces = input.piece();
  fuzz::read_both_ways(input.rest(), pieces, what == 0);
  return 0;
}
