#include "core/replica/member.h"
#include "core/replica/member_testing.h"

/// Conversations that fail again and again, and digests that differ. Known-faults R-S6, MUST-8; disk 5.4.
namespace quorate::replica::testing {
namespace {

struct Serving : Ensemble {
  Serving() : Ensemble(3) {
    EXPECT_EQ(elect(), 3);
    EXPECT_TRUE(all_serve());
  }
  void write(int64_t at, const std::string& path) {
    Peer& peer = join(at);
    EXPECT_EQ(ask(at, peer, Op::Create, ask::create(path)).code, Code::Ok);
    hang_up(at, peer);
  }
  /// Memory goes wrong.
  void spoil(int64_t id) { replica(id).tree().insert({.path = "/ghost", .data = "x"}); }
  bool haunted(int64_t id) { return replica(id).tree().find("/ghost") != tree::kNoNode; }
  size_t said(int64_t id, std::string_view text) {
    return static_cast<size_t>(
        std::ranges::count_if(at(id).lines, [&](const std::string& line) { return line.contains(text); }));
  }
};

// Whoever is connected while the memory is replaced is let go first.
TEST(MemberTree, ClientsOfTheOldMemoryAreLetGo) {
  for (const bool cut : {true, false}) {
    SCOPED_TRACE(cut ? "TRUNC" : "SNAP");
    Serving ensemble;
    Peer& writer = ensemble.join(3);
    ensemble.cut(1, 3);
    ensemble.cut(2, 3);
    EXPECT_EQ(ensemble.ask(3, writer, Op::Create, ask::create("/lost")).code, kNoAnswer);
    ensemble.crash(3);
    if (!cut) ensemble.doubtful.insert(3);
    ASSERT_EQ(ensemble.elect(), 2);
    ensemble.heal();
    ensemble.start(3);
    const auto replaced = [&] {
      const zab::Follow* follow = ensemble.at(3).member->follow();
      if (follow == nullptr) return false;
      return follow->phase() == (cut ? zab::FollowPhase::Truncating : zab::FollowPhase::ReceivingTree);
    };
    for (int steps = 0; !replaced() && steps < 1000; ++steps) {
      if (!ensemble.step()) ensemble.tick(50);
    }
    ASSERT_TRUE(replaced());
    Peer& early = ensemble.open(3);
    ASSERT_TRUE(ensemble.all_serve(1000));
    EXPECT_TRUE(early.closed);
    EXPECT_EQ(ensemble.replica(3).tree().find("/lost"), tree::kNoNode);
    EXPECT_EQ(ensemble.replica(3).tree().digest(), ensemble.replica(2).tree().digest());
  }
}

// What cannot be applied never gets to the log, whichever packet it is in.
TEST(MemberTxn, OneThatCannotBeReadEndsTheConversation) {
  for (const wire::PacketType type :
       {wire::PacketType::Proposal, wire::PacketType::Inform, wire::PacketType::InformAndActivate}) {
    Serving ensemble;
    Member& member = *ensemble.at(1).member;
    ByteBuffer bytes;
    wire::append_packet(bytes, type, member.journal().last_made().next(), std::string(50, '\x7f'));
    wire::QuorumPacket packet;
    ASSERT_EQ(wire::cut_packet(bytes.view(), 1 << 20, packet).cut, wire::Cut::Whole);
    member.on_leader_packet(packet);
    ensemble.settle();
    EXPECT_EQ(ensemble.said(1, "txn that cannot be read"), 1U);
    EXPECT_TRUE(ensemble.all_serve(1000));
  }
}

TEST(MemberRest, AConversationThatFailsAgainAndAgainIsTriedLessOften) {
  Serving ensemble;
  ensemble.crash(1);
  ensemble.refused = {{1, 3}};
  ensemble.start(1);
  ensemble.settle();
  EXPECT_EQ(ensemble.dials, 2U);
  ensemble.advance(900);
  EXPECT_EQ(ensemble.dials, 2U);
  ensemble.advance(200);
  EXPECT_EQ(ensemble.dials, 3U);
  ensemble.advance(60000);
  EXPECT_GT(ensemble.dials, 12U);
  EXPECT_LT(ensemble.dials, 22U);
  ensemble.refused.clear();
  EXPECT_TRUE(ensemble.all_serve(5000));
}

// The rest is for this leader: once it is gone nothing is waited for.
TEST(MemberRest, AFailOverIsNotDelayed) {
  Serving ensemble;
  ensemble.crash(1);
  ensemble.refused = {{1, 3}};
  ensemble.start(1);
  ensemble.advance(20000);
  ASSERT_FALSE(ensemble.at(1).member->serving());
  ensemble.crash(3);
  EXPECT_EQ(ensemble.elect(600), 2);
  EXPECT_TRUE(ensemble.all_serve(100));
}

// Both followers have failed again and again when the leader steps down: it needs one of them to be elected anew, and
// would wait in vain if both asked for its tree.
TEST(MemberRest, ALeaderIsElectedAnewByThoseWhoFailed) {
  for (int losses = 1; losses <= 9; ++losses) {
    SCOPED_TRACE(losses);
    Serving ensemble;
    for (int loss = 0; loss < losses; ++loss) {
      for (const int64_t id : {1, 2}) {
        if (ensemble.at(id).member->follow() != nullptr) ensemble.at(id).member->on_leader_lost("a cable was pulled");
        ensemble.advance(10);
      }
    }
    EXPECT_TRUE(ensemble.all_serve(5000));
  }
}

TEST(MemberRest, WhoWasServedForLongBeginsAtOnce) {
  Serving ensemble;
  for (int losses = 0; losses < 5; ++losses) {
    ensemble.advance(15000);
    ensemble.at(1).member->on_leader_lost("a cable was pulled");
    EXPECT_TRUE(ensemble.all_serve(100)) << losses;
  }
}

/// The leader sends a proposal that does not follow what the server has.
void send_hole(Ensemble& ensemble, int64_t id) {
  Member& member = *ensemble.at(id).member;
  std::string txn;
  member.journal().each_after(Zxid{0}, [&](Zxid, std::string_view payload) { txn = payload; });
  ASSERT_FALSE(txn.empty());
  ByteBuffer bytes;
  wire::append_packet(bytes, wire::PacketType::Proposal, Zxid{member.journal().last_made().value + 2}, txn);
  wire::QuorumPacket packet;
  ASSERT_EQ(wire::cut_packet(bytes.view(), 1 << 20, packet).cut, wire::Cut::Whole);
  member.on_leader_packet(packet);
}

// MUST-2: nothing is kept of a history that does not follow ours, and a tree is asked for. But with the votes of those
// who refused it another leader can be elected: one bad leader must not be the end of an ensemble.
TEST(MemberRefusal, CostsNobodyItsVote) {
  for (const bool leader_dies : {true, false}) {
    SCOPED_TRACE(leader_dies);
    Serving ensemble;
    ensemble.write(3, "/kept");
    for (const int64_t id : {1, 2}) send_hole(ensemble, id);
    if (leader_dies) ensemble.crash(3);
    ASSERT_NE(ensemble.elect(), 0);
    ASSERT_TRUE(ensemble.all_serve());
    for (const int64_t id : ensemble.running()) {
      EXPECT_FALSE(ensemble.at(id).member->in_doubt());
      EXPECT_NE(ensemble.replica(id).tree().find("/kept"), tree::kNoNode);
    }
  }
}

TEST(MemberRefusal, IsFollowedByATree) {
  Serving ensemble;
  ensemble.write(3, "/kept");
  send_hole(ensemble, 1);
  ASSERT_TRUE(ensemble.all_serve());
  EXPECT_EQ(ensemble.said(3, "Sending snapshot"), 1U);
  ensemble.advance(20000);
  ensemble.at(1).member->on_leader_lost("a cable was pulled");
  ASSERT_TRUE(ensemble.all_serve());
  EXPECT_EQ(ensemble.said(3, "Sending snapshot"), 1U);
}

// The leader needs its vote, and cannot be found again by the one voter that has left it.
TEST(MemberRefusal, OfALeaderThatIsNotEstablishedIsFollowedByATreeAtOnce) {
  Serving ensemble;
  Peer& writer = ensemble.join(3);
  ensemble.cut(1, 3);
  ensemble.cut(2, 3);
  EXPECT_EQ(ensemble.ask(3, writer, Op::Create, ask::create("/lost")).code, kNoAnswer);
  ensemble.crash(3);
  ASSERT_EQ(ensemble.elect(), 2);
  ensemble.write(2, "/kept");
  ensemble.crash(1);
  ensemble.advance(15000);
  ASSERT_EQ(ensemble.at(2).member->state(), wire::PeerState::Looking);
  ensemble.heal();
  ensemble.at(3).disk.damaged = true;
  ensemble.start(3);
  EXPECT_EQ(ensemble.elect(2000), 2);
  ASSERT_TRUE(ensemble.all_serve(1000));
  EXPECT_EQ(ensemble.said(3, "Following has ended: no such txn"), 1U);
  EXPECT_EQ(ensemble.said(3, "LEADER ELECTION TOOK"), 2U);
  EXPECT_FALSE(ensemble.at(3).member->in_doubt());
  EXPECT_EQ(ensemble.replica(3).tree().find("/lost"), tree::kNoNode);
  EXPECT_EQ(ensemble.replica(3).tree().digest(), ensemble.replica(2).tree().digest());
}

// It promised a leader of that epoch, who was never elected, while others elected one of an older epoch.
TEST(MemberEpoch, OneThatHasAcceptedANewerOneComesBack) {
  Serving ensemble;
  ensemble.crash(1);
  ensemble.at(1).disk.epochs.accepted += 40;
  const int64_t accepted = ensemble.at(1).disk.epochs.accepted;
  ensemble.advance(15000);
  ensemble.start(1);
  EXPECT_TRUE(ensemble.all_serve(2000));
  EXPECT_GT(ensemble.at(3).member->epochs().current, accepted);
  EXPECT_EQ(ensemble.said(3, "cannot follow in epoch"), 1U);
}

// Known-faults R-D6: with its vote a leader could be elected that lacks what it has lost.
TEST(MemberDoubt, WhoHasLostItsHistoryElectsNobody) {
  Ensemble ensemble(3);
  for (const int64_t id : {1, 2, 3}) ensemble.crash(id);
  ensemble.doubtful.insert(1);
  ensemble.start(1);
  ensemble.start(2);
  EXPECT_EQ(ensemble.elect(30000), 0);
  ensemble.start(3);
  EXPECT_NE(ensemble.elect(), 0);
  ASSERT_TRUE(ensemble.all_serve());
  EXPECT_FALSE(ensemble.at(1).member->in_doubt());
}

TEST(MemberDigest, AServerThatDiffersGetsTheTree) {
  Serving ensemble;
  ensemble.spoil(1);
  ensemble.write(2, "/a");
  EXPECT_EQ(ensemble.replica(1).stats().digest_mismatches_count, 1);
  ASSERT_TRUE(ensemble.all_serve(1000));
  EXPECT_FALSE(ensemble.haunted(1));
  EXPECT_FALSE(ensemble.at(1).member->in_doubt());
  EXPECT_EQ(ensemble.said(3, "Sending snapshot"), 1U);
  ensemble.write(1, "/b");
  EXPECT_EQ(ensemble.replica(1).tree().digest(), ensemble.replica(3).tree().digest());
  EXPECT_EQ(ensemble.said(1, "foreign"), 0U);
}

// A leader whose digests are not those of the tree that it sends: followers ask for it once, and then go on.
TEST(MemberDigest, ALeadersDigestsMayBeForeign) {
  Serving ensemble;
  ensemble.digests_are_right = false;
  ensemble.spoil(3);
  Peer& peer = ensemble.join(3);
  EXPECT_EQ(ensemble.ask(3, peer, Op::Create, ask::create("/a")).code, Code::Ok);
  ASSERT_TRUE(ensemble.all_serve(1000));
  EXPECT_EQ(ensemble.said(3, "Sending snapshot"), 2U);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(ensemble.ask(3, peer, Op::Create, ask::create("/b" + std::to_string(i))).code, Code::Ok);
  }
  for (const int64_t id : {1, 2}) {
    EXPECT_TRUE(ensemble.at(id).member->serving());
    EXPECT_EQ(ensemble.said(id, "its digests are foreign"), 1U);
    EXPECT_EQ(ensemble.said(id, "Digests are not matching"), 2U);
    EXPECT_GE(ensemble.replica(id).stats().digest_mismatches_count, 5);
    EXPECT_NE(ensemble.replica(id).tree().find("/b4"), tree::kNoNode);
  }
  EXPECT_EQ(ensemble.said(3, "Sending snapshot"), 2U);

  // It is remembered for as long as that epoch lasts,
  ensemble.at(1).member->on_leader_lost("a cable was pulled");
  ASSERT_TRUE(ensemble.all_serve(1000));
  EXPECT_EQ(ensemble.ask(3, peer, Op::Create, ask::create("/c")).code, Code::Ok);
  EXPECT_TRUE(ensemble.at(1).member->serving());
  // and no longer: the next leader's own are believed.
  ensemble.crash(3);
  ASSERT_EQ(ensemble.elect(), 2);
  ensemble.start(3);
  ASSERT_TRUE(ensemble.all_serve());
  ensemble.spoil(1);
  ensemble.write(2, "/d");
  ASSERT_TRUE(ensemble.all_serve(1000));
  EXPECT_FALSE(ensemble.haunted(1));
}

}  // namespace
}  // namespace quorate::replica::testing
