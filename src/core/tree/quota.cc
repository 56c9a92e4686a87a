#include "core/tree/quota.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
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

/// `tail` is a slash and the child's name; `hash` is of the parent's path, then of the child's.
NodeRef find_child(const Tree& tree, NodeRef parent, SipPrefix& hash, std::string_view tail) {
  hash.add(tail);
  const NodeSlab& nodes = tree.state().nodes;
  return tree.state().index.find(hash.value(), [&nodes, parent, name = tail.substr(1)](NodeRef ref) {
    return nodes.at(ref).parent == parent && nodes.at(ref).name() == name;
  });
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

void write_usage(Tree& tree, std::string_view path, Usage usage) {
  const NodeRef stats = find_node(tree, path, kStats);
  if (stats != kNoNode) write_text(tree, stats, print_quota({.count = usage.count, .bytes = usage.bytes}));
}

void recount(Tree& tree, std::string_view path) { write_usage(tree, path, count_usage(tree, path)); }

/// From the top node of a quota to what it holds.
using Usages = boost::unordered_flat_map<NodeRef, Usage>;

/// Counts for `top`, which is in `usages`, and for all others below it in one pass: anyone may nest them by thousands.
void count_nested(const Tree& tree, NodeRef top, Usages& usages) {
  std::vector<Usage*> open;
  bool entering = true;
  for (NodeRef at = top;;) {
    const auto found = usages.find(at);
    if (entering) {
      if (found != usages.end()) open.push_back(&found->second);
      ++open.back()->count;
      open.back()->bytes += static_cast<int64_t>(tree.data_of(at).size());
      if (const NodeRef child = tree.first_child(at); child != kNoNode) {
        at = child;
        continue;
      }
    }
    if (found != usages.end()) {
      open.pop_back();
      if (open.empty()) return;
      open.back()->count += found->second.count;
      open.back()->bytes += found->second.bytes;
    }
    entering = tree.next_sibling(at) != kNoNode;
    at = entering ? tree.next_sibling(at) : tree.parent_of(at);
  }
}

/// The paths with limits, shorter ones first.
std::vector<std::string> limited_paths(const Tree& tree) {
  std::vector<std::string> paths;
  const NodeRef top = tree.find(kQuotaTop);
  if (top == kNoNode || tree.state().limits_nodes == 0) return paths;
  for (NodeRef at = tree.next_below(top, top); at != kNoNode; at = tree.next_below(top, at)) {
    if (tree.child_count(at) > 0 || !tree.state().is_limits_node(at)) continue;
    const std::string path = tree.path_of(at);
    paths.push_back(path.substr(kQuotaTop.size(), path.size() - kQuotaTop.size() - kLimits.size()));
  }
  std::ranges::sort(paths, {}, &std::string::size);
  return paths;
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
  // One pass down the quota nodes, however deep anyone made them, and over when `path` leaves them.
  std::string_view deepest;
  SipPrefix hash(tree.state().key);
  hash.add(kQuotaTop);
  NodeRef at = tree.find(kQuotaTop);
  for (size_t begin = 0; begin < path.size() && at != kNoNode;) {
    const size_t end = std::min(path.find('/', begin + 1), path.size());
    at = find_child(tree, at, hash, path.substr(begin, end - begin));
    SipPrefix leaf = hash;
    if (at != kNoNode && find_child(tree, at, leaf, kLimits) != kNoNode) deepest = path.substr(0, end);
    begin = end;
  }
  return deepest;
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
  const std::vector<std::string> paths = limited_paths(tree);
  Usages usages;
  for (const std::string& path : paths) usages.try_emplace(tree.find(path));
  for (const std::string& path : paths) {
    const auto found = usages.find(tree.find(path));
    // Who has a count already was below an earlier one.
    if (found->first != kNoNode && found->second.count == 0) count_nested(tree, found->first, usages);
    write_usage(tree, path, found->second);
  }
}

}  // namespace quorate::tree
