#include "core/tree/quota.h"

#include <optional>

#include "core/tree/quota_keeper.h"
#include "core/tree/quota_text.h"
#include "core/tree/tree_state.h"

namespace quorate::tree {
namespace {

constexpr std::string_view kQuotaTop = "/zookeeper/quota";
constexpr std::string_view kLimits = "/zookeeper_limits";
constexpr std::string_view kStats = "/zookeeper_stats";
constexpr std::string_view kByteHardLimit = "byteHardLimit";
constexpr std::string_view kCountHardLimit = "countHardLimit";

NodeRef find_node(const Tree& tree, std::string_view path, std::string_view leaf) {
  std::string full(kQuotaTop);
  full += path;
  full += leaf;
  return tree.find(full);
}

std::string_view text_of(const Tree& tree, NodeRef node) { return tree.data_of(node); }

void write_text(Tree& tree, NodeRef node, const std::string& text) {
  const std::string_view data = text;
  tree.state().replace(node, &data, nullptr);
}

struct Usage {
  int64_t count = 0;
  int64_t bytes = 0;
};

Usage count_usage(const Tree& tree, std::string_view path) {
  const NodeRef top = tree.find(path);
  Usage usage;
  if (top == kNoNode) return usage;
  for (NodeRef at = top; at != kNoNode; at = tree.next_below(top, at)) {
    ++usage.count;
    usage.bytes += static_cast<int64_t>(tree.data_of(at).size());
  }
  return usage;
}

void recount(Tree& tree, std::string_view path) {
  const NodeRef stats = find_node(tree, path, kStats);
  if (stats == kNoNode) return;
  const Usage usage = count_usage(tree, path);
  write_text(tree, stats, print_quota({.count = usage.count, .bytes = usage.bytes}));
}

/// `counted` changes are in the tree already, so that counting anew includes them.
void adjust(Tree& tree, std::string_view path, Usage delta) {
  const std::string_view root = quota_root(tree, path);
  if (root.empty()) return;
  const NodeRef stats = find_node(tree, root, kStats);
  if (stats == kNoNode) return;
  auto items = parse_quota_items(text_of(tree, stats));
  if (!items || !items->contains(kQuotaCount) || !items->contains(kQuotaBytes)) return recount(tree, root);
  const auto add = [&items](std::string_view key, int64_t by) {
    int64_t& value = (*items)[key];
    value = static_cast<int64_t>(static_cast<uint64_t>(value) + static_cast<uint64_t>(by));
  };
  add(kQuotaCount, delta.count);
  add(kQuotaBytes, delta.bytes);
  write_text(tree, stats, print_quota_items(*items));
}

struct Limit {
  int64_t soft;
  int64_t hard;
};

QuotaCheck check_one(Limit limit, int64_t used, int64_t delta) {
  if (delta == 0 || (limit.soft == -1 && limit.hard == -1)) return QuotaCheck::Within;
  const int64_t after = static_cast<int64_t>(static_cast<uint64_t>(used) + static_cast<uint64_t>(delta));
  if (limit.hard != -1) return after > limit.hard ? QuotaCheck::OverHard : QuotaCheck::Within;
  return after > limit.soft ? QuotaCheck::OverSoft : QuotaCheck::Within;
}

}  // namespace

QuotaText parse_quota(std::string_view text) {
  const auto items = parse_quota_items(text);
  QuotaText quota;
  if (!items) return quota;
  const auto read = [&items](std::string_view key, int64_t& value) {
    const auto found = items->find(key);
    if (found != items->end()) value = found->second;
  };
  read(kQuotaCount, quota.count);
  read(kQuotaBytes, quota.bytes);
  read(kCountHardLimit, quota.count_hard);
  read(kByteHardLimit, quota.bytes_hard);
  return quota;
}

std::string print_quota(const QuotaText& quota) {
  QuotaItems items{{kQuotaCount, quota.count}, {kQuotaBytes, quota.bytes}};
  if (quota.count_hard != -1) items[kCountHardLimit] = quota.count_hard;
  if (quota.bytes_hard != -1) items[kByteHardLimit] = quota.bytes_hard;
  return print_quota_items(items);
}

std::string_view quota_root(const Tree& tree, std::string_view path) {
  if (tree.state().limits_nodes == 0) return {};
  while (path.size() > 1) {
    if (find_node(tree, path, kLimits) != kNoNode) return path;
    path = path.substr(0, path.rfind('/'));
  }
  return {};
}

QuotaCheck check_quota(const Tree& tree, std::string_view path, int64_t count_delta, int64_t bytes_delta) {
  const std::string_view root = quota_root(tree, path);
  if (root.empty()) return QuotaCheck::Within;
  const NodeRef stats = find_node(tree, root, kStats);
  if (stats == kNoNode) return QuotaCheck::Within;
  const QuotaText limits = parse_quota(text_of(tree, find_node(tree, root, kLimits)));
  const QuotaText used = parse_quota(text_of(tree, stats));
  const QuotaCheck count = check_one({limits.count, limits.count_hard}, used.count, count_delta);
  const QuotaCheck bytes = check_one({limits.bytes, limits.bytes_hard}, used.bytes, bytes_delta);
  return std::max(count, bytes);
}

void quota_after_insert(Tree& tree, NodeRef node, std::string_view path) {
  const auto bytes = static_cast<int64_t>(tree.data_of(node).size());
  if (path.starts_with(kQuotaTop) && path.ends_with(kStats) && path[kQuotaTop.size()] == '/') {
    recount(tree, path.substr(kQuotaTop.size(), path.size() - kQuotaTop.size() - kStats.size()));
  }
  if (tree.state().limits_nodes != 0) adjust(tree, path, {1, bytes});
}

void quota_after_erase(Tree& tree, std::string_view path, int64_t bytes) { adjust(tree, path, {-1, -bytes}); }

void quota_after_data(Tree& tree, NodeRef node, int64_t bytes_delta) {
  if (tree.state().limits_nodes != 0) adjust(tree, tree.path_of(node), {0, bytes_delta});
}

void quota_recount_all(Tree& tree) {
  const NodeRef top = tree.find(kQuotaTop);
  if (top == kNoNode) return;
  std::vector<std::string> paths;
  for (NodeRef at = tree.next_below(top, top); at != kNoNode; at = tree.next_below(top, at)) {
    if (tree.child_count(at) > 0 || !tree.state().is_limits_node(at)) continue;
    const std::string path = tree.path_of(at);
    paths.push_back(path.substr(kQuotaTop.size(), path.size() - kQuotaTop.size() - kLimits.size()));
  }
  for (const std::string& path : paths) recount(tree, path);
}

}  // namespace quorate::tree
