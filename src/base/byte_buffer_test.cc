#include "base/byte_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>

namespace quorate {
namespace {

TEST(ByteBuffer, HoldsNoMemoryUntilUsed) {
  const ByteBuffer buffer;
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.size(), 0u);
  EXPECT_EQ(buffer.capacity(), 0u);
  EXPECT_EQ(buffer.data(), nullptr);
}

TEST(ByteBuffer, AppendingNothingTakesNoMemory) {
  ByteBuffer buffer;
  buffer.append("");
  buffer.append({});
  EXPECT_EQ(buffer.capacity(), 0u);
}

TEST(ByteBuffer, GrowsAtTheEnd) {
  ByteBuffer buffer;
  buffer.append("one");
  std::memcpy(buffer.grow(3), "two", 3);
  EXPECT_EQ(buffer.view(), "onetwo");
  EXPECT_EQ(buffer.size(), 6u);
}

TEST(ByteBuffer, CapacityAtLeastDoubles) {
  ByteBuffer buffer;
  size_t changes = 0;
  for (size_t size = 1; size <= 100000; ++size) {
    const size_t before = buffer.capacity();
    buffer.append("x");
    if (buffer.capacity() == before) continue;
    EXPECT_GE(buffer.capacity(), before * 2);
    ++changes;
  }
  EXPECT_LT(changes, 12u);
  EXPECT_EQ(buffer.view(), std::string(100000, 'x'));
}

TEST(ByteBuffer, ReserveChangesNoContent) {
  ByteBuffer buffer;
  buffer.append("abc");
  buffer.reserve(5000);
  const char* at = buffer.data();
  EXPECT_GE(buffer.capacity(), 5000u);
  EXPECT_EQ(buffer.view(), "abc");
  buffer.append(std::string(4997, 'd'));
  EXPECT_EQ(buffer.data(), at);
  buffer.reserve(10);
  EXPECT_EQ(buffer.data(), at);
}

TEST(ByteBuffer, ClearAndTruncateKeepTheMemory) {
  ByteBuffer buffer;
  buffer.append("abcdef");
  const size_t capacity = buffer.capacity();
  buffer.truncate(2);
  EXPECT_EQ(buffer.view(), "ab");
  buffer.clear();
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.capacity(), capacity);
}

TEST(ByteBuffer, ReleaseGivesTheMemoryBack) {
  ByteBuffer buffer;
  buffer.append("abc");
  buffer.release();
  EXPECT_EQ(buffer.capacity(), 0u);
  EXPECT_EQ(buffer.data(), nullptr);
  buffer.append("again");
  EXPECT_EQ(buffer.view(), "again");
}

TEST(ByteBuffer, DropFrontMovesTheRest) {
  ByteBuffer buffer;
  buffer.append("abcdef");
  buffer.drop_front(0);
  EXPECT_EQ(buffer.view(), "abcdef");
  buffer.drop_front(4);
  EXPECT_EQ(buffer.view(), "ef");
  buffer.drop_front(2);
  EXPECT_TRUE(buffer.empty());
}

TEST(ByteBuffer, MovingLeavesAnEmptyOne) {
  ByteBuffer from;
  from.append("abc");
  const char* at = from.data();
  ByteBuffer to(std::move(from));
  EXPECT_EQ(to.view(), "abc");
  EXPECT_EQ(to.data(), at);
  // A moved-from buffer is empty and usable: that is promised here.
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(from.capacity(), 0u);
}

TEST(ByteBuffer, AssignmentByMoveKeepsBothUsable) {
  ByteBuffer from;
  from.append("from");
  ByteBuffer to;
  to.append("to");
  to = std::move(from);
  EXPECT_EQ(to.view(), "from");
  from.clear();  // NOLINT(bugprone-use-after-move)
  from.append("new");
  EXPECT_EQ(from.view(), "new");
}

TEST(ByteBuffer, DoesAsAStringDoes) {
  std::mt19937 random(4);
  ByteBuffer buffer;
  std::string twin;
  for (int step = 0; step < 5000; ++step) {
    const size_t n = random() % 600;
    switch (random() % 5) {
      case 0:
        std::memset(buffer.grow(n), 'g', n);
        twin.append(n, 'g');
        break;
      case 1:
        buffer.drop_front(std::min(n, twin.size()));
        twin.erase(0, n);
        break;
      case 2:
        buffer.truncate(std::min(n, twin.size()));
        twin.resize(std::min(n, twin.size()));
        break;
      default: {
        const std::string more(n, static_cast<char>(random()));
        buffer.append(more);
        twin += more;
        break;
      }
    }
    ASSERT_EQ(buffer.view(), twin);
    ASSERT_LE(buffer.size(), buffer.capacity());
  }
}

}  // namespace
}  // namespace quorate
