#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/zab/elect.h"

/// What the tests of votes and elections share: short forms of votes and electorates, chance, and one server under
/// test.
namespace quorate::zab::testing {

using wire::PeerState;

constexpr auto kLooking = PeerState::Looking;
constexpr auto kFollowing = PeerState::Following;
constexpr auto kLeading = PeerState::Leading;
constexpr auto kObserving = PeerState::Observing;
using Lines = std::vector<std::string>;

inline Vote vote(int64_t leader, int64_t zxid, int64_t round, int64_t epoch) {
  return {{leader}, {zxid}, round, epoch};
}

inline QuorumRule majority_of(std::vector<int64_t> ids, int64_t version = 0) {
  QuorumRule rule{.voters = {}, .hierarchical = false, .version = version};
  for (const int64_t id : ids) rule.voters.push_back({.id = {id}});
  return rule;
}

inline Electorate voters_to(int64_t last) {
  std::vector<int64_t> ids;
  for (int64_t id = 1; id <= last; ++id) ids.push_back(id);
  return Electorate(majority_of(ids));
}

inline wire::Notification notification(PeerState state, Vote vote, int32_t version = 2) {
  return {.state = static_cast<int32_t>(state),
          .leader = vote.leader.value,
          .zxid = vote.zxid,
          .round = vote.round,
          .peer_epoch = vote.peer_epoch,
          .version = version,
          .config = {}};
}

inline std::string number(int64_t value) { return value == INT64_MIN ? "none" : fmt::format("{:x}", value); }

/// "LOOKING 2 zxid 0 round 1 epoch 0"
inline std::string to_text(const wire::Notification& said) {
  static const char* const kNames[] = {"LOOKING", "FOLLOWING", "LEADING", "OBSERVING"};
  return fmt::format("{} {} zxid {} round {} epoch {}", kNames[said.state], number(said.leader),
                     number(said.zxid.value), said.round, number(said.peer_epoch));
}

/// Chance from a seed.
class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    state_ += 0x9E3779B97F4A7C15ULL;
    uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
    return mixed ^ (mixed >> 31);
  }
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(next() % static_cast<uint64_t>(high - low + 1));
  }
  bool percent(int64_t chance) { return between(1, 100) <= chance; }

 private:
  uint64_t state_;
};

/// One server under test: time in milliseconds since the start, what it says as lines.
class Probe {
 public:
  Probe(int64_t self, Electorate electorate, bool observer = false)
      : elect({.self = {self}, .observer = observer}, std::move(electorate)) {}

  void look(int64_t zxid, int64_t epoch) { elect.look({zxid}, epoch, {now}), collect(); }
  void hear(int64_t from, PeerState state, Vote said, int32_t version = 2) {
    elect.on_notification({from}, notification(state, said, version), {now}), collect();
  }
  void hear_state(int64_t from, int32_t state, Vote said) {
    wire::Notification odd = notification(kLooking, said);
    odd.state = state;
    elect.on_notification({from}, odd, {now}), collect();
  }
  void reach(int64_t voter, Reach reach) { elect.on_reach({voter}, reach, {now}), collect(); }
  void wait(int64_t millis, bool undelivered = false) {
    for (const int64_t end = now + millis;;) {
      now = std::max(now, std::min(end, elect.next_time().value));
      if (elect.next_time().value > now) return;
      elect.on_time({now}, undelivered), collect();
    }
  }
  Lines said() { return std::exchange(lines_, {}); }
  bool told_to_connect() { return std::exchange(connect_all_, false); }
  /// "leads 2", "follows 3", "observes 3"; "looks" while undecided.
  std::string outcome() const {
    if (!decided_) return "looks";
    const char* verb = elect.state() == kLeading ? "leads" : elect.state() == kFollowing ? "follows" : "observes";
    return fmt::format("{} {}", verb, decided_->leader.value);
  }

  Elect elect;
  int64_t now = 0;

 private:
  void collect() {
    ElectionOutput out = elect.take();
    for (const ElectionMessage& message : out.messages) {
      EXPECT_EQ(message.notification.version, 2);
      lines_.push_back(fmt::format("to {}: {}", message.to.value, testing::to_text(message.notification)));
    }
    connect_all_ |= out.connect_all;
    if (out.decided) {
      EXPECT_EQ(*out.decided, elect.current());
      EXPECT_EQ(elect.next_time(), Millis{INT64_MAX});
      decided_ = out.decided;
    }
    if (elect.state() == kLooking) decided_.reset();
  }

  Lines lines_;
  bool connect_all_ = false;
  std::optional<Vote> decided_;
};

}  // namespace quorate::zab::testing
