#pragma once
#include "sim/outcome.h"

/// The scripts that ensemble_scenarios.cc lists.
namespace quorate::sim {

// ensemble_scripts_sessions.cc
Outcome late_revalidation(uint64_t seed, bool verbose);
Outcome late_revalidation_after_switch(uint64_t seed, bool verbose);
Outcome watches_of_the_expired(uint64_t seed, bool verbose);
Outcome watches_of_the_cut_off(uint64_t seed, bool verbose);
Outcome ephemerals_of_the_closed(uint64_t seed, bool verbose);
Outcome session_on_minority(uint64_t seed, bool verbose);

// ensemble_scripts_history.cc
Outcome hole_within_epoch(uint64_t seed, bool verbose);
Outcome hole_between_epochs(uint64_t seed, bool verbose);
Outcome unacknowledged_tail(uint64_t seed, bool verbose);
Outcome uncommitted_of_old_leader(uint64_t seed, bool verbose);
Outcome cut_behind_ack(uint64_t seed, bool verbose);
Outcome diff_made_durable(uint64_t seed, bool verbose);
Outcome crash_in_sync(uint64_t seed, bool verbose);
Outcome crash_at_epoch_files(uint64_t seed, bool verbose);

// ensemble_scripts_outages.cc
Outcome leader_killed(uint64_t seed, bool verbose);
Outcome leader_paused(uint64_t seed, bool verbose);
Outcome away_for_long(uint64_t seed, bool verbose);
Outcome away_for_longer(uint64_t seed, bool verbose);
Outcome all_power_lost(uint64_t seed, bool verbose);
Outcome one_way_cuts(uint64_t seed, bool verbose);
Outcome log_sync_fails(uint64_t seed, bool verbose);
Outcome rolling_restart(uint64_t seed, bool verbose);

// ensemble_scripts_growth.cc
Outcome grown_from_one(uint64_t seed, bool verbose);
Outcome counters_run_out(uint64_t seed, bool verbose);

// ensemble_scripts_clocks.cc
Outcome clocks_disagree(uint64_t seed, bool verbose);
Outcome read_only_minority(uint64_t seed, bool verbose);

// ensemble_scripts_damage.cc
Outcome last_record_damaged(uint64_t seed, bool verbose);
Outcome snapshots_damaged(uint64_t seed, bool verbose);

// ensemble_scripts_storms.cc
Outcome sessions_expire_at_once(uint64_t seed, bool verbose);
Outcome watches_come_back(uint64_t seed, bool verbose);

// ensemble_scripts_sizes.cc
Outcome long_close(uint64_t seed, bool verbose);
Outcome long_multis(uint64_t seed, bool verbose);
Outcome many_children(uint64_t seed, bool verbose);

}  // namespace quorate::sim
