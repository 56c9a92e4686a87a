#include "base/fifo.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>
#include <vector>

namespace quorate {
namespace {

TEST(Fifo, StartsEmpty) {
  const Fifo<int> fifo;
  EXPECT_TRUE(fifo.empty());
  EXPECT_EQ(fifo.size(), 0u);
}

TEST(Fifo, FirstInIsFirstOut) {
  Fifo<int> fifo;
  for (const int value : {1, 2, 3}) fifo.push(value);
  EXPECT_EQ(fifo.front(), 1);
  EXPECT_EQ(fifo.back(), 3);
  EXPECT_EQ(fifo.pop(), 1);
  EXPECT_EQ(fifo.pop(), 2);
  EXPECT_EQ(fifo.size(), 1u);
  EXPECT_EQ(fifo.pop(), 3);
  EXPECT_TRUE(fifo.empty());
}

TEST(Fifo, MovesItems) {
  Fifo<std::unique_ptr<int>> fifo;
  fifo.push(std::make_unique<int>(7));
  fifo.push(nullptr);
  EXPECT_EQ(*fifo.pop(), 7);
  EXPECT_EQ(fifo.pop(), nullptr);
}

// A popped item may own much; the queue must not keep it alive.
TEST(Fifo, LetsGoOfWhatWasPopped) {
  Fifo<std::shared_ptr<int>> fifo;
  const auto item = std::make_shared<int>(1);
  fifo.push(item);
  fifo.push(item);
  fifo.pop();
  EXPECT_EQ(item.use_count(), 2);
  fifo.clear();
  EXPECT_EQ(item.use_count(), 1);
  EXPECT_TRUE(fifo.empty());
}

TEST(Fifo, ItemsCanBeChangedInPlace) {
  Fifo<int> fifo;
  for (const int value : {1, 2, 3}) fifo.push(value);
  fifo.pop();
  for (int& value : fifo) value *= 10;
  EXPECT_EQ(fifo.pop(), 20);
  fifo.back() = 4;
  EXPECT_EQ(fifo.front(), 4);
}

void expect_same(Fifo<int>& fifo, const std::deque<int>& twin) {
  ASSERT_EQ(fifo.size(), twin.size());
  ASSERT_EQ(fifo.empty(), twin.empty());
  ASSERT_EQ(std::vector<int>(fifo.begin(), fifo.end()), std::vector<int>(twin.begin(), twin.end()));
  if (twin.empty()) return;
  ASSERT_EQ(fifo.front(), twin.front());
  ASSERT_EQ(fifo.back(), twin.back());
}

/// Phases lean to pushing or to popping, so that the queue grows far beyond the point where it moves up its items.
TEST(Fifo, DoesAsADequeDoes) {
  std::mt19937 random(3);
  Fifo<int> fifo;
  std::deque<int> twin;
  for (int step = 0; step < 20000; ++step) {
    const bool leans_to_push = (step / 500) % 2 == 0;
    const bool push = (random() % 4 != 0) == leans_to_push;
    if (push) {
      fifo.push(step);
      twin.push_back(step);
    } else if (!twin.empty()) {
      ASSERT_EQ(fifo.pop(), twin.front());
      twin.pop_front();
    }
    if (step % 7 == 0) expect_same(fifo, twin);
    if (HasFatalFailure()) return;
    if (random() % 3000 == 0) {
      fifo.clear();
      twin.clear();
    }
  }
}

// A queue that is never empty must not grow with what went through it.
TEST(Fifo, KeepsToTheSizeOfWhatItHolds) {
  struct Counted {
    int* alive;
    explicit Counted(int* count) : alive(count) { ++*alive; }
    Counted(Counted&& other) noexcept : alive(other.alive) { ++*alive; }
    Counted& operator=(Counted&&) noexcept = default;
    ~Counted() { --*alive; }
  };
  int alive = 0;
  {
    Fifo<Counted> fifo;
    for (int i = 0; i < 10; ++i) fifo.push(Counted(&alive));
    for (int i = 0; i < 100000; ++i) {
      fifo.push(Counted(&alive));
      fifo.pop();
      ASSERT_LT(alive, 200);
    }
  }
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace quorate
