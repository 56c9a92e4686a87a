#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "shell/admin/metric_table.h"

/// Where the shell counts, and one view of all that was counted: what the core counts itself stays in its ServerStats.
/// Every counter and summary exists from the start, with value 0. One thread. Spec: operations 4.2, 4.3, rules M1, M2.
namespace quorate::admin {

/// A name known when the program is compiled; a wrong one does not compile.
template <size_t N>
struct MetricName {
  char text[N];
  // NOLINTNEXTLINE(google-explicit-constructor)
  consteval MetricName(const char (&name)[N]) {
    for (size_t i = 0; i < N; ++i) text[i] = name[i];
  }
  constexpr std::string_view view() const { return {text, N - 1}; }
};

class Metrics {
 public:
  /// metrics.counter<"snap_count">() += 1;
  template <MetricName Name>
  int64_t& counter() {
    return counters_[index_of(kCounters, Name.view())];
  }
  /// metrics.summary<"fsynctime">().add(ms);
  template <MetricName Name>
  Summary& summary() {
    return summaries_[index_of(kSummaries, Name.view())];
  }
  template <MetricName Name>
  SampledSummary& sampled() {
    return sampled_[index_of(kSampled, Name.view())];
  }
  /// Summaries by namespace or server id, e.g. of "write_per_namespace". They appear with their first value.
  Summary& keyed(const std::string& key, const std::string& name) { return keyed_[{name, key}]; }
  /// The same with percentiles, e.g. of "ack_latency" by server id.
  SampledSummary& keyed_sampled(const std::string& key, const std::string& name) { return keyed_sampled_[{name, key}]; }

  /// srst.
  void reset() { *this = Metrics(); }

  /// "zk_<name>\t<value>\n" of every counter, then of every summary.
  void print(const replica::ServerStats& core, std::string& out) const;

 private:
  /// Evaluated by the compiler; a name that is in no table is not a constant expression.
  template <class Table>
  static consteval size_t index_of(const Table& table, std::string_view name) {
    for (size_t i = 0; i < table.size(); ++i) {
      if (table[i].name == name) return i;
    }
    throw "no such metric";
  }

  std::array<int64_t, kCounters.size()> counters_{};
  std::array<Summary, kSummaries.size()> summaries_{};
  std::array<SampledSummary, kSampled.size()> sampled_{};
  std::map<std::pair<std::string, std::string>, Summary> keyed_;
  std::map<std::pair<std::string, std::string>, SampledSummary> keyed_sampled_;
};

/// Sorted once for all percentiles: an answer to mntr holds the loop up.
class SortedSample {
 public:
  explicit SortedSample(const SampledSummary& summary);
  /// 0.5, 0.95, ...; rounded. 0 without values.
  int64_t percentile(double share) const;

 private:
  std::vector<int32_t> sorted_;
};
/// Rounded half-up to four decimals; 0 without values.
double average(const Summary& summary);

}  // namespace quorate::admin
