#include "core/replica/prepare.h"

#include "core/replica/prepare_testing.h"

namespace quorate::replica {
namespace {

using namespace prepare_testing;
using wire::Code;
using wire::Op;

constexpr World::Asker kBobAsks{kBob, nullptr, Origin::Client, 7};
constexpr World::Asker kServerAsks{SessionId{0}, nullptr, Origin::Server, 0};
constexpr World::Asker kStrangerAsks{SessionId{99}, nullptr, Origin::Client, 7};

struct Case {
  const char* why;
  Op op;
  std::string body;
  Code expected;
  World::Asker asker = {kAlice, nullptr, Origin::Client, 7};
};

/// Nodes that the tables of failures refer to.
void plant(World& world) {
  const std::string read_only = acl(wire::kPermRead, "world", "anyone");
  const std::string write_only = acl(wire::kPermWrite, "world", "anyone");
  world.must(Op::Create, create("/node"));
  world.must(Op::Create, create("/node/child"));
  world.must(Op::Create, create("/leaf"));
  world.must(Op::Create, create("/ephemeral", 1));
  world.must(Op::Create, create("/closed"));
  world.must(Op::Create, create("/closed/a"));
  world.must(Op::Create, create({.path = "/write-only", .acl = write_only}));
  world.must(Op::SetAcl, set_acl("/closed", read_only));
  world.must(Op::CreateContainer, create("/container", 4));
}

void expect_codes(World& world, const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const uint64_t digest = world.preparer.pending_digest();
    const size_t pending = world.preparer.pending_paths();
    const Made& made = world.ask(c.op, c.body, c.asker);
    EXPECT_EQ(made.prepared.code, c.expected) << c.why;
    if (c.expected == Code::Ok) continue;
    EXPECT_EQ(made.prepared.txn_type, Op::Error) << c.why;
    EXPECT_EQ(world.preparer.pending_digest(), digest) << c.why;
    EXPECT_EQ(world.preparer.pending_paths(), pending) << c.why;
    EXPECT_EQ(made.header().type, -1) << c.why;
    EXPECT_EQ(made.header().zxid, world.zxid) << c.why;
    EXPECT_EQ(made.body(), bytes_of([&](wire::Encoder& out) { out.i32(static_cast<int32_t>(c.expected)); })) << c.why;
  }
  world.apply();
}

// Spec: client 4.2; each request fails its own step and some or all later ones.
TEST(PrepareCreate, TheFirstFailingStepDecides) {
  World world;
  plant(world);
  const std::string short_record = create("/x").substr(0, 20);
  expect_codes(
      world,
      {
          {"step 1, cut short", Op::Create, short_record, Code::MarshallingError},
          {"step 2, flags", Op::Create, create({.path = wire::kAbsent, .acl = kNoAcl, .flags = 7}), Code::BadArguments},
          {"step 2, negative flags", Op::Create, create("/x", -1), Code::BadArguments, kStrangerAsks},
          {"step 3, TTL is off", Op::Create, create("/x", 5), Code::Unimplemented, kStrangerAsks},
          {"step 3, TTL is off, by its own opcode", Op::CreateTtl, create_ttl("/x", 6, 0), Code::Unimplemented},
          {"step 4, TTL type without TTL mode", Op::CreateTtl, create_ttl("x", 0, 5), Code::BadArguments,
           kStrangerAsks},
          {"step 4, HARDEN-1", Op::CreateTtl, create_ttl("/x", 0, -1), Code::BadArguments},
          {"step 4, HARDEN-1, container", Op::CreateTtl, create_ttl("/x", 4, -1), Code::BadArguments},
          {"step 5, unknown session", Op::Create, create("x"), Code::UnknownSession, kStrangerAsks},
          {"step 5, ephemeral of an unknown session", Op::Create, create("x", 1), Code::SessionExpired, kStrangerAsks},
          {"null path", Op::Create, create({.path = wire::kAbsent, .acl = kNoAcl}), Code::MarshallingError},
          {"step 6, no slash", Op::Create, create({.path = "x", .acl = kNoAcl}), Code::BadArguments},
          {"step 6, empty", Op::Create, create({.path = "", .acl = kNoAcl}), Code::BadArguments},
          {"step 6, U+0000", Op::Create, create({.path = std::string_view("/x\0", 3), .acl = kNoAcl}),
           Code::BadArguments},
          {"step 7, null list", Op::Create, create({.path = "/none/./x", .acl = kNoAcl}), Code::InvalidAcl},
          {"step 7, empty list", Op::Create, create({.path = "/none/x", .acl = kEmptyAcl}), Code::InvalidAcl},
          {"step 7, no scheme", Op::Create, create({.path = "/node", .acl = acl(31, "nope", "x")}), Code::InvalidAcl},
          {"step 8, no parent", Op::Create, create("/none/./x"), Code::NoNode},
          {"step 8, parent is no path", Op::Create, create("a/b"), Code::NoNode},
          {"step 8, parent ends in a slash", Op::Create, create("/node//b"), Code::NoNode},
          {"step 9, no permission", Op::Create, create("/closed/."), Code::NoAuth},
          {"step 11, path", Op::Create, create("/node/."), Code::BadArguments},
          {"step 11, slash at the end", Op::Create, create("/node/"), Code::BadArguments},
          {"step 11, below an ephemeral", Op::Create, create("/ephemeral/"), Code::BadArguments},
          {"step 11, broken UTF-8", Op::Create, create("/node/\xff"), Code::BadArguments},
          {"step 12, there", Op::Create, create("/node"), Code::NodeExists},
          {"step 12, the root", Op::Create, create("/"), Code::NodeExists},
          {"step 13, parent is ephemeral", Op::Create, create("/ephemeral/x"), Code::NoChildrenForEphemerals},
          {"parent is a container", Op::Create, create("/container/x"), Code::Ok},
      });
}

// Spec: client 4.2 step 4, 5.2, 5.6.
TEST(PrepareCreate, TtlRules) {
  World world(with([](ReplicaSettings& s) { s.extended_types = true; }));
  expect_codes(world,
               {
                   {"TTL mode by the wrong opcode", Op::Create, create("/x", 5), Code::BadArguments},
                   {"TTL mode by the container opcode", Op::CreateContainer, create("/x", 6), Code::BadArguments},
                   {"no ttl", Op::CreateTtl, create_ttl("/x", 5, 0), Code::BadArguments},
                   {"negative ttl", Op::CreateTtl, create_ttl("/x", 5, -1), Code::BadArguments},
                   {"ttl too long", Op::CreateTtl, create_ttl("/x", 5, wire::kMaxTtl + 1), Code::BadArguments},
                   {"HARDEN-1", Op::CreateTtl, create_ttl("/x", 0, -1), Code::BadArguments},
                   {"longest", Op::CreateTtl, create_ttl("/x", 5, wire::kMaxTtl), Code::Ok},
                   {"children are allowed, while it is pending too", Op::Create, create("/x/y"), Code::Ok},
                   {"shortest, sequential", Op::CreateTtl, create_ttl("/x/", 6, 1), Code::Ok},
                   {"children are allowed", Op::Create, create("/x/z"), Code::Ok},
                   {"no ttl in the record", Op::CreateTtl, create("/t", 5), Code::MarshallingError},
               });
  EXPECT_NE(world.tree.find("/x/0000000001"), tree::kNoNode);
}

// Spec: client 4.2 step 14, 11.3: against what was applied.
TEST(PrepareCreate, QuotaIsTheLastCheck) {
  World world(with([](ReplicaSettings& s) { s.enforce_quota = true; }));
  plant(world);
  world.must(Op::Create, create("/zookeeper/quota/node"));
  world.must(Op::Create, create({.path = "/zookeeper/quota/node/zookeeper_limits",
                                 .data = "count=-1,bytes=-1=;byteHardLimit=4;countHardLimit=3"}));
  world.must(Op::Create, create({.path = "/zookeeper/quota/node/zookeeper_stats", .data = ""}));
  expect_codes(world,
               {
                   {"there, and over", Op::Create, create({.path = "/node/child", .data = "12345"}), Code::NodeExists},
                   {"over by bytes", Op::Create, create({.path = "/node/x", .data = "123"}), Code::QuotaExceeded},
                   {"setData over", Op::SetData, set_data("/node", "1234", 5), Code::QuotaExceeded},
                   {"setData within", Op::SetData, set_data("/node", "12", 5), Code::BadVersion},
                   {"setData within, null", Op::SetData, set_data("/node", wire::kAbsent), Code::Ok},
                   {"setData at the limit", Op::SetData, set_data("/node/child", "123"), Code::Ok},
               });
  expect_codes(world, {
                          {"the last node", Op::Create, create({.path = "/node/x", .data = ""}), Code::Ok},
                          {"not seen while in flight", Op::Create, create({.path = "/node/y", .data = ""}), Code::Ok},
                      });
  expect_codes(world, {{"over by count", Op::Create, create({.path = "/node/z", .data = ""}), Code::QuotaExceeded}});
}

// Spec: client 4.3.
TEST(PrepareChange, DeleteOrder) {
  World world;
  plant(world);
  expect_codes(world,
               {
                   {"cut short", Op::Delete, path_version("/leaf").substr(0, 9), Code::MarshallingError, kStrangerAsks},
                   {"session", Op::Delete, path_version(wire::kAbsent), Code::UnknownSession, kStrangerAsks},
                   {"null path", Op::Delete, path_version(wire::kAbsent), Code::MarshallingError},
                   {"no slash", Op::Delete, path_version("leaf"), Code::BadArguments},
                   {"root", Op::Delete, path_version("/"), Code::BadArguments},
                   {"system node", Op::Delete, path_version("/zookeeper/config"), Code::BadArguments},
                   {"no parent", Op::Delete, path_version("/none/leaf"), Code::NoNode},
                   {"permission on the parent", Op::Delete, path_version("/closed/none", 5), Code::NoAuth},
                   {"missing", Op::Delete, path_version("/node/none", 5), Code::NoNode},
                   {"ends in a slash", Op::Delete, path_version("/node/"), Code::NoNode},
                   {"relative", Op::Delete, path_version("a/b"), Code::NoNode},
                   {"version beats children", Op::Delete, path_version("/node", 5), Code::BadVersion},
                   {"children", Op::Delete, path_version("/node", 0), Code::NotEmpty},
                   {"own list does not matter", Op::Delete, path_version("/write-only", 0), Code::Ok},
                   {"any version", Op::Delete, path_version("/leaf"), Code::Ok},
                   {"gone while in flight", Op::Delete, path_version("/leaf"), Code::NoNode},
               });
}

// Spec: client 4.4, 4.5.
TEST(PrepareChange, SetDataAndSetAclOrder) {
  World world;
  plant(world);
  const std::string bad = acl(31, "nope", "x");
  expect_codes(
      world,
      {
          {"data: cut short", Op::SetData, set_data("/leaf", "").substr(0, 10), Code::MarshallingError, kStrangerAsks},
          {"data: session", Op::SetData, set_data("/a/", ""), Code::UnknownSession, kStrangerAsks},
          {"data: null path", Op::SetData, set_data(wire::kAbsent, ""), Code::BadArguments},
          {"data: path", Op::SetData, set_data("/none/", ""), Code::BadArguments},
          {"data: missing", Op::SetData, set_data("/none", "", 5), Code::NoNode},
          {"data: permission", Op::SetData, set_data("/closed", "", 5), Code::NoAuth},
          {"data: version", Op::SetData, set_data("/leaf", "", 5), Code::BadVersion},
          {"data: fits", Op::SetData, set_data("/leaf", "", 0), Code::Ok},
          {"data: in flight", Op::SetData, set_data("/leaf", "", 0), Code::BadVersion},
          {"data: in flight, fits", Op::SetData, set_data("/leaf", "", 1), Code::Ok},
          {"data: root", Op::SetData, set_data("/", "root"), Code::Ok},
          {"acl: cut short", Op::SetAcl, set_acl("/leaf", kOpen).substr(0, 30), Code::MarshallingError, kStrangerAsks},
          {"acl: session", Op::SetAcl, set_acl("/a/", bad), Code::UnknownSession, kStrangerAsks},
          {"acl: null path", Op::SetAcl, set_acl(wire::kAbsent, bad), Code::BadArguments},
          {"acl: path", Op::SetAcl, set_acl("/a/", bad), Code::BadArguments},
          {"acl: list beats missing", Op::SetAcl, set_acl("/none", bad), Code::InvalidAcl},
          {"acl: null list", Op::SetAcl, set_acl("/none", kNoAcl), Code::InvalidAcl},
          {"acl: missing", Op::SetAcl, set_acl("/none", kOpen, 5), Code::NoNode},
          {"acl: permission", Op::SetAcl, set_acl("/closed", kOpen, 5), Code::NoAuth},
          {"acl: compared with aversion", Op::SetAcl, set_acl("/leaf", kOpen, 2), Code::BadVersion},
          {"acl: fits", Op::SetAcl, set_acl("/leaf", acl(wire::kPermRead, "world", "anyone"), 0), Code::Ok},
          {"acl: the new list counts at once", Op::SetData, set_data("/leaf", ""), Code::NoAuth},
          {"acl: for setACL too", Op::SetAcl, set_acl("/leaf", kOpen), Code::NoAuth},
      });
}

// Spec: client 5.6: no session, no list, and only from the server itself (HARDEN-3).
TEST(PrepareChange, DeleteContainerRules) {
  World world(with([](ReplicaSettings& s) { s.extended_types = true; }));
  plant(world);
  world.must(Op::CreateTtl, create_ttl("/ttl", 5, 100));
  expect_codes(world,
               {
                   {"from a client", Op::DeleteContainer, path_only("/container"), Code::Unimplemented},
                   {"cut short", Op::DeleteContainer, "\1", Code::MarshallingError, kServerAsks},
                   {"null", Op::DeleteContainer, path_only(wire::kAbsent), Code::MarshallingError, kServerAsks},
                   {"path", Op::DeleteContainer, path_only("/zookeeper"), Code::BadArguments, kServerAsks},
                   {"missing", Op::DeleteContainer, path_only("/none"), Code::NoNode, kServerAsks},
                   {"children", Op::DeleteContainer, path_only("/node"), Code::NotEmpty, kServerAsks},
                   {"owned by a session", Op::DeleteContainer, path_only("/ephemeral"), Code::BadVersion, kServerAsks},
                   {"child arrives in time", Op::Create, create("/container/x"), Code::Ok},
                   {"child in flight", Op::DeleteContainer, path_only("/container"), Code::NotEmpty, kServerAsks},
                   {"child goes", Op::Delete, path_version("/container/x"), Code::Ok},
                   {"container", Op::DeleteContainer, path_only("/container"), Code::Ok, kServerAsks},
                   {"twice", Op::DeleteContainer, path_only("/container"), Code::NoNode, kServerAsks},
                   {"made anew in flight", Op::CreateContainer, create("/container", 4), Code::Ok},
                   {"not used yet", Op::DeleteContainer, path_only("/container"), Code::BadVersion, kServerAsks},
                   {"TTL has not passed", Op::DeleteContainer, path_only("/ttl"), Code::BadVersion, kServerAsks},
                   {"a plain node", Op::DeleteContainer, path_only("/closed/a"), Code::BadVersion, kServerAsks},
               });
  world.now.wall_ms += 101;
  expect_codes(world, {{"TTL has passed", Op::DeleteContainer, path_only("/ttl"), Code::Ok, kServerAsks}});
}

// Spec: client 4.8, 13.
TEST(Prepare, WhatAClientMayNotAsk) {
  World world;
  const std::string reconfig = bytes_of([](wire::Encoder& out) {
    for (int i = 0; i < 3; ++i) out.view("");
    out.i64(-1);
  });
  expect_codes(world,
               {
                   {"createSession, HARDEN-4", Op::CreateSession, std::string(4, '\0'), Code::Unimplemented},
                   {"check, HARDEN-5", Op::Check, path_version("/"), Code::Unimplemented},
                   {"check by the server", Op::Check, path_version("/"), Code::Unimplemented, kServerAsks},
                   {"a read", Op::GetData, path_version("/"), Code::Unimplemented},
                   {"reconfig, cut short", Op::Reconfig, "", Code::MarshallingError},
                   {"reconfig, switched off", Op::Reconfig, reconfig, Code::ReconfigDisabled, kStrangerAsks},
                   {"createSession, cut short", Op::CreateSession, "\0\0\0", Code::MarshallingError, kServerAsks},
               });
  World enabled(with([](ReplicaSettings& s) { s.reconfig_enabled = true; }));
  expect_codes(enabled, {
                            {"reconfig, session", Op::Reconfig, reconfig, Code::UnknownSession, kStrangerAsks},
                            {"reconfig, alone", Op::Reconfig, reconfig, Code::Unimplemented},
                        });
}

// Spec: client 8.4 rule 2.
TEST(Prepare, AClosingSessionIsExpired) {
  World world;
  world.must(Op::CloseSession, "");
  expect_codes(world, {
                          {"create", Op::Create, create("/x"), Code::SessionExpired},
                          {"ephemeral", Op::Create, create("/x", 1), Code::SessionExpired},
                          {"delete", Op::Delete, path_version("/x"), Code::SessionExpired},
                          {"setData", Op::SetData, set_data("/x", ""), Code::SessionExpired},
                          {"setACL", Op::SetAcl, set_acl("/x", kOpen), Code::SessionExpired},
                          {"others go on", Op::Create, create("/x"), Code::Ok, kBobAsks},
                      });
}

// Spec: client 10.7; tree/acl_table.h: an unknown id denies.
TEST(Prepare, PermissionsAreTheConnections) {
  World world;
  const auth::Identities bob = {{"digest", "bob:ikIaKsbtGweaHnb/jKn7OHqbunM="}};
  const auth::Identities super = {{"super", ""}};
  const World::Asker as_bob{kBob, &bob, Origin::Client, 7};
  const World::Asker as_super{kBob, &super, Origin::Client, 7};
  const std::string bobs = acl(wire::kPermAll, "auth", "");
  expect_codes(world,
               {
                   {"auth without identity", Op::Create, create({.path = "/bob", .acl = bobs}), Code::InvalidAcl},
                   {"auth", Op::Create, create({.path = "/bob", .acl = bobs}), Code::Ok, as_bob},
                   {"in flight, refused", Op::Create, create("/bob/x"), Code::NoAuth},
                   {"in flight, granted", Op::Create, create("/bob/x"), Code::Ok, as_bob},
                   {"in flight, super", Op::Create, create("/bob/y"), Code::Ok, as_super},
               });
  expect_codes(world, {
                          {"applied, refused", Op::SetData, set_data("/bob", ""), Code::NoAuth},
                          {"applied, granted", Op::SetData, set_data("/bob", ""), Code::Ok, as_bob},
                          {"list kept over another change", Op::SetData, set_data("/bob", ""), Code::NoAuth},
                      });
  tree::Tree& tree = world.tree;
  tree.insert({.path = "/broken", .data = "", .acl = tree::AclId{77}, .stat = {}});
  expect_codes(world, {
                          {"list unknown", Op::SetData, set_data("/broken", ""), Code::NoAuth, as_bob},
                          {"list unknown, super", Op::SetData, set_data("/broken", ""), Code::Ok, as_super},
                      });
}

// Spec: client 9.2: each request meets the state that those before it leave.
TEST(PreparePipeline, RequestsInFlightAreSeen) {
  World world;
  expect_codes(world,
               {
                   {"create", Op::Create, create("/a"), Code::Ok},
                   {"create again", Op::Create, create("/a"), Code::NodeExists},
                   {"child", Op::Create, create("/a/b"), Code::Ok},
                   {"delete the parent", Op::Delete, path_version("/a"), Code::NotEmpty},
                   {"delete the child", Op::Delete, path_version("/a/b"), Code::Ok},
                   {"delete the parent", Op::Delete, path_version("/a"), Code::Ok},
                   {"child of what is gone", Op::Create, create("/a/b"), Code::NoNode},
                   {"create anew", Op::Create, create("/a"), Code::Ok},
                   {"set", Op::SetData, set_data("/a", "1", 0), Code::Ok},
                   {"delete by version", Op::Delete, path_version("/a", 1), Code::Ok},
                   {"create, ephemeral", Op::Create, create("/a", 1), Code::Ok},
                   {"child of an ephemeral in flight", Op::Create, create("/a/b"), Code::NoChildrenForEphemerals},
               });
  EXPECT_EQ(world.preparer.pending_paths(), 0u);
  EXPECT_EQ(world.tree.stored_stat(world.tree.find("/a")).ephemeral_owner, kAlice.value);
}

std::string path_in(const Made& made) {
  wire::Decoder in(std::string_view(made.payload).substr(32));
  return std::string(in.view());
}

// Spec: client 5.4: one counter a parent, advanced by every create, seen while in flight.
TEST(PreparePipeline, SuffixesCountEveryCreation) {
  World world;
  world.must(Op::Create, create("/s"));
  EXPECT_EQ(path_in(world.ask(Op::Create, create("/s/n-", 2))), "/s/n-0000000000");
  EXPECT_EQ(path_in(world.ask(Op::Create, create("/s/plain"))), "/s/plain");
  EXPECT_EQ(path_in(world.ask(Op::Create2, create("/s/", 3))), "/s/0000000002");
  world.code(Op::Delete, path_version("/s/plain"));
  EXPECT_EQ(path_in(world.ask(Op::CreateContainer, create("/s/c", 2))), "/s/c0000000003");
  world.apply(2);
  EXPECT_EQ(path_in(world.ask(Op::Create, create("/s/n-", 2))), "/s/n-0000000004");
  EXPECT_EQ(path_in(world.ask(Op::Create, create("/", 2))), "/0000000001");
  world.apply();
  EXPECT_EQ(path_in(world.ask(Op::Create, create("/s/n-", 2))), "/s/n-0000000005");
}

// Spec: client 5.4: the width counts the minus sign; a 32-bit int wraps.
TEST(PreparePipeline, SuffixesAtTheEndsOfTheInt) {
  struct Row {
    int32_t created;
    const char* path;
    int32_t next;
  };
  const Row rows[] = {{-5, "/s/-000000005", -4},
                      {INT32_MIN, "/s/-2147483648", INT32_MIN + 1},
                      {-1, "/s/-000000001", 0},
                      {-2, "/s/-000000002", -1},
                      {INT32_MAX, "/s/2147483647", INT32_MIN}};
  for (const Row& row : rows) {
    World world;
    wire::StatPersisted stat;
    stat.cversion = row.created;
    world.tree.insert({.path = "/s", .data = "", .acl = tree::kOpenAcl, .stat = stat});
    const Made& made = world.ask(Op::Create, create("/s/", 2));
    EXPECT_EQ(path_in(made), row.path);
    wire::CreateTxn txn;
    const std::string body = made.body();
    wire::Decoder in(body);
    ASSERT_TRUE(wire::decode(in, txn));
    EXPECT_EQ(txn.parent_c_version, row.next);
    world.apply();
  }
}

// Spec: disk 2.3: create with flags 4 by opcode 1 and 15 is an ordinary node, in the digest too (HARDEN-8).
TEST(PrepareCreate, TheOpcodePicksTheKindOfNode) {
  World world;
  struct Row {
    Op op;
    int32_t flags;
    int64_t owner;
  };
  const Row rows[] = {{Op::Create, 4, 0},
                      {Op::Create2, 4, 0},
                      {Op::CreateContainer, 0, wire::kContainerOwner},
                      {Op::CreateContainer, 1, wire::kContainerOwner},
                      {Op::Create2, 1, kAlice.value}};
  int number = 0;
  for (const Row& row : rows) {
    const std::string path = "/n" + std::to_string(number++);
    const Made made = world.ask(row.op, create(path, row.flags));
    EXPECT_EQ(made.prepared.txn_type, row.op);
    EXPECT_EQ(made.header().type, static_cast<int32_t>(row.op));
    world.apply();
    EXPECT_EQ(world.tree.stored_stat(world.tree.find(path)).ephemeral_owner, row.owner) << path;
  }
}

// Spec: disk 5.2, a record of Apache's.
TEST(PrepareCreate, TheWorkedExampleOfTheDigest) {
  World world;
  const std::string timeout("\0\x1b\x77\x40", 4);
  const Made& session = world.ask(Op::CreateSession, timeout, {kAlice, nullptr, Origin::Server, 0});
  EXPECT_EQ(session.body(), timeout + std::string("\0\0\0\2\0\0\0\0\x51\xc6\xd6\x60", 12));
  world.apply();
  const Made& made = world.ask(Op::Create, create({.path = "/plain", .data = "hello"}));
  const std::string digest = made.payload.substr(made.payload.size() - 8);
  EXPECT_EQ(wire::load_be64(digest.data()), 2250773212u);
  world.apply();
  EXPECT_EQ(world.tree.digest(), 2250773212u);
}

TEST(Prepare, WithoutDigestsTheRecordsEndAtTheBody) {
  World world(with([](ReplicaSettings& s) {
    s.close_session_txn = false;
    s.digest = false;
  }));
  EXPECT_EQ(world.ask(Op::Delete, path_version("/zookeeper/none")).body().size(), 4u);
  world.code(Op::Create, create("/e", 1));
  const Made& set = world.ask(Op::SetData, set_data("/e", "xy"));
  EXPECT_EQ(set.body(), set_data("/e", "xy", 1));
  EXPECT_EQ(world.ask(Op::CloseSession, "").body(), "");
  world.apply();
  EXPECT_EQ(world.tree.find("/e"), tree::kNoNode);
}

// Spec: disk 0; quorum rule 61.
TEST(Prepare, ATxnThatNoReaderTakesIsRefused) {
  World world(with([](ReplicaSettings& s) { s.max_frame_bytes = 1000; }));
  const std::string big(1500, 'x');
  const std::string bigger(1990, 'x');
  expect_codes(world, {
                          {"fits", Op::Create, create({.path = "/a", .data = big}), Code::Ok},
                          {"does not", Op::Create, create({.path = "/b", .data = bigger}), Code::MarshallingError},
                          {"nor this", Op::Multi,
                           multi({{Op::Create, create({.path = "/b", .data = big})},
                                  {Op::Create, create({.path = "/c", .data = big})}}),
                           Code::MarshallingError},
                          {"left nothing behind", Op::Delete, path_version("/b"), Code::NoNode},
                      });
}

}  // namespace
}  // namespace quorate::replica
