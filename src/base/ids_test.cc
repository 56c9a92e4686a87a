#include "base/ids.h"

#include <gtest/gtest.h>

#include <concepts>
#include <set>
#include <type_traits>

namespace quorate {
namespace {

TEST(Zxid, SplitsIntoEpochAndCounter) {
  struct Case {
    int64_t value;
    int64_t epoch;
    uint32_t counter;
  };
  const Case cases[] = {
      {0, 0, 0},
      {0x1, 0, 1},
      {0x100000000, 1, 0},
      {0x7fffffffffffffff, 0x7fffffff, 0xffffffff},
      {0x2ffffffff, 2, 0xffffffff},
      {-1, -1, 0xffffffff},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.value);
    EXPECT_EQ(Zxid{c.value}.epoch(), c.epoch);
    EXPECT_EQ(Zxid{c.value}.counter(), c.counter);
  }
}

// Spec: disk 4.1.
TEST(Zxid, NextSkipsCounterZero) {
  struct Case {
    const char* why;
    int64_t value;
    int64_t next;
  };
  const Case cases[] = {
      {"the first one of all", 0, 1},
      {"an ordinary one", 0x500000010, 0x500000011},
      {"the first one of an epoch", 0x500000000, 0x500000001},
      {"counter about to be full", 0x5fffffffe, 0x5ffffffff},
      {"full counter: the next epoch's 0 is left out", 0x5ffffffff, 0x600000001},
      {"full counter of epoch 0", 0xffffffff, 0x100000001},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    EXPECT_EQ(Zxid{c.value}.next(), Zxid{c.next});
  }
}

TEST(Zxid, OrdersByEpochThenCounter) {
  EXPECT_LT((Zxid{0x1ffffffff}), (Zxid{0x200000000}));
  EXPECT_LT((Zxid{0x200000001}), (Zxid{0x200000002}));
  EXPECT_LT((Zxid{-1}), (Zxid{0}));
}

TEST(Id, ComparesWithItsOwnKindOnly) {
  EXPECT_EQ(SessionId{5}, SessionId{5});
  EXPECT_LT(SessionId{-5}, SessionId{5});
  EXPECT_EQ(SessionId{}.value, 0);
  static_assert(!std::is_convertible_v<SessionId, ConnId>);
  static_assert(!std::is_convertible_v<int64_t, SessionId>);
  static_assert(!std::equality_comparable_with<SessionId, ConnId>);
}

// Session ids of one server differ in their low bits, those of several servers in their highest byte.
TEST(Id, HashSpreadsSessionIds) {
  std::set<size_t> low_bytes;
  std::set<size_t> high_bytes;
  for (int64_t i = 0; i < 256; ++i) {
    const size_t hash = std::hash<SessionId>()(SessionId{0x100000c434e0000 + i});
    low_bytes.insert(hash & 0xff);
    high_bytes.insert(hash >> 56);
  }
  EXPECT_EQ(low_bytes.size(), 256u);
  EXPECT_GT(high_bytes.size(), 128u);
}

TEST(Millis, AddsAndSubtracts) {
  EXPECT_EQ(Millis{5} + Millis{7}, Millis{12});
  EXPECT_EQ(Millis{5} - Millis{7}, Millis{-2});
  EXPECT_LT(Millis{-2}, Millis{});
}

}  // namespace
}  // namespace quorate
