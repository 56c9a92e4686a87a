#include "core/zab/commit_rule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace quorate::zab {
namespace {

constexpr Zxid zxid(int64_t counter) { return {(int64_t{1} << 32) | counter}; }

QuorumRule rule_of(std::vector<int64_t> ids, int64_t version = 0) {
  QuorumRule rule{.voters = {}, .hierarchical = false, .version = version};
  for (const int64_t id : ids) rule.voters.push_back({.id = {id}});
  return rule;
}

struct Votes {
  explicit Votes(Electorate all) : electorate(std::move(all)), rule(electorate, electorate.bit({1}), zxid(0)) {}

  void propose(int64_t last) {
    for (int64_t counter = 1; counter <= last; ++counter) rule.propose(zxid(counter));
  }
  void ack(int64_t id, int64_t counter) { rule.on_ack(electorate.bit({id}), zxid(counter)); }
  /// Counters of what has become committed.
  std::vector<int64_t> commits() {
    std::vector<int64_t> all;
    while (const auto next = rule.next_committed()) all.push_back(next->counter());
    return all;
  }

  Electorate electorate;
  CommitRule rule;
};

using Counters = std::vector<int64_t>;

// Spec: disk 6.1 rule 1.
TEST(CommitRule, StandaloneIsAQuorumOfOne) {
  Votes votes(Electorate(rule_of({1})));
  votes.propose(3);
  EXPECT_EQ(votes.commits(), Counters{});
  votes.rule.on_durable(zxid(2));
  EXPECT_EQ(votes.commits(), (Counters{1, 2}));
  EXPECT_FALSE(votes.rule.idle());
  votes.rule.on_durable(zxid(3));
  EXPECT_EQ(votes.commits(), Counters{3});
  EXPECT_TRUE(votes.rule.idle());
  EXPECT_EQ(votes.rule.committed(), zxid(3));
}

// It comes back, and is told to cut what the leader itself does not hold yet.
TEST(CommitRule, WhoHasLeftCountsNoMore) {
  Votes votes(Electorate(rule_of({1, 2, 3})));
  votes.propose(2);
  votes.ack(2, 1);
  votes.ack(2, 2);
  votes.rule.withdraw(votes.electorate.bit({2}));
  votes.rule.on_durable(zxid(2));
  EXPECT_EQ(votes.commits(), Counters{});
  votes.ack(2, 1);
  EXPECT_EQ(votes.commits(), Counters{1});
  votes.ack(3, 2);
  EXPECT_EQ(votes.commits(), Counters{2});
}

// Rule 43.
TEST(CommitRule, AnAckIsForOneProposal) {
  Votes votes(Electorate(rule_of({1, 2, 3})));
  votes.propose(3);
  votes.rule.on_durable(zxid(3));
  votes.ack(2, 3);
  EXPECT_EQ(votes.commits(), Counters{});
  votes.ack(2, 1);
  EXPECT_EQ(votes.commits(), Counters{1});
  votes.ack(3, 2);
  EXPECT_EQ(votes.commits(), (Counters{2, 3}));
}

TEST(CommitRule, TheOwnLogIsNotNeeded) {
  Votes votes(Electorate(rule_of({1, 2, 3})));
  votes.propose(1);
  votes.ack(2, 1);
  EXPECT_EQ(votes.commits(), Counters{});
  votes.ack(3, 1);
  EXPECT_EQ(votes.commits(), Counters{1});
}

TEST(CommitRule, WhatDoesNotCount) {
  Votes votes(Electorate(rule_of({1, 2, 3})));
  votes.propose(2);
  votes.rule.on_durable(zxid(1));
  votes.ack(9, 1);  // no voter
  votes.ack(1, 1);  // counted already
  votes.ack(2, 0);  // the start of the epoch
  votes.ack(2, 7);  // unknown
  EXPECT_EQ(votes.commits(), Counters{});
  votes.ack(2, 1);
  EXPECT_EQ(votes.commits(), Counters{1});
  votes.ack(3, 1);  // late
  EXPECT_EQ(votes.commits(), Counters{});
}

// Rule 43: per configuration.
TEST(CommitRule, BothConfigurationsHaveToAgree) {
  Votes votes(Electorate(rule_of({1, 2, 3}, 1), rule_of({1, 4, 5}, 2)));
  votes.propose(1);
  votes.rule.on_durable(zxid(1));
  votes.ack(2, 1);
  votes.ack(3, 1);
  EXPECT_EQ(votes.commits(), Counters{});
  votes.ack(5, 1);
  EXPECT_EQ(votes.commits(), Counters{1});
}

// Goal: with acks in any order, twice, and of strangers, what is committed is the longest run of proposals that a
// majority holds. Method: sets of ids a proposal, counted from the start after each step.
TEST(CommitRule, Twin) {
  for (uint32_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto pick = [&](int64_t to) { return std::uniform_int_distribution<int64_t>(1, to)(random); };
    Votes votes(Electorate(rule_of({1, 2, 3, 4, 5})));
    std::map<int64_t, std::set<int64_t>> held;
    int64_t made = 0;
    int64_t durable = 0;
    int64_t committed = 0;
    for (int step = 0; step < 400; ++step) {
      const int64_t id = pick(7);
      if (pick(3) == 1) {
        votes.rule.propose(zxid(++made));
      } else if (id == 1 && durable < made) {
        votes.rule.on_durable(zxid(durable += pick(made - durable)));
        for (int64_t counter = 1; counter <= durable; ++counter) held[counter].insert(1);
      } else if (id > 1 && made > 0) {
        const int64_t counter = std::clamp(committed - 2 + pick(8), int64_t{1}, made);
        votes.ack(id, counter);
        if (id <= 5) held[counter].insert(id);
      }
      for (const int64_t counter : votes.commits()) ASSERT_EQ(counter, ++committed);
      ASSERT_TRUE(committed == made || held[committed + 1].size() < 3);
      if (committed > 0) {
        ASSERT_GE(held[committed].size(), 3U);
      }
    }
    EXPECT_GT(committed, 0);
  }
}

}  // namespace
}  // namespace quorate::zab
