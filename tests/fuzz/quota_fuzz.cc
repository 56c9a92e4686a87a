#include <string>

#include "base/check.h"
#include "core/tree/quota.h"
#include "input.h"

/// The text of quota nodes, which any client may write: read, printed, read again, and lying in a tree while nodes
/// come and go below it. Two pieces: the limits, the usage.
namespace quorate::fuzz {
namespace {

bool same(const tree::QuotaText& a, const tree::QuotaText& b) {
  return a.count == b.count && a.bytes == b.bytes && a.count_hard == b.count_hard && a.bytes_hard == b.bytes_hard;
}

void print_and_parse(std::string_view text) {
  const tree::QuotaText quota = tree::parse_quota(text);
  const tree::QuotaText again = tree::parse_quota(tree::print_quota(quota));
  QUORATE_CHECK(same(quota, again));
}

void live_under(std::string_view limits, std::string_view usage) {
  tree::Tree tree({1, 2});
  const auto add = [&tree](std::string_view path, std::string_view data) {
    return tree.insert({.path = path, .data = data, .acl = tree::kOpenAcl, .stat = {}});
  };
  add("/q", "12345");
  add("/zookeeper/quota/q", "");
  const tree::NodeRef limit_node = add("/zookeeper/quota/q/zookeeper_limits", limits);
  const tree::NodeRef usage_node = add("/zookeeper/quota/q/zookeeper_stats", usage);
  tree.set_data(usage_node, usage);
  const tree::NodeRef child = add("/q/c", "123");
  tree.set_data(child, limits);
  tree.set_data(limit_node, usage);
  tree::check_quota(tree, "/q/c", 1, INT64_MAX);
  tree::check_quota(tree, "/q/c", INT64_MIN, 5);
  tree.erase(child);
  tree.erase(limit_node);
  tree::check_quota(tree, "/q", 1, 1);
}

}  // namespace
}  // namespace quorate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate;
  fuzz::Input input(data, size);
  const std::string_view limits = input.piece();
  const std::string_view usage = input.rest();
  fuzz::print_and_parse(limits);
  fuzz::print_and_parse(usage);
  fuzz::live_under(limits, usage);
  return 0;
}
