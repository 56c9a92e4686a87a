#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

/// Latencies in log-linear buckets: exact below 128, within 1/128 of the value above. Constant memory, no allocation
/// when recording. Units: nanoseconds by convention.
namespace quorate::tools {

class BenchHistogram {
 public:
  BenchHistogram() : buckets_(kBuckets) {}

  void record(int64_t value) {
    const auto sample = static_cast<uint64_t>(value > 0 ? value : 0);
    ++buckets_[index(sample)];
    ++count_;
    sum_ += sample;
    if (sample > max_) max_ = sample;
  }
  void add(const BenchHistogram& other);

  uint64_t count() const { return count_; }
  uint64_t max() const { return max_; }
  double mean() const { return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_); }
  /// The value below or at which `percent` of the samples lie; 0 when there are none.
  uint64_t percentile(double percent) const;

 private:
  static constexpr uint32_t kSubBits = 7;
  static constexpr uint64_t kSub = uint64_t{1} << kSubBits;
  static constexpr size_t kBuckets = (64 - kSubBits + 1) * kSub;

  /// Each power of two above 128 has 128 buckets of equal width.
  static size_t index(uint64_t value) {
    if (value < kSub) return value;
    const auto shift = static_cast<uint32_t>(63 - __builtin_clzll(value)) - kSubBits;
    return (shift + 1) * kSub + ((value >> shift) - kSub);
  }
  static uint64_t middle(size_t index);

  std::vector<uint64_t> buckets_;
  uint64_t count_ = 0;
  uint64_t sum_ = 0;
  uint64_t max_ = 0;
};

}  // namespace quorate::tools
