#include <utility>

#include "base/check.h"
#include "shell/node/node.h"

namespace quorate::node {
namespace {

uint64_t seed_of(const NodeSettings& settings) { return settings.recovery.hash_key.k0 ^ settings.recovery.hash_key.k1; }

}  // namespace

Result<std::unique_ptr<Node>> Node::boot(const World& world, NodeSettings settings, std::vector<LogLine>& lines) {
  QUORATE_CHECK(!settings.ensemble || world.network != nullptr);
  auto auth = auth::Auth::make(settings.auth);
  if (!auth) return std::unexpected(auth.error());
  if (!settings.recovery.elapsed_ms)
    settings.recovery.elapsed_ms = [&world_clock = world.clock] { return world_clock.micros() / 1000; };
  auto recovered = storage::recover(world.disk, settings.recovery);
  if (!recovered) return std::unexpected(recovered.error());
  for (LogLine& line : recovered->lines) lines.push_back(std::move(line));

  auto node = std::unique_ptr<Node>(new Node(world, std::move(settings)));
  // What had to be replayed counts towards the next snapshot, or a server that is restarted often never takes one.
  node->txns_since_snapshot_ = static_cast<int64_t>(recovered->txns_replayed);
  node->bytes_since_snapshot_ = static_cast<int64_t>(recovered->log_bytes_replayed);
  if (node->settings_.ensemble) {
    auto started = node->start_member(std::move(*recovered), *world.network, lines);
    if (!started) return std::unexpected(started.error());
  } else {
    node->start_alone(std::move(*recovered), std::move(*auth));
  }
  node->next_purge_ = node->now().monotonic;
  return node;
}

void Node::start_alone(storage::Recovered recovered, auth::Auth auth) {
  replica::StartingPoint start;
  start.tree = std::move(recovered.tree);
  start.sessions = std::move(recovered.sessions);
  start.now = clock_.now();
  start.seed = seed_of(settings_);
  // Without learners nobody asks for a txn that is applied.
  journal_ = std::make_unique<zab::Journal>(start.tree->last_zxid(), 0);
  replica_ = std::make_unique<replica::Replica>(settings_.replica, std::move(auth), std::move(start), *journal_);
}

Result<void> Node::start_member(storage::Recovered recovered, env::Network& network, std::vector<LogLine>& lines) {
  replica::MemberStart start;
  // Nothing there, and an empty database was not asked for: no vote, and a SNAP first. Spec: quorum 2.9.
  start.in_doubt = recovered.last_zxid.value < 0;
  start.tree = std::move(recovered.tree);
  start.sessions = std::move(recovered.sessions);
  start.now = clock_.now();
  start.seed = seed_of(settings_);
  auto epochs = storage::EpochFiles::open(disk_, settings_.recovery.snapshot_directory, start.tree->last_zxid(), lines);
  if (!epochs) return std::unexpected(epochs.error());
  start.epochs = {epochs->accepted(), epochs->current()};
  const EnsembleParts parts{network, disk_, clock_, settings_, [this](const char* why) { let_go_of_tree(why); }};
  ensemble_ = std::make_unique<Ensemble>(parts, std::move(start), std::move(*epochs));
  return ensemble_->listen();
}

}  // namespace quorate::node
