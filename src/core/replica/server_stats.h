#pragma once
#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// What the core counts about itself for srvr, mntr and the like; plain numbers, reset by srst where Apache does.
/// Spec: operations 2.4, 4.3.
namespace quorate::replica {

/// Last, smallest and largest of a series of sizes; -1 before the first.
struct SizeStats {
  int64_t last = -1;
  int64_t min = -1;
  int64_t max = -1;

  void add(int64_t size) {
    last = size;
    if (min < 0 || size < min) min = size;
    max = std::max(max, size);
  }
};

/// Whole milliseconds from a request's arrival to its reply.
struct LatencyStats {
  int64_t count = 0;
  int64_t sum = 0;
  int64_t min = 0;
  int64_t max = 0;

  void add(int64_t ms) {
    min = count == 0 ? ms : std::min(min, ms);
    max = std::max(max, ms);
    sum += ms;
    ++count;
  }
};

/// The same with a uniform sample of the values, for percentiles. The sample is chosen by a fixed sequence, so that
/// runs repeat; it takes no memory before the first value.
struct SampledStats : LatencyStats {
  static constexpr size_t kMostSamples = 4096;

  void add(int64_t ms) {
    LatencyStats::add(ms);
    if (samples.size() < kMostSamples) {
      samples.push_back(static_cast<int32_t>(ms));
      return;
    }
    chance = chance * 6364136223846793005ULL + 1442695040888963407ULL;
    const uint64_t place = (chance >> 33) * static_cast<uint64_t>(count) >> 31;
    if (place < kMostSamples) samples[place] = static_cast<int32_t>(ms);
  }

  std::vector<int32_t> samples;  ///< In no order.
  uint64_t chance = 1;
};

struct ServerStats {
  int64_t packets_received = 0;
  int64_t packets_sent = 0;
  LatencyStats latency;       ///< Every request that was answered in turn.
  SampledStats read_latency;  ///< readlatency
  SampledStats update_latency;
  SizeStats response_size;
  SizeStats proposal_size;

  // Counters of operations 4.3, by their metric names.
  int64_t connection_request_count = 0;
  int64_t connection_rejected = 0;
  int64_t connection_drop_count = 0;
  int64_t connection_revalidate_count = 0;
  int64_t revalidate_count = 0;
  int64_t sessionless_connections_expired = 0;
  int64_t stale_sessions_expired = 0;
  int64_t bytes_received_count = 0;
  int64_t commit_count = 0;
  int64_t proposal_count = 0;
  int64_t digest_mismatches_count = 0;
  int64_t throttled_ops = 0;
  int64_t stale_requests = 0;
  int64_t stale_requests_dropped = 0;
  int64_t request_throttle_wait_count = 0;
  int64_t large_requests_rejected = 0;
  int64_t auth_failed_count = 0;
  int64_t response_bytes = 0;
  int64_t watch_bytes = 0;
  LatencyStats node_created_watch_count;  ///< Watches fired by one change.
  LatencyStats node_deleted_watch_count;
  LatencyStats node_changed_watch_count;
  LatencyStats node_children_watch_count;

  /// Path length and data bytes of each access, by the first element of its path.
  using Namespaces = std::map<std::string, LatencyStats, std::less<>>;
  Namespaces read_per_namespace;
  Namespaces write_per_namespace;
  static void note(Namespaces& namespaces, std::string_view path, int64_t data_bytes);
};

/// Names come from clients: past this many, new ones are not counted.
constexpr size_t kMostNamespaces = 1000;

inline void ServerStats::note(Namespaces& namespaces, std::string_view path, int64_t data_bytes) {
  if (path.size() < 2 || path.front() != '/') return;
  const std::string_view name = path.substr(1, path.find('/', 1) - 1);
  auto found = namespaces.find(name);
  if (found == namespaces.end()) {
    if (namespaces.size() >= kMostNamespaces) return;
    found = namespaces.emplace(std::string(name), LatencyStats()).first;
  }
  found->second.add(static_cast<int64_t>(path.size()) + data_bytes);
}

}  // namespace quorate::replica
