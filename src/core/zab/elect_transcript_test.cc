#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "core/zab/elect.h"
#include "core/zab/elect_world_testing.h"

/// Whole elections, to be read: who hears what from whom, at which millisecond. Every message takes one, and so does a
/// dial. And the conversations of Apache servers, with an Elect in the place of each side.
namespace quorate::zab {
namespace {

using testing::ElectWorld;
using testing::vote;
using testing::voters_to;
using wire::PeerState;

class Pages : public ::testing::Test {
 protected:
  void start(int64_t id) { world().start({.self = {id}, .observer = id > voters}); }
  void start_and_look(int64_t id, int64_t zxid, int64_t epoch) {
    start(id);
    world().look(id, {zxid}, epoch);
  }
  /// The winner's epoch is established among those who are up.
  void establish(int64_t epoch) {
    for (int64_t id = 1; id <= 5; ++id) {
      if (world().up(id)) world().elect(id).set_peer_epoch(epoch);
    }
  }
  /// The first election of 1, 2 and 3; 3 has won it. Not on the page.
  void ensemble() {
    for (const int64_t id : {1, 2, 3}) start(id);
    for (const int64_t id : {1, 2, 3}) world().look(id, {0}, 0);
    world().run_until(999);
    establish(1);
  }
  void expect_page(const std::string& page) { EXPECT_EQ("\n" + world().page(), page); }
  ElectWorld& world() {
    if (!world_) world_.emplace(voters_to(voters), 1, testing::Delays{.least = 1, .most = 1});
    return *world_;
  }

  int64_t voters = 3;

 private:
  std::optional<ElectWorld> world_;
};

// Nobody waits 200 ms: as soon as all have said the same, no better vote can come. 2 decides while what it said to the
// leader is still on its way.
TEST_F(Pages, ThreeServersStartTogether) {
  world().trace();
  for (const int64_t id : {1, 2, 3}) start(id);
  for (const int64_t id : {1, 2, 3}) world().look(id, {0}, 0);
  world().run_until(1000);
  expect_page(R"(
   0 1 looks: zxid 0 epoch 0
   0 2 looks: zxid 0 epoch 0
   0 3 looks: zxid 0 epoch 0
   2 1 > 2 LOOKING 1 zxid 0 round 1 epoch 0
   2 2 > 1 LOOKING 2 zxid 0 round 1 epoch 0
   2 1 > 3 LOOKING 1 zxid 0 round 1 epoch 0
   2 3 > 1 LOOKING 3 zxid 0 round 1 epoch 0
   2 2 > 3 LOOKING 2 zxid 0 round 1 epoch 0
   2 3 > 2 LOOKING 3 zxid 0 round 1 epoch 0
   3 1 > 2 LOOKING 2 zxid 0 round 1 epoch 0
   3 1 > 3 LOOKING 2 zxid 0 round 1 epoch 0
   3 1 > 2 LOOKING 3 zxid 0 round 1 epoch 0
   3 2 follows 3
   3 1 > 3 LOOKING 3 zxid 0 round 1 epoch 0
   3 2 > 1 LOOKING 3 zxid 0 round 1 epoch 0
   3 1 follows 3
   3 2 > 3 LOOKING 3 zxid 0 round 1 epoch 0
   3 3 leads
)");
}

// 3 is down, which its port says: two of three need not wait for it.
TEST_F(Pages, TwoOfThreeStart) {
  world().trace();
  start_and_look(1, 0x100000007, 1);
  world().run_until(500);
  start_and_look(2, 0x100000007, 1);
  world().run_until(1000);
  expect_page(R"(
   0 1 looks: zxid 100000007 epoch 1
 500 2 looks: zxid 100000007 epoch 1
 502 2 > 1 LOOKING 2 zxid 100000007 round 1 epoch 1
 502 1 follows 2
 502 1 > 2 LOOKING 1 zxid 100000007 round 1 epoch 1
 503 1 > 2 LOOKING 2 zxid 100000007 round 1 epoch 1
 503 2 leads
)");
}

// The same, but packets to 3 get lost: it might be there, and Apache's wait runs to its end.
TEST_F(Pages, TwoOfThreeStartWhileTheThirdIsSilent) {
  world().trace();
  world().cut(1, 3);
  world().cut(2, 3);
  for (const int64_t id : {1, 2}) start_and_look(id, 0x100000007, 1);
  world().run_until(1000);
  expect_page(R"(
   0 1 looks: zxid 100000007 epoch 1
   0 2 looks: zxid 100000007 epoch 1
   2 1 > 2 LOOKING 1 zxid 100000007 round 1 epoch 1
   2 2 > 1 LOOKING 2 zxid 100000007 round 1 epoch 1
   3 1 > 2 LOOKING 2 zxid 100000007 round 1 epoch 1
 202 1 follows 2
 203 2 leads
)");
}

// 2 hears of 1's search before it begins its own: it answers, and remembers the vote.
TEST_F(Pages, LeaderDies) {
  ensemble();
  world().trace();
  world().crash(3);
  world().run_until(1000);
  world().look(1, {0x100000009}, 1);
  world().run_until(1003);
  world().look(2, {0x100000008}, 1);
  world().run_until(2000);
  expect_page(R"(
1000 1 looks: zxid 100000009 epoch 1
1001 1 > 2 LOOKING 1 zxid 100000009 round 2 epoch 1
1002 2 > 1 FOLLOWING 3 zxid 0 round 1 epoch 1
1003 2 looks: zxid 100000008 epoch 1
1004 2 > 1 LOOKING 2 zxid 100000008 round 2 epoch 1
1004 2 follows 1
1004 2 > 1 LOOKING 1 zxid 100000009 round 2 epoch 1
1004 1 leads
)");
}

TEST_F(Pages, JoinerFindsARunningEnsemble) {
  for (const int64_t id : {1, 2}) start_and_look(id, 0, 0);
  world().run_until(999);
  establish(1);
  world().trace();
  start_and_look(3, 0x100000007, 0);
  world().run_until(2000);
  expect_page(R"(
 999 3 looks: zxid 100000007 epoch 0
1001 3 > 1 LOOKING 3 zxid 100000007 round 1 epoch 0
1001 1 > 3 LOOKING 2 zxid 0 round 1 epoch 0
1001 3 > 2 LOOKING 3 zxid 100000007 round 1 epoch 0
1001 2 > 3 LOOKING 2 zxid 0 round 1 epoch 0
1002 1 > 3 FOLLOWING 2 zxid 0 round 1 epoch 1
1002 2 > 3 LEADING 2 zxid 0 round 1 epoch 1
1002 3 follows 2
)");
}

// 3 led in round 1 and comes back as a new process; the others are in round 2. It hears their last messages of that
// election again, then the answers to its own.
TEST_F(Pages, OldLeaderRejoinsInAnEarlierRound) {
  ensemble();
  world().crash(3);
  for (const int64_t id : {1, 2}) world().look(id, {0x100000017}, 1);
  world().run_until(1999);
  establish(2);
  world().trace();
  start_and_look(3, 0x100000017, 1);
  world().run_until(3000);
  expect_page(R"(
1999 3 looks: zxid 100000017 epoch 1
2001 3 > 1 LOOKING 3 zxid 100000017 round 1 epoch 1
2001 1 > 3 LOOKING 2 zxid 100000017 round 2 epoch 1
2001 3 > 2 LOOKING 3 zxid 100000017 round 1 epoch 1
2001 2 > 3 LOOKING 2 zxid 100000017 round 2 epoch 1
2002 1 > 3 FOLLOWING 2 zxid 100000017 round 2 epoch 2
2002 3 > 1 LOOKING 3 zxid 100000017 round 2 epoch 1
2002 3 > 2 LOOKING 3 zxid 100000017 round 2 epoch 1
2002 2 > 3 LEADING 2 zxid 100000017 round 2 epoch 2
2002 3 follows 2
2003 1 > 3 FOLLOWING 2 zxid 100000017 round 2 epoch 2
2003 2 > 3 LEADING 2 zxid 100000017 round 2 epoch 2
)");
}

TEST_F(Pages, ObserverFindsARunningEnsemble) {
  ensemble();
  world().trace();
  start_and_look(4, 0x500, 9);
  world().run_until(2000);
  expect_page(R"(
 999 4 looks: zxid 500 epoch 9
1001 4 > 1 LOOKING none zxid none round 1 epoch none
1001 4 > 2 LOOKING none zxid none round 1 epoch none
1001 4 > 3 LOOKING none zxid none round 1 epoch none
1002 1 > 4 FOLLOWING 3 zxid 0 round 1 epoch 1
1002 2 > 4 FOLLOWING 3 zxid 0 round 1 epoch 1
1002 3 > 4 LEADING 3 zxid 0 round 1 epoch 1
1002 4 observes 3
)");
}

// Voters that look themselves tell an observer of their last leader. It does not believe in one that refuses its dial,
// and asks again.
TEST_F(Pages, ObserverWaitsForAnElection) {
  ensemble();
  world().crash(3);
  world().cut(1, 2);
  for (const int64_t id : {1, 2}) world().look(id, {0x100000017}, 1);
  world().run_until(1099);
  world().trace();
  start_and_look(4, 0x500, 9);
  world().run_until(1150);
  world().heal();
  world().run_until(3000);
  expect_page(R"(
1099 4 looks: zxid 500 epoch 9
1101 4 > 1 LOOKING none zxid none round 1 epoch none
1101 4 > 2 LOOKING none zxid none round 1 epoch none
1102 1 > 4 LOOKING 3 zxid 0 round 2 epoch 1
1102 2 > 4 LOOKING 3 zxid 0 round 2 epoch 1
1103 4 > 1 LOOKING 3 zxid 0 round 2 epoch 1
1103 4 > 2 LOOKING 3 zxid 0 round 2 epoch 1
1104 1 > 4 LOOKING 3 zxid 0 round 2 epoch 1
1104 2 > 4 LOOKING 3 zxid 0 round 2 epoch 1
1201 1 > 2 LOOKING 1 zxid 100000017 round 2 epoch 1
1201 2 > 1 LOOKING 2 zxid 100000017 round 2 epoch 1
1201 1 follows 2
1202 1 > 2 LOOKING 2 zxid 100000017 round 2 epoch 1
1202 2 leads
1305 4 > 1 LOOKING 3 zxid 0 round 2 epoch 1
1305 4 > 2 LOOKING 3 zxid 0 round 2 epoch 1
1306 1 > 4 FOLLOWING 2 zxid 100000017 round 2 epoch 1
1306 2 > 4 LEADING 2 zxid 100000017 round 2 epoch 1
1306 4 observes 2
)");
}

// Three are enough, and the longest history wins against a higher id.
TEST_F(Pages, FiveServersTwoOfThemDown) {
  voters = 5;
  world().trace();
  for (const int64_t id : {1, 2, 5}) start(id);
  world().look(1, {0x300000002}, 3);
  world().run_until(50);
  world().look(2, {0x300000009}, 3);
  world().run_until(100);
  world().look(5, {0x200000044}, 2);
  world().run_until(1000);
  expect_page(R"(
   0 1 looks: zxid 300000002 epoch 3
   2 1 > 2 LOOKING 1 zxid 300000002 round 1 epoch 3
   2 1 > 5 LOOKING 1 zxid 300000002 round 1 epoch 3
  50 2 looks: zxid 300000009 epoch 3
  51 2 > 1 LOOKING 2 zxid 300000009 round 1 epoch 3
  52 1 > 2 LOOKING 2 zxid 300000009 round 1 epoch 3
  52 1 > 5 LOOKING 2 zxid 300000009 round 1 epoch 3
  52 2 > 5 LOOKING 2 zxid 300000009 round 1 epoch 3
 100 5 looks: zxid 200000044 epoch 2
 101 5 > 1 LOOKING 5 zxid 200000044 round 1 epoch 2
 101 5 > 2 LOOKING 5 zxid 200000044 round 1 epoch 2
 101 5 follows 2
 101 5 > 1 LOOKING 2 zxid 300000009 round 1 epoch 3
 101 1 follows 2
 101 5 > 2 LOOKING 2 zxid 300000009 round 1 epoch 3
 101 2 leads
)");
}

// For 146 ms there has been a quorum of votes for 4. But 5 is connected and silent: they have waited, and now it
// speaks.
TEST_F(Pages, FiveServersTheBestIsLate) {
  voters = 5;
  for (const int64_t id : {1, 2, 3, 4, 5}) start(id);
  for (const int64_t id : {1, 2, 3, 4}) world().look(id, {0x105}, 1);
  world().run_until(149);
  world().trace();
  world().look(5, {0x105}, 1);
  world().run_until(1000);
  expect_page(R"(
 149 5 looks: zxid 105 epoch 1
 150 5 > 1 LOOKING 5 zxid 105 round 1 epoch 1
 150 5 > 2 LOOKING 5 zxid 105 round 1 epoch 1
 150 5 > 3 LOOKING 5 zxid 105 round 1 epoch 1
 150 5 > 4 LOOKING 5 zxid 105 round 1 epoch 1
 151 1 > 2 LOOKING 5 zxid 105 round 1 epoch 1
 151 1 > 3 LOOKING 5 zxid 105 round 1 epoch 1
 151 1 > 4 LOOKING 5 zxid 105 round 1 epoch 1
 151 1 > 5 LOOKING 5 zxid 105 round 1 epoch 1
 151 2 > 1 LOOKING 5 zxid 105 round 1 epoch 1
 151 2 > 3 LOOKING 5 zxid 105 round 1 epoch 1
 151 2 > 4 LOOKING 5 zxid 105 round 1 epoch 1
 151 2 > 5 LOOKING 5 zxid 105 round 1 epoch 1
 151 3 > 1 LOOKING 5 zxid 105 round 1 epoch 1
 151 3 > 2 LOOKING 5 zxid 105 round 1 epoch 1
 151 3 > 4 LOOKING 5 zxid 105 round 1 epoch 1
 151 4 follows 5
 151 3 > 5 LOOKING 5 zxid 105 round 1 epoch 1
 151 4 > 1 LOOKING 5 zxid 105 round 1 epoch 1
 151 1 follows 5
 151 4 > 2 LOOKING 5 zxid 105 round 1 epoch 1
 151 2 follows 5
 151 4 > 3 LOOKING 5 zxid 105 round 1 epoch 1
 151 3 follows 5
 151 4 > 5 LOOKING 5 zxid 105 round 1 epoch 1
 151 5 leads
)");
}

std::string read(const std::string& name) {
  std::ifstream file(std::string(QUORATE_GOLDEN) + "/quorum/" + name, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A message of a recorded conversation.
struct Recorded {
  bool by_dialer = false;
  std::string bytes;  ///< With its length.
  wire::Notification notification() const {
    wire::Notification said;
    EXPECT_TRUE(wire::decode_notification(std::string_view(bytes).substr(4), said));
    return said;
  }
};

std::vector<Recorded> conversation(const std::string& name) {
  const std::string dialer = read(name + ".dialer.bin");
  const std::string acceptor = read(name + ".acceptor.bin");
  std::istringstream lines(read("expected.tsv"));
  std::vector<Recorded> messages;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string stream, side, kind;
    size_t begin = 0, end = 0;
    fields >> stream >> side >> begin >> end >> kind;
    if (stream != name || kind != "NOTIFICATION") continue;
    const bool by_dialer = side == "dialer";
    messages.push_back({by_dialer, (by_dialer ? dialer : acceptor).substr(begin, end - begin)});
  }
  return messages;
}

/// One connection of an Elect as the election port serves it (quorum 1.4), to a peer whose messages were recorded.
class Played {
 public:
  Played(int64_t self, int64_t peer) : peer_(peer), elect_({.self = {self}, .observer = self > 3}, voters_to(3)) {}

  void look(int64_t zxid, int64_t epoch) { elect_.look({zxid}, epoch, {0}), collect(); }
  void hear(int64_t from, PeerState state, Vote vote) { hear(from, testing::notification(state, vote)); }
  void hear(int64_t from, const wire::Notification& said) { elect_.on_notification({from}, said, {0}), collect(); }
  void wait() { elect_.on_time({200}, false), collect(); }
  Elect& elect() { return elect_; }

  /// From here on the peer is connected. What waits for it, else what was said to it last, goes first.
  void connect() {
    connected_ = true;
    if (last_) sent_.push_back(*last_);
  }
  /// The peer's messages go in as they came; ours must be there, byte for byte, when Apache's were.
  void play(const std::vector<Recorded>& messages, bool as_dialer) {
    size_t ours = 0;
    for (const Recorded& message : messages) {
      const wire::Notification recorded = message.notification();
      if (message.by_dialer != as_dialer) {
        hear(peer_, recorded);
        continue;
      }
      ASSERT_LT(ours, sent_.size()) << "Apache said " << testing::to_text(recorded);
      wire::Notification said = sent_[ours++];
      said.config = recorded.config;
      ByteBuffer bytes;
      wire::append_notification(bytes, said);
      EXPECT_EQ(bytes.view(), message.bytes) << testing::to_text(said) << ", Apache: " << testing::to_text(recorded);
    }
    EXPECT_EQ(ours, sent_.size()) << "more than Apache said: " << testing::to_text(sent_.back());
  }

 private:
  void collect() {
    for (const ElectionMessage& message : elect_.take().messages) {
      if (message.to.value != peer_) continue;
      last_ = message.notification;
      if (connected_) sent_.push_back(message.notification);
    }
  }

  int64_t peer_;
  Elect elect_;
  bool connected_ = false;
  std::optional<wire::Notification> last_;
  std::vector<wire::Notification> sent_;
};

// The other voters' messages of each run are known from the other conversations, or from what Apache concluded.
constexpr auto kFirst = "e01-first-election-sid2-to-sid1";
constexpr auto kJoin = "e02-join-running-sid3-to-leader2";
constexpr auto kObserver = "e03-observer-sid4-to-leader2";
constexpr auto kRejoin = "e05-rejoin-sid2-to-follower1";
constexpr auto kSecondRun = "e06-v2-handshake-sid3-to-sid1";

TEST(Recorded, FirstElectionWon) {
  Played two(2, 1);
  two.look(0, 0);
  two.connect();
  two.play(conversation(kFirst), /*as_dialer=*/true);
  two.wait();
  EXPECT_EQ(two.elect().state(), PeerState::Leading);
}

TEST(Recorded, FirstElectionLost) {
  Played one(1, 2);
  one.look(0, 0);
  one.connect();
  one.play(conversation(kFirst), /*as_dialer=*/false);
  one.wait();
  EXPECT_EQ(one.elect().state(), PeerState::Following);
}

TEST(Recorded, JoinerOfARunningEnsemble) {
  Played three(3, 2);
  three.look(0, 0);
  three.connect();
  three.play(conversation(kJoin), /*as_dialer=*/true);
  EXPECT_EQ(three.elect().state(), PeerState::Looking);
  three.hear(1, PeerState::Following, vote(2, 0, 1, 1));
  EXPECT_EQ(three.elect().state(), PeerState::Following);
  EXPECT_EQ(three.elect().current(), vote(2, 0, 1, 1));
}

/// Server 2 of the first run, which leads, as `peer` gets to hear it.
Played leader_two(int64_t peer) {
  Played two(2, peer);
  two.look(0, 0);
  for (const int64_t leader : {1, 2}) two.hear(1, PeerState::Looking, vote(leader, 0, 1, 0));
  two.wait();
  two.elect().set_peer_epoch(1);
  two.connect();
  return two;
}

// What waited for 3 since the election comes first, out of date: rule 4 has its reason here.
TEST(Recorded, LeaderIsJoined) { leader_two(3).play(conversation(kJoin), /*as_dialer=*/false); }

TEST(Recorded, LeaderIsAskedByAnObserver) { leader_two(4).play(conversation(kObserver), /*as_dialer=*/false); }

TEST(Recorded, ObserverAsks) {
  Played four(4, 2);
  four.look(0, 0);
  four.connect();
  four.play(conversation(kObserver), /*as_dialer=*/true);
  four.hear(1, PeerState::Following, vote(2, 0, 1, 1));
  EXPECT_EQ(four.elect().state(), PeerState::Observing);
}

TEST(Recorded, OldLeaderRejoins) {
  Played two(2, 1);
  two.look(0x100000017, 1);
  two.connect();
  two.play(conversation(kRejoin), /*as_dialer=*/true);
  EXPECT_EQ(two.elect().state(), PeerState::Looking);
  two.hear(3, PeerState::Leading, vote(3, 0x100000017, 2, 2));
  EXPECT_EQ(two.elect().state(), PeerState::Following);
  EXPECT_EQ(two.elect().current(), vote(3, 0x100000017, 2, 2));
}

TEST(Recorded, OldLeaderIsAnsweredByAFollower) {
  Played one(1, 2);
  one.look(0, 0);
  one.hear(2, PeerState::Looking, vote(2, 0, 1, 0));
  one.wait();
  one.elect().set_peer_epoch(1);
  one.look(0x100000017, 1);
  one.hear(3, PeerState::Looking, vote(3, 0x100000017, 2, 1));
  one.wait();
  one.elect().set_peer_epoch(2);
  one.connect();
  one.play(conversation(kRejoin), /*as_dialer=*/false);
}

TEST(Recorded, SecondRunsFirstElection) {
  Played three(3, 1);
  three.look(0, 0);
  three.connect();
  three.play(conversation(kSecondRun), /*as_dialer=*/true);
  Played one(1, 3);
  one.look(0, 0);
  one.connect();
  one.play(conversation(kSecondRun), /*as_dialer=*/false);
}

}  // namespace
}  // namespace quorate::zab
