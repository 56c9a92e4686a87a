#include "sim/quota.h"

#include <fmt/format.h>

#include <cstdlib>

#include "wire/archive.h"

namespace quorate::sim {
namespace {

constexpr std::string_view kTop = "/zookeeper/quota";
constexpr std::string_view kLimits = "/zookeeper_limits";
constexpr std::string_view kUsage = "/zookeeper_stats";
constexpr int64_t kUnlimited = -1;

const NodeVersion* quota_node(const Model& model, const std::string& root, std::string_view leaf, int64_t zxid) {
  return model.at(fmt::format("{}{}{}", kTop, root, leaf), zxid);
}

/// The path whose usage that node shows; "" when it is no usage node.
std::string counted_path(const std::string& path) {
  if (!path.starts_with(kTop) || !path.ends_with(kUsage)) return {};
  return path.substr(kTop.size(), path.size() - kTop.size() - kUsage.size());
}

int64_t hard_limit(const NodeVersion& limits, std::string_view key) {
  if (limits.data == nullptr) return kUnlimited;
  const size_t at = limits.data->find(key);
  return at == std::string::npos ? kUnlimited : std::atoll(limits.data->c_str() + at + key.size());
}

}  // namespace

std::optional<Usage> usage_below(const Model& model, const std::string& root, int64_t zxid) {
  const NodeVersion* limits = quota_node(model, root, kLimits, zxid);
  const NodeVersion* usage = quota_node(model, root, kUsage, zxid);
  if (limits == nullptr || usage == nullptr || limits->stat.czxid >= usage->stat.czxid) return std::nullopt;
  Usage sum;
  const auto add = [&](const std::string& path) {
    const NodeVersion* node = model.at(path, zxid);
    if (node == nullptr) return;
    ++sum.nodes;
    sum.bytes += node->data_bytes();
  };
  add(root);
  for (const std::string& path : model.below(root, zxid)) add(path);
  return sum;
}

QuotaAnswer ask_quota(const Model& model, const std::string& path, const Usage& added, int64_t zxid) {
  std::string root = path;
  while (root != "/" && quota_node(model, root, kLimits, zxid) == nullptr) root = parent_path(root);
  if (root == "/" || quota_node(model, root, kUsage, zxid) == nullptr) return QuotaAnswer::Within;
  const NodeVersion& limits = *quota_node(model, root, kLimits, zxid);
  const int64_t most_nodes = hard_limit(limits, "countHardLimit=");
  const int64_t most_bytes = hard_limit(limits, "byteHardLimit=");
  const bool nodes_count = most_nodes != kUnlimited && added.nodes != 0;
  const bool bytes_count = most_bytes != kUnlimited && added.bytes != 0;
  if (!nodes_count && !bytes_count) return QuotaAnswer::Within;
  const std::optional<Usage> used = usage_below(model, root, zxid);
  if (!used) return QuotaAnswer::Either;
  const bool over = (nodes_count && used->nodes + added.nodes > most_nodes) ||
                    (bytes_count && used->bytes + added.bytes > most_bytes);
  return over ? QuotaAnswer::Over : QuotaAnswer::Within;
}

bool shows_data(const Model& model, const std::string& path, int64_t zxid, std::string_view bytes) {
  if (const std::string root = counted_path(path); !root.empty()) {
    const std::optional<Usage> used = usage_below(model, root, zxid);
    return !used || bytes == fmt::format("count={},bytes={}", used->nodes, used->bytes);
  }
  const DataPtr& wanted = model.at(path, zxid)->data;
  return wanted == nullptr ? wire::is_absent(bytes) : !wire::is_absent(bytes) && bytes == *wanted;
}

}  // namespace quorate::sim
