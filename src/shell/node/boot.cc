#include <utility>

#include "base/check.h"
#include "shell/node/node.h"
#include "shell/storage/set_aside.h"

namespace quorate::node {
namespace {

uint64_t seed_of(const NodeSettings& settings) { return settings.recovery.hash_key.k0 ^ settings.recovery.hash_key.k1; }

/// A member does not insist on a history that cannot be loaded: it keeps it for the operator, and asks its leader for
/// the tree. Spec: known-faults R-D5, R-D6.
Result<storage::Recovered> recover(env::Disk& disk, NodeSettings& settings, std::vector<LogLine>& lines) {
  settings.recovery.may_be_in_doubt = settings.ensemble.has_value();
  auto recovered = storage::recover(disk, settings.recovery);
  if (recovered || !settings.ensemble || recovered.error().fault != Fault::Corrupt) return recovered;
  const storage::HistoryDirectories directories{settings.recovery.snapshot_directory, settings.recovery.log_directory};
  const auto aside = storage::set_history_aside(disk, directories, recovered.error().detail, lines);
  if (!aside) return std::unexpected(aside.error());
  return storage::recover(disk, settings.recovery);
}

}  // namespace

Result<std::unique_ptr<Node>> Node::boot(const World& world, NodeSettings settings, std::vector<LogLine>& lines) {
  QUORATE_CHECK(!settings.ensemble || world.network != nullptr);
  auto auth = auth::Auth::make(settings.auth);
  if (!auth) return std::unexpected(auth.error());
  if (!settings.recovery.elapsed_ms)
    settings.recovery.elapsed_ms = [&world_clock = world.clock] { return world_clock.micros() / 1000; };
  auto recovered = recover(world.disk, settings, lines);
  if (!recovered) return std::unexpected(recovered.error());
  for (LogLine& line : recovered->lines) lines.push_back(std::move(line));

  auto node = std::unique_ptr<Node>(new Node(world, std::move(settings)));
  // What had to be replayed counts towards the next snapshot, or a server that is restarted often never takes one.
  node->txns_since_snapshot_ = static_cast<int64_t>(recovered->txns_replayed);
  node->bytes_since_snapshot_ = static_cast<int64_t>(recovered->log_bytes_replayed);
  const auto mismatches = static_cast<int64_t>(recovered->digest_mismatches);
  if (node->settings_.ensemble) {
    auto started = node->start_member(std::move(*recovered), *world.network, lines);
    if (!started) return std::unexpected(started.error());
  } else {
    node->start_alone(std::move(*recovered), std::move(*auth));
  }
  node->replica().stats().digest_mismatches_count += mismatches;
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
  start.in_doubt = in_doubt(recovered);
  start.tree = std::move(recovered.tree);
  start.sessions = std::move(recovered.sessions);
  start.now = clock_.now();
  start.seed = seed_of(settings_);
  auto epochs = storage::EpochFiles::open(disk_, settings_.recovery.snapshot_directory, start.tree->last_zxid(), lines);
  if (!epochs) return std::unexpected(epochs.error());
  start.epochs = {epochs->accepted(), epochs->current()};
  const auto aside =
      storage::count_set_aside(disk_, {settings_.recovery.snapshot_directory, settings_.recovery.log_directory});
  if (!aside) return std::unexpected(aside.error());
  const EnsembleParts parts{network, disk_, clock_, settings_, [this](const char* why) { let_go_of_tree(why); }};
  ensemble_ = std::make_unique<Ensemble>(parts, std::move(start), std::move(*epochs));
  ensemble_->note_set_aside(*aside);
  return ensemble_->listen();
}

}  // namespace quorate::node
