#include "core/replica/role_lines.h"

#include "core/replica/member_testing.h"

namespace quorate::replica::testing {
namespace {

/// What a server has said of its own states.
std::vector<std::string> states_said(Ensemble& ensemble, int64_t id) {
  std::vector<std::string> said;
  for (const std::string& line : ensemble.at(id).lines) {
    const bool is_state = line == "LOOKING" || line == "FOLLOWING" || line == "LEADING" || line == "OBSERVING";
    if (is_state || line.contains("ELECTION TOOK")) said.push_back(line);
  }
  return said;
}

// Spec: operations 7.2. However short a state is.
TEST(RoleLines, OneForEachState) {
  using Lines = std::vector<std::string>;
  Ensemble alone(1);
  EXPECT_EQ(alone.elect(), 1);
  EXPECT_EQ(states_said(alone, 1), (Lines{"LOOKING", "LEADING", "LEADING - LEADER ELECTION TOOK - 0 MS"}));

  Ensemble ensemble(3);
  EXPECT_EQ(ensemble.elect(), 3);
  const Lines first = states_said(ensemble, 1);
  ASSERT_EQ(first.size(), 3U);
  EXPECT_EQ(first[0], "LOOKING");
  EXPECT_EQ(first[1], "FOLLOWING");
  EXPECT_TRUE(first[2].starts_with("FOLLOWING - LEADER ELECTION TOOK - ")) << first[2];
  ensemble.crash(3);
  EXPECT_EQ(ensemble.elect(), 2);
  EXPECT_EQ(states_said(ensemble, 1).at(3), "LOOKING");
  EXPECT_EQ(states_said(ensemble, 2).at(4), "LEADING");
}

}  // namespace
}  // namespace quorate::replica::testing
