#include "core/zab/vote.h"

#include <gtest/gtest.h>

#include "core/zab/elect_testing.h"

namespace quorate::zab {
namespace {

using testing::vote;
using wire::PeerState;

// Spec: quorum 2.3. Server 4 has weight 0, 9 is nobody.
TEST(Vote, EpochThenZxidThenServerId) {
  const Electorate electorate(
      QuorumRule{.voters = {{{1}, 1, 0}, {{2}, 1, 0}, {{3}, 1, 0}, {{4}, 0, 0}}, .hierarchical = true, .version = 0});
  struct Case {
    const char* why;
    Vote a, b;
    bool wins;
  };
  const Case cases[] = {
      {"higher epoch wins outright", vote(1, 0x100, 1, 2), vote(3, 0x900, 1, 1), true},
      {"lower epoch never wins", vote(3, 0x900, 1, 1), vote(1, 0x100, 1, 2), false},
      {"the epoch of the file counts, not the zxid's", vote(1, 0x100000001, 1, 3), vote(2, 0x200000001, 1, 2), true},
      {"same epoch: longer history wins", vote(1, 0x201, 1, 2), vote(3, 0x200, 1, 2), true},
      {"same history: higher id wins", vote(3, 0x200, 1, 2), vote(2, 0x200, 1, 2), true},
      {"the round does not count", vote(2, 0x200, 9, 2), vote(3, 0x200, 1, 2), false},
      {"a vote does not beat itself", vote(2, 0x200, 2, 2), vote(2, 0x200, 1, 2), false},
      {"anybody beats an observer's wish", vote(1, 0, 1, 0), vote(INT64_MIN, INT64_MIN, 1, INT64_MIN), true},
      {"numbers are signed", vote(1, -1, 1, 0), vote(3, 0, 1, 0), false},
      {"weight 0 never leads", vote(4, 0x900, 1, 5), vote(1, 0x100, 1, 1), false},
      {"nor does a stranger", vote(9, 0x900, 1, 5), vote(1, 0x100, 1, 1), false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    EXPECT_EQ(better(c.a, c.b, electorate), c.wins);
    EXPECT_FALSE(c.wins && better(c.b, c.a, electorate));
  }
}

// Spec: quorum 2.4.
TEST(Vote, SettledServersAgreeOnLess) {
  constexpr auto kLooking = PeerState::Looking;
  constexpr auto kFollowing = PeerState::Following;
  constexpr auto kLeading = PeerState::Leading;
  struct Case {
    const char* why;
    CastVote a, b;
    bool same;
  };
  const Case cases[] = {
      {"looking: all equal", {vote(3, 5, 1, 1), kLooking, 0}, {vote(3, 5, 1, 1), kLooking, 0}, true},
      {"looking: another leader", {vote(3, 5, 1, 1), kLooking, 0}, {vote(2, 5, 1, 1), kLooking, 0}, false},
      {"looking: another zxid", {vote(3, 5, 1, 1), kLooking, 0}, {vote(3, 6, 1, 1), kLooking, 0}, false},
      {"looking: another round", {vote(3, 5, 1, 1), kLooking, 0}, {vote(3, 5, 2, 1), kLooking, 0}, false},
      {"looking: another epoch", {vote(3, 5, 1, 1), kLooking, 0}, {vote(3, 5, 1, 2), kLooking, 0}, false},
      {"one looks: all equal", {vote(3, 5, 1, 1), kLooking, 0}, {vote(3, 5, 1, 1), kLeading, 2}, true},
      {"one looks: another epoch", {vote(3, 5, 1, 1), kLooking, 0}, {vote(3, 5, 1, 2), kLeading, 2}, false},
      {"settled, any round: leader and epoch",
       {vote(3, 5, 1, 2), kFollowing, 2},
       {vote(3, 9, 7, 2), kLeading, 2},
       true},
      {"settled, any round: another epoch", {vote(3, 5, 1, 1), kFollowing, 2}, {vote(3, 5, 1, 2), kLeading, 2}, false},
      {"settled, this round: the leader alone",
       {vote(3, 5, 1, 1), kFollowing, 0},
       {vote(3, 9, 1, 2), kLeading, 2},
       true},
      {"settled, this round: another leader",
       {vote(2, 5, 1, 1), kFollowing, 0},
       {vote(3, 5, 1, 1), kLeading, 2},
       false},
      {"settled, both without version", {vote(3, 5, 1, 1), kFollowing, 0}, {vote(3, 5, 1, 2), kLeading, 0}, false},
      {"settled, negative version is none", {vote(3, 5, 1, 1), kFollowing, 0}, {vote(3, 5, 1, 2), kLeading, -4}, false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    EXPECT_EQ(agree(c.a, c.b), c.same);
    EXPECT_EQ(agree(c.b, c.a), c.same);
  }
}

TEST(Vote, CastHoldsWhatTheNotificationSays) {
  const CastVote cast = cast_of(testing::notification(PeerState::Leading, vote(3, 5, -1, 2), 1));
  EXPECT_EQ(cast.vote, vote(3, 5, -1, 2));
  EXPECT_EQ(cast.state, PeerState::Leading);
  EXPECT_EQ(cast.version, 1);
}

}  // namespace
}  // namespace quorate::zab
