#pragma once
#include <bit>
#include <cstdint>
#include <vector>

#include "tools/bench_workload.h"

/// The requests of one connection that wait for their replies, oldest first: replies come in request order.
/// Spec: client 3.1.
namespace quorate::tools {

class BenchInFlight {
 public:
  struct Entry {
    int64_t start_ns = 0;
    Sent kind = Sent::Nothing;
  };

  explicit BenchInFlight(size_t limit) : entries_(std::bit_ceil(limit)), limit_(limit) {}

  bool full() const { return size() >= limit_; }
  bool empty() const { return first_ == end_; }
  size_t size() const { return end_ - first_; }
  /// The xids run from 1; what an xid means follows from its position.
  int32_t next_xid() const { return xid_of(end_); }
  int32_t expected_xid() const { return xid_of(first_); }

  void push(Entry entry) { entries_[end_++ & (entries_.size() - 1)] = entry; }
  Entry pop() { return entries_[first_++ & (entries_.size() - 1)]; }

 private:
  static int32_t xid_of(uint64_t at) { return static_cast<int32_t>((at + 1) & 0x7FFFFFFF); }

  std::vector<Entry> entries_;
  size_t limit_;
  uint64_t first_ = 0;
  uint64_t end_ = 0;
};

}  // namespace quorate::tools
