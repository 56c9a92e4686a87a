#include "core/zab/synchronise.h"
#include "base/planted.h"

#include <algorithm>
#include <optional>

namespace quorate::zab {
namespace {

SyncPlan snap(const char* why) { return {.kind = SyncKind::Snap, .from = {}, .why = why}; }

/// Where the journal's committed part passes `position`.
struct Crossing {
  Zxid before;                ///< The last zxid that is not above it.
  std::optional<Zxid> after;  ///< The first one that is.
  bool has_gap = false;       ///< Anywhere in the part: it is no history then.
};

Crossing find_crossing(Zxid position, const Journal& journal) {
  Crossing crossing{.before = journal.base(), .after = {}};
  Zxid last = journal.base();
  journal.each_after(journal.base(), [&](Zxid zxid, std::string_view) {
    if (zxid > journal.committed()) return;
    if (!follows(last, zxid)) crossing.has_gap = true;
    last = zxid;
    if (zxid <= position) crossing.before = zxid;
    if (zxid > position && !crossing.after) crossing.after = zxid;
  });
  return crossing;
}

/// Which of our zxids is the start of `epoch`; none when we never learned of that epoch, or that it was established.
std::optional<Zxid> end_before(int64_t epoch, const Journal& journal, const SyncSettings& settings) {
  const Zxid start{epoch << 32};
  if (start == journal.base()) return start;
  const auto known = std::ranges::find(settings.epochs, epoch, &EpochStart::epoch);
  if (known != settings.epochs.end()) return known->before;
  if (start < journal.base()) return std::nullopt;
  // A txn of the epoch is committed: so the epoch was established, with what stands before that txn.
  const Crossing crossing = find_crossing(start, journal);
  if (crossing.after && crossing.after->epoch() == epoch) return crossing.before;
  return std::nullopt;
}

/// The peer is where our history is not: it has txns of a leader that did not commit them.
SyncPlan cut_back(Zxid peer, Zxid shared) {
  if (shared.epoch() != peer.epoch()) return snap("what it holds besides our history began with its epoch");
  if (shared.counter() == 0) return snap("there is no txn to cut behind");
  const SyncKind kind = planted(Planted::TailNotCut) ? SyncKind::Diff : SyncKind::Trunc;
  return {.kind = kind, .from = shared, .why = "it holds txns that were never committed"};
}

SyncPlan from_journal(Zxid peer, Zxid position, const Journal& journal) {
  const Crossing crossing = find_crossing(position, journal);
  if (crossing.has_gap) return snap("our recent history has a gap");
  if (crossing.before == position) return {.kind = SyncKind::Diff, .from = position, .why = "it is a little behind"};
  // Only for a position of its own making: the start of an epoch is one of our zxids.
  if (peer != position) return snap("its epoch began elsewhere in our history");
  return cut_back(peer, crossing.before);
}

}  // namespace

bool follows(Zxid last, Zxid next) {
  if (next.epoch() > last.epoch()) return next.counter() == 1;
  return next == last || next.value == last.value + 1;
}

bool joins_on(Zxid last, Zxid next, const std::vector<EpochStart>& epochs) {
  if (next.epoch() == last.epoch()) return true;
  return std::ranges::find(epochs, EpochStart{next.epoch(), last}) != epochs.end();
}

SyncPlan choose_sync(Zxid peer, const Journal& journal, const SyncSettings& settings) {
  if (settings.force_snapshot) return snap("forceSnapshotSync is set");
  if (peer < Zxid{0}) return snap("its history is in doubt");
  std::optional<Zxid> position = peer;
  if (peer.counter() == 0 && peer != Zxid{0} && peer != journal.committed()) {
    position = end_before(peer.epoch(), journal, settings);
  }
  if (!position) return snap("we do not know how its epoch began");
  if (*position >= journal.base()) return from_journal(peer, *position, journal);
  if (planted(Planted::DiffOverHole)) return {.kind = SyncKind::Diff, .from = journal.base(), .why = ""};
  if (!settings.history_on_disk) return snap("it is further behind than the recent txns reach");
  return {.kind = SyncKind::DiffFromDisk, .from = *position, .why = "it is behind the recent txns"};
}

}  // namespace quorate::zab
