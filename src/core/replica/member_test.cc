#include "core/replica/member.h"

#include "core/replica/member_testing.h"

namespace quorate::replica::testing {
namespace {

std::string value_of(Ensemble& ensemble, int64_t id, std::string_view path) {
  tree::Tree& tree = ensemble.replica(id).tree();
  const tree::NodeRef node = tree.find(path);
  return node == tree::kNoNode ? "(none)" : std::string(tree.data_of(node));
}

/// All servers that run have the same tree at the same zxid.
void expect_alike(Ensemble& ensemble) {
  const int64_t first = ensemble.running().front();
  for (const int64_t id : ensemble.running()) {
    EXPECT_EQ(ensemble.replica(id).tree().last_zxid(), ensemble.replica(first).tree().last_zxid()) << "server " << id;
    EXPECT_EQ(ensemble.replica(id).tree().digest(), ensemble.replica(first).tree().digest()) << "server " << id;
    EXPECT_EQ(ensemble.replica(id).sessions().all().size(), ensemble.replica(first).sessions().all().size());
    EXPECT_EQ(ensemble.replica(id).stats().digest_mismatches_count, 0);
  }
}

/// Three servers, the third leads.
struct Serving : Ensemble {
  Serving() : Ensemble(3) {
    EXPECT_EQ(elect(), 3);
    EXPECT_TRUE(all_serve());
  }
};

TEST(Member, ThreeServersServeAsOne) {
  Ensemble ensemble(3);
  EXPECT_EQ(ensemble.elect(), 3);
  ASSERT_TRUE(ensemble.all_serve());
  std::map<int64_t, Peer*> clients;
  for (int64_t id = 1; id <= 3; ++id) clients[id] = &ensemble.join(id);
  for (int64_t id = 1; id <= 3; ++id) {
    const Reply reply = ensemble.ask(id, *clients[id], Op::Create, ask::create("/from-" + std::to_string(id)));
    EXPECT_EQ(reply.code, Code::Ok) << id;
  }
  for (int64_t id = 1; id <= 3; ++id) {
    for (int64_t from = 1; from <= 3; ++from) EXPECT_EQ(value_of(ensemble, id, "/from-" + std::to_string(from)), "d");
    EXPECT_EQ(ensemble.ask(id, *clients[id], Op::Delete, ask::path_version("/none")).code, Code::NoNode);
  }
  expect_alike(ensemble);
}

// Spec: quorum 4.1; DESIGN, "For 3.8 peers": the follower remembers what the txn does not tell.
TEST(Member, FollowersAnswerAsLeadersDo) {
  Serving ensemble;
  const std::string parts = ask::multi(
      {{Op::Create2, ask::create("/m")}, {Op::Create, ask::create("/n")}, {Op::SetData, ask::set_data("/m", "x")}});
  std::vector<std::string> bodies;
  for (const int64_t id : {3, 1}) {
    Peer& peer = ensemble.join(id);
    const Reply made = ensemble.ask(id, peer, Op::Multi, parts);
    EXPECT_EQ(made.code, Code::Ok);
    wire::Decoder in(made.body);
    EXPECT_EQ(in.i32(), static_cast<int32_t>(Op::Create2)) << "server " << id;
    EXPECT_EQ(ensemble.ask(id, peer, Op::Multi, parts).code, Code::Ok);  // its parts are refused
    const std::string gone = ask::multi({{Op::Delete, ask::path_version("/m")}, {Op::Delete, ask::path_version("/n")}});
    EXPECT_EQ(ensemble.ask(id, peer, Op::Multi, gone).code, Code::Ok);
  }
  expect_alike(ensemble);
}

// FIFO of one client over forwarded writes, syncs and local reads.
TEST(Member, AFollowersClientSeesItsRequestsInOrder) {
  Serving ensemble;
  Peer& peer = ensemble.join(1);
  ensemble.send(1, peer, 1, Op::Create, ask::create("/a"));
  ensemble.send(1, peer, 2, Op::Exists, path_watch("/a", false));
  ensemble.send(1, peer, 3, Op::Sync, ask::path_only("/a"));
  ensemble.send(1, peer, 4, Op::SetData, ask::set_data("/a", "x"));
  ensemble.send(1, peer, 5, Op::GetData, path_watch("/a", false));
  ensemble.settle();
  const auto replies = peer.replies();
  ASSERT_EQ(replies.size(), 5U);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(replies[i].xid, static_cast<int32_t>(i) + 1);
    EXPECT_EQ(replies[i].code, Code::Ok);
  }
  EXPECT_TRUE(replies[4].body.contains("x"));
  EXPECT_EQ(replies[2].body, ask::path_only("/a"));
}

// A sync makes what others wrote visible, though nothing else waits for it.
TEST(Member, SyncCatchesUpWithOtherServers) {
  Serving ensemble;
  Peer& reader = ensemble.join(1);
  Peer& writer = ensemble.join(2);
  ensemble.cut(1, 3);
  EXPECT_EQ(ensemble.ask(2, writer, Op::Create, ask::create("/a")).code, Code::Ok);
  EXPECT_EQ(ensemble.ask(1, reader, Op::Exists, path_watch("/a", false)).code, Code::NoNode);
  ensemble.send(1, reader, 1, Op::Sync, ask::path_only("/"));
  ensemble.send(1, reader, 2, Op::Exists, path_watch("/a", false));
  ensemble.settle();
  EXPECT_TRUE(reader.replies().empty());
  ensemble.heal();
  ensemble.settle();
  const auto replies = reader.replies();
  ASSERT_EQ(replies.size(), 2U);
  EXPECT_EQ(replies[1].code, Code::Ok);
}

// Two followers are a quorum: what they have applied may not be on the leader's own disk yet.
TEST(Member, AClientOfALeaderWithASlowDiskReadsWhatOthersWroteBehindASync) {
  Serving ensemble;
  Peer& reader = ensemble.join(3);
  Peer& writer = ensemble.join(1);
  ensemble.stall_disk(3);
  EXPECT_EQ(ensemble.ask(1, writer, Op::Create, ask::create("/a")).code, Code::Ok);
  EXPECT_EQ(ensemble.ask(3, reader, Op::Exists, path_watch("/a", false)).code, Code::NoNode);
  ensemble.send(3, reader, 1, Op::Sync, ask::path_only("/"));
  ensemble.send(3, reader, 2, Op::Exists, path_watch("/a", false));
  ensemble.send(3, reader, 3, Op::Create, ask::create("/b"));
  ensemble.settle();
  EXPECT_TRUE(reader.replies().empty());
  ensemble.release_disk(3);
  ensemble.settle();
  const auto replies = reader.replies();
  ASSERT_EQ(replies.size(), 3U);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(replies[i].xid, static_cast<int32_t>(i) + 1);
    EXPECT_EQ(replies[i].code, Code::Ok);
  }
}

TEST(Member, ASyncOfAClientThatGoesIsForgotten) {
  Serving ensemble;
  Peer& reader = ensemble.join(3);
  Peer& writer = ensemble.join(1);
  ensemble.stall_disk(3);
  EXPECT_EQ(ensemble.ask(1, writer, Op::Create, ask::create("/a")).code, Code::Ok);
  ensemble.send(3, reader, 1, Op::Sync, ask::path_only("/"));
  ensemble.settle();
  ensemble.hang_up(3, reader);
  ensemble.settle();
  ensemble.release_disk(3);
  ensemble.settle();
  expect_alike(ensemble);
}

// It hears of its session from a follower, before the leader has applied it.
TEST(Member, ANewClientIsServedWhileTheLeadersDiskIsSlow) {
  Serving ensemble;
  ensemble.stall_disk(3);
  Peer& peer = ensemble.join(1);
  EXPECT_EQ(ensemble.ask(1, peer, Op::Create, ask::create("/a")).code, Code::Ok);
  EXPECT_EQ(ensemble.ask(1, peer, Op::Create, ask::create("/e", 1)).code, Code::Ok);
  ensemble.release_disk(3);
  ensemble.settle();
  expect_alike(ensemble);
}

TEST(Member, AnotherLeaderGoesOnWithAllThatWasAcknowledged) {
  Serving ensemble;
  Peer& peer = ensemble.join(1);
  const SessionId session = peer.session();
  EXPECT_EQ(ensemble.ask(1, peer, Op::Create, ask::create("/kept")).code, Code::Ok);
  EXPECT_EQ(ensemble.ask(1, peer, Op::Create, ask::create("/mine", 1)).code, Code::Ok);
  ensemble.crash(3);
  EXPECT_EQ(ensemble.elect(), 2);
  ASSERT_TRUE(ensemble.all_serve());
  EXPECT_TRUE(peer.closed);
  Peer& again = ensemble.renew(1, session);
  ensemble.settle();
  EXPECT_EQ(again.session(), session);
  again.received.clear();
  EXPECT_EQ(ensemble.ask(1, again, Op::SetData, ask::set_data("/kept", "new")).code, Code::Ok);
  ensemble.start(3);
  ASSERT_TRUE(ensemble.all_serve());
  EXPECT_EQ(value_of(ensemble, 3, "/kept"), "new");
  EXPECT_EQ(value_of(ensemble, 3, "/mine"), "d");
  expect_alike(ensemble);
}

// Spec: quorum 3.5, case 3: what the old leader logged and nobody acknowledged is cut.
TEST(Member, AnOldLeadersOwnTxnsAreCut) {
  Serving ensemble;
  Peer& peer = ensemble.join(3);
  EXPECT_EQ(ensemble.ask(3, peer, Op::Create, ask::create("/kept")).code, Code::Ok);
  ensemble.cut(1, 3);
  ensemble.cut(2, 3);
  EXPECT_EQ(ensemble.ask(3, peer, Op::Create, ask::create("/lost")).code, kNoAnswer);
  EXPECT_EQ(ensemble.at(3).disk.history.size(), 3U);
  ensemble.crash(3);
  ASSERT_EQ(ensemble.elect(), 2);
  ensemble.heal();
  Peer& other = ensemble.join(2);
  EXPECT_EQ(ensemble.ask(2, other, Op::Create, ask::create("/new")).code, Code::Ok);
  ensemble.start(3);
  ASSERT_TRUE(ensemble.all_serve());
  EXPECT_EQ(value_of(ensemble, 3, "/lost"), "(none)");
  expect_alike(ensemble);
}

TEST(Member, OneThatWasAwayForLongGetsTheTree) {
  Ensemble ensemble(3);
  ensemble.kept_txns = 5;
  for (int64_t id = 1; id <= 3; ++id) {
    ensemble.crash(id);
    ensemble.start(id);
  }
  ASSERT_EQ(ensemble.elect(), 3);
  ASSERT_TRUE(ensemble.all_serve());
  Peer& peer = ensemble.join(2);
  ensemble.crash(1);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(ensemble.ask(2, peer, Op::Create, ask::create("/n" + std::to_string(i))).code, Code::Ok);
  }
  ensemble.at(1).disk = {};  // a new machine
  ensemble.start(1);
  ASSERT_TRUE(ensemble.all_serve());
  expect_alike(ensemble);
}

// Known-faults R-D4: the members have seen the epochs begin, so the log serves over their boundaries.
TEST(Member, OneThatWasAwayOverAnElectionGetsTheLog) {
  Ensemble ensemble(3);
  ensemble.kept_txns = 5;
  for (int64_t id = 1; id <= 3; ++id) {
    ensemble.crash(id);
    ensemble.start(id);
  }
  ASSERT_EQ(ensemble.elect(), 3);
  ASSERT_TRUE(ensemble.all_serve());
  ensemble.crash(1);
  const auto write = [&](int64_t at, const std::string& name) {
    Peer& peer = ensemble.join(at);
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(ensemble.ask(at, peer, Op::Create, ask::create(name + std::to_string(i))).code, Code::Ok);
    }
    ensemble.hang_up(at, peer);
  };
  write(3, "/a");
  ensemble.at(3).member->lead()->resign("for the test");
  ASSERT_EQ(ensemble.elect(), 3);
  write(3, "/b");
  ensemble.start(1);
  ASSERT_TRUE(ensemble.all_serve());
  expect_alike(ensemble);
  for (const std::string& line : ensemble.at(3).lines) EXPECT_FALSE(line.contains("Sending snapshot")) << line;
}

// Spec: quorum 4.4: the leader tracks by what learners tell it in their pings.
TEST(Member, SessionsLiveAsLongAsTheirClientsSpeakAnywhere) {
  Serving ensemble;
  Peer& lively = ensemble.join(1, 6000);
  Peer& silent = ensemble.join(2, 6000);
  const SessionId silent_session = silent.session();
  EXPECT_EQ(ensemble.ask(1, lively, Op::Create, ask::create("/lively", 1)).code, Code::Ok);
  EXPECT_EQ(ensemble.ask(2, silent, Op::Create, ask::create("/silent", 1)).code, Code::Ok);
  for (int i = 0; i < 12; ++i) {
    ensemble.advance(1000);
    ensemble.send(1, lively, -2, Op::Ping);
  }
  ensemble.settle();
  EXPECT_FALSE(lively.closed);
  EXPECT_TRUE(silent.closed);
  for (int64_t id = 1; id <= 3; ++id) {
    EXPECT_EQ(value_of(ensemble, id, "/lively"), "d");
    EXPECT_EQ(value_of(ensemble, id, "/silent"), "(none)");
    EXPECT_FALSE(ensemble.replica(id).sessions().contains(silent_session));
  }
  expect_alike(ensemble);
}

// Known-faults 1.1 (710), the interleaving of the report: a renewal that was delayed on its way to the leader arrives
// after the client has gone elsewhere. The client is told once, by its connection, and never for ever.
TEST(Member, Sim710ALateRenewalMovesNothingForEver) {
  Serving ensemble;
  Peer* client = &ensemble.join(3);
  const SessionId session = client->session();
  EXPECT_EQ(ensemble.ask(3, *client, Op::Create, ask::create("/a")).code, Code::Ok);
  const std::pair<Op, std::string> kOps[] = {{Op::Create, ask::create("/seq-", 2)},
                                             {Op::SetData, ask::set_data("/a", "x")},
                                             {Op::Multi, ask::multi({{Op::Check, ask::path_version("/a")}})},
                                             {Op::Sync, ask::path_only("/")},
                                             {Op::GetData, path_watch("/a", false)},
                                             {Op::Ping, ""},
                                             {Op::SetAcl, ask::set_acl("/a", ask::kOpen)}};
  for (const auto& [op, body] : kOps) {
    ensemble.hang_up(3, *client);
    ensemble.held_learners.insert(1);
    Peer& slow = ensemble.renew(1, session);
    ensemble.settle();
    ensemble.hang_up(1, slow);  // its connect time-out
    client = &ensemble.renew(3, session);
    ensemble.settle();
    client->received.clear();
    EXPECT_EQ(ensemble.ask(3, *client, Op::SetData, ask::set_data("/a", "y")).code, Code::Ok);
    ensemble.held_learners.clear();  // the late REVALIDATE
    ensemble.settle();
    const Reply first = client->closed ? Reply{.code = kNoAnswer} : ensemble.ask(3, *client, op, body);
    EXPECT_TRUE(first.code == Code::Ok || (client->closed && first.code == kNoAnswer));
    ensemble.hang_up(3, *client);
    client = &ensemble.renew(3, session);
    ensemble.settle();
    client->received.clear();
    EXPECT_EQ(ensemble.ask(3, *client, op, body).code, Code::Ok) << static_cast<int>(op);
  }
}

// The same at two followers: the write of the connection that was left must not follow the client (known-faults 1.1,
// trap 1), and what is left learns of it by its end.
TEST(Member, Sim710AWriteOfTheOldConnectionIsNotCarriedOutAfterTheMove) {
  Serving ensemble;
  Peer& old = ensemble.join(1);
  const SessionId session = old.session();
  EXPECT_EQ(ensemble.ask(1, old, Op::Create, ask::create("/a")).code, Code::Ok);
  ensemble.held_learners.insert(1);
  ensemble.send(1, old, 9, Op::SetData, ask::set_data("/a", "old"));
  ensemble.settle();
  Peer& moved = ensemble.renew(2, session);
  ensemble.settle();
  moved.received.clear();
  EXPECT_EQ(ensemble.ask(2, moved, Op::SetData, ask::set_data("/a", "new")).code, Code::Ok);
  ensemble.held_learners.clear();
  ensemble.settle();
  EXPECT_TRUE(old.closed);
  EXPECT_TRUE(old.replies().empty());
  EXPECT_EQ(ensemble.ask(2, moved, Op::SetData, ask::set_data("/a", "newer")).code, Code::Ok);
  for (int64_t id = 1; id <= 3; ++id) EXPECT_EQ(value_of(ensemble, id, "/a"), "newer");
  expect_alike(ensemble);
}

// Clients that count their xids anew on each connection: the answer to a write is not that of an older one, which the
// client sent under the same xid to the server that it came from.
TEST(Member, AWriteIsNotAnsweredWithWhatTheClientAskedElsewhere) {
  for (const int64_t from : {3, 2}) {
    Serving ensemble;
    ASSERT_EQ(ensemble.elect(), 3);
    Peer& old = ensemble.join(from);
    const SessionId session = old.session();
    ASSERT_EQ(ensemble.ask(from, old, Op::Create, ask::create("/a")).code, Code::Ok);
    for (int64_t id = 1; id <= 3; ++id) ensemble.stall_disk(id);
    ensemble.send(from, old, 1, Op::SetData, ask::set_data("/a", "first"));
    ensemble.settle();
    ensemble.hang_up(from, old);
    Peer& moved = ensemble.renew(1, session);
    ensemble.settle();
    moved.received.clear();
    ensemble.send(1, moved, 1, Op::SetData, ask::set_data("/a", "second"));
    ensemble.settle();
    EXPECT_TRUE(moved.replies().empty());
    ensemble.release_disk(3);
    ensemble.release_disk(2);
    ensemble.release_disk(1);
    ensemble.settle();
    const auto replies = moved.replies();
    ASSERT_EQ(replies.size(), 1U) << "from " << from;
    EXPECT_EQ(replies[0].code, Code::Ok);
    const tree::Tree& tree = ensemble.replica(1).tree();
    EXPECT_EQ(Zxid{replies[0].zxid}, tree.last_zxid()) << "from " << from;
    EXPECT_EQ(value_of(ensemble, 1, "/a"), "second");
    expect_alike(ensemble);
  }
}

// Known-faults 1.2 (1382): the session expired while its client was cut off; SetWatches is in the same segment.
TEST(Member, Sim1382NothingOfADeadSessionIsWatched) {
  Serving ensemble;
  Peer& peer = ensemble.join(2, 6000);
  const SessionId session = peer.session();
  ensemble.hang_up(2, peer);
  ensemble.advance(15000);
  for (const int64_t id : {1, 3}) {
    Peer& late = ensemble.renew(id, session);
    const std::string watches = Bytes().i64(0).texts({"/a"}).texts({"/b"}).texts({"/c"});
    ensemble.send(id, late, -8, Op::SetWatches, watches);
    ensemble.send(id, late, 2, Op::GetData, path_watch("/", true));
    ensemble.settle();
    EXPECT_TRUE(late.closed);
    const auto frames = frames_in(late.received);
    ASSERT_EQ(frames.size(), 1U);
    wire::Decoder in(frames[0]);
    in.i32();
    EXPECT_EQ(in.i32(), 0);
    EXPECT_EQ(in.i64(), 0);
    EXPECT_TRUE(ensemble.replica(id).watches().empty());
  }
}

TEST(Member, WatchesFireOnEveryServer) {
  Serving ensemble;
  Peer& watcher = ensemble.join(1);
  Peer& writer = ensemble.join(2);
  EXPECT_EQ(ensemble.ask(1, watcher, Op::Exists, path_watch("/w", true)).code, Code::NoNode);
  EXPECT_EQ(ensemble.ask(2, writer, Op::Create, ask::create("/w")).code, Code::Ok);
  const auto replies = watcher.replies();
  ASSERT_EQ(replies.size(), 1U);
  EXPECT_EQ(replies[0].xid, -1);
}

// A client that has seen more than this server must try another (known-faults R-N9).
TEST(Member, AServerThatIsBehindRefusesClientsThatAreAhead) {
  Serving ensemble;
  Peer& peer = ensemble.join(2);
  const SessionId session = peer.session();
  ensemble.cut(1, 3);
  const Reply made = ensemble.ask(2, peer, Op::Create, ask::create("/a"));
  EXPECT_EQ(made.code, Code::Ok);
  EXPECT_GT(made.zxid, ensemble.replica(1).tree().last_zxid().value);
  ensemble.hang_up(2, peer);
  Peer& moved = ensemble.renew(1, session, made.zxid);
  ensemble.settle();
  EXPECT_TRUE(moved.closed);
  EXPECT_EQ(moved.received, "");
}

}  // namespace
}  // namespace quorate::replica::testing
