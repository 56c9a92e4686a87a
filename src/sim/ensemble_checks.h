#pragma once
#include <span>
#include <string>

#include "sim/ensemble_history.h"

/// What must hold of every run of an ensemble, whatever went wrong in it. Each check returns the first thing that is
/// wrong, or nothing; none needs a server. Numbers are those of known-faults 8.
namespace quorate::sim {

// ensemble_checks_servers.cc
/// I-8: an epoch has at most one leader and is led once, by a quorum; I-9: which then lacks nothing of the epochs
/// before.
std::string check_leaders(const EnsembleHistory& history);
/// I-8: epochs on a disk are in order, and never go back.
std::string check_epochs(const EnsembleHistory& history);
/// I-2, I-4: all servers apply the one history without a gap, and are equal where they have come equally far.
std::string check_agreement(const EnsembleHistory& history);
/// I-7: when nothing happens any more, these have all of it.
std::string check_converged(const EnsembleHistory& history, std::span<const uint32_t> servers);

// ensemble_checks_tree.cc
/// I-5: an ephemeral is there only while its session is.
std::string check_ephemerals(const EnsembleHistory& history);
/// I-14: a sequential name has a higher number than all before it under its parent.
std::string check_sequences(const EnsembleHistory& history);

// ensemble_checks_clients.cc
/// I-7: what was acknowledged was done, at the zxid that was told; nothing was done twice, or without being asked for.
std::string check_acknowledged(const EnsembleHistory& history);
/// G4: requests of a session take effect in the order in which they were sent, answers come in that order without a
/// gap, and nothing of an old connection takes effect in another epoch than its own, or once the session has another
/// connection; other than one that was let in by a leader who had been replaced before the old one was let in.
std::string check_session_order(const EnsembleHistory& history);
/// I-6: the zxids that a session is told never go back, whatever servers tell them.
std::string check_reply_zxids(const EnsembleHistory& history);

// ensemble_checks_reads.cc
/// G3, I-13: an answer shows, in all its parts, one state between the last that the session saw and its own zxid.
std::string check_reads(const EnsembleHistory& history);
/// I-12: an event is owed, comes once, and comes before any answer that is as new as the change.
std::string check_watches(const EnsembleHistory& history);

/// All of them but check_converged().
std::string check_all(const EnsembleHistory& history);

}  // namespace quorate::sim
