#include "shell/admin/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "shell/admin/java_format.h"

namespace quorate::admin {
namespace {

class Printer {
 public:
  explicit Printer(std::string& out) : out_(out) {}

  template <class Value>
  void line(std::string_view prefix, std::string_view name, const Value& value) {
    fmt::format_to(std::back_inserter(out_), "zk_{}{}\t{}\n", prefix, name, value);
  }
  void summary(std::string_view name, const Summary& summary) {
    line("avg_", name, java_double(average(summary)));
    line("min_", name, summary.min);
    line("max_", name, summary.max);
    line("cnt_", name, summary.count);
    line("sum_", name, summary.sum);
  }
  void sampled(std::string_view name, const SampledSummary& sampled) {
    summary(name, sampled);
    const SortedSample sorted(sampled);
    line("p50_", name, sorted.percentile(0.5));
    line("p95_", name, sorted.percentile(0.95));
    line("p99_", name, sorted.percentile(0.99));
    line("p999_", name, sorted.percentile(0.999));
  }

 private:
  std::string& out_;
};

}  // namespace

double average(const Summary& summary) {
  if (summary.count == 0) return 0;
  return four_decimals(static_cast<double>(summary.sum) / static_cast<double>(summary.count));
}

SortedSample::SortedSample(const SampledSummary& summary) : sorted_(summary.samples) { std::ranges::sort(sorted_); }

int64_t SortedSample::percentile(double share) const {
  if (sorted_.empty()) return 0;
  // Between the two values around share * (n + 1), counted from 1.
  const double place = share * static_cast<double>(sorted_.size() + 1);
  const auto below = static_cast<size_t>(place);
  if (below < 1) return sorted_.front();
  if (below >= sorted_.size()) return sorted_.back();
  const double low = sorted_[below - 1];
  const double high = sorted_[below];
  return static_cast<int64_t>(std::floor(low + (place - std::floor(place)) * (high - low) + 0.5));
}

void Metrics::print(const replica::ServerStats& core, std::string& out) const {
  Printer printer(out);
  for (size_t i = 0; i < kCounters.size(); ++i) {
    const auto at = kCounters[i].core;
    printer.line("", kCounters[i].name, counters_[i] + (at ? core.*at : 0));
  }
  for (size_t i = 0; i < kSummaries.size(); ++i) {
    const auto at = kSummaries[i].core;
    printer.summary(kSummaries[i].name, at ? core.*at : summaries_[i]);
  }
  for (size_t i = 0; i < kSampled.size(); ++i) {
    const auto at = kSampled[i].core;
    printer.sampled(kSampled[i].name, at ? core.*at : sampled_[i]);
  }
  for (const auto& [name, summary] : core.read_per_namespace) printer.summary(name + "_read_per_namespace", summary);
  for (const auto& [name, summary] : core.write_per_namespace) printer.summary(name + "_write_per_namespace", summary);
  for (const auto& [at, summary] : keyed_) printer.summary(at.second + "_" + at.first, summary);
  for (const auto& [at, summary] : keyed_sampled_) printer.sampled(at.second + "_" + at.first, summary);
}

}  // namespace quorate::admin
