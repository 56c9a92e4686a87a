#include "shell/server/role_lines.h"

#include <fmt/format.h>

namespace quorate::server {
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

std::vector<LogLine> RoleLines::on_state(wire::PeerState state, Millis now) {
  if (last_ == state) return {};
  const bool elected = last_ == wire::PeerState::Looking;
  last_ = state;
  std::vector<LogLine> lines{{Level::Info, "QuorumPeer", name_of(state)}};
  if (state == wire::PeerState::Looking) {
    looking_since_ = now;
  } else if (elected) {
    lines.push_back({Level::Info, state == wire::PeerState::Leading ? "Leader" : "Follower",
                     fmt::format("{} - LEADER ELECTION TOOK - {} MS", name_of(state), (now - looking_since_).value)});
  }
  return lines;
}

}  // namespace quorate::server
