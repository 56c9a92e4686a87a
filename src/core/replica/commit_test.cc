#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/replica/replica_testing.h"

namespace quorate::replica::testing {
namespace {

using Replies = std::vector<Reply>;

std::string part(Op type, Code code, const std::string& body = "") {
  return Bytes().i32(static_cast<int32_t>(type)).i8(0).i32(static_cast<int32_t>(code)).raw(body);
}
const std::string& end_of_multi() {
  static const std::string bytes = hex("ffffffff 01 ffffffff");
  return bytes;
}
std::string refused(Code code) { return part(Op::Error, code, Bytes().i32(static_cast<int32_t>(code))); }

std::string stat_of(Bench& bench, std::string_view path) {
  ByteBuffer out;
  wire::Encoder encoder(out);
  wire::encode(encoder, bench.replica.tree().client_stat(bench.replica.tree().find(path)));
  return std::string(out.view());
}

/// Path and Stat, as create2 and its like answer.
std::string made(Bench& bench, std::string_view path) { return Bytes().text(path).raw(stat_of(bench, path)); }

Reply answer_to_multi(Bench& bench, Peer& peer, const std::vector<ask::Part>& parts) {
  bench.send(peer, 9, Op::Multi, ask::multi(parts));
  bench.run();
  const Replies replies = peer.replies();
  EXPECT_EQ(replies.size(), 1U);
  return replies.empty() ? Reply() : replies.back();
}

// Spec: client 3.2, 3.3: each kind's record, and the txn's own zxid.
TEST(Commit, RepliesOfSingleWrites) {
  Bench bench(ask::with([](ReplicaSettings& s) { s.extended_types = true; }));
  Peer& peer = bench.join();
  int64_t zxid = 1;
  const auto expect = [&](Op op, const std::string& body, auto&& expected) {
    bench.send(peer, 5, op, body);
    bench.run();
    const Replies replies = peer.replies();
    EXPECT_EQ(replies, (Replies{{5, ++zxid, Code::Ok, expected()}}));
  };
  const auto path_stat = [&](const char* path) { return [&bench, path] { return made(bench, path); }; };
  const auto stat = [&] { return stat_of(bench, "/a"); };
  const auto text = [](const char* path) { return [path]() -> std::string { return Bytes().text(path); }; };
  expect(Op::Create, ask::create("/a"), text("/a"));
  expect(Op::Create2, ask::create("/b"), path_stat("/b"));
  expect(Op::CreateContainer, ask::create("/c", 4), path_stat("/c"));
  expect(Op::CreateTtl, ask::create_ttl("/t", 5, 9), path_stat("/t"));
  expect(Op::SetData, ask::set_data("/a", "x"), stat);
  expect(Op::SetAcl, ask::set_acl("/a", ask::kOpen), stat);
  expect(Op::Delete, ask::path_version("/a"), [] { return std::string(); });
  expect(Op::Create, ask::create("/s", 2), text("/s0000000004"));
}

// Spec: client 3.2: a refused write takes a zxid too.
TEST(Commit, RefusalsTakeAZxid) {
  Bench bench;
  Peer& peer = bench.join();
  bench.send(peer, 1, Op::Delete, ask::path_version("/none"));
  bench.send(peer, 2, Op::Create, ask::create("/a"));
  bench.send(peer, 3, Op::Create, ask::create("/a"));
  bench.send(peer, 4, Op::SetData, ask::set_data("/a", "x", 7));
  bench.run();
  EXPECT_EQ(peer.replies(), (Replies{{1, 2, Code::NoNode, ""},
                                     {2, 3, Code::Ok, Bytes().text("/a")},
                                     {3, 4, Code::NodeExists, ""},
                                     {4, 5, Code::BadVersion, ""}}));
}

// Spec: client 6.2: containers and TTL nodes answer as create2 does.
TEST(Multi, ResultsOfEveryKind) {
  Bench bench(ask::with([](ReplicaSettings& s) { s.extended_types = true; }));
  Peer& peer = bench.join();
  const Reply reply = answer_to_multi(bench, peer,
                                      {{Op::Create, ask::create("/a")},
                                       {Op::Create2, ask::create("/b")},
                                       {Op::CreateContainer, ask::create("/c", 4)},
                                       {Op::CreateTtl, ask::create_ttl("/t", 5, 100)},
                                       {Op::Create, ask::create("/gone")},
                                       {Op::Check, ask::path_version("/a", 0)},
                                       {Op::Delete, ask::path_version("/gone")},
                                       {Op::SetData, ask::set_data("/a", "x")}});
  const auto as_create2 = [&](const char* path) { return part(Op::Create2, Code::Ok, made(bench, path)); };
  const std::string expected = part(Op::Create, Code::Ok, Bytes().text("/a")) + as_create2("/b") + as_create2("/c") +
                               as_create2("/t") + part(Op::Create, Code::Ok, Bytes().text("/gone")) +
                               part(Op::Check, Code::Ok) + part(Op::Delete, Code::Ok) +
                               part(Op::SetData, Code::Ok, stat_of(bench, "/a")) + end_of_multi();
  EXPECT_EQ(reply, (Reply{9, 2, Code::Ok, expected}));
}

// Spec: client 6.3 rule 2, appendix C: 0 before the failing part, -2 behind it, header 0.
TEST(Multi, FailedOneChangesNothing) {
  Bench bench;
  Peer& peer = bench.join();
  const Reply reply = answer_to_multi(
      bench, peer,
      {{Op::Create, ask::create("/a")}, {Op::Check, ask::path_version("/none", 0)}, {Op::Create, ask::create("/b")}});
  EXPECT_EQ(reply, (Reply{9, 2, Code::Ok,
                          hex("ffffffff 00 00000000 00000000 ffffffff 00 ffffff9b ffffff9b"
                              "ffffffff 00 fffffffe fffffffe ffffffff 01 ffffffff")}));
  EXPECT_EQ(bench.replica.tree().find("/a"), tree::kNoNode);
}

TEST(Multi, EmptyAndUndecodable) {
  Bench bench;
  Peer& peer = bench.join();
  EXPECT_EQ(answer_to_multi(bench, peer, {}), (Reply{9, 2, Code::Ok, end_of_multi()}));
  EXPECT_EQ(answer_to_multi(bench, peer, {{Op::GetData, path_watch("/", false)}}),
            (Reply{9, 3, Code::MarshallingError, ""}));
  EXPECT_EQ(answer_to_multi(bench, peer, {{Op::Create, ask::create("/a")}, {Op::Delete, ask::path_version("/b")}}),
            (Reply{9, 4, Code::Ok, refused(Code::Ok) + refused(Code::NoNode) + end_of_multi()}));
}

// Spec: client 7.5: the event, then the answer that shows the change; to the writer itself too.
TEST(Watches, EventComesBeforeTheRepliesThatShowIt) {
  Bench bench;
  Peer& writer = bench.join();
  Peer& watcher = bench.join();
  bench.must(writer, Op::Create, ask::create("/a"));
  bench.must(watcher, Op::GetData, path_watch("/a", true));
  bench.must(writer, Op::GetData, path_watch("/a", true));
  bench.send(writer, 1, Op::SetData, ask::set_data("/a", "x"));
  bench.persist();
  bench.send(watcher, 2, Op::GetData, path_watch("/a", false));
  bench.run();
  Replies at_watcher = watcher.replies();
  ASSERT_EQ(at_watcher.size(), 2U);
  EXPECT_EQ(at_watcher[0], event(Event::DataChanged, "/a", 4));
  EXPECT_EQ(at_watcher[1].xid, 2);
  EXPECT_EQ(at_watcher[1].zxid, 4);
  Replies at_writer = writer.replies();
  ASSERT_EQ(at_writer.size(), 2U);
  EXPECT_EQ(at_writer[0], event(Event::DataChanged, "/a", 4));
  EXPECT_EQ(at_writer[1].xid, 1);
  bench.must(writer, Op::SetData, ask::set_data("/a", "y"));
  EXPECT_EQ(watcher.replies(), Replies{});
}

// Spec: client 7.2: exists on /w/x and children of /w.
TEST(Watches, CreationTellsOfTheNodeThenOfItsParent) {
  Bench bench;
  Peer& peer = bench.join();
  bench.must(peer, Op::Create, ask::create("/w"));
  bench.send(peer, 1, Op::Exists, path_watch("/w/x", true));
  bench.must(peer, Op::GetChildren, path_watch("/w", true));
  bench.send(peer, 2, Op::Create, ask::create("/w/x"));
  bench.run();
  EXPECT_EQ(peer.replies(), (Replies{event(Event::Created, "/w/x", 3),
                                     event(Event::ChildrenChanged, "/w", 3),
                                     {2, 3, Code::Ok, Bytes().text("/w/x")}}));
}

// Spec: client 7.2: one NodeDeleted although it waits in both tables; a child watch alone gets it as well.
TEST(Watches, DeletionIsToldOnce) {
  Bench bench;
  Peer& peer = bench.join();
  Peer& both = bench.join();
  Peer& child = bench.join();
  bench.must(peer, Op::Create, ask::create("/w"));
  bench.must(both, Op::GetData, path_watch("/w", true));
  bench.must(both, Op::GetChildren, path_watch("/w", true));
  bench.must(both, Op::GetChildren, path_watch("/", true));
  bench.must(both, Op::AddWatch, Bytes().text("/w").i32(0));
  bench.must(child, Op::GetChildren, path_watch("/w", true));
  bench.must(peer, Op::Delete, ask::path_version("/w"));
  EXPECT_EQ(both.replies(), (Replies{event(Event::Deleted, "/w", 5), event(Event::ChildrenChanged, "/", 5)}));
  EXPECT_EQ(child.replies(), (Replies{event(Event::Deleted, "/w", 5)}));
}

TEST(Watches, MultiFiresPartByPartWithOneZxid) {
  Bench bench;
  Peer& peer = bench.join();
  Peer& watcher = bench.join();
  bench.must(watcher, Op::AddWatch, Bytes().text("/").i32(1));
  bench.must(peer, Op::Multi,
             ask::multi({{Op::Create, ask::create("/a")},
                         {Op::SetData, ask::set_data("/a", "x")},
                         {Op::Delete, ask::path_version("/a")}}));
  EXPECT_EQ(watcher.replies(), (Replies{event(Event::Created, "/a", 3), event(Event::DataChanged, "/a", 3),
                                        event(Event::Deleted, "/a", 3)}));
}

// Spec: client 7.4, HARDEN-9: what one may not read is not told, and a standard watch is used up all the same.
TEST(Watches, WithoutReadTheWatchIsConsumedSilently) {
  Bench bench;
  Peer& owner = bench.join();
  Peer& watcher = bench.join();
  bench.must(owner, Op::Auth, Bytes().i32(0).text("digest").text("bob:pw"));
  bench.must(watcher, Op::Exists, path_watch("/", false));
  bench.send(watcher, 1, Op::Exists, path_watch("/secret", true));
  bench.must(watcher, Op::AddWatch, Bytes().text("/secret").i32(0));
  const std::string own = ask::acl(31, "digest", "bob:ikIaKsbtGweaHnb/jKn7OHqbunM=");
  bench.must(owner, Op::Create, ask::create({.path = "/secret", .acl = own}));
  EXPECT_EQ(watcher.replies(), Replies{});
  EXPECT_EQ(bench.replica.watches().data_watches(), 1U);  // the persistent one stays
  bench.must(owner, Op::SetAcl, ask::set_acl("/secret", ask::kOpen));
  bench.must(owner, Op::SetData, ask::set_data("/secret", "x"));
  EXPECT_EQ(watcher.replies().size(), 1U);
  bench.must(owner, Op::SetAcl, ask::set_acl("/secret", own));
  bench.must(owner, Op::Create, ask::create("/secret/child"));
  bench.must(owner, Op::Delete, ask::path_version("/secret/child"));
  bench.must(owner, Op::Delete, ask::path_version("/secret"));
  EXPECT_EQ(watcher.replies(), Replies{});
}

TEST(Watches, ClosedConnectionsAreToldNothing) {
  Bench bench;
  Peer& peer = bench.join();
  Peer& watcher = bench.join();
  bench.must(watcher, Op::GetChildren, path_watch("/", true));
  bench.hang_up(watcher);
  EXPECT_TRUE(bench.replica.watches().empty());
  bench.must(peer, Op::Create, ask::create("/a"));
  EXPECT_EQ(watcher.received, "");
}

// Spec: client 4.10, 8.6.
TEST(CloseSession, EventsComeBeforeTheReplyAndLaterRequestsAreDropped) {
  Bench bench;
  Peer& peer = bench.join();
  Peer& watcher = bench.join();
  const SessionId id = peer.session();
  bench.must(peer, Op::Create, ask::create("/a", 1));
  bench.must(peer, Op::Create, ask::create("/b", 1));
  bench.must(peer, Op::GetData, path_watch("/a", true));
  bench.must(watcher, Op::GetChildren, path_watch("/", true));
  bench.send(peer, 1, Op::CloseSession);
  bench.send(peer, 2, Op::Create, ask::create("/late"));
  bench.send(peer, 3, Op::GetData, path_watch("/", true));
  bench.run();
  EXPECT_EQ(peer.replies(), (Replies{event(Event::Deleted, "/a", 5), {1, 5, Code::Ok, ""}}));
  EXPECT_TRUE(peer.closed);
  EXPECT_EQ(watcher.replies(), (Replies{event(Event::ChildrenChanged, "/", 5)}));
  EXPECT_EQ(bench.replica.tree().ephemeral_count(), 0U);
  EXPECT_EQ(bench.replica.tree().find("/late"), tree::kNoNode);
  EXPECT_FALSE(bench.replica.sessions().contains(id));
  EXPECT_EQ(bench.replica.session_table().state(id), session::Touch::Unknown);
  EXPECT_TRUE(bench.replica.watches().empty());
}

// Pipelined behind a create of its own that is still in flight (known-faults 1208).
TEST(CloseSession, TakesCreationsInFlightAlong) {
  Bench bench;
  Peer& peer = bench.join();
  bench.send(peer, 1, Op::Create, ask::create("/a", 1));
  bench.send(peer, 2, Op::Exists, path_watch("/a", false));
  bench.send(peer, 3, Op::CloseSession);
  bench.run();
  const Replies replies = peer.replies();
  ASSERT_EQ(replies.size(), 3U);
  EXPECT_EQ(replies[1].code, Code::Ok);
  EXPECT_EQ(replies[2], (Reply{3, 3, Code::Ok, ""}));
  EXPECT_EQ(bench.replica.tree().ephemeral_count(), 0U);
}

// Spec: client 8.2, 8.6; operations 7.2: the connection goes without a reply.
TEST(Expiry, ClosesTheSessionAndItsConnection) {
  Bench bench;
  Peer& peer = bench.join(6000);
  Peer& other = bench.join(60000);
  const SessionId id = peer.session();
  bench.must(peer, Op::Create, ask::create("/a", 1));
  bench.must(other, Op::Exists, path_watch("/a", true));
  EXPECT_EQ(bench.replica.next_tick(), Millis{9000});
  bench.tick_at(8999);
  EXPECT_FALSE(peer.closed);
  bench.tick_at(9000);
  EXPECT_TRUE(peer.closed);
  EXPECT_EQ(peer.received, "");
  EXPECT_EQ(other.replies(), (Replies{event(Event::Deleted, "/a", 4)}));
  EXPECT_FALSE(bench.replica.sessions().contains(id));
  EXPECT_TRUE(bench.said(fmt::format("Expiring session 0x{:x}, timeout of 6000ms exceeded", id.value)));
  EXPECT_EQ(bench.replica.stats().stale_sessions_expired, 1);
  bench.tick_at(20000);
  EXPECT_EQ(bench.last_zxid(), 4);
}

// A log that is slower than the session's timeout: the client hears of the session, and only then does its time run.
TEST(Expiry, BeginsWhenTheClientIsTold) {
  Bench bench;
  Peer& peer = bench.open();
  bench.send(peer, connect_request({.timeout_ms = 6000}));
  bench.begin_persist();
  bench.tick_at(20000);
  bench.end_persist();
  bench.run();
  EXPECT_FALSE(peer.closed);
  EXPECT_EQ(bench.replica.stats().stale_sessions_expired, 0);
  bench.tick_at(25000);
  EXPECT_FALSE(peer.closed);
  bench.tick_at(29000);
  EXPECT_TRUE(peer.closed);
}

TEST(Expiry, GoesOnWithoutAConnection) {
  Bench bench;
  Peer& peer = bench.join(6000);
  bench.must(peer, Op::Create, ask::create("/a", 1));
  bench.hang_up(peer);
  EXPECT_NE(bench.replica.tree().find("/a"), tree::kNoNode);
  bench.tick_at(9000);
  EXPECT_EQ(bench.replica.tree().find("/a"), tree::kNoNode);
  EXPECT_TRUE(bench.replica.connections().empty());
}

}  // namespace
}  // namespace quorate::replica::testing
