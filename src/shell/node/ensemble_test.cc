#include "shell/node/ensemble.h"

#include <gtest/gtest.h>

#include "shell/node/ensemble_testing.h"

namespace quorate::node {
namespace {

using testing::Op;
using testing::Servers;
using testing::Wire;
namespace ask = testing::ask;

TEST(Ensemble, ThreeServersElectAndServe) {
  Servers all(3);
  ASSERT_EQ(all.lead(), 3);
  Wire& wire = all.join(1);
  all.must(wire, Op::Create, ask::create("/a"));
  all.advance(500);
  for (int id = 1; id <= 3; ++id) EXPECT_TRUE(all.has(id, "/a")) << id;
  all.expect_equal();
}

// Relays and load balancers accept for a leader that does not listen yet.
TEST(Ensemble, ALeaderThatIsNotHeardIsDialedAgain) {
  Servers all(3);
  all.lan.hang_up_on("h3:2888", 4);
  ASSERT_EQ(all.lead(400), 3);
  EXPECT_EQ(all.node(3).member()->epochs(), (zab::Epochs{1, 1}));
  EXPECT_EQ(all.node(1).member()->elect().round(), 1);
}

TEST(Ensemble, AnotherLeadsWhenTheLeaderIsGone) {
  Servers all(3);
  ASSERT_EQ(all.lead(), 3);
  all.must(all.join(3), Op::Create, ask::create("/a"));
  all.stop(3);
  ASSERT_EQ(all.lead(), 2);
  all.must(all.join(1), Op::Create, ask::create("/b"));
  all.start(3);
  EXPECT_EQ(all.lead(), 2);
  all.advance(500);
  EXPECT_TRUE(all.has(3, "/b"));
  all.expect_equal();
}

// Spec: quorum 3.5, case 5.
TEST(Ensemble, WhoWasAwayForLongIsBackByTheLog) {
  Servers all(3, [](NodeSettings& settings) {
    settings.ensemble->commit_log_count = 5;
    settings.ensemble->snapshot_size_factor = 1000;
  });
  ASSERT_EQ(all.lead(), 3);
  all.must(all.join(1), Op::Create, ask::create("/a"));
  all.stop(1);
  Wire& wire = all.join(3);
  for (int i = 0; i < 1200; ++i) all.must(wire, Op::Create, ask::create("/n" + std::to_string(i)));
  all.start(1);
  EXPECT_EQ(all.lead(), 3);
  all.advance(500);
  EXPECT_TRUE(all.said(3, "Sending DIFF")) << "";
  EXPECT_FALSE(all.said(3, "Sending snapshot"));
  EXPECT_TRUE(all.has(1, "/n1199"));
  all.expect_equal();
}

TEST(Ensemble, WhoLacksMoreGetsATree) {
  Servers all(3, [](NodeSettings& settings) {
    settings.ensemble->commit_log_count = 5;
    settings.ensemble->snapshot_size_factor = -1;
  });
  ASSERT_EQ(all.lead(), 3);
  all.must(all.join(1), Op::Create, ask::create("/a"));
  all.stop(1);
  Wire& wire = all.join(3);
  const std::string data(2000, 'x');
  for (int i = 0; i < 1200; ++i) all.must(wire, Op::Create, ask::create("/n" + std::to_string(i)));
  all.start(1);
  EXPECT_EQ(all.lead(), 3);
  all.advance(500);
  EXPECT_TRUE(all.said(3, "Sending snapshot"));
  EXPECT_TRUE(all.has(1, "/n1199"));
  all.expect_equal();
  // What was received is what the disk holds.
  all.stop(1);
  all.start(1);
  EXPECT_TRUE(all.has(1, "/n1199"));
}

// Spec: quorum 3.5; known-faults R-S3.
TEST(Ensemble, WhatTheOthersNeverSawIsCut) {
  Servers all(3);
  ASSERT_EQ(all.lead(), 3);
  all.must(all.join(3), Op::Create, ask::create("/a"));
  all.lan.cut("h3");
  Wire& wire = all.connect(3);
  all.send(wire, testing::connect_request({.timeout_ms = 20000}));
  all.settle();
  all.stop(3);
  all.lan.heal();
  ASSERT_EQ(all.lead(), 2);
  all.must(all.join(1), Op::Create, ask::create("/b"));
  all.start(3);
  EXPECT_EQ(all.lead(), 2);
  all.advance(500);
  EXPECT_TRUE(all.said(2, "Sending TRUNC"));
  EXPECT_TRUE(all.has(3, "/b"));
  all.expect_equal();
}

// Spec: known-faults R-D5, R-D6.
TEST(Ensemble, ADamagedHistoryIsKeptAndReplacedByTheLeaders) {
  Servers all(3);
  ASSERT_EQ(all.lead(), 3);
  Wire& wire = all.join(3);
  for (int i = 0; i < 5; ++i) all.must(wire, Op::Create, ask::create("/n" + std::to_string(i)));
  all.stop(1);
  for (auto& [path, bytes] : all.at(1).disk.files) {
    if (path.contains("/log.")) (*bytes)[60] ^= 1;
  }
  all.start(1);
  EXPECT_EQ(all.lead(), 3);
  all.advance(500);
  EXPECT_TRUE(all.said(3, "Sending snapshot"));
  EXPECT_TRUE(all.has(1, "/n4"));
  EXPECT_TRUE(std::ranges::any_of(all.at(1).disk.files,
                                  [](const auto& file) { return file.first.contains("/quarantine-1/log."); }));
  all.expect_equal();
}

// What the disk does not give this once is not damaged.
TEST(Ensemble, AReadErrorAtAStartLeavesTheHistoryWhereItIs) {
  Servers all(3);
  ASSERT_EQ(all.lead(), 3);
  all.must(all.join(3), Op::Create, ask::create("/a"));
  all.advance(100);
  all.stop(1);
  for (const char* kind :
       {"read /data/version-2/snapshot.", "size /data/version-2/snapshot.", "open /data/version-2/snapshot.",
        "read /data/version-2/log.", "open /data/version-2/log."}) {
    all.at(1).disk.failing_reads = [kind](const std::string& line) {
      return line.starts_with(kind) ? std::optional(Fault::Io) : std::nullopt;
    };
    const auto refused = all.try_start(1);
    ASSERT_FALSE(refused.has_value()) << kind;
    EXPECT_EQ(refused.error().fault, Fault::Io) << kind;
  }
  all.at(1).disk.failing_reads = nullptr;
  all.start(1);
  EXPECT_EQ(all.lead(), 3);
  EXPECT_FALSE(all.node(1).member()->in_doubt());
  EXPECT_TRUE(all.word(1, "mntr").contains("zk_quorate_set_aside\t0\n"));
}

// Spec: known-faults R-D6, MUST-8.
TEST(Ensemble, WordsTellThatAServerIsInDoubtAndWhenItIsNoMore) {
  Servers all(3);
  ASSERT_EQ(all.lead(), 3);
  all.must(all.join(3), Op::Create, ask::create("/a"));
  EXPECT_EQ(all.word(1, "ruok"), "imok");
  EXPECT_TRUE(all.word(1, "mntr").contains("zk_quorate_set_aside\t0\n"));
  for (int id = 1; id <= 3; ++id) all.stop(id);
  for (auto& [path, bytes] : all.at(1).disk.files) {
    if (path.contains("/log.")) (*bytes)[60] ^= 1;
  }
  all.start(1);
  all.advance(1000);
  for (int starts = 0; starts < 2; ++starts) {
    EXPECT_TRUE(all.word(1, "ruok").starts_with("in doubt: ")) << starts;
    EXPECT_TRUE(all.word(1, "mntr").contains("zk_quorate_in_doubt\t1\n")) << starts;
    all.stop(1);
    all.start(1);
  }
  all.start(2);
  all.start(3);
  ASSERT_EQ(all.lead(), 3);
  EXPECT_EQ(all.word(1, "ruok"), "imok");
  EXPECT_TRUE(all.word(1, "mntr").ends_with(
      "zk_quorate_in_doubt\t0\nzk_quorate_foreign_digests\t0\nzk_quorate_set_aside\t1\n"));
  EXPECT_EQ(all.word(3, "ruok"), "imok");
  EXPECT_TRUE(all.word(3, "mntr").contains("zk_quorate_set_aside\t0\n"));
}

// Spec: known-faults MUST-2, MUST-8; DESIGN, "Self-check".
TEST(Ensemble, ATreeThatDiffersIsReplacedAndItsHistoryKept) {
  Servers all(3);
  ASSERT_EQ(all.lead(), 3);
  all.must(all.join(3), Op::Create, ask::create("/a"));
  all.node(1).replica().tree().insert({.path = "/ghost", .data = "x"});
  all.lan.hang_up_on("h3:2888", 1000);
  all.must(all.join(2), Op::Create, ask::create("/b"));
  EXPECT_TRUE(all.word(1, "ruok").starts_with("in doubt: "));
  EXPECT_TRUE(all.word(1, "mntr").contains("zk_quorate_in_doubt\t1\n"));
  all.lan.hang_up_on("h3:2888", 0);
  all.advance(3000);
  EXPECT_EQ(all.word(1, "ruok"), "imok");
  const std::string shown = all.word(1, "mntr");
  EXPECT_TRUE(shown.contains("zk_digest_mismatches_count\t1\n"));
  EXPECT_TRUE(shown.contains("zk_quorate_set_aside\t1\n"));
  EXPECT_TRUE(all.said(1, "is not what the leader's digest says"));
  EXPECT_FALSE(all.has(1, "/ghost"));
  EXPECT_TRUE(all.has(1, "/b"));
  EXPECT_TRUE(all.node(1).member()->serving());
  EXPECT_TRUE(std::ranges::any_of(all.at(1).disk.files,
                                  [](const auto& file) { return file.first.contains("/quarantine-1/log."); }));
  all.expect_equal();
}

TEST(Ensemble, WordsTellWhatAServerIs) {
  Servers all(3);
  EXPECT_EQ(all.word(1, "srvr"), "This ZooKeeper instance is not currently serving requests\n");
  ASSERT_EQ(all.lead(), 3);
  EXPECT_TRUE(all.word(3, "srvr").contains("Mode: leader"));
  EXPECT_TRUE(all.word(1, "srvr").contains("Mode: follower"));
  const std::string leader = all.word(3, "mntr");
  EXPECT_TRUE(leader.contains("zk_peer_state\tleading - broadcast\n")) << leader;
  EXPECT_TRUE(leader.contains("zk_synced_followers\t2\n"));
  EXPECT_TRUE(leader.contains("zk_quorum_size\t3\n"));
  EXPECT_TRUE(all.word(1, "mntr").contains("zk_peer_state\tfollowing - broadcast\n"));
  EXPECT_TRUE(all.word(2, "conf").contains("serverId="));
}

TEST(Ensemble, ClientsOfAServerWithoutALeaderAreLetGo) {
  Servers all(3);
  ASSERT_EQ(all.lead(), 3);
  Wire& wire = all.join(1);
  all.stop(2);
  all.stop(3);
  all.advance(3000);
  EXPECT_TRUE(wire.closed);
  Wire& late = all.connect(1);
  all.send(late, testing::connect_request({.timeout_ms = 20000}));
  all.advance(100);
  EXPECT_TRUE(late.closed);
}

// Spec: client 2.5.
TEST(Ensemble, AMinorityLetsClientsReadThatAskForNoMore) {
  Servers all(3, [](NodeSettings& settings) { settings.read_only_mode = true; });
  ASSERT_EQ(all.lead(), 3);
  all.must(all.join(1), Op::Create, ask::create("/a"));
  all.stop(2);
  all.stop(3);
  all.advance(5000);
  EXPECT_EQ(all.word(1, "isro"), "ro");
  EXPECT_TRUE(all.word(1, "srvr").contains("Mode: read-only"));
  Wire& whole = all.connect(1);
  all.send(whole, testing::connect_request({.timeout_ms = 20000}));
  all.settle();
  EXPECT_TRUE(whole.closed);

  Wire& reader = all.connect(1);
  all.send(reader, testing::connect_request({.timeout_ms = 20000, .read_only = true}));
  all.settle();
  ASSERT_EQ(reader.to_client.size(), 41U);
  EXPECT_EQ(reader.to_client.back(), 1);
  reader.to_client.clear();
  const auto ask_once = [&](Op op, const std::string& body) {
    all.send(reader, testing::request(5, op, body));
    all.settle();
    const auto replies = all.replies(reader);
    return replies.empty() ? static_cast<testing::Code>(-4) : replies.back().code;
  };
  EXPECT_EQ(ask_once(Op::GetData, testing::path_watch("/a", true)), testing::Code::Ok);
  EXPECT_EQ(ask_once(Op::SetData, ask::set_data("/a", "x")), testing::Code::NotReadOnly);
  EXPECT_EQ(ask_once(Op::Create, ask::create("/e", 1)), testing::Code::NotReadOnly);
  EXPECT_EQ(ask_once(Op::Sync, ask::path_only("/a")), testing::Code::NotReadOnly);

  all.start(3);
  ASSERT_NE(all.lead(10000), 0);
  EXPECT_TRUE(reader.closed);
  EXPECT_EQ(all.word(1, "isro"), "rw");
}

TEST(Ensemble, ObserversFollowWithoutAVote) {
  Servers all(4, [](NodeSettings& settings) {
    wire::QuorumConfig& config = settings.ensemble->config;
    config.members.back().role = wire::Role::Observer;
    if (settings.ensemble->my_id == 4) settings.ensemble->role = wire::Role::Observer;
  });
  ASSERT_EQ(all.lead(), 3);
  EXPECT_TRUE(all.word(4, "srvr").contains("Mode: observer"));
  EXPECT_TRUE(all.word(3, "mntr").contains("zk_synced_observers\t1\n"));
  all.must(all.join(4), Op::Create, ask::create("/a"));
  all.advance(500);
  for (int id = 1; id <= 4; ++id) EXPECT_TRUE(all.has(id, "/a")) << id;
  all.stop(4);
  all.must(all.join(1), Op::Create, ask::create("/b"));
  all.start(4);
  all.advance(1000);
  EXPECT_TRUE(all.has(4, "/b"));
  // Two of the three voters are gone: an observer is no replacement.
  all.stop(1);
  all.stop(2);
  all.advance(5000);
  EXPECT_FALSE(all.node(3).member()->serving());
  EXPECT_FALSE(all.node(4).member()->serving());
}

TEST(Ensemble, AllComeBackWithWhatTheyHad) {
  Servers all(3);
  ASSERT_EQ(all.lead(), 3);
  all.must(all.join(1), Op::Create, ask::create("/a"));
  for (int id = 1; id <= 3; ++id) all.stop(id);
  for (int id = 1; id <= 3; ++id) all.start(id);
  ASSERT_NE(all.lead(), 0);
  for (int id = 1; id <= 3; ++id) EXPECT_TRUE(all.has(id, "/a")) << id;
  EXPECT_EQ(all.node(1).member()->epochs(), (zab::Epochs{2, 2}));
}

}  // namespace
}  // namespace quorate::node
