#include "sim/ensemble_scenarios.h"

#include "sim/ensemble_scripts.h"

namespace quorate::sim {

std::span<const Scenario> scenarios() {
  static constexpr Scenario kAll[] = {
      {"SIM-710", "report A: a late REVALIDATE must not leave a session moved for ever", late_revalidation},
      {"SIM-484", "the same with a change of the leader in between", late_revalidation_after_switch},
      {"SIM-1382", "report B: an expired session's pipelined watches", watches_of_the_expired},
      {"SIM-1382-cut", "watches of clients that a server's own role change lets go", watches_of_the_cut_off},
      {"SIM-4541", "ephemerals of sessions that close while leaders change", ephemerals_of_the_closed},
      {"SIM-SESSION-MINORITY", "clients of a server without a quorum go elsewhere", session_on_minority},
      {"SIM-C1a", "report C: a hole within an epoch in the next leader's log", hole_within_epoch},
      {"SIM-C1b", "report C: a hole between two epochs in the next leader's log", hole_between_epochs},
      {"SIM-C2", "report C: a tail that was never acknowledged, and a leader that was never established",
       unacknowledged_tail},
      {"SIM-2845", "uncommitted txns of a leader that was cut off", uncommitted_of_old_leader},
      {"SIM-3911", "what a DIFF brought is durable before it is acknowledged", diff_made_durable},
      {"SIM-4646", "crashes of a learner at any call of its synchronisation", crash_in_sync},
      {"CRASH-EPOCH", "crashes at any call of an election's work on disk", crash_at_epoch_files},
      {"KILL-LEADER", "the leader is killed again and again", leader_killed},
      {"PAUSE-LEADER", "the leader is stopped and goes on, again and again", leader_paused},
      {"AWAY-LONG", "a follower comes back and is served from the log on disk", away_for_long},
      {"AWAY-LONGER", "a follower comes back and needs a snapshot", away_for_longer},
      {"ALL-POWER", "all servers lose power at once", all_power_lost},
      {"NET-PARTIAL", "one-way and partial cuts around the leader", one_way_cuts},
      {"IO-FSYNC", "syncs of logs fail", log_sync_fails},
      {"ROLLING", "a restart of one server after the other under load", rolling_restart},
  };
  return kAll;
}

}  // namespace quorate::sim
