#include <gtest/gtest.h>

#include "core/zab/elect.h"
#include "core/zab/elect_world_testing.h"

/// Elections under chance: connections break, servers crash and come back, packets between two servers stop for a
/// while. Around the elections stands the least of a protocol that makes them matter: a leader must gather followers
/// that are not ahead of it, a follower must find its leader leading, and both look again when that fails.
namespace quorate::zab {
namespace {

using testing::Dice;
using testing::ElectWorld;
using testing::voters_to;
using wire::PeerState;

constexpr int64_t kCheck = 100;        ///< Between two looks at a role.
constexpr int64_t kDialTries = 5;      ///< Of a follower, quorum 10.
constexpr int64_t kGatherTries = 20;   ///< Of a leader without followers.
constexpr int64_t kBusyPhase = 4000;   ///< Of faults.
constexpr int64_t kCalmPhase = 10000;  ///< Until all must agree.

/// What a process keeps over a crash, and its role.
struct Member {
  int64_t zxid = 0;
  int64_t epoch = 0;
  int64_t accepted = 0;
  int64_t joined = 0;  ///< The established leader that we follow.
  bool established = false;
  int64_t failures = 0;
  int64_t search = 0;  ///< Counts look()s: the checks of an older role stop.
};

class Ensemble {
 public:
  Ensemble(int64_t voters, bool observer, uint64_t seed)
      : voters_(voters),
        size_(voters + (observer ? 1 : 0)),
        electorate_(voters_to(voters)),
        world_(electorate_, seed, {.least = 1, .most = 40}),
        members_(static_cast<size_t>(size_) + 1) {
    world_.on_decided([this](int64_t id) { on_decided(id); });
    for (int64_t id = 1; id <= size_; ++id) {
      member(id).accepted = 2;  // of the whole quorum that led to the newest of these
      member(id).epoch = dice().between(0, 2);
      member(id).zxid = (member(id).epoch << 32) + dice().between(0, 3);
    }
  }

  ElectWorld& world() { return world_; }
  Dice& dice() { return world_.dice(); }
  Member& member(int64_t id) { return members_[static_cast<size_t>(id)]; }
  int64_t size() const { return size_; }
  int64_t voters() const { return voters_; }
  const std::vector<std::string>& breaches() const { return breaches_; }
  int64_t established() const { return established_; }

  void start(int64_t id) {
    if (world_.up(id)) return;
    world_.start({.self = {id}, .observer = id > voters_, .max_interval = {1600}});
    world_.after(dice().between(0, 50), [this, id, life = world_.incarnation(id)] {
      if (world_.incarnation(id) == life) look(id);
    });
  }
  void crash(int64_t id) {
    leave_role(id);
    world_.crash(id);
  }

  /// The established leader that everybody up follows; 0 while there is none.
  int64_t agreed_leader() {
    int64_t leader = 0;
    for (int64_t id = 1; id <= size_; ++id) {
      if (world_.up(id) && member(id).established && world_.elect(id).state() == PeerState::Leading) leader = id;
    }
    for (int64_t id = 1; leader != 0 && id <= size_; ++id) {
      if (world_.up(id) && id != leader && member(id).joined != leader) return 0;
    }
    return leader;
  }

 private:
  void leave_role(int64_t id) {
    Member& self = member(id);
    self.joined = self.failures = 0;
    self.established = false;
    ++self.search;
  }

  void look(int64_t id) {
    leave_role(id);
    world_.look(id, {member(id).zxid}, member(id).epoch);
  }

  void on_decided(int64_t id) {
    if (world_.elect(id).state() == PeerState::Leading) check_votes(id);
    check_later(id);
  }

  // Whoever leads has been voted for by a quorum, in its round.
  void check_votes(int64_t id) {
    const Vote& won = world_.elect(id).current();
    VoterSet set = 0;
    for (const ServerId voter : electorate_.voters()) {
      if (world_.has_said(voter.value, won.leader.value, won.round)) set |= electorate_.bit(voter);
    }
    if (!electorate_.contains_quorum(set)) breaches_.push_back(fmt::format("{} leads without votes", id));
  }

  void check_later(int64_t id) {
    world_.after(kCheck, [this, id, search = member(id).search] {
      if (member(id).search != search || !world_.up(id)) return;
      const bool leads = world_.elect(id).state() == PeerState::Leading;
      if (leads ? keep_leading(id) : keep_following(id)) {
        check_later(id);
      } else {
        look(id);
      }
    });
  }

  bool follows(int64_t id, int64_t leader) {
    return world_.up(id) && !world_.is_cut(id, leader) && world_.elect(id).state() == PeerState::Following &&
           world_.elect(id).current().leader.value == leader;
  }

  bool keep_leading(int64_t id) {
    Member& self = member(id);
    VoterSet set = electorate_.bit({id});
    int64_t accepted = self.accepted;
    for (int64_t other = 1; other <= voters_; ++other) {
      if (other == id || !follows(other, id)) continue;
      set |= electorate_.bit({other});
      accepted = std::max(accepted, member(other).accepted);
    }
    if (!electorate_.contains_quorum(set)) return !self.established && ++self.failures < kGatherTries;
    if (!self.established) establish(id, accepted + 1);
    self.zxid += dice().between(0, 2);
    return true;
  }

  void establish(int64_t id, int64_t epoch) {
    Member& self = member(id);
    self.established = true;
    self.epoch = self.accepted = epoch;
    self.zxid = (epoch << 32) + 1;
    world_.elect(id).set_peer_epoch(epoch);
    ++established_;
    for (int64_t other = 1; other <= voters_; ++other) {
      if (other != id && follows(other, id)) member(other).accepted = epoch;
    }
  }

  bool keep_following(int64_t id) {
    Member& self = member(id);
    const int64_t leader = world_.elect(id).current().leader.value;
    const bool there = world_.up(leader) && !world_.is_cut(id, leader) && member(leader).search != 0 &&
                       world_.elect(leader).state() == PeerState::Leading;
    if (!there) return self.joined == 0 && ++self.failures < kDialTries;
    const Member& led = member(leader);
    if (!led.established) return id > voters_ || std::pair(self.epoch, self.zxid) <= std::pair(led.epoch, led.zxid);
    if (self.accepted > led.epoch) return false;
    self.joined = leader;
    self.epoch = self.accepted = led.epoch;
    self.zxid = led.zxid;
    world_.elect(id).set_peer_epoch(self.epoch);
    return true;
  }

  int64_t voters_;
  int64_t size_;
  Electorate electorate_;
  ElectWorld world_;
  std::vector<Member> members_;
  std::vector<std::string> breaches_;
  int64_t established_ = 0;
};

void something_happens(Ensemble& ensemble) {
  Dice& dice = ensemble.dice();
  const int64_t id = dice.between(1, ensemble.size());
  const int64_t other = dice.between(1, ensemble.size());
  switch (dice.between(0, 5)) {
    case 0:
      if (ensemble.world().up(id)) ensemble.crash(id);
      break;
    case 1:
    case 2:
      ensemble.start(id);
      break;
    case 3:
      ensemble.world().heal();
      break;
    case 4:
      if (id != other) ensemble.world().cut(id, other);
      break;
    default:
      ensemble.world().disconnect(id, other);
  }
}

/// Leaves a majority up and connected; the others are down.
void calm_down(Ensemble& ensemble) {
  Dice& dice = ensemble.dice();
  ensemble.world().heal();
  int64_t spare = (ensemble.voters() - 1) / 2;
  for (int64_t id = 1; id <= ensemble.size(); ++id) {
    if (id <= ensemble.voters() && spare > 0 && dice.percent(30)) {
      --spare;
      if (ensemble.world().up(id)) ensemble.crash(id);
    } else {
      ensemble.start(id);
    }
  }
}

// Once the faults end, everybody finds one and the same leader, and stays with it.
TEST(RandomElections, EndWithOneLeaderWhenTheFaultsEnd) {
  int64_t latest = 0, established = 0;
  for (uint64_t seed = 1; seed <= 2000; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Ensemble ensemble(seed % 2 == 0 ? 3 : 5, seed % 3 == 0, seed);
    for (int64_t id = 1; id <= ensemble.size(); ++id) ensemble.start(id);
    for (int64_t now = 0; now < kBusyPhase; now += ensemble.dice().between(10, 400)) {
      ensemble.world().run_until(now);
      something_happens(ensemble);
    }
    ensemble.world().run_until(kBusyPhase);
    calm_down(ensemble);
    int64_t waited = 0;
    for (; waited < kCalmPhase && ensemble.agreed_leader() == 0; waited += kCheck) {
      ensemble.world().run_until(kBusyPhase + waited);
    }
    const int64_t leader = ensemble.agreed_leader();
    ASSERT_NE(leader, 0);
    ensemble.world().run_until(kBusyPhase + waited + 1000);
    ASSERT_EQ(ensemble.agreed_leader(), leader);
    ASSERT_EQ(ensemble.breaches(), std::vector<std::string>{});
    latest = std::max(latest, waited);
    established += ensemble.established();
  }
  RecordProperty("latest_agreement_ms", std::to_string(latest));
  EXPECT_GT(established, 4000);  // the busy phase elects, too
}

// When nothing is lost the best of those who are up wins, all decide alike, and within the wait and a few round trips.
TEST(RandomElections, BestOfTheConnectedWins) {
  for (uint64_t seed = 1; seed <= 4000; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    const int64_t count = seed % 2 == 0 ? 3 : 5;
    const Electorate electorate = voters_to(count);
    ElectWorld world(electorate, seed, {.least = 1, .most = 35});
    Dice dice(seed);
    int64_t spare = count / 2;
    std::optional<Vote> best;
    for (int64_t id = 1; id <= count; ++id) {
      if (spare > 0 && dice.percent(25)) {
        --spare;
        continue;
      }
      const int64_t epoch = dice.between(0, 1);
      const Vote own{.leader = {id}, .zxid = {(epoch << 32) + dice.between(0, 2)}, .round = 1, .peer_epoch = epoch};
      if (!best || better(own, *best, electorate)) best = own;
      world.start({.self = {id}});
      world.after(dice.between(0, 50), [&world, id, own] { world.look(id, own.zxid, own.peer_epoch); });
    }
    world.run_until(600);
    for (int64_t id = 1; id <= count; ++id) {
      if (!world.up(id)) continue;
      ASSERT_EQ(world.elect(id).state(), ServerId{id} == best->leader ? PeerState::Leading : PeerState::Following);
      ASSERT_EQ(world.elect(id).current(), *best);
    }
  }
}

}  // namespace
}  // namespace quorate::zab
