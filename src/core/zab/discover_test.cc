#include "core/zab/discover.h"

#include <gtest/gtest.h>

namespace quorate::zab {
namespace {

constexpr Zxid zxid(int64_t epoch, int64_t counter) { return {(epoch << 32) | counter}; }

Electorate voters(int64_t count) {
  QuorumRule rule;
  for (int64_t id = 1; id <= count; ++id) rule.voters.push_back({.id = {id}});
  return Electorate(rule);
}

// Spec: quorum 3.3, step 1.
TEST(Discover, TheEpochIsAboveEveryAcceptedOneOfAQuorum) {
  struct Case {
    const char* why;
    int64_t own, first, second;
    int64_t epoch;
  };
  const Case cases[] = {
      {"all fresh", 0, 0, 0, 1},
      {"the leader has promised most", 7, 3, 3, 8},
      {"a voter has promised more", 3, 7, 0, 8},
      {"who comes late changes nothing", 3, 4, 9, 5},
  };
  const Electorate electorate = voters(3);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    Discover discover(electorate, electorate.bit({1}), {c.own, c.own}, {});
    EXPECT_FALSE(discover.epoch_settled());
    discover.on_accepted(electorate.bit({2}), c.first);
    EXPECT_TRUE(discover.epoch_settled());
    discover.on_accepted(electorate.bit({3}), c.second);
    EXPECT_EQ(discover.epoch(), c.epoch);
  }
}

TEST(Discover, WhoIsNoVoterRaisesTheEpochAndSettlesNothing) {
  const Electorate electorate = voters(3);
  Discover discover(electorate, electorate.bit({1}), {1, 1}, {});
  discover.on_accepted(electorate.bit({77}), 5);
  discover.on_accepted(electorate.bit({1}), 6);  // somebody with the leader's own id
  EXPECT_FALSE(discover.epoch_settled());
  discover.on_accepted(electorate.bit({3}), 1);
  EXPECT_EQ(discover.epoch(), 7);
}

TEST(Discover, AQuorumOfOneIsThereAtOnce) {
  const Electorate electorate = voters(1);
  const Discover discover(electorate, electorate.bit({1}), {4, 4}, zxid(4, 2));
  EXPECT_TRUE(discover.epoch_settled());
  EXPECT_TRUE(discover.elected());
  EXPECT_EQ(discover.epoch(), 5);
}

TEST(Discover, TheLastEpochIsNotPassed) {
  const Electorate electorate = voters(1);
  EXPECT_EQ(Discover(electorate, 1, {kMaxEpoch, 1}, {}).epoch(), kMaxEpoch);
  EXPECT_GT((Zxid{kMaxEpoch << 32}), (Zxid{}));
}

// Spec: quorum 3.3, step 3; rule 20.
TEST(Discover, WhoIsNewerIsNotLedUntilTheElectionIsOver) {
  struct Case {
    const char* why;
    int64_t current;
    Zxid last;
    bool ahead_before;
    bool ahead_after;
  };
  const Case cases[] = {
      {"as new as the leader", 2, zxid(2, 5), false, false},
      {"a shorter history", 2, zxid(2, 4), false, false},
      {"a longer history of the same epoch: a tail to be cut once there is a leader", 2, zxid(2, 6), true, false},
      {"an older epoch, whatever the zxid", 1, zxid(2, 6), false, false},
      {"a newer epoch, whatever the zxid", 3, zxid(1, 1), true, false},
      {"the very epoch that it has only promised", 4, zxid(1, 1), true, true},
  };
  const Electorate electorate = voters(3);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    Discover discover(electorate, electorate.bit({1}), {3, 2}, zxid(2, 5));
    EXPECT_EQ(discover.is_ahead(c.current, c.last), c.ahead_before);
    discover.on_promised(electorate.bit({2}), 2, zxid(2, 5));
    ASSERT_TRUE(discover.elected());
    EXPECT_EQ(discover.is_ahead(c.current, c.last), c.ahead_after);
  }
}

TEST(Discover, WhoDoesNotElect) {
  struct Case {
    const char* why;
    int64_t id;
    int64_t current;
    Zxid last;
    bool elects;
  };
  const Case cases[] = {
      {"a voter", 2, 1, zxid(1, 1), true},
      {"a voter without a history", 2, 0, zxid(0, 0), true},
      {"a voter that was asked before", 2, -1, zxid(1, 1), false},
      {"a voter whose history is in doubt", 2, 1, {-1}, false},
      {"no voter", 9, 1, zxid(1, 1), false},
  };
  const Electorate electorate = voters(3);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    Discover discover(electorate, electorate.bit({1}), {1, 1}, zxid(1, 1));
    discover.on_promised(electorate.bit({c.id}), c.current, c.last);
    EXPECT_EQ(discover.elected(), c.elects);
  }
}

// Both rounds ask the committed configuration only. Spec: quorum 3.3.
TEST(Discover, ANewerConfigurationDoesNotCount) {
  const QuorumRule committed{.voters = {{.id = {1}}, {.id = {2}}, {.id = {3}}}, .hierarchical = false, .version = 1};
  const QuorumRule newer{.voters = {{.id = {1}}, {.id = {4}}, {.id = {5}}}, .hierarchical = false, .version = 2};
  const Electorate electorate(committed, newer);
  Discover discover(electorate, electorate.bit({1}), {1, 1}, {});
  discover.on_accepted(electorate.bit({4}), 1);
  discover.on_accepted(electorate.bit({5}), 1);
  EXPECT_FALSE(discover.epoch_settled());
  discover.on_accepted(electorate.bit({2}), 1);
  EXPECT_TRUE(discover.epoch_settled());
}

}  // namespace
}  // namespace quorate::zab
