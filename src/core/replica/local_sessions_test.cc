#include <gtest/gtest.h>

#include "core/replica/member_testing.h"

/// Sessions that one server knows alone. Spec: client 8.7; quorum 4.5; known-faults 3471.
namespace quorate::replica::testing {
namespace {

ReplicaSettings with_local_sessions(bool upgrade) {
  ReplicaSettings settings;
  settings.local_sessions = true;
  settings.local_sessions_upgrade = upgrade;
  return settings;
}

struct Local : Ensemble {
  explicit Local(bool upgrade) : Ensemble(3, with_local_sessions(upgrade)) {
    EXPECT_EQ(elect(), 3);
    EXPECT_TRUE(all_serve());
  }
  bool known(int64_t id, SessionId session) { return replica(id).sessions().contains(session); }
  bool has(int64_t id, std::string_view path) { return replica(id).tree().find(path) != tree::kNoNode; }
};

TEST(LocalSessions, CostNoTxnAndWriteAllButEphemerals) {
  Local ensemble(false);
  for (const int64_t id : {1, 3}) {
    SCOPED_TRACE(id);
    const Zxid before = ensemble.replica(3).tree().last_zxid();
    Peer& peer = ensemble.join(id);
    EXPECT_EQ(ensemble.replica(3).tree().last_zxid(), before);
    EXPECT_EQ(ensemble.replica(id).local_sessions().size(), 1U);
    const std::string path = "/n" + std::to_string(id);
    EXPECT_EQ(ensemble.ask(id, peer, Op::Create, ask::create(path)).code, Code::Ok);
    EXPECT_EQ(ensemble.ask(id, peer, Op::SetData, ask::set_data(path, "x")).code, Code::Ok);
    EXPECT_EQ(ensemble.ask(id, peer, Op::Sync, ask::path_only(path)).code, Code::Ok);
    EXPECT_EQ(ensemble.ask(id, peer, Op::Create, ask::create("/e", 1)).code, Code::EphemeralOnLocalSession);
    EXPECT_EQ(ensemble.ask(id, peer, Op::Multi, ask::multi({{Op::Create, ask::create("/e", 3)}})).code,
              Code::EphemeralOnLocalSession);
    EXPECT_FALSE(peer.closed);
    EXPECT_EQ(ensemble.ask(id, peer, Op::CloseSession, "").code, Code::Ok);
    EXPECT_TRUE(peer.closed);
    EXPECT_EQ(ensemble.replica(id).local_sessions().size(), 0U);
  }
  EXPECT_EQ(ensemble.replica(1).sessions().size(), 0U);
}

TEST(LocalSessions, TheFirstEphemeralMakesAGlobalOne) {
  for (const int64_t id : {1, 3}) {
    SCOPED_TRACE(id);
    Local ensemble(true);
    Peer& peer = ensemble.join(id);
    const SessionId session = peer.session();
    EXPECT_FALSE(ensemble.known(2, session));
    ensemble.send(id, peer, 1, Op::Create, ask::create("/e", 1));
    ensemble.send(id, peer, 2, Op::Multi, ask::multi({{Op::Create2, ask::create("/f", 1)}}));
    ensemble.settle();
    const auto replies = peer.replies();
    ASSERT_EQ(replies.size(), 2U);
    EXPECT_EQ(replies[0].code, Code::Ok);
    EXPECT_EQ(replies[1].code, Code::Ok);
    ensemble.advance(1500);
    EXPECT_TRUE(ensemble.known(2, session));
    EXPECT_TRUE(ensemble.has(2, "/e"));
    EXPECT_EQ(ensemble.replica(id).local_sessions().size(), 0U);
    // It can be renewed anywhere, and its end takes its nodes along.
    Peer& moved = ensemble.renew(2, session);
    ensemble.settle();
    EXPECT_FALSE(moved.closed);
    moved.received.clear();
    EXPECT_EQ(ensemble.ask(2, moved, Op::CloseSession, "").code, Code::Ok);
    ensemble.advance(1500);
    EXPECT_FALSE(ensemble.has(1, "/e"));
    EXPECT_FALSE(ensemble.has(3, "/f"));
    EXPECT_FALSE(ensemble.known(1, session));
  }
}

TEST(LocalSessions, AreRenewedWhereTheyAreAndNowhereElse) {
  Local ensemble(false);
  Peer& peer = ensemble.join(1);
  const SessionId session = peer.session();
  ensemble.hang_up(1, peer);
  Peer& back = ensemble.renew(1, session);
  ensemble.settle();
  EXPECT_FALSE(back.closed);
  EXPECT_EQ(back.session(), session);
  Peer& elsewhere = ensemble.renew(2, session);
  ensemble.settle();
  EXPECT_TRUE(elsewhere.closed);
}

TEST(LocalSessions, ExpireWhereTheyAre) {
  Local ensemble(false);
  Peer& peer = ensemble.join(1, 6000);
  Peer& busy = ensemble.join(1, 6000);
  for (int i = 0; i < 5; ++i) {
    ensemble.advance(2000);
    EXPECT_EQ(ensemble.ask(1, busy, Op::Ping, "", -2).code, Code::Ok);
  }
  EXPECT_TRUE(peer.closed);
  EXPECT_FALSE(busy.closed);
}

// What a leader does not know may be a local session of another server, where there are such; its own it would know.
TEST(LocalSessions, AreNoExcuseForSessionsThatAreOver) {
  struct Case {
    bool local_sessions;
    int64_t of_server;
    bool made;
  };
  for (const auto& [local_sessions, of_server, made] :
       {Case{false, 1, false}, Case{true, 1, true}, Case{true, 3, false}}) {
    SCOPED_TRACE(::testing::Message() << local_sessions << " " << of_server);
    Ensemble ensemble(3, local_sessions ? with_local_sessions(false) : ReplicaSettings());
    ASSERT_EQ(ensemble.elect(), 3);
    zab::Forwarded request;
    request.from = LinkId{1};
    request.header = {SessionId{of_server << 56 | 5}, 1, static_cast<int32_t>(Op::Create)};
    const std::string record = ask::create("/a");
    request.record = record;
    ensemble.replica(3).on_forwarded(request);
    ensemble.settle();
    EXPECT_EQ(ensemble.replica(3).tree().find("/a") != tree::kNoNode, made);
  }
}

}  // namespace
}  // namespace quorate::replica::testing
