#include "tools/bench_window.h"

#include <gtest/gtest.h>

namespace quorate::tools {
namespace {

constexpr int64_t kStart = 1'000'000'000'000;

TEST(BenchWindow, ClosedLoopCountsWhatIsAnsweredInside) {
  const LoopPlan plan{.warmup_ns = 100, .measured_ns = 1000};
  BenchWindow window(plan, kStart);
  window.turn(kStart + 99);
  EXPECT_FALSE(window.measuring());
  window.on_reply({kStart, Sent::Read}, 0, kStart + 99);
  window.turn(kStart + 100);
  EXPECT_TRUE(window.measuring());
  window.on_reply({kStart + 50, Sent::Read}, 0, kStart + 150);
  window.on_reply({kStart + 90, Sent::Write}, 0, kStart + 160);
  window.turn(kStart + 1100);
  EXPECT_TRUE(window.ended());
  window.on_reply({kStart + 1000, Sent::Write}, 0, kStart + 1200);
  EXPECT_EQ(window.figures().replies, 2u);
  EXPECT_EQ(window.figures().reads.max(), 100u);
  EXPECT_EQ(window.figures().writes.count(), 1u);
  EXPECT_EQ(window.figures().elapsed_ns, 1000);
}

// Goal: a server that stalls over the end of an open loop does not lose its worst latencies.
TEST(BenchWindow, OpenLoopCountsWhatWasDueInside) {
  const LoopPlan plan{.rate = 1e6, .warmup_ns = 5000, .measured_ns = 10000};
  BenchWindow window(plan, kStart);
  EXPECT_EQ(window.due_count(kStart - 1), 0u);
  EXPECT_EQ(window.due_count(kStart), 1u);
  EXPECT_EQ(window.due_count(kStart + 2999), 3u);
  EXPECT_EQ(window.due_ns(7), kStart + 7000);
  window.turn(kStart + 5000);
  window.turn(kStart + 15000);
  window.on_reply({window.due_ns(4), Sent::Write}, 0, kStart + 90000);   // due in the warm-up
  window.on_reply({window.due_ns(14), Sent::Write}, 0, kStart + 90000);  // due inside, answered late
  window.on_reply({window.due_ns(15), Sent::Write}, 0, kStart + 90000);  // due at the end
  EXPECT_EQ(window.figures().writes.count(), 1u);
  EXPECT_EQ(window.figures().writes.max(), 76000u);
  EXPECT_EQ(window.due_count(kStart + 900000), 16u);
}

TEST(BenchWindow, EndsAfterSoManyOperations) {
  const LoopPlan plan{.operations = 2};
  BenchWindow window(plan, kStart);
  window.turn(kStart);
  window.on_reply({kStart, Sent::Read}, 0, kStart + 10);
  window.turn(kStart + 10);
  EXPECT_FALSE(window.ended());
  window.on_reply({kStart, Sent::Read}, -101, kStart + 20);
  window.turn(kStart + 20);
  EXPECT_TRUE(window.ended());
  EXPECT_EQ(window.figures().errors.at(-101), 1u);
  EXPECT_EQ(window.figures().reads.count(), 1u);
}

TEST(BenchWindow, HooksAreCalledOnceEach) {
  int begins = 0, ends = 0;
  const LoopPlan plan{.warmup_ns = 100, .on_begin = [&] { ++begins; }, .on_end = [&] { ++ends; }};
  BenchWindow window(plan, kStart);
  window.end(kStart + 10);  // used up in the warm-up
  window.end(kStart + 20);
  window.turn(kStart + 200);
  EXPECT_EQ(begins, 1);
  EXPECT_EQ(ends, 1);
  EXPECT_EQ(window.figures().elapsed_ns, 0);
}

}  // namespace
}  // namespace quorate::tools
