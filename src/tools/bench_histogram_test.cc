#include "tools/bench_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace quorate::tools {
namespace {

TEST(BenchHistogram, SmallValuesAreExact) {
  BenchHistogram histogram;
  for (int64_t value = 1; value <= 100; ++value) histogram.record(value);
  EXPECT_EQ(histogram.percentile(50), 50u);
  EXPECT_EQ(histogram.percentile(99), 99u);
  EXPECT_EQ(histogram.percentile(100), 100u);
  EXPECT_EQ(histogram.percentile(0), 1u);
  EXPECT_EQ(histogram.max(), 100u);
  EXPECT_DOUBLE_EQ(histogram.mean(), 50.5);
}

TEST(BenchHistogram, EmptyAndExtremeValues) {
  BenchHistogram histogram;
  EXPECT_EQ(histogram.percentile(99), 0u);
  EXPECT_EQ(histogram.mean(), 0);
  histogram.record(-5);
  histogram.record(INT64_MAX);
  EXPECT_EQ(histogram.percentile(50), 0u);
  EXPECT_EQ(histogram.percentile(99.9), static_cast<uint64_t>(INT64_MAX));
}

// Goal: percentiles stay within the width of a bucket over nine decades.
// Method: a sorted vector is the naive twin.
TEST(BenchHistogram, AgreesWithSortedSamples) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> exponent(0, 9);
  BenchHistogram histogram;
  std::vector<uint64_t> sorted;
  for (int i = 0; i < 50000; ++i) {
    const auto value = static_cast<int64_t>(std::pow(10.0, exponent(random)));
    histogram.record(value);
    sorted.push_back(static_cast<uint64_t>(value));
  }
  std::ranges::sort(sorted);
  for (const double percent : {1.0, 25.0, 50.0, 90.0, 99.0, 99.9, 99.99}) {
    const auto rank = static_cast<size_t>(std::ceil(percent / 100 * 50000));
    const auto exact = static_cast<double>(sorted[rank - 1]);
    EXPECT_NEAR(static_cast<double>(histogram.percentile(percent)), exact, exact / 128 + 1) << percent;
  }
}

TEST(BenchHistogram, AddIsTheSameAsRecordingBoth) {
  BenchHistogram left, right, both;
  for (int64_t value = 0; value < 5000; ++value) {
    (value % 3 == 0 ? left : right).record(value * 977);
    both.record(value * 977);
  }
  left.add(right);
  EXPECT_EQ(left.count(), both.count());
  EXPECT_EQ(left.max(), both.max());
  for (const double percent : {10.0, 50.0, 99.0}) EXPECT_EQ(left.percentile(percent), both.percentile(percent));
}

}  // namespace
}  // namespace quorate::tools
