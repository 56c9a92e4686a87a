#include "core/replica/cleaner.h"

#include <algorithm>

#include "wire/codes.h"

namespace quorate::replica {
namespace {

bool container_is_done(const wire::StatPersisted& stat, const CleanerSettings& settings, int64_t wall_ms) {
  if (stat.cversion > 0) return true;
  return settings.max_never_used.value != 0 && wall_ms - stat.mtime > settings.max_never_used.value;
}

bool ttl_has_passed(const wire::StatPersisted& stat, int64_t wall_ms) {
  const int64_t ttl = tree::ttl_of(stat.ephemeral_owner);
  return ttl != 0 && wall_ms - stat.mtime > ttl;
}

bool is_done(const tree::Tree& tree, tree::NodeRef node, const CleanerSettings& settings, Now now) {
  return tree.child_count(node) == 0 && is_over(tree.stored_stat(node), tree.kind_of(node), settings, now.wall_ms);
}

}  // namespace

bool is_over(const wire::StatPersisted& stat, tree::OwnerKind kind, const CleanerSettings& settings, int64_t wall_ms) {
  if (kind == tree::OwnerKind::Container) return container_is_done(stat, settings, wall_ms);
  return kind == tree::OwnerKind::Ttl && ttl_has_passed(stat, wall_ms);
}

Cleaner::Cleaner(const CleanerSettings& settings, Now now)
    : settings_(settings), next_check_(now.monotonic + settings.check_interval) {}

std::vector<std::string> Cleaner::due(const tree::Tree& tree, Now now) {
  if (now.monotonic >= next_check_ && candidates_.empty()) {
    collect(tree, now);
    next_check_ = now.monotonic + settings_.check_interval;
  }
  std::vector<std::string> paths;
  const Millis pace{60000 / std::max(settings_.max_per_minute, 1)};
  while (!candidates_.empty() && now.monotonic >= next_removal_) {
    std::string path = candidates_.pop();
    // Found up to minutes ago: by now it may be used, renewed, or another node altogether.
    const tree::NodeRef node = tree.find(path);
    if (node == tree::kNoNode || !is_done(tree, node, settings_, now)) continue;
    paths.push_back(std::move(path));
    next_removal_ = std::max(next_removal_, now.monotonic - Millis{100}) + pace;
  }
  return paths;
}

Millis Cleaner::next() const { return candidates_.empty() ? next_check_ : next_removal_; }

void Cleaner::collect(const tree::Tree& tree, Now now) {
  for (const auto& nodes : {tree.containers(), tree.ttl_nodes()}) {
    for (const tree::NodeRef node : nodes) {
      if (is_done(tree, node, settings_, now)) candidates_.push(tree.path_of(node));
    }
  }
}

}  // namespace quorate::replica
