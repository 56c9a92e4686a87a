#include "sim/ensemble_scenarios.h"

#include "sim/ensemble_scripts.h"

namespace quorate::sim {
namespace {

template <Planted... faults>
constexpr Planted kFinds[] = {faults...};

}  // namespace

std::span<const Scenario> scenarios() {
  using enum Planted;
  static constexpr Scenario kAll[] = {
      {"SIM-710", "report A: a late REVALIDATE must not leave a session moved for ever", late_revalidation,
       kFinds<MovedIsAnswered, OwnerMovesWithRequest>},
      {"SIM-484", "the same with a change of the leader in between", late_revalidation_after_switch,
       kFinds<MovedIsAnswered>},
      {"SIM-1382", "report B: an expired session's pipelined watches", watches_of_the_expired,
       kFinds<ReadBeforeConfirmed, WatchNotRemoved>},
      {"SIM-1382-cut", "watches of clients that a server's own role change lets go", watches_of_the_cut_off,
       kFinds<WatchNotRemoved>},
      {"SIM-4541", "ephemerals of sessions that close while leaders change", ephemerals_of_the_closed,
       kFinds<EphemeralKept, UndurableKept>},
      {"SIM-SESSION-MINORITY", "clients of a server without a quorum go elsewhere", session_on_minority,
       kFinds<LeadsWithoutQuorum, CommitWithoutQuorum>},
      {"SIM-C1a", "report C: a hole within an epoch in the next leader's log", hole_within_epoch, kFinds<HoleServed>},
      {"SIM-C1b", "report C: a hole between two epochs in the next leader's log", hole_between_epochs,
       kFinds<HoleServed>},
      {"SIM-C2", "report C: a tail that was never acknowledged, and a leader that was never established",
       unacknowledged_tail, kFinds<DirtySnapshotKept, CutNotReloaded>},
      {"SIM-2845", "uncommitted txns of a leader that was cut off", uncommitted_of_old_leader,
       kFinds<MemoryBehindLog, TailNotCut, CutNotReloaded>},
      {"SIM-CUT-ACK", "a follower acknowledges what no other disk holds, and is told to cut it", cut_behind_ack,
       kFinds<CutAckCounts>},
      {"SIM-3911", "what a DIFF brought is durable before it is acknowledged", diff_made_durable,
       kFinds<NewLeaderAckedEarly, AckedBeforeDurable>},
      {"SIM-4646", "crashes of a learner at any call of its synchronisation", crash_in_sync,
       kFinds<NewLeaderAckedEarly, TreeNotStored>},
      {"CRASH-EPOCH", "crashes at any call of an election's work on disk", crash_at_epoch_files,
       kFinds<CurrentEpochFirst, EpochPromisedTwice>},
      {"KILL-LEADER", "the leader is killed again and again", leader_killed},
      {"PAUSE-LEADER", "the leader is stopped and goes on, again and again", leader_paused},
      {"AWAY-LONG", "a follower comes back and is served from the log on disk", away_for_long, kFinds<DiffOverHole>},
      {"AWAY-LONGER", "a follower comes back and needs a snapshot", away_for_longer},
      {"ALL-POWER", "all servers lose power at once", all_power_lost, kFinds<LostLogSync>},
      {"NET-PARTIAL", "one-way and partial cuts around the leader", one_way_cuts},
      {"IO-FSYNC", "syncs of logs fail", log_sync_fails, kFinds<UndurableKept>},
      {"ROLLING", "a restart of one server after the other under load", rolling_restart},
      {"SIM-GROW", "one server becomes three, and these five", grown_from_one, kFinds<DiffOverHole>},
      {"SIM-ROLLOVER", "an epoch has no zxid left", counters_run_out, kFinds<CounterGoesOn>},
      {"SIM-RO-1", "a server without a leader lets clients read", read_only_minority, kFinds<ReadOnlyCounts>},
      {"CLOCK", "clocks of unequal pace, and wall clocks that jump by years", clocks_disagree, kFinds<WallClockTimes>},
      {"PAR-1", "the last record that two of three have is damaged on one, and the other is down", last_record_damaged,
       kFinds<DoubtVotes, TornBatchTaken>},
      {"PAR-2", "each server's newest snapshot is damaged", snapshots_damaged, kFinds<ReplayOffByOne>},
      {"STORM-EXPIRY", "very many sessions expire at once", sessions_expire_at_once, kFinds<TouchesLost, ExpiresEarly>},
      {"STORM-WATCHES", "very many watches come back at once", watches_come_back, kFinds<WatchNotRemoved>},
      {"BIG-1", "the list of a session's ephemerals is longer than jute.maxbuffer", long_close, kFinds<TooLongLogged>},
      {"BIG-2", "multis as long as a frame may be", long_multis, kFinds<ReplayOffByOne>},
      {"BIG-3", "a node has very many children", many_children, kFinds<ReplayOffByOne>},
  };
  return kAll;
}

}  // namespace quorate::sim
