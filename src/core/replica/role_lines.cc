#include "core/replica/role_lines.h"

#include <fmt/format.h>

namespace quorate::replica {
namespace {

const char* name_of(wire::PeerState state) {
  switch (state) {
    case wire::PeerState::Looking:
      return "LOOKING";
    case wire::PeerState::Following:
      return "FOLLOWING";
    case wire::PeerState::Leading:
      return "LEADING";
    case wire::PeerState::Observing:
      return "OBSERVING";
  }
  return "";
}

}  // namespace

LogLine state_line(wire::PeerState state) { return {Level::Info, "QuorumPeer", name_of(state)}; }

std::vector<LogLine> role_lines(wire::PeerState state, Millis election) {
  const char* component = state == wire::PeerState::Leading ? "Leader" : "Follower";
  return {state_line(state),
          {Level::Info, component, fmt::format("{} - LEADER ELECTION TOOK - {} MS", name_of(state), election.value)}};
}

}  // namespace quorate::replica
