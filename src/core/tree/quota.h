#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "core/tree/tree.h"

/// Quotas: limits and usage kept as text in /zookeeper/quota<path>/zookeeper_limits and zookeeper_stats, which clients
/// write and anyone may garble; text that does not parse means "no limit". Spec: client 11.2, 11.3, HARDEN-2.
namespace quorate::tree {

/// -1 is "not set".
struct QuotaText {
  int64_t count = -1;
  int64_t bytes = -1;
  int64_t count_hard = -1;
  int64_t bytes_hard = -1;
};

QuotaText parse_quota(std::string_view text);
std::string print_quota(const QuotaText& quota);  ///< Byte for byte as Apache prints it.

/// The deepest path with a quota that is `path` or above it; "" when there is none.
std::string_view quota_root(const Tree& tree, std::string_view path);

enum class QuotaCheck : uint8_t { Within, OverSoft, OverHard };
/// Would `count_delta` nodes and `bytes_delta` bytes below `path` pass the limits? Against applied usage.
QuotaCheck check_quota(const Tree& tree, std::string_view path, int64_t count_delta, int64_t bytes_delta);

}  // namespace quorate::tree
