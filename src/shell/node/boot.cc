#include <utility>

#include "shell/node/node.h"

namespace quorate::node {

Result<std::unique_ptr<Node>> Node::boot(env::Disk& disk, const env::Clock& clock, NodeSettings settings,
                                         std::vector<LogLine>& lines) {
  auto auth = auth::Auth::make(settings.auth);
  if (!auth) return std::unexpected(auth.error());
  if (!settings.recovery.elapsed_ms) settings.recovery.elapsed_ms = [&clock] { return clock.micros() / 1000; };
  auto recovered = storage::recover(disk, settings.recovery);
  if (!recovered) return std::unexpected(recovered.error());
  for (LogLine& line : recovered->lines) lines.push_back(std::move(line));

  auto node = std::unique_ptr<Node>(new Node(disk, clock, std::move(settings)));
  replica::StartingPoint start;
  start.tree = std::move(recovered->tree);
  start.sessions = std::move(recovered->sessions);
  start.now = clock.now();
  start.seed = node->settings_.recovery.hash_key.k0 ^ node->settings_.recovery.hash_key.k1;
  // Without learners nobody asks for a txn that is applied.
  node->journal_ = std::make_unique<zab::Journal>(start.tree->last_zxid(), 0);
  node->replica_ =
      std::make_unique<replica::Replica>(node->settings_.replica, std::move(*auth), std::move(start), *node->journal_);
  // What had to be replayed counts towards the next snapshot, or a server that is restarted often never takes one.
  node->txns_since_snapshot_ = static_cast<int64_t>(recovered->txns_replayed);
  node->bytes_since_snapshot_ = static_cast<int64_t>(recovered->log_bytes_replayed);
  node->next_purge_ = start.now.monotonic;
  return node;
}

}  // namespace quorate::node
