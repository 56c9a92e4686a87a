#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/ids.h"
#include "sim/ensemble_checks.h"

/// What holds between servers.
namespace quorate::sim {
namespace {

/// All zxids that anybody applied.
std::set<int64_t> all_zxids(const EnsembleHistory& history) {
  std::set<int64_t> zxids;
  for (const Applied& applied : history.applied) zxids.insert(applied.zxid);
  return zxids;
}

std::string check_quorum(const Leadership& leadership, uint32_t voters) {
  const std::set<uint32_t> quorum(leadership.quorum.begin(), leadership.quorum.end());
  if (!quorum.contains(leadership.server)) {
    return fmt::format("server {} leads epoch {} without its own vote", leadership.server, leadership.epoch);
  }
  if (quorum.size() * 2 > voters) return {};
  return fmt::format("server {} leads epoch {} with {} of {} voters", leadership.server, leadership.epoch,
                     quorum.size(), voters);
}

/// Nothing of an earlier epoch was ever applied that the leader does not have. Spec: known-faults I-9.
std::string check_complete(const Leadership& leadership, const std::set<int64_t>& zxids) {
  const auto behind = zxids.upper_bound(leadership.last_zxid);
  if (behind == zxids.end() || Zxid{*behind}.epoch() >= leadership.epoch) return {};
  return fmt::format("server {} leads epoch {} from 0x{:x} on, but 0x{:x} was applied", leadership.server,
                     leadership.epoch, leadership.last_zxid, *behind);
}

/// One step of a server from `before`, along the one history.
std::string check_step(const Applied& step, int64_t before, const std::set<int64_t>& zxids) {
  if (step.zxid <= before) {
    return fmt::format("server {} applied 0x{:x} behind 0x{:x}", step.server, step.zxid, before);
  }
  const int64_t skipped = *zxids.upper_bound(before);
  if (skipped == step.zxid) return {};
  return fmt::format("server {} applied 0x{:x} behind 0x{:x}, without 0x{:x}", step.server, step.zxid, before, skipped);
}

}  // namespace

std::string check_leaders(const EnsembleHistory& history) {
  std::map<int64_t, uint32_t> leaders;
  const std::set<int64_t> zxids = all_zxids(history);
  for (const Leadership& leadership : history.leaderships) {
    const auto [known, added] = leaders.emplace(leadership.epoch, leadership.server);
    if (!added) {
      return fmt::format("epoch {} is led by server {}, and was by server {}", leadership.epoch, leadership.server,
                         known->second);
    }
    std::string wrong = check_quorum(leadership, leadership.voters == 0 ? history.voters : leadership.voters);
    if (wrong.empty()) wrong = check_complete(leadership, zxids);
    if (!wrong.empty()) return wrong;
  }
  return {};
}

std::string check_epochs(const EnsembleHistory& history) {
  std::map<uint32_t, EpochsOnDisk> last;
  for (const EpochsOnDisk& now : history.epochs) {
    const int64_t of_zxid = Zxid{now.last_zxid}.epoch();
    if (now.accepted < now.current || now.current < of_zxid) {
      return fmt::format("server {} has accepted epoch {}, is in epoch {}, and its last txn is of {}", now.server,
                         now.accepted, now.current, of_zxid);
    }
    const auto [before, added] = last.emplace(now.server, now);
    if (!added && (now.accepted < before->second.accepted || now.current < before->second.current)) {
      return fmt::format("server {} went back from the epochs {} and {} to {} and {}", now.server,
                         before->second.accepted, before->second.current, now.accepted, now.current);
    }
    before->second = now;
  }
  return {};
}

std::string check_agreement(const EnsembleHistory& history) {
  const std::set<int64_t> zxids = all_zxids(history);
  std::map<int64_t, Applied> by_zxid;
  std::map<uint32_t, int64_t> last;
  for (const Applied& applied : history.applied) {
    const Applied& first = by_zxid.emplace(applied.zxid, applied).first->second;
    if (first.digest != applied.digest) {
      return fmt::format("at 0x{:x} servers {} and {} differ: {:016x} and {:016x}", applied.zxid, first.server,
                         applied.server, first.digest, applied.digest);
    }
    const auto [before, added] = last.emplace(applied.server, 0);
    // A server that begins with nothing begins with the first txn of all.
    if (!applied.whole) {
      const std::string wrong = check_step(applied, before->second, zxids);
      if (!wrong.empty()) return wrong;
    }
    before->second = applied.zxid;
  }
  return {};
}

std::string check_converged(const EnsembleHistory& history, std::span<const uint32_t> servers) {
  std::map<uint32_t, int64_t> last;
  int64_t newest = 0;
  for (const Applied& applied : history.applied) {
    last[applied.server] = applied.zxid;
    newest = std::max(newest, applied.zxid);
  }
  for (const uint32_t server : servers) {
    if (last[server] == newest) continue;
    return fmt::format("server {} has come to 0x{:x}, the history ends at 0x{:x}", server, last[server], newest);
  }
  return {};
}

std::string check_all(const EnsembleHistory& history) {
  constexpr std::string (*kChecks[])(const EnsembleHistory&) = {
      check_leaders,      check_epochs,        check_agreement,   check_ephemerals, check_sequences,
      check_acknowledged, check_session_order, check_reply_zxids, check_reads,      check_watches,
  };
  for (const auto check : kChecks) {
    std::string wrong = check(history);
    if (!wrong.empty()) return wrong;
  }
  return {};
}

}  // namespace quorate::sim
