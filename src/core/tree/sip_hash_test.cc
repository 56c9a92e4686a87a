#include "core/tree/sip_hash.h"

#include <gtest/gtest.h>

#include <string>

namespace quorate::tree {
namespace {

// The reference test: key 00 01 … 0f, input 00 01 … of that length; results as their eight bytes in order.
TEST(SipHash, ReferenceVectors) {
  struct Case {
    size_t length;
    uint64_t result_bytes;
  };
  const Case cases[] = {
      {0, 0xDCC40F055801ACAB},  {1, 0x93CA577DF39BF4C9},  {7, 0x4011B19B987D92D3},
      {8, 0x8E9A298D11959036},  {9, 0xE43D066CB38EA425},  {15, 0x5699512A6DD820D3},
      {16, 0x668B907D1ADD4FCC}, {31, 0xBCD1218C1FDD7023}, {63, 0xA8B3BBB76290199D},
  };
  std::string input;
  for (int i = 0; i < 64; ++i) input += static_cast<char>(i);
  const HashKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.length);
    EXPECT_EQ(sip_hash(key, std::string_view(input).substr(0, c.length)), __builtin_bswap64(c.result_bytes));
  }
}

TEST(SipPrefix, IsTheHashAfterEachPiece) {
  const HashKey key{3, 4};
  std::string text;
  SipPrefix prefix(key);
  EXPECT_EQ(prefix.value(), sip_hash(key, text));
  for (size_t length = 0; length < 300; ++length) {
    const std::string piece(length % 19, static_cast<char>(length));
    text += piece;
    prefix.add(piece);
    ASSERT_EQ(prefix.value(), sip_hash(key, text)) << length;
  }
}

}  // namespace
}  // namespace quorate::tree
