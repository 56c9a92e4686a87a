#include "shell/net/unread.h"

#include <gtest/gtest.h>

#include <random>

#include "shell/net/stream_testing.h"

namespace quorate::net {
namespace {

// Goal: it holds what a string would, and no more memory than a few times that. Method: random pieces, used at random,
// with a tail that is hardly ever used up.
TEST(Unread, IsAStringThatIsCheapToCutInFront) {
  for (uint32_t seed = 0; seed < 50; ++seed) {
    std::mt19937 random(seed);
    auto line = std::make_shared<Line>();
    LineStream stream(line);
    Unread unread;
    std::string twin;
    size_t longest = 0;
    for (int step = 0; step < 2000; ++step) {
      const std::string more(random() % 300, static_cast<char>('a' + step % 26));
      line->incoming += more;
      const auto received = unread.receive(stream, 200);
      ASSERT_TRUE(received);
      twin += line->incoming.substr(line->taken - *received, *received);
      longest = std::max(longest, twin.size());
      const size_t used = random() % (twin.size() + 1);
      unread.use(used);
      twin.erase(0, used);
      ASSERT_EQ(unread.view(), twin);
      ASSERT_EQ(unread.size(), twin.size());
      ASSERT_LE(unread.capacity(), 4 * (longest + 200));
      if (seed % 2 == 0) unread.settle(1000);
    }
  }
}

TEST(Unread, GivesMemoryBackWhenNothingIsUnread) {
  auto line = std::make_shared<Line>();
  LineStream stream(line);
  Unread unread;
  line->incoming.assign(5000, 'x');
  ASSERT_TRUE(unread.receive(stream, 5000));
  unread.use(4999);
  unread.settle(0);
  EXPECT_EQ(unread.view(), "x");
  unread.use(1);
  unread.settle(5000);
  EXPECT_GT(unread.capacity(), 0u);
  unread.settle(0);
  EXPECT_EQ(unread.capacity(), 0u);
}

TEST(Unread, KeepsWhatItHasWhenTheStreamEnds) {
  auto line = std::make_shared<Line>();
  LineStream stream(line);
  Unread unread;
  line->incoming = "abc";
  line->ended = true;
  ASSERT_TRUE(unread.receive(stream, 10));
  EXPECT_FALSE(unread.receive(stream, 10));
  EXPECT_EQ(unread.view(), "abc");
}

}  // namespace
}  // namespace quorate::net
