#include <gtest/gtest.h>

#include "core/session/session_table.h"

namespace quorate::session {
namespace {

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    const auto value = static_cast<uint8_t>(byte);
    text += "0123456789abcdef"[value >> 4];
    text += "0123456789abcdef"[value & 15];
  }
  return text;
}

// Spec: client 2.4 and appendix C.
TEST(Password, VectorsOfApache) {
  struct Case {
    uint64_t id;
    const char* password;
  };
  const Case cases[] = {
      {0x0100000b28ae0000, "901e5057dd94e701eebb1569ee20237e"},
      {0x0100000b28ae0007, "c9813e57bd7785d0ce844beb69bb60e5"},
      {0xff00000000000001, "054cc74a37327db215e702e20c73f005"},
  };
  for (const Case& c : cases) {
    const SessionId id{static_cast<int64_t>(c.id)};
    EXPECT_EQ(hex(password_of(id)), c.password);
    EXPECT_TRUE(password_matches(id, password_of(id)));
  }
}

TEST(Password, MustMatchInFull) {
  const SessionId id{0x0100000b28ae0000};
  const std::string right = password_of(id);
  EXPECT_FALSE(password_matches(id, {}));
  EXPECT_FALSE(password_matches(id, right.substr(0, 15)));
  EXPECT_FALSE(password_matches(id, right + '\0'));
  EXPECT_FALSE(password_matches(SessionId{id.value + 1}, right));
}

// Spec: client 2.3.
TEST(FirstSessionId, ServerInTheHighByteCounterBelow) {
  struct Case {
    const char* why;
    int64_t ms, server;
    uint64_t id;
  };
  const Case cases[] = {
      {"plain", 0xb28ae, 1, 0x0100000b28ae0000},
      {"only 40 bits of the counter remain", 0x7fffffffffffffff, 2, 0x02ffffffffff0000},
      {"servers from 128 on give negative ids", 5, 254, 0xfe00000000050000},
      {"the owner value of containers is stepped over", 0, 128, 0x8000000000000001},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(static_cast<uint64_t>(first_session_id(Millis{c.ms}, c.server).value), c.id) << c.why;
  }
}

// Spec: client 2.2, step 4.
TEST(GrantedTimeout, FirstRaisedThenLowered) {
  struct Case {
    const char* why;
    int32_t wanted;
    TimeoutLimits limits;
    int32_t granted;
  };
  const Case cases[] = {
      {"within", 10000, {4000, 40000}, 10000},
      {"0", 0, {4000, 40000}, 4000},
      {"negative", -1, {4000, 40000}, 4000},
      {"too long", INT32_MAX, {4000, 40000}, 40000},
      {"limits crossed: the upper one wins", 10, {50, 20}, 20},
  };
  for (const Case& c : cases) EXPECT_EQ(granted_timeout(c.wanted, c.limits), c.granted) << c.why;
}

}  // namespace
}  // namespace quorate::session
