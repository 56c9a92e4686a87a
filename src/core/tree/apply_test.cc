#include "core/tree/apply.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>

#include "core/tree/tree_testing.h"

namespace quorate::tree {
namespace {

using testing::acl_raw;
using testing::create_bytes;
using testing::MultiBytes;
using testing::record_bytes;
using testing::World;
using wire::Code;
using wire::Op;

// Spec: disk 3.4, createNode.
TEST(Apply, CreateSetsStatAndRaisesTheParent) {
  World world;
  EXPECT_EQ(world.create("/a", "x"), Code::Ok);
  const int64_t zxid = world.zxid;
  const wire::StatPersisted stat = world.stat("/a");
  EXPECT_EQ(stat, (wire::StatPersisted{zxid, zxid, 1000 + zxid, 1000 + zxid, 0, 0, 0, 0, zxid}));
  EXPECT_EQ(world.stat("/").cversion, 1);
  EXPECT_EQ(world.stat("/").pzxid, zxid);
  EXPECT_EQ(world.changes(), "created /a");
  EXPECT_EQ(world.applied.parts[0].stat, world.tree.client_stat(world.tree.find("/a")));
  EXPECT_EQ(world.tree.last_zxid(), Zxid{zxid});
}

// Spec: disk 3.4, rules 4 and 5: -1 means one more; the count and pzxid are never lowered (ZOOKEEPER-3249).
TEST(Apply, ParentsCreationCountOnlyRises) {
  struct Case {
    const char* why;
    int32_t logged, after;
    bool raised;
  };
  const Case cases[] = {{"unknown: one more", -1, 6, true},
                        {"higher", 9, 9, true},
                        {"equal", 5, 5, false},
                        {"lower, from before the snapshot", 2, 5, false}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    World world;
    world.run(Op::Create, create_bytes("/p", ""));
    world.run(Op::Create, create_bytes("/p/first", "", false, 5));
    const int64_t before = world.zxid;
    world.run(Op::Create2, create_bytes("/p/c", "", false, c.logged));
    EXPECT_EQ(world.stat("/p").cversion, c.after);
    EXPECT_EQ(world.stat("/p").pzxid, c.raised ? world.zxid : before);
  }
}

// Spec: disk 3.4, rule 7; HARDEN-1.
TEST(Apply, OwnersByTypeOfCreate) {
  const auto ttl = [](int64_t ms) { return record_bytes(wire::CreateTtlTxn{"/n", "", testing::open_acl(), 1, ms}); };
  const std::string container = record_bytes(wire::CreateContainerTxn{"/n", "", testing::open_acl(), 1});
  struct Case {
    const char* why;
    Op op;
    std::string body;
    int64_t owner;
    OwnerKind kind;
  };
  const Case cases[] = {
      {"persistent", Op::Create, create_bytes("/n", ""), 0, OwnerKind::Persistent},
      {"ephemeral", Op::Create2, create_bytes("/n", "", true), 0x51, OwnerKind::Ephemeral},
      {"container", Op::CreateContainer, container, INT64_MIN, OwnerKind::Container},
      {"ttl", Op::CreateTtl, ttl(60000), static_cast<int64_t>(0xFF0000000000EA60), OwnerKind::Ttl},
      {"longest ttl", Op::CreateTtl, ttl(0xFFFFFFFFFF), static_cast<int64_t>(0xFF0000FFFFFFFFFF), OwnerKind::Ttl},
      {"ttl 0", Op::CreateTtl, ttl(0), 0, OwnerKind::Persistent},
      {"ttl -1 kills Apache", Op::CreateTtl, ttl(-1), 0, OwnerKind::Persistent},
      {"ttl too long", Op::CreateTtl, ttl(0x10000000000), 0, OwnerKind::Persistent},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    World world({.extended_types = true});
    EXPECT_EQ(world.run(c.op, c.body).parts.at(0).code, Code::Ok);
    EXPECT_EQ(world.stat("/n").ephemeral_owner, c.owner);
    EXPECT_EQ(world.tree.kind_of(world.tree.find("/n")), c.kind);
    EXPECT_EQ(world.tree.containers().size(), c.kind == OwnerKind::Container ? 1U : 0U);
    EXPECT_EQ(world.tree.ttl_nodes().size(), c.kind == OwnerKind::Ttl ? 1U : 0U);
    EXPECT_EQ(world.tree.ephemerals_of(SessionId{0x51}).size(), c.kind == OwnerKind::Ephemeral ? 1U : 0U);
    EXPECT_EQ(world.applied.parts[0].stat.ephemeral_owner, c.kind == OwnerKind::Ephemeral ? 0x51 : 0);
  }
}

// Spec: disk 3.4, rule 3 and the fix-up, which is for type 1 alone (ZOOKEEPER-4846).
TEST(Apply, ExistingNodeTakesTheListAndForType1TheParentIsRaised) {
  const std::string bob = acl_raw(31, "digest", "bob:x");
  const auto list = wire::AclVector::trusted(bob);
  struct Case {
    Op op;
    std::string body;
    bool raises;
  };
  const Case cases[] = {
      {Op::Create, record_bytes(wire::CreateTxn{"/a", "new", list, false, 7}), true},
      {Op::Create, record_bytes(wire::CreateTxn{"/a", "new", list, false, -1}), true},
      {Op::Create2, record_bytes(wire::CreateTxn{"/a", "new", list, false, 7}), false},
      {Op::CreateContainer, record_bytes(wire::CreateContainerTxn{"/a", "new", list, 7}), false},
      {Op::CreateTtl, record_bytes(wire::CreateTtlTxn{"/a", "new", list, 7, 5}), false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(static_cast<int>(c.op));
    for (const bool in_multi : {false, true}) {
      World world;
      world.create("/a", "old");
      const wire::StatPersisted before = world.stat("/a");
      const int32_t parent_before = world.stat("/").cversion;
      if (in_multi) {
        world.run(Op::Multi, MultiBytes().add(c.op, c.body).bytes());
      } else {
        world.run(c.op, c.body);
      }
      EXPECT_EQ(world.applied.parts.at(0).code, Code::NodeExists);
      EXPECT_EQ(world.data("/a"), "old");
      EXPECT_EQ(world.stat("/a"), before);
      EXPECT_EQ(world.tree.acls().raw(world.tree.acl_of(world.tree.find("/a"))), bob);
      EXPECT_EQ(world.stat("/").cversion > parent_before, c.raises);
      EXPECT_EQ(world.stat("/").pzxid, c.raises ? world.zxid : before.czxid);
      EXPECT_EQ(world.changes(), "");
    }
  }
}

TEST(Apply, CreateWhereNoNodeCanBe) {
  for (const char* path : {"/", "", "a", "/missing/x", "//", "//x", "/a/", "/a//b", "/zookeeper/"}) {
    SCOPED_TRACE(path);
    World world;
    const uint64_t digest = world.tree.digest();
    EXPECT_EQ(world.create(path), Code::NoNode);
    EXPECT_EQ(world.remove(path), Code::NoNode);
    EXPECT_EQ(world.tree.digest() == digest || std::string_view(path) == "/missing/x", true);
    EXPECT_EQ(world.tree.node_count(), 4U);
  }
  World world;
  world.run(Op::Delete, record_bytes(wire::DeleteTxn{wire::kAbsent}));
  EXPECT_EQ(world.applied.parts.at(0).code, Code::NoNode);
  EXPECT_EQ(world.set(wire::kAbsent, "x"), Code::NoNode);
  EXPECT_EQ(world.set("", "x"), Code::Ok);  // an alias of the root
  EXPECT_EQ(world.data("/"), "x");
}

// Spec: disk 3.4, deleteNode (ZOOKEEPER-3145).
TEST(Apply, DeleteRaisesPzxidEvenOfAMissingNode) {
  World world;
  world.create("/p");
  world.create("/p/c", "data");
  EXPECT_EQ(world.remove("/p/c"), Code::Ok);
  EXPECT_EQ(world.changes(), "deleted /p/c");
  EXPECT_EQ(world.stat("/p").pzxid, world.zxid);
  EXPECT_EQ(world.stat("/p").cversion, 1);
  EXPECT_EQ(world.remove("/p/c"), Code::NoNode);
  EXPECT_EQ(world.changes(), "");
  EXPECT_EQ(world.stat("/p").pzxid, world.zxid);
  world.zxid = 0;  // replay of a txn from before
  EXPECT_EQ(world.remove("/p/c"), Code::NoNode);
  EXPECT_EQ(world.stat("/p").pzxid, 4);
  EXPECT_EQ(world.tree.last_zxid(), Zxid{4});
}

TEST(Apply, DeletedNodeTakesChildrenThatReplayWillBringAgain) {
  World world;
  world.create("/p");
  world.create("/p/c");
  world.create("/p/c/d", "", true);
  EXPECT_EQ(world.remove("/p"), Code::Ok);
  EXPECT_EQ(world.changes(), "deleted /p");
  EXPECT_EQ(world.tree.node_count(), 4U);
  EXPECT_EQ(world.tree.ephemeral_count(), 0U);
  EXPECT_EQ(world.create("/p"), Code::Ok);
  EXPECT_EQ(world.create("/p/c"), Code::Ok);
}

TEST(Apply, SetDataTakesVersionTimeAndZxidFromTheTxn) {
  World world;
  world.create("/a", "old");
  EXPECT_EQ(world.set("/a", "newer and longer", 5), Code::Ok);
  EXPECT_EQ(world.stat("/a"), (wire::StatPersisted{1, 2, 1001, 1002, 5, 0, 0, 0, 1}));
  EXPECT_EQ(world.changes(), "changed /a");
  EXPECT_EQ(world.set("/a", wire::kAbsent, 2), Code::Ok);
  EXPECT_TRUE(wire::is_absent(world.tree.data_of(world.tree.find("/a"))));
  EXPECT_EQ(world.set("/a", "", 3), Code::Ok);
  EXPECT_FALSE(wire::is_absent(world.tree.data_of(world.tree.find("/a"))));
  EXPECT_EQ(world.set("/b", "x"), Code::NoNode);
  world.run(Op::Reconfig, record_bytes(wire::SetDataTxn{"/zookeeper/config", "version=7", 4}));
  EXPECT_EQ(world.data("/zookeeper/config"), "version=7");
  EXPECT_EQ(world.changes(), "changed /zookeeper/config");
}

TEST(Apply, SetAclChangesAversionAlone) {
  World world;
  world.create("/a");
  const uint64_t digest = world.tree.digest();
  EXPECT_EQ(world.set_acl("/a", acl_raw(1, "world", "anyone"), 3), Code::Ok);
  EXPECT_EQ(world.stat("/a"), (wire::StatPersisted{1, 1, 1001, 1001, 0, 0, 3, 0, 1}));
  EXPECT_NE(world.tree.digest(), digest);
  EXPECT_EQ(world.changes(), "");
  EXPECT_EQ(world.set_acl("/b", acl_raw(1, "world", "anyone")), Code::NoNode);
}

// The list of a deleted node is needed until its watchers were asked for their permission. Spec: client 7.4.
TEST(Apply, RetiredListsLiveUntilReleased) {
  World world;
  world.create("/a");
  const std::string bob = acl_raw(31, "digest", "bob:x");
  world.set_acl("/a", bob);
  world.remove("/a");
  const AclId acl = world.applied.changes.at(0).acl;
  EXPECT_EQ(world.tree.acls().raw(acl), bob);
  release_acls(world.tree, world.applied);
  EXPECT_TRUE(world.tree.acls().raw(acl).empty());
}

TEST(Apply, SessionsComeAndGo) {
  World world;
  world.run(Op::CreateSession, record_bytes(wire::CreateSessionTxn{4000}));
  EXPECT_EQ(world.sessions.all().at(SessionId{0x51}), 4000);
  world.create("/a");
  world.create("/a/2", "", true);
  world.create("/a/1", "", true);
  world.create("/other");
  // Listed ones go first, in that order and whoever owns them; then what is left. Spec: disk 3.4.
  const std::string paths = std::string("\0\0\0\x03", 4) + std::string("\0\0\0\x06", 4) + "/other" +
                            std::string("\0\0\0\x04", 4) + "/a/2" + std::string("\0\0\0\x05", 4) + "/gone";
  world.run(Op::CloseSession, paths);
  EXPECT_EQ(world.changes(), "deleted /other, deleted /a/2, deleted /a/1");
  EXPECT_EQ(world.sessions.size(), 0U);
  EXPECT_EQ(world.tree.ephemeral_count(), 0U);
  EXPECT_EQ(world.stat("/").pzxid, world.zxid);
}

TEST(Apply, CloseSessionWithoutListRemovesAllItsEphemerals) {
  World world;
  world.create("/b", "", true);
  world.create("/a", "", true);
  world.session = SessionId{9};
  world.create("/c", "", true);
  world.session = SessionId{0x51};
  world.run(Op::CloseSession, "");
  EXPECT_EQ(world.changes(), "deleted /a, deleted /b");
  EXPECT_EQ(world.tree.sessions_with_ephemerals(), std::vector<SessionId>{SessionId{9}});
}

TEST(Apply, MultiAppliesAllPartsInOrder) {
  World world;
  world.create("/a");
  MultiBytes multi;
  multi.add(Op::Create, create_bytes("/a/b", "1"));
  multi.add(Op::SetData, record_bytes(wire::SetDataTxn{"/a/b", "22", 1}));
  multi.add(Op::Check, record_bytes(wire::CheckVersionTxn{"/a/b", 2}));
  multi.add(Op::Delete, record_bytes(wire::DeleteTxn{"/missing"}));
  multi.add(Op::Delete, record_bytes(wire::DeleteTxn{"/a/b"}));
  multi.add(Op::Create2, create_bytes("/z", ""));
  world.run(Op::Multi, multi.bytes());
  EXPECT_EQ(world.changes(), "created /a/b, changed /a/b, deleted /a/b, created /z");
  const auto& parts = world.applied.parts;
  ASSERT_EQ(parts.size(), 6U);
  EXPECT_EQ(parts[0].stat.data_length, 1);
  EXPECT_EQ(parts[1].stat.data_length, 2);
  EXPECT_EQ(parts[3].code, Code::NoNode);  // a failing part does not stop the others
  EXPECT_EQ(parts[5].stat.czxid, world.zxid);
  EXPECT_EQ(world.stat("/a").pzxid, world.zxid);
}

// Spec: client 6.3 rule 2, disk 2.3 rule 5.
TEST(Apply, FailedMultiChangesNothingAndTellsWhichPartFailed) {
  World world;
  const uint64_t digest = world.tree.digest();
  MultiBytes multi;
  multi.add(Op::Create, create_bytes("/a", "1"));
  multi.add(Op::Error, record_bytes(wire::ErrorTxn{-101}));
  multi.add(Op::Error, record_bytes(wire::ErrorTxn{-2}));
  world.run(Op::Multi, multi.bytes());
  EXPECT_EQ(world.changes(), "");
  EXPECT_EQ(world.tree.digest(), digest);
  EXPECT_EQ(world.tree.last_zxid(), Zxid{1});
  std::vector<int> codes;
  for (const PartResult& part : world.applied.parts) {
    EXPECT_EQ(part.op, Op::Error);
    codes.push_back(static_cast<int>(part.code));
  }
  EXPECT_EQ(codes, (std::vector<int>{0, -101, -2}));
}

TEST(Apply, ErrorTakesItsZxidAndTellsItsCode) {
  World world;
  world.run(Op::Error, record_bytes(wire::ErrorTxn{-110}));
  EXPECT_EQ(world.applied.parts.at(0).code, Code::NodeExists);
  EXPECT_EQ(world.tree.last_zxid(), Zxid{1});
  EXPECT_FALSE(world.applied.has_digest);
}

TEST(Apply, OtherDigestIsNoticedAndOtherVersionsAreSkipped) {
  for (const int32_t version : {1, 2}) {
    World world;
    const std::string digest = record_bytes(wire::TxnDigest{version, 12345});
    world.run(Op::Create, create_bytes("/a", "") + digest);
    EXPECT_EQ(world.applied.has_digest, version == 2);
    EXPECT_EQ(world.applied.digest_matches, version != 2);
  }
}

// Spec: disk 5.2.
TEST(Apply, WorkedExampleOfTheDigest) {
  World world;
  EXPECT_EQ(world.tree.digest(), 1371985504U);
  world.payload = record_bytes(wire::TxnHeader{world.session, 1, Zxid{2}, 1795159393679, 1});
  world.run_payload(world.payload + record_bytes(wire::CreateTxn{"/plain", "hello", testing::open_acl(), false, 1}) +
                    record_bytes(wire::TxnDigest{2, 2250773212}));
  EXPECT_EQ(world.tree.digest(), 2250773212U);
  EXPECT_TRUE(world.applied.has_digest);
  EXPECT_TRUE(world.applied.digest_matches);
}

/// The proposals of a recorded stream of quorum packets. Spec: quorum 4.1, 5.3.
std::vector<std::string> recorded_proposals(const std::string& file) {
  std::ifstream in(std::string(QUORATE_GOLDEN) + "/quorum/" + file, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::vector<std::string> payloads;
  wire::Decoder packets(bytes);
  while (!packets.ended()) {
    const int32_t type = packets.i32();
    packets.i64();
    const std::string_view data = packets.view();
    packets.i32();  // identities; a leader sends none
    if (packets.ok() && type == 2) payloads.emplace_back(data);
  }
  return payloads;
}

// Goal: the tree after each txn of a real leader is the leader's. Spec: quorum 5.3.
TEST(Apply, DigestsOfARecordedLeader) {
  const std::map<int64_t, uint64_t> expected = {
      {0x100000001, 0x51c6d660},  {0x100000002, 0x210668839}, {0x100000003, 0x2ec9cc76d}, {0x100000004, 0x284d2aef3},
      {0x100000005, 0x236e2334d}, {0x100000006, 0x24be91f10}, {0x100000007, 0x26e211f27}, {0x100000008, 0x2b99d5a04},
      {0x10000000a, 0x2c56e578d}, {0x10000000b, 0x2c56e578d}, {0x10000000c, 0x3422e03d4}, {0x10000000e, 0x1a38c62e7}};
  World world({.extended_types = true});
  size_t compared = 0;
  for (const std::string& payload : recorded_proposals("q01-follower1-ops.acceptor.bin")) {
    world.run_payload(payload);
    ASSERT_TRUE(world.parsed);
    const auto found = expected.find(world.tree.last_zxid().value);
    EXPECT_TRUE(world.applied.digest_matches) << world.tree.last_zxid().value;
    if (found == expected.end()) continue;
    EXPECT_EQ(world.tree.digest(), found->second);
    EXPECT_TRUE(world.applied.has_digest);
    ++compared;
  }
  EXPECT_EQ(compared, expected.size());
}

}  // namespace
}  // namespace quorate::tree
