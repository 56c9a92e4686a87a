#include "shell/net/client_link.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace quorate::net {
namespace {

/// Hands out bytes in pieces of a given size and takes at most `window` bytes.
class PiecesStream : public env::Stream {
 public:
  Result<size_t> receive(std::span<char> into) override {
    const size_t n = std::min({into.size(), piece, incoming.size()});
    std::copy_n(incoming.begin(), n, into.begin());
    incoming.erase(0, n);
    return n;
  }
  Result<size_t> send(std::string_view bytes) override {
    const size_t n = std::min(bytes.size(), window);
    outgoing.append(bytes.substr(0, n));
    window -= n;
    return n;
  }
  void want_writable(bool) override {}
  void want_readable(bool) override {}
  void reset() override {}

  std::string incoming, outgoing;
  size_t piece = 1;
  size_t window = 0;
};

std::string framed(std::string_view body) {
  std::string bytes(4, '\0');
  bytes[2] = static_cast<char>(body.size() >> 8);
  bytes[3] = static_cast<char>(body.size());
  return bytes.append(body);
}

std::vector<std::string> read_all(ClientLink& link) {
  std::vector<std::string> frames;
  char scratch[8192];
  for (;;) {
    const auto received = link.receive(scratch);
    if (!received || *received == 0) return frames;
    std::string_view frame;
    while (link.next(frame) == Inbound::Frame) frames.emplace_back(frame);
    link.settle();
  }
}

TEST(ClientLink, CutsFramesWhateverThePiecesAre) {
  for (const size_t piece : {1, 2, 3, 5, 7, 64}) {
    PiecesStream stream;
    stream.piece = piece;
    const std::vector<std::string> bodies = {"a", "", "hello", std::string(200, 'x'), "z"};
    for (const std::string& body : bodies) stream.incoming += framed(body);
    ClientLink link(stream, 1000);
    EXPECT_EQ(read_all(link), bodies) << "pieces of " << piece;
    EXPECT_FALSE(link.has_unread());
  }
}

// Spec: client 1.2. The limit itself passes, one more does not, negative never.
TEST(ClientLink, RefusesLengthsOutOfRange) {
  struct Case {
    const char* why;
    std::string bytes;
    Inbound expected;
  };
  const Case cases[] = {
      {"limit passes, still arriving", std::string("\0\0\0\x0a", 4), Inbound::None},
      {"one above the limit", std::string("\0\0\0\x0b", 4), Inbound::BadLength},
      {"negative", std::string("\xff\xff\xff\xff", 4), Inbound::BadLength},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    PiecesStream stream;
    stream.piece = 64;
    stream.incoming = c.bytes;
    ClientLink link(stream, 10);
    char scratch[8192];
    ASSERT_TRUE(link.receive(scratch));
    std::string_view frame;
    EXPECT_EQ(link.next(frame), c.expected);
  }
}

TEST(ClientLink, SendsWhatFitsAndKeepsTheRest) {
  PiecesStream stream;
  ClientLink link(stream, 10);
  ByteBuffer out;
  out.append("abcdef");
  stream.window = 4;
  EXPECT_FALSE(*link.send(out));
  EXPECT_EQ(stream.outgoing, "abcd");
  EXPECT_EQ(out.view(), "ef");
  stream.window = 4;
  EXPECT_TRUE(*link.send(out));
  EXPECT_EQ(stream.outgoing, "abcdef");
}

}  // namespace
}  // namespace quorate::net
