#include "core/zab/quorum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/zab/elect_testing.h"

namespace quorate::zab {
namespace {

using testing::Dice;
using testing::majority_of;

VoterSet set_of(const Electorate& electorate, const std::vector<int64_t>& ids) {
  VoterSet set = 0;
  for (const int64_t id : ids) set |= electorate.bit({id});
  return set;
}

QuorumRule grouped(std::vector<Voter> voters, int64_t version = 0) {
  return {.voters = std::move(voters), .hierarchical = true, .version = version};
}

struct Case {
  const char* why;
  std::vector<int64_t> set;
  bool quorum;
};

void check(const Electorate& electorate, const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    EXPECT_EQ(electorate.contains_quorum(set_of(electorate, c.set)), c.quorum);
  }
}

TEST(Quorum, MajorityIsMoreThanHalfOfTheVoters) {
  check(Electorate(majority_of({1, 2, 3})), {{"nobody", {}, false},
                                             {"one of three", {2}, false},
                                             {"two of three", {1, 3}, true},
                                             {"all", {1, 2, 3}, true},
                                             {"strangers do not count", {1, 7, 8, 9}, false},
                                             {"nobody counts twice", {1, 1, 1}, false}});
  check(Electorate(majority_of({1, 2, 3, 4})),
        {{"half is not more than half", {1, 4}, false}, {"three", {1, 2, 4}, true}});
  check(Electorate(majority_of({5})), {{"alone", {5}, true}, {"nobody", {}, false}});
  check(Electorate(majority_of({})), {{"no voters decide nothing", {}, false}, {"strangers neither", {1}, false}});
}

// Spec: quorum 6.5. Groups {1 2 3}, {4 5 6}, {7 8 9}, and of weight 0 {10 11}.
TEST(Quorum, HierarchicalIsAMajorityOfWeightInAMajorityOfGroups) {
  const Electorate nine(grouped({{{1}, 1, 1},
                                 {{2}, 1, 1},
                                 {{3}, 1, 1},
                                 {{4}, 1, 2},
                                 {{5}, 1, 2},
                                 {{6}, 1, 2},
                                 {{7}, 1, 3},
                                 {{8}, 1, 3},
                                 {{9}, 1, 3},
                                 {{10}, 0, 4},
                                 {{11}, 0, 4}}));
  check(nine, {{"two in each of two groups", {1, 2, 4, 5}, true},
               {"one group whole, one in each other", {1, 2, 3, 4, 7}, false},
               {"a majority of servers without one of groups", {1, 2, 3, 4, 7, 10, 11}, false},
               {"all of two groups", {4, 5, 6, 7, 8, 9}, true},
               {"a group without weight is no group", {1, 2, 10, 11}, false}});
  EXPECT_EQ(nine.weight({10}), 0);
  EXPECT_EQ(nine.weight({1}), 1);
  EXPECT_TRUE(nine.is_voter({10}));

  const Electorate weighted(grouped({{{1}, 3, 0}, {{2}, 1, 0}, {{3}, 1, 0}, {{4}, 0, 0}}));
  check(weighted, {{"one that outweighs the rest", {1}, true},
                   {"the rest", {2, 3, 4}, false},
                   {"half of an odd weight is rounded down", {1, 4}, true}});
  const Electorate even(grouped({{{1}, 2, 0}, {{2}, 2, 0}}));
  check(even, {{"half of the weight", {1}, false}, {"all of it", {1, 2}, true}});
}

TEST(Quorum, TheNewerConfigurationCountsAsWell) {
  const Electorate both(majority_of({1, 2, 3}, 5), majority_of({3, 4, 5}, 6));
  check(both, {{"only the old one's", {1, 2, 3}, false},
               {"only the new one's", {3, 4, 5}, false},
               {"one that is in both", {1, 3, 4}, true},
               {"two and two", {1, 2, 4, 5}, true}});
  EXPECT_TRUE(both.contains_committed_quorum(set_of(both, {1, 2})));
  EXPECT_FALSE(both.contains_committed_quorum(set_of(both, {3, 4, 5})));
  EXPECT_TRUE(both.is_voter({5}));
  EXPECT_FALSE(both.is_committed_voter({5}));
  EXPECT_FALSE(both.is_voter({6}));
  EXPECT_EQ(both.bit({6}), 0U);
  EXPECT_EQ(both.voters(), (std::vector<ServerId>{{1}, {2}, {3}, {4}, {5}}));
  EXPECT_EQ(both.weight({5}), 1);
  EXPECT_EQ(both.weight({6}), 0);

  const Electorate equal(majority_of({1, 2, 3}, 5), majority_of({3, 4, 5}, 5));
  check(equal, {{"of the same age: the committed one alone", {1, 2}, true}});
  EXPECT_FALSE(equal.is_voter({5}));
}

TEST(Quorum, WeightsComeFromTheCommittedConfigurationFirst) {
  const Electorate both(grouped({{{1}, 0, 0}, {{2}, 1, 0}}, 1), grouped({{{1}, 4, 0}, {{3}, 5, 0}}, 2));
  EXPECT_EQ(both.weight({1}), 0);
  EXPECT_EQ(both.weight({2}), 1);
  EXPECT_EQ(both.weight({3}), 5);
}

TEST(Quorum, SixtyFourVotersFit) {
  std::vector<int64_t> ids;
  for (int64_t id = 64; id > 0; --id) ids.push_back(id);
  const Electorate most(majority_of(ids));
  VoterSet set = 0;
  for (int64_t id = 1; id <= 32; ++id) set |= most.bit({id});
  EXPECT_FALSE(most.contains_quorum(set));
  EXPECT_TRUE(most.contains_quorum(set | most.bit({64})));
  EXPECT_TRUE(most.contains_quorum(~VoterSet{0}));
}

TEST(Quorum, RuleOfAConfigurationHoldsItsVoters) {
  const auto config = wire::parse_quorum_config(
      "server.1=a:2888:3888:participant\nserver.2=b:2888:3888:participant\nserver.3=c:2888:3888:observer\n"
      "group.7=1\ngroup.9=2\nweight.2=3\nversion=1a");
  ASSERT_TRUE(config.has_value());
  const QuorumRule rule = rule_of(*config);
  EXPECT_TRUE(rule.hierarchical);
  EXPECT_EQ(rule.version, 0x1a);
  ASSERT_EQ(rule.voters.size(), 2U);
  EXPECT_EQ(rule.voters[0].id, ServerId{1});
  EXPECT_EQ(rule.voters[0].group, 7);
  EXPECT_EQ(rule.voters[1].weight, 3);
  EXPECT_EQ(rule.voters[1].group, 9);
}

/// The words of the specification, with sets of ids.
bool naive(const QuorumRule& rule, const std::set<int64_t>& set) {
  std::map<int64_t, int64_t> total, got;
  int64_t members = 0;
  for (const Voter& voter : rule.voters) {
    total[voter.group] += voter.weight;
    got[voter.group] += set.contains(voter.id.value) ? voter.weight : 0;
    members += set.contains(voter.id.value) ? 1 : 0;
  }
  if (!rule.hierarchical) return members > std::ssize(rule.voters) / 2;
  std::erase_if(total, [](const auto& group) { return group.second == 0; });
  int64_t won = 0;
  for (const auto& [group, weight] : total) won += got[group] > weight / 2 ? 1 : 0;
  return won > std::ssize(total) / 2;
}

QuorumRule any_rule(Dice& dice, int64_t version) {
  QuorumRule rule{.voters = {}, .hierarchical = dice.percent(60), .version = version};
  for (int64_t id = -1; id < 12; ++id) {
    if (dice.percent(50))
      rule.voters.push_back({.id = {id}, .weight = dice.between(0, 3), .group = dice.between(1, 3)});
  }
  return rule;
}

TEST(Quorum, RandomRulesDecideAsTheWordsSay) {
  Dice dice(7);
  for (int round = 0; round < 3000; ++round) {
    const QuorumRule old_rule = any_rule(dice, 1);
    const QuorumRule new_rule = any_rule(dice, dice.between(0, 2));
    const Electorate electorate(old_rule, new_rule);
    std::set<int64_t> ids;
    VoterSet set = 0;
    for (int64_t id = -2; id < 14; ++id) {
      if (!dice.percent(55)) continue;
      ids.insert(id);
      set |= electorate.bit({id});
    }
    EXPECT_EQ(electorate.contains_committed_quorum(set), naive(old_rule, ids));
    EXPECT_EQ(electorate.contains_quorum(set), naive(old_rule, ids) && (new_rule.version <= 1 || naive(new_rule, ids)));
  }
}

}  // namespace
}  // namespace quorate::zab
