#include "core/replica/cleaner.h"

#include <algorithm>

#include "wire/codes.h"

namespace quorate::replica {
namespace {

bool container_is_done(const tree::Tree& tree, tree::NodeRef node, const CleanerSettings& settings, Now now) {
  if (tree.child_count(node) > 0) return false;
  const wire::StatPersisted stat = tree.stored_stat(node);
  if (stat.cversion > 0) return true;
  return settings.max_never_used.value != 0 && now.wall_ms - stat.mtime > settings.max_never_used.value;
}

bool ttl_has_passed(const tree::Tree& tree, tree::NodeRef node, Now now) {
  if (tree.child_count(node) > 0) return false;
  const wire::StatPersisted stat = tree.stored_stat(node);
  const int64_t ttl = stat.ephemeral_owner & wire::kMaxTtl;
  return ttl != 0 && now.wall_ms - stat.mtime > ttl;
}

}  // namespace

Cleaner::Cleaner(const CleanerSettings& settings, Now now)
    : settings_(settings), next_check_(now.monotonic + settings.check_interval) {}

std::vector<std::string> Cleaner::due(const tree::Tree& tree, Now now) {
  if (now.monotonic >= next_check_ && candidates_.empty()) {
    collect(tree, now);
    next_check_ = now.monotonic + settings_.check_interval;
  }
  std::vector<std::string> paths;
  const Millis pace{std::max<int64_t>(60000 / std::max(settings_.max_per_minute, 1), 0)};
  while (!candidates_.empty() && now.monotonic >= next_removal_) {
    paths.push_back(candidates_.pop());
    next_removal_ = std::max(next_removal_, now.monotonic - Millis{100}) + pace;
  }
  return paths;
}

Millis Cleaner::next() const { return candidates_.empty() ? next_check_ : next_removal_; }

void Cleaner::collect(const tree::Tree& tree, Now now) {
  for (const tree::NodeRef node : tree.containers()) {
    if (container_is_done(tree, node, settings_, now)) candidates_.push(tree.path_of(node));
  }
  for (const tree::NodeRef node : tree.ttl_nodes()) {
    if (ttl_has_passed(tree, node, now)) candidates_.push(tree.path_of(node));
  }
}

}  // namespace quorate::replica
