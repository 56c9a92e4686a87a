#include <algorithm>
#include <utility>

#include "shell/node/node.h"

/// What a node does now and then: idle connections, snapshots, zeros ahead of the log, purge.
namespace quorate::node {
namespace {

constexpr Millis kUpkeepEvery{1000};
// A drained buffer up to this size is kept while its client is busy.
constexpr size_t kWarmBytes = 64 << 10;
// Some 0.1 ms for a sync of a longer file, and 0.25 GB/s for zeros.
constexpr uint64_t kBatchWorthZeros = 25 << 10;

}  // namespace

void Node::on_tick() {
  ensemble_ ? ensemble_->on_time() : replica_->on_tick();
  if (now().monotonic < next_upkeep_) return;
  next_upkeep_ = now().monotonic + kUpkeepEvery;
  expire_idle();
  release_idle_buffers();
  consider_purge();
  consider_snapshot();
}

Millis Node::next_tick() const {
  const Millis next = std::min(ensemble_ ? ensemble_->next_time() : replica_->next_tick(), next_upkeep_);
  return has_batch() && !log_.busy() ? std::min(next, last_flush_ + settings_.flush_delay) : next;
}

// Spec: disk 2.5, "flush trigger".
bool Node::flush_is_due() const {
  if (settings_.flush_delay.value <= 0 || now().monotonic >= last_flush_ + settings_.flush_delay) return true;
  const zab::Journal& journal = replica().journal();
  return journal.has_full_batch() || (settings_.max_batch > 0 && journal.open_txns() >= settings_.max_batch);
}

void Node::expire_idle() {
  std::vector<Client*> idle;
  for (const auto& [client, owned] : clients_) {
    const bool has_session = client->connection->phase == replica::Phase::Live;
    const Millis limit = has_session ? Millis{client->connection->timeout_ms} + settings_.links.sessionless_timeout
                                     : settings_.links.sessionless_timeout;
    if (now().monotonic - client->last_io > limit) idle.push_back(client);
  }
  // The table's order is not the same in every run; the order of closing must be.
  std::ranges::sort(idle, {}, [](const Client* client) { return client->connection->id; });
  for (Client* client : idle) {
    if (client->connection->phase != replica::Phase::Live) ++replica().stats().sessionless_connections_expired;
    client->connection->phase == replica::Phase::Closed ? client->connection->out.clear() : on_hangup(*client);
  }
}

void Node::release_idle_buffers() {
  std::erase_if(warm_, [](Client* client) {
    ByteBuffer& out = client->connection->out;
    if (client->busy_lately && out.capacity() <= kWarmBytes) {
      client->busy_lately = false;
      return false;
    }
    if (out.empty()) out.release();
    client->warm = false;
    return true;
  });
}

bool Node::log_has_grown_enough() const {
  const SnapshotSettings& policy = settings_.snapshot;
  if (policy.snap_count > 0 && txns_since_snapshot_ >= policy.snap_count) return true;
  if (policy.size_limit_bytes > 0 && bytes_since_snapshot_ >= policy.size_limit_bytes) return true;
  const int64_t half = replica().tree().resident_bytes() / 2;
  return bytes_since_snapshot_ >= std::max(policy.floor_bytes, half);
}

void Node::consider_snapshot() {
  if (background_.snapshotting() || background_.busy()) return;
  if (ensemble_ && (ensemble_->wants_orders() || ensemble_->sends_tree() || history_changes_)) return;
  // What a server that does not serve holds may be nobody's history (known-faults 1.3, C2).
  if (ensemble_ && (!ensemble_->member().serving() || ensemble_->member().ending())) return;
  if (!snapshot_wanted_ && !log_has_grown_enough()) return;
  if (now().monotonic < next_snapshot_) return;
  snapshot_wanted_ = false;
  txns_since_snapshot_ = 0;
  bytes_since_snapshot_ = 0;
  log_.roll();
  background_.start(replica().tree(), replica().sessions());
}

void Node::consider_fill() {
  if (settings_.log.preallocate_bytes == 0) return;
  const uint64_t bytes = log_.log().file_bytes();
  // A sync that falls among fresh zeros takes longer. With the usual 4 MiB ahead it is one in two thousand for a client
  // that writes 1 KiB at a time, far beyond its 99th percentile, and a busy log still has 1.5 MiB in front of it.
  if (bytes >= filled_at_ && bytes - filled_at_ < settings_.log.preallocate_bytes / 8 * 5) return;
  const uint64_t written = bytes >= filled_at_ ? bytes - filled_at_ : bytes;
  const int64_t batches = log_.batches() - std::exchange(filled_at_batch_, log_.batches());
  filled_at_ = bytes;
  // Zeros save every sync the work of a longer file, and cost the disk what data costs: large batches are better
  // without.
  if (written <= kBatchWorthZeros * static_cast<uint64_t>(batches)) background_.want_fill(log_.log());
}

void Node::consider_purge() {
  if (settings_.purge.interval.value <= 0 || now().monotonic < next_purge_) return;
  next_purge_ = now().monotonic + settings_.purge.interval;
  background_.want_purge();
}

}  // namespace quorate::node
