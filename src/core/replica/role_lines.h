#pragma once
#include <vector>

#include "base/ids.h"
#include "base/log_line.h"
#include "wire/election.h"

/// What a member says at the beginning of each of its roles, however short that is, in the words that operators look
/// for. Spec: operations 7.2.
namespace quorate::replica {

/// LOOKING, FOLLOWING, LEADING or OBSERVING.
LogLine state_line(wire::PeerState state);
/// The same for a role that an election found, and how long that took.
std::vector<LogLine> role_lines(wire::PeerState state, Millis election);

}  // namespace quorate::replica
