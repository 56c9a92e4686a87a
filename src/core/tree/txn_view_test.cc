#include <gtest/gtest.h>

#include "core/tree/apply.h"
#include "core/tree/tree_testing.h"

namespace quorate::tree {
namespace {

using testing::create_bytes;
using testing::MultiBytes;
using testing::record_bytes;
using wire::Op;

std::string payload(int32_t type, const std::string& body) {
  return record_bytes(wire::TxnHeader{SessionId{5}, 6, Zxid{7}, 8, type}) + body;
}
std::string payload(Op op, const std::string& body) { return payload(static_cast<int32_t>(op), body); }

const std::string kDigest = record_bytes(wire::TxnDigest{2, 0x286281234});

// Spec: disk 2.3, rules 1 and 3: body by type, then a digest when twelve bytes remain.
TEST(ParseTxn, EveryTypeWithAndWithoutDigest) {
  const auto list = testing::open_acl();
  const std::string v0 = record_bytes(wire::CreateTxnV0{"/a", "x", list, true});
  const std::string paths = std::string("\0\0\0\x01\0\0\0\x02", 8) + "/a";
  const std::pair<Op, std::string> cases[] = {
      {Op::CreateSession, record_bytes(wire::CreateSessionTxn{4})},
      {Op::CloseSession, paths},
      {Op::CloseSession, std::string(4, '\0')},
      {Op::Error, record_bytes(wire::ErrorTxn{-101})},
      {Op::Create, create_bytes("/a", "x")},
      {Op::Create2, create_bytes("/a", "x")},
      {Op::CreateContainer, record_bytes(wire::CreateContainerTxn{"/a", "x", list, 1})},
      {Op::CreateTtl, record_bytes(wire::CreateTtlTxn{"/a", "x", list, 1, 2})},
      {Op::Delete, record_bytes(wire::DeleteTxn{"/a"})},
      {Op::DeleteContainer, record_bytes(wire::DeleteTxn{"/a"})},
      {Op::SetData, record_bytes(wire::SetDataTxn{"/a", wire::kAbsent, 1})},
      {Op::Reconfig, record_bytes(wire::SetDataTxn{"/zookeeper/config", "x", 1})},
      {Op::SetAcl, record_bytes(wire::SetAclTxn{"/a", list, 1})},
      {Op::Multi, MultiBytes().bytes()},
      {Op::Multi, MultiBytes().add(Op::Create, v0).add(Op::Check, create_bytes("/a", "")).bytes()},
  };
  for (const auto& [op, body] : cases) {
    for (const std::string& tail : {std::string(), std::string("surplus"), kDigest, kDigest + "more"}) {
      SCOPED_TRACE(static_cast<int>(op));
      SCOPED_TRACE(tail.size());
      if (op == Op::CloseSession && tail == "surplus") continue;
      TxnView txn;
      std::string why;
      const std::string bytes = payload(op, body + tail);
      ASSERT_TRUE(parse_txn(bytes, txn, why)) << why;
      EXPECT_EQ(txn.body, body);
      EXPECT_EQ(txn.has_digest, tail.size() >= 12);
      EXPECT_FALSE(txn.body_absent);
      if (txn.has_digest) {
        EXPECT_EQ(txn.digest.tree_digest, 0x286281234);
      }
      EXPECT_EQ(txn.header.zxid, Zxid{7});
    }
  }
}

TEST(ParseTxn, CreateOfBefore34) {
  testing::World world;
  world.create("/p");
  const std::string v0 = record_bytes(wire::CreateTxnV0{"/p/a", "x", testing::open_acl(), true});
  world.run(Op::Create, v0);
  EXPECT_TRUE(world.parsed);
  EXPECT_EQ(world.stat("/p").cversion, 1);
  EXPECT_EQ(world.stat("/p/a").ephemeral_owner, 0x51);
  world.run(Op::Create2, v0);  // no older form
  EXPECT_FALSE(world.parsed);
}

// Spec: disk 2.3, rule 4: the body of before 3.6 is absent, and a digest behind it is no list of two paths.
TEST(ParseTxn, CloseSessionWithoutBody) {
  struct Case {
    const char* why;
    std::string rest;
    bool absent, digest;
  };
  const std::string two_empty = std::string("\0\0\0\x02", 4) + std::string(8, '\0');
  const Case cases[] = {
      {"nothing", "", true, false},
      {"digest only", kDigest, true, true},
      {"digest whose high half looks like a length", record_bytes(wire::TxnDigest{2, 0x2'00000003}), true, true},
      {"two empty paths", two_empty, false, false},
      {"cut short", std::string("\0\0\0\x02\0", 5), true, false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    TxnView txn;
    std::string why;
    const std::string bytes = payload(Op::CloseSession, c.rest);
    ASSERT_TRUE(parse_txn(bytes, txn, why));
    EXPECT_EQ(txn.body_absent, c.absent);
    EXPECT_EQ(txn.has_digest, c.digest);
  }
}

TEST(ParseTxn, RefusesWhatIsNoTxnAndSaysWhy) {
  const std::string part(4, '\0');
  struct Case {
    std::string bytes;
    const char* why;
  };
  const Case cases[] = {
      {"short", "payload is shorter than a txn header"},
      {payload(13, create_bytes("/a", "")), "Unsupported Txn with type=13"},
      {payload(99, ""), "Unsupported Txn with type=99"},
      {payload(Op::GetData, ""), "Unsupported Txn with type=4"},
      {payload(Op::SetData, "xx"), "record of type 5 is cut short or malformed"},
      {payload(Op::Create, "xx"), "record of type 1 is cut short or malformed"},
      {payload(Op::Multi, MultiBytes().add(Op::SetAcl, "").bytes()), "record of type 14 is cut short or malformed"},
      {payload(Op::Multi, MultiBytes().add(Op::SetData, "x").bytes()), "record of type 14 is cut short or malformed"},
      {payload(Op::Multi, MultiBytes().add(Op::CloseSession, part).bytes()),
       "record of type 14 is cut short or malformed"},
  };
  for (const Case& c : cases) {
    TxnView txn;
    std::string why;
    EXPECT_FALSE(parse_txn(c.bytes, txn, why));
    EXPECT_EQ(why, c.why);
  }
}

}  // namespace
}  // namespace quorate::tree
