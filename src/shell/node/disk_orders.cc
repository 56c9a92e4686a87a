#include "shell/node/disk_orders.h"

#include <utility>

#include "shell/storage/directory.h"
#include "shell/storage/replace.h"
#include "shell/storage/set_aside.h"
#include "shell/storage/truncate.h"

namespace quorate::node {
namespace {

storage::HistoryDirectories directories_of(const NodeSettings& settings) {
  return {settings.recovery.snapshot_directory, settings.recovery.log_directory};
}

}  // namespace

DiskOrders::DiskOrders(env::Disk& disk, const NodeSettings& settings, storage::EpochFiles epochs)
    : disk_(disk), settings_(settings), epochs_(std::move(epochs)) {}

bool DiskOrders::is_history(zab::DiskOrder::Kind kind) {
  return kind == zab::DiskOrder::Kind::Truncate || kind == zab::DiskOrder::Kind::StoreSnapshot;
}

void DiskOrders::give(const zab::DiskOrder& order, tree::Tree& tree, const tree::SessionList& sessions) {
  order_ = order;
  reload_ = false;
  tree_ = &tree;
  sessions_ = &sessions;
}

void DiskOrders::give_reload(bool in_doubt) {
  reload_ = true;
  in_doubt_ = in_doubt;
}

void DiskOrders::perform() {
  outcome_ = {};
  outcome_.reload = reload_;
  done_ = reload_ ? load() : carry_out();
}

Result<void> DiskOrders::carry_out() {
  switch (order_.kind) {
    case zab::DiskOrder::Kind::AcceptedEpoch:
      return epochs_.store_accepted(order_.epoch);
    case zab::DiskOrder::Kind::CurrentEpoch:
      return epochs_.store_current(order_.epoch);
    case zab::DiskOrder::Kind::Truncate:
      return truncate();
    case zab::DiskOrder::Kind::StoreSnapshot:
      return store_tree();
  }
  return {};
}

Result<void> DiskOrders::truncate() {
  const auto cut =
      storage::truncate_history(disk_, directories_of(settings_), order_.zxid, settings_.recovery.max_buffer_bytes);
  if (!cut) return std::unexpected(cut.error());
  if (cut->done) return load();
  outcome_.refused = cut->why_not;
  return {};
}

/// What made us doubt our history is for the operator to see. Spec: known-faults MUST-8.
Result<void> DiskOrders::keep_evidence() {
  const storage::HistoryDirectories directories = directories_of(settings_);
  const auto doubt = storage::history_is_in_doubt(disk_, directories);
  if (!doubt) return std::unexpected(doubt.error());
  if (!*doubt) return {};
  const auto logs = storage::list_directory(disk_, directories.logs);
  if (!logs) return std::unexpected(logs.error());
  if (logs->logs.empty()) return {};
  const auto aside = storage::set_history_aside(
      disk_, directories, "it is not the ensemble's, and a leader's takes its place", outcome_.lines);
  if (!aside) return std::unexpected(aside.error());
  outcome_.set_aside = true;
  return {};
}

/// A full disk is the one error that leaves everything as it was.
Result<void> DiskOrders::store_tree() {
  if (auto kept = keep_evidence(); !kept) return kept;
  storage::ReplaceSettings replace;
  replace.directories = directories_of(settings_);
  replace.compression = settings_.snapshot.compression;
  replace.with_digest = settings_.replica.digest;
  replace.with_last_zxid = settings_.snapshot.with_last_zxid;
  replace.max_buffer_bytes = settings_.recovery.max_buffer_bytes;
  auto stored = storage::replace_history(disk_, replace, *tree_, *sessions_);
  if (stored) return {};
  if (stored.error().fault != Fault::NoSpace || storage::change_is_pending(disk_, replace.directories)) {
    return std::unexpected(stored.error());
  }
  outcome_.refused = "there is no room for the leader's tree: " + stored.error().detail;
  return {};
}

Result<void> DiskOrders::load() {
  if (reload_ && in_doubt_) {
    auto noted = storage::mark_in_doubt(disk_, directories_of(settings_), "its digest was not the leader's");
    if (!noted) return noted;
  }
  auto recovered = storage::recover(disk_, settings_.recovery);
  if (!recovered) return std::unexpected(recovered.error());
  outcome_.memory = std::move(*recovered);
  return {};
}

Result<DiskOrders::Outcome> DiskOrders::finish() {
  if (!done_) return std::unexpected(done_.error());
  outcome_.epochs = {epochs_.accepted(), epochs_.current()};
  return std::move(outcome_);
}

}  // namespace quorate::node
