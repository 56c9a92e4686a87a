#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

#include "core/tree/quota.h"
#include "shell/admin/texts.h"

/// The gauges by namespace: limits and usage of all quotas below one top-level znode, summed. Text that is no quota
/// counts as "not set"; in Apache it breaks off the whole answer. Spec: operations 4.3; client HARDEN-2.
namespace quorate::admin {
namespace {

constexpr std::string_view kQuotaRoot = "/zookeeper/quota";

/// -1 until something is set.
struct Sums {
  int64_t bytes_limit = -1;
  int64_t count_usage = -1;
  int64_t count_limit = -1;
  int64_t bytes_usage = -1;
};

/// The text is a client's: sums of the largest numbers stay at the largest.
void add(int64_t& sum, int64_t value) {
  if (value < 0) return;
  const int64_t before = std::max<int64_t>(sum, 0);
  sum = value > INT64_MAX - before ? INT64_MAX : before + value;
}

tree::QuotaText quota_at(const tree::Tree& tree, tree::NodeRef node) { return tree::parse_quota(tree.data_of(node)); }

/// A hard limit stands before a soft one.
void add_node(const tree::Tree& tree, tree::NodeRef node, Sums& sums) {
  if (tree.name_of(node) == "zookeeper_limits") {
    const tree::QuotaText limits = quota_at(tree, node);
    add(sums.count_limit, limits.count_hard >= 0 ? limits.count_hard : limits.count);
    add(sums.bytes_limit, limits.bytes_hard >= 0 ? limits.bytes_hard : limits.bytes);
  } else if (tree.name_of(node) == "zookeeper_stats") {
    const tree::QuotaText usage = quota_at(tree, node);
    add(sums.count_usage, usage.count);
    add(sums.bytes_usage, usage.bytes);
  }
}

Sums sums_below(const tree::Tree& tree, tree::NodeRef top) {
  Sums sums;
  for (auto node = top; node != tree::kNoNode; node = tree.next_below(top, node)) add_node(tree, node, sums);
  return sums;
}

}  // namespace

std::string quota_gauges(const ServerView& view) {
  const tree::Tree& tree = view.tree;
  std::map<std::string, Sums> namespaces;
  const tree::NodeRef root = tree.find(kQuotaRoot);
  if (root == tree::kNoNode) return "";
  for (auto top = tree.first_child(root); top != tree::kNoNode; top = tree.next_sibling(top)) {
    namespaces[std::string(tree.name_of(top))] = sums_below(tree, top);
  }
  static constexpr std::pair<const char*, int64_t Sums::*> kSets[] = {{"quota_bytes_limit", &Sums::bytes_limit},
                                                                      {"quota_count_usage", &Sums::count_usage},
                                                                      {"quota_count_limit", &Sums::count_limit},
                                                                      {"quota_bytes_usage", &Sums::bytes_usage}};
  std::string text;
  for (const auto& [name, member] : kSets) {
    for (const auto& [space, sums] : namespaces) {
      text += fmt::format("zk_{}_{}_per_namespace\t{}\n", space, name, sums.*member);
    }
  }
  return text;
}

}  // namespace quorate::admin
