#include "tools/bench_histogram.h"

#include <algorithm>
#include <cmath>

namespace quorate::tools {

void BenchHistogram::add(const BenchHistogram& other) {
  for (size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
}

uint64_t BenchHistogram::percentile(double percent) const {
  if (count_ == 0) return 0;
  const double wanted = std::ceil(percent / 100.0 * static_cast<double>(count_));
  const uint64_t rank = std::clamp(static_cast<uint64_t>(wanted), uint64_t{1}, count_);
  if (rank == count_) return max_;
  uint64_t seen = 0;
  size_t at = 0;
  for (; at < kBuckets; ++at) {
    seen += buckets_[at];
    if (seen >= rank) break;
  }
  return std::min(middle(at), max_);
}

uint64_t BenchHistogram::middle(size_t index) {
  if (index < kSub) return index;
  const size_t shift = index / kSub - 1;
  const uint64_t lower = (kSub + index % kSub) << shift;
  return lower + ((uint64_t{1} << shift) >> 1);
}

}  // namespace quorate::tools
