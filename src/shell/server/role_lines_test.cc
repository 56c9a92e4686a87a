#include "shell/server/role_lines.h"

#include <gtest/gtest.h>

#include <string>

namespace quorate::server {
namespace {

using wire::PeerState;

TEST(RoleLines, OneForEachChange) {
  RoleLines role;
  const auto said = [&](PeerState state, int64_t now) {
    std::string text;
    for (const LogLine& line : role.on_state(state, Millis{now}))
      text += std::string(line.component) + ": " + line.text + "\n";
    return text;
  };
  EXPECT_EQ(said(PeerState::Looking, 1000), "QuorumPeer: LOOKING\n");
  EXPECT_EQ(said(PeerState::Looking, 1100), "");
  EXPECT_EQ(said(PeerState::Following, 1234),
            "QuorumPeer: FOLLOWING\nFollower: FOLLOWING - LEADER ELECTION TOOK - 234 MS\n");
  EXPECT_EQ(said(PeerState::Following, 5000), "");
  EXPECT_EQ(said(PeerState::Looking, 9000), "QuorumPeer: LOOKING\n");
  EXPECT_EQ(said(PeerState::Leading, 9003), "QuorumPeer: LEADING\nLeader: LEADING - LEADER ELECTION TOOK - 3 MS\n");
  EXPECT_EQ(said(PeerState::Looking, 9100), "QuorumPeer: LOOKING\n");
  EXPECT_EQ(said(PeerState::Observing, 9101),
            "QuorumPeer: OBSERVING\nFollower: OBSERVING - LEADER ELECTION TOOK - 1 MS\n");
}

}  // namespace
}  // namespace quorate::server
