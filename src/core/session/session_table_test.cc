#include "core/session/session_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace quorate::session {
namespace {

using Ids = std::vector<SessionId>;

constexpr Millis kTick{2000};

// Spec: client 8.2. bucket(t) = (t / tick + 1) * tick, so expiry is in (T, T + tick] after the last touch.
TEST(SessionTable, ExpiresAtTheBucketAfterTheTimeout) {
  struct Case {
    const char* why;
    int64_t now, timeout, deadline;
  };
  const Case cases[] = {
      {"in the middle of a tick", 100, 5000, 6000},
      {"one before the boundary", 999, 5000, 6000},
      {"on the boundary: the next bucket", 1000, 5000, 8000},
      {"timeout 0", 0, 0, 2000},
      {"a negative timeout", 0, -2000, 2000},
      {"the most negative timeout", 5000, INT32_MIN, 6000},
      {"a long uptime", int64_t{1} << 50, 40000, ((int64_t{1} << 50) + 40000) / 2000 * 2000 + 2000},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    SessionTable table(kTick);
    table.add(SessionId{1}, static_cast<int32_t>(c.timeout), Millis{c.now});
    EXPECT_EQ(table.next_expiry(), Millis{c.deadline});
    EXPECT_TRUE(table.expire(Millis{c.deadline - 1}).empty());
    EXPECT_EQ(table.expire(Millis{c.deadline}), Ids{SessionId{1}});
    EXPECT_EQ(table.state(SessionId{1}), Touch::Closing);
    EXPECT_TRUE(table.expire(Millis{c.deadline + 100000}).empty()) << "returned once";
  }
}

TEST(SessionTable, TouchMovesTheDeadlineWithTheLatestTimeout) {
  SessionTable table(kTick);
  table.add(SessionId{1}, 4000, Millis{0});
  EXPECT_EQ(table.touch(SessionId{1}, 4000, Millis{1999}), Touch::Ok);
  EXPECT_EQ(table.next_expiry(), Millis{6000});
  EXPECT_EQ(table.touch(SessionId{1}, 20000, Millis{2000}), Touch::Ok);
  EXPECT_EQ(table.next_expiry(), Millis{24000});
  EXPECT_EQ(table.timeout_ms(SessionId{1}), 20000);
  EXPECT_EQ(table.touch(SessionId{1}, 4000, Millis{2000}), Touch::Ok) << "a shorter wish counts as well";
  EXPECT_EQ(table.next_expiry(), Millis{8000});
  EXPECT_EQ(table.touch(SessionId{2}, 4000, Millis{2000}), Touch::Unknown);
}

// Spec: client 8.1. A closing session refuses touches; known-faults R-N6: it stays until closeSession is applied.
TEST(SessionTable, ClosingIsFinal) {
  SessionTable table(kTick);
  table.add(SessionId{1}, 4000, Millis{0});
  EXPECT_TRUE(table.mark_closing(SessionId{1}));
  EXPECT_TRUE(table.mark_closing(SessionId{1}));
  EXPECT_FALSE(table.mark_closing(SessionId{9}));
  EXPECT_EQ(table.touch(SessionId{1}, 4000, Millis{0}), Touch::Closing);
  table.add(SessionId{1}, 4000, Millis{0});
  EXPECT_EQ(table.state(SessionId{1}), Touch::Closing);
  EXPECT_EQ(table.next_expiry(), Millis{INT64_MAX});
  EXPECT_TRUE(table.expire(Millis{1000000}).empty());
  EXPECT_EQ(table.size(), 1u);
  table.remove(SessionId{1});
  table.remove(SessionId{1});
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.state(SessionId{1}), Touch::Unknown);
  EXPECT_EQ(table.timeout_ms(SessionId{1}), 0);
}

TEST(SessionTable, OrderIsBucketThenId) {
  SessionTable table(kTick);
  for (const int64_t id : {5, -3, 9, 1}) table.add(SessionId{id}, 4000, Millis{0});
  table.add(SessionId{7}, 1000, Millis{0});
  const auto buckets = table.buckets();
  ASSERT_EQ(buckets.size(), 2u);
  EXPECT_EQ(buckets[0].deadline, Millis{2000});
  EXPECT_EQ(buckets[1].sessions, (Ids{{-3}, {1}, {5}, {9}}));
  EXPECT_EQ(table.expire(Millis{6000}), (Ids{{7}, {-3}, {1}, {5}, {9}}));
  EXPECT_TRUE(table.buckets().empty());
}

/// One map, searched from end to end.
struct NaiveSessions {
  struct Entry {
    int64_t deadline;
    int32_t timeout;
    bool closing;
  };
  std::map<SessionId, Entry> all;

  static int64_t bucket(Millis now, int32_t timeout) {
    return ((now.value + std::max(timeout, 0)) / kTick.value + 1) * kTick.value;
  }
  Touch touch(SessionId id, int32_t timeout, Millis now) {
    const auto at = all.find(id);
    if (at == all.end()) return Touch::Unknown;
    if (at->second.closing) return Touch::Closing;
    at->second = {bucket(now, timeout), timeout, false};
    return Touch::Ok;
  }
  std::map<int64_t, Ids> waiting() const {
    std::map<int64_t, Ids> found;
    for (const auto& [id, entry] : all) {
      if (!entry.closing) found[entry.deadline].push_back(id);
    }
    return found;
  }
  Ids expire(Millis now) {
    Ids expired;
    for (const auto& [deadline, ids] : waiting()) {
      if (deadline <= now.value) expired.insert(expired.end(), ids.begin(), ids.end());
    }
    for (const SessionId id : expired) all.at(id).closing = true;
    return expired;
  }
};

void compare(const SessionTable& table, const NaiveSessions& naive) {
  const std::map<int64_t, Ids> waiting = naive.waiting();
  EXPECT_EQ(table.size(), naive.all.size());
  EXPECT_EQ(table.next_expiry().value, waiting.empty() ? INT64_MAX : waiting.begin()->first);
  std::map<int64_t, Ids> seen;
  for (const auto& bucket : table.buckets()) seen[bucket.deadline.value] = bucket.sessions;
  EXPECT_EQ(seen, waiting);
}

void random_step(std::mt19937& random, Millis& now, SessionTable& table, NaiveSessions& naive) {
  const SessionId id{static_cast<int64_t>(random() % 40) - 20};
  const auto timeout = static_cast<int32_t>(random() % 9000) - 500;
  switch (random() % 8) {
    case 0:
      table.add(id, timeout, now);
      if (naive.touch(id, timeout, now) == Touch::Unknown) {
        naive.all[id] = {NaiveSessions::bucket(now, timeout), timeout, false};
      }
      return;
    case 1:
      EXPECT_EQ(table.mark_closing(id), naive.all.contains(id));
      if (naive.all.contains(id)) naive.all[id].closing = true;
      return;
    case 2:
      table.remove(id);
      naive.all.erase(id);
      return;
    case 3:
      now = now + Millis{static_cast<int64_t>(random() % 1500)};
      return;
    case 4:
      EXPECT_EQ(table.expire(now), naive.expire(now));
      return;
    default:
      EXPECT_EQ(table.touch(id, timeout, now), naive.touch(id, timeout, now));
      EXPECT_EQ(table.timeout_ms(id), naive.all.contains(id) ? naive.all[id].timeout : 0);
  }
}

// Goal: rings and one plain map never differ. Method: random operations on few ids.
TEST(SessionTable, LikeItsNaiveTwin) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    SessionTable table(kTick);
    NaiveSessions naive;
    Millis now{0};
    for (int i = 0; i < 3000 && !testing::Test::HasFailure(); ++i) {
      random_step(random, now, table, naive);
      compare(table, naive);
    }
  }
}

// Goal: 100,000 sessions are no burden. Method: add, touch over many ticks, expire half of them.
TEST(SessionTable, ManySessions) {
  constexpr int64_t kCount = 100000;
  SessionTable table(kTick);
  for (int64_t id = 0; id < kCount; ++id) table.add(SessionId{id}, 30000, Millis{id / 100});
  Millis now{0};
  for (int round = 0; round < 10; ++round) {
    now = now + Millis{3000};
    for (int64_t id = 0; id < kCount; id += 2) ASSERT_EQ(table.touch(SessionId{id}, 30000, now), Touch::Ok);
  }
  const Ids expired = table.expire(Millis{34000});
  ASSERT_EQ(expired.size(), static_cast<size_t>(kCount / 2));
  for (const SessionId id : expired) table.remove(id);
  EXPECT_EQ(table.size(), static_cast<size_t>(kCount / 2));
  EXPECT_EQ(table.next_expiry(), Millis{62000});
}

}  // namespace
}  // namespace quorate::session
