#include "core/replica/reads.h"

#include <gtest/gtest.h>

#include <set>

#include "core/replica/reads_testing.h"

namespace quorate::replica::testing {
namespace {

using wire::Code;
using wire::Op;

// Recorded from Apache 3.8.0: czxid, mzxid, ctime, mtime | version, cversion, aversion | owner | dataLength,
// numChildren | pzxid. Two children were created, none deleted: cversion 2.
const std::string kStatOfA =
    hex("0000000000000002 0000000000000002 000001a1f8504531 000001a1f8504531 00000000 00000002 00000000"
        "0000000000000000 00000002 00000002 0000000000000005");
const std::string kStatOfN =
    hex("0000000000000003 0000000000000003 000001a1f8504531 000001a1f8504531 00000000 00000000 00000000"
        "0000000000000000 00000000 00000000 0000000000000003");
// The root was never created and four creations made five children: cversion 2 * 4 - 5 = 3. Spec: client 5.3.
const std::string kStatOfRoot =
    hex("0000000000000000 0000000000000000 0000000000000000 0000000000000000 00000000 00000003 00000000"
        "0000000000000000 00000000 00000005 0000000000000007");

// A directory of digest users that bob reads and carol administers.
const std::string kBobReads = acl_bytes(wire::kPermRead, "digest", "bob:hash=");
const std::string kCarolAdmins = acl_bytes(wire::kPermAdmin, "digest", "carol:hash=");
const std::string kBobWrites = acl_bytes(wire::kPermWrite | wire::kPermCreate, "digest", "bob:hash=");

TEST(Reads, GetDataIsDataThenStat) {
  World world;
  EXPECT_EQ(world.ask(Op::GetData, path_watch("/a", false), 0x1234),
            hex("0000005a 00001234 0000000000000007 00000000 00000002 6869") + kStatOfA);
}

TEST(Reads, NullDataStaysNullAndEmptyStaysEmpty) {
  World world;
  EXPECT_EQ(world.body_of(Op::GetData, path_watch("/n", false)), hex("ffffffff") + kStatOfN);
  EXPECT_EQ(world.body_of(Op::GetData, path_watch("/a/x", false)).substr(0, 4), hex("00000000"));
}

TEST(Reads, TheEmptyPathIsTheRoot) {
  World world;
  EXPECT_EQ(world.body_of(Op::GetData, path_watch("/", false)).substr(4), kStatOfRoot);
  EXPECT_EQ(world.body_of(Op::GetData, path_watch("", false)).substr(4), kStatOfRoot);
  EXPECT_EQ(world.body_of(Op::Exists, path_watch("", false)), kStatOfRoot);
}

TEST(Reads, ExistsIsAStat) {
  World world;
  EXPECT_EQ(world.ask(Op::Exists, path_watch("/a", false)),
            hex("00000054 00000009 0000000000000007 00000000") + kStatOfA);
}

TEST(Reads, AnEphemeralShowsItsOwner) {
  World world;
  const std::string stat = world.body_of(Op::Exists, path_watch("/eph", false));
  EXPECT_EQ(stat.substr(44, 8), hex("0100000000000001"));
}

TEST(Reads, ChildrenAreCountedNames) {
  World world;
  const std::string xy = hex("00000002 00000001 78 00000001 79");
  const std::string yx = hex("00000002 00000001 79 00000001 78");
  const std::string plain = world.body_of(Op::GetChildren, path_watch("/a", false));
  EXPECT_TRUE(plain == xy || plain == yx);
  EXPECT_EQ(world.body_of(Op::GetChildren2, path_watch("/a", false)), plain + kStatOfA);
  EXPECT_EQ(world.body_of(Op::GetChildren, path_watch("/n", false)), hex("00000000"));
}

// Goal: listing a large directory walks it once. Method: far too many children for anything quadratic.
TEST(Reads, ListsAHundredThousandChildren) {
  World world;
  std::set<std::string> names;
  for (int i = 0; i < 100000; ++i) {
    const std::string name = "c" + std::to_string(i);
    world.add("/n/" + name, "", 8);
    names.insert(name);
  }
  const std::string body = world.body_of(Op::GetChildren, path_watch("/n", false));
  wire::Decoder in(body);
  ASSERT_EQ(in.i32(), 100000);
  for (int i = 0; i < 100000; ++i) names.erase(std::string(in.view()));
  EXPECT_TRUE(in.ok() && in.ended());
  EXPECT_TRUE(names.empty());
}

TEST(Reads, TheOpenAclIsSpelledOut) {
  World world;
  EXPECT_EQ(world.body_of(Op::GetAcl, Bytes().text("/a")),
            hex("00000001 0000001f 00000005 776f726c64 00000006 616e796f6e65") + kStatOfA);
}

// Spec: client 10.7. READ or ADMIN opens the list; only ADMIN (or super) sees the hashes.
TEST(Reads, GetAclMasksDigestsWithoutAdmin) {
  const auth::Identity bob{"digest", "bob:hash="};
  const auth::Identity carol{"digest", "carol:hash="};
  const std::string shared = Bytes()
                                 .i32(2)
                                 .i32(wire::kPermRead)
                                 .text("digest")
                                 .text("bob:hash=")
                                 .i32(wire::kPermAdmin)
                                 .text("digest")
                                 .text("carol:hash=");
  const std::string masked = Bytes()
                                 .i32(2)
                                 .i32(wire::kPermRead)
                                 .text("digest")
                                 .text("bob:x")
                                 .i32(wire::kPermAdmin)
                                 .text("digest")
                                 .text("carol:x");
  struct Case {
    const char* why;
    auth::Identities who;
    std::string answer;
  };
  const Case cases[] = {
      {"READ alone sees names without hashes", {bob}, masked},
      {"ADMIN alone sees all", {carol}, shared},
      {"both see all", {bob, carol}, shared},
      {"super sees all", {{"super", ""}}, shared},
      {"nobody else sees anything", {{"ip", "127.0.0.1"}}, ""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    World world;
    world.protect("/n", shared);
    world.connection.identities = c.who;
    const std::string reply = world.ask(Op::GetAcl, Bytes().text("/n"));
    EXPECT_EQ(reply, c.answer.empty() ? frame(9, kZxid, -102) : frame(9, kZxid, 0, c.answer + kStatOfN));
  }
}

TEST(Reads, GetAllChildrenNumberCountsBelow) {
  World world;  // Ten nodes: the root, three built in below it, six of ours. As Apache counts them.
  EXPECT_EQ(world.body_of(Op::GetAllChildrenNumber, Bytes().text("/")), hex("00000009"));
  EXPECT_EQ(world.body_of(Op::GetAllChildrenNumber, Bytes().text("")), hex("0000000a"));
  EXPECT_EQ(world.body_of(Op::GetAllChildrenNumber, Bytes().text("/zookeeper")), hex("00000002"));
  EXPECT_EQ(world.body_of(Op::GetAllChildrenNumber, Bytes().text("/a")), hex("00000002"));
  EXPECT_EQ(world.body_of(Op::GetAllChildrenNumber, Bytes().text("/a/x")), hex("00000000"));
}

// Each row was also asked of Apache 3.8.0.
TEST(Reads, GetEphemeralsFiltersByTextPrefix) {
  struct Case {
    const char* why;
    std::string prefix;
    std::set<std::string> paths;
  };
  const std::set<std::string> both = {"/eph", "/ephx"};
  const Case cases[] = {
      {"null is everything", Bytes().null(), both},
      {"so is nothing", Bytes().text(""), both},
      {"blanks", Bytes().text("  "), both},
      {"a tab is a blank too", Bytes().text("\t "), both},
      {"the root", Bytes().text("/"), both},
      {"the root between blanks", Bytes().text(" / "), both},
      {"text, not components", Bytes().text("/eph"), both},
      {"longer text", Bytes().text("/ephx"), {"/ephx"}},
      {"blanks count before text", Bytes().text(" /eph"), {}},
      {"only from the start", Bytes().text("eph"), {}},
      {"other people's nodes are not shown", Bytes().text("/a"), {}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    World world;
    const std::string body = world.body_of(Op::GetEphemerals, c.prefix);
    wire::Decoder in(body);
    std::set<std::string> paths;
    const int32_t count = in.i32();
    for (int32_t i = 0; i < count; ++i) paths.emplace(in.view());
    EXPECT_TRUE(in.ok() && in.ended());
    EXPECT_EQ(paths, c.paths);
  }
}

TEST(Reads, GetEphemeralsKnowsOnlyTheOwnSession) {
  World world;
  world.connection.session = SessionId{77};
  EXPECT_EQ(world.body_of(Op::GetEphemerals, Bytes().null()), hex("00000000"));
}

TEST(Reads, SyncEchoesAnyString) {
  World world;
  EXPECT_EQ(world.ask(Op::Sync, Bytes().text("/q")), hex("00000016 00000009 0000000000000007 00000000 00000002 2f71"));
  for (const std::string_view text : {std::string_view(""), std::string_view("x\0y", 3), std::string_view("no path")}) {
    EXPECT_EQ(world.body_of(Op::Sync, Bytes().text(text)), std::string(Bytes().text(text)));
  }
}

TEST(Reads, PingHasItsOwnXidWhateverWasSent) {
  World world;
  EXPECT_EQ(world.ask(Op::Ping, "", -2), hex("00000010 fffffffe 0000000000000007 00000000"));
  EXPECT_EQ(world.ask(Op::Ping, "junk", 99), hex("00000010 fffffffe 0000000000000007 00000000"));
}

// Spec: client 4.7. A scheme without provider has no user name.
TEST(Reads, WhoAmINamesEveryIdentity) {
  World world;
  EXPECT_EQ(world.body_of(Op::WhoAmI, ""), hex("00000001 00000002 6970 00000009 3132372e302e302e31"));
  world.connection.identities.push_back({"digest", "bob:ikIaKsbtGweaHnb/jKn7OHqbunM="});
  world.connection.identities.push_back({"super", ""});
  EXPECT_EQ(world.body_of(Op::WhoAmI, "ignored"), hex("00000003 00000002 6970 00000009 3132372e302e302e31"
                                                      "00000006 646967657374 00000003 626f62"
                                                      "00000005 7375706572 00000000"));
}

struct Refusal {
  const char* why;
  Op op;
  std::string body;
  Code code;
};

// Measured on 3.8.0: sync echoes what its decoder made of the bytes, and an absent path as absent.
TEST(Reads, SyncEchoesAnything) {
  World world;
  EXPECT_EQ(world.body_of(Op::Sync, Bytes().null()), hex("ffffffff"));
  EXPECT_EQ(world.body_of(Op::Sync, Bytes().text("no path")), hex("00000007") + "no path");
  EXPECT_EQ(world.body_of(Op::Sync, Bytes().text("\xff\xfe")), hex("00000006efbfbdefbfbd"));
}

// Spec: client 4.1 (null paths, U+0000), 4.7 (orders). /n lets nobody but bob in, and he may only write.
TEST(Reads, RefusesInTheOrderOfTheSpec) {
  const std::string short_path = hex("00000004 2f61");
  const std::string negative_length = hex("fffffffe 00");
  const std::string no_flag = Bytes().text("/a");
  const std::string null_flag = Bytes().null().i8(0);
  const std::string null = Bytes().null();
  const Refusal cases[] = {
      {"null path", Op::Exists, null_flag, Code::MarshallingError},
      {"no flag", Op::Exists, no_flag, Code::MarshallingError},
      {"cut path", Op::Exists, short_path, Code::MarshallingError},
      {"length -2", Op::Exists, negative_length, Code::MarshallingError},
      {"nothing at all", Op::Exists, "", Code::MarshallingError},
      {"U+0000", Op::Exists, path_watch({"/a\0", 3}, false), Code::BadArguments},
      {"U+0000 in the overlong form is only broken text", Op::Exists, path_watch("/a\xc0\x80", false), Code::NoNode},
      {"missing", Op::Exists, path_watch("/missing", false), Code::NoNode},
      {"no READ", Op::Exists, path_watch("/n", false), Code::NoAuth},

      {"null path", Op::GetData, null_flag, Code::MarshallingError},
      {"no flag", Op::GetData, no_flag, Code::MarshallingError},
      {"U+0000 is just a missing node", Op::GetData, path_watch({"/a\0", 3}, false), Code::NoNode},
      {"broken UTF-8 is just a missing node", Op::GetData, path_watch("/\xff", false), Code::NoNode},
      {"no path", Op::GetData, path_watch("a", false), Code::NoNode},
      {"double slash", Op::GetData, path_watch("//", false), Code::NoNode},
      {"trailing slash", Op::GetData, path_watch("/a/", false), Code::NoNode},
      {"no READ", Op::GetData, path_watch("/n", false), Code::NoAuth},
      {"the child of a closed node is missing first", Op::GetData, path_watch("/n/x", false), Code::NoNode},

      {"null path", Op::GetChildren, null_flag, Code::MarshallingError},
      {"no flag", Op::GetChildren, no_flag, Code::MarshallingError},
      {"missing", Op::GetChildren, path_watch("/missing", false), Code::NoNode},
      {"no READ", Op::GetChildren, path_watch("/n", false), Code::NoAuth},
      {"null path", Op::GetChildren2, null_flag, Code::MarshallingError},
      {"missing", Op::GetChildren2, path_watch("/missing", false), Code::NoNode},
      {"no READ", Op::GetChildren2, path_watch("/n", false), Code::NoAuth},

      {"null path", Op::GetAcl, null, Code::MarshallingError},
      {"cut path", Op::GetAcl, short_path, Code::MarshallingError},
      {"missing", Op::GetAcl, Bytes().text("/missing"), Code::NoNode},
      {"neither READ nor ADMIN", Op::GetAcl, Bytes().text("/n"), Code::NoAuth},

      {"null path", Op::GetAllChildrenNumber, null, Code::MarshallingError},
      {"missing", Op::GetAllChildrenNumber, Bytes().text("/missing"), Code::NoNode},
      {"no READ", Op::GetAllChildrenNumber, Bytes().text("/n"), Code::NoAuth},

      {"cut prefix", Op::GetEphemerals, short_path, Code::MarshallingError},
      {"cut path", Op::Sync, short_path, Code::MarshallingError},
  };
  for (const Refusal& c : cases) {
    SCOPED_TRACE(std::to_string(static_cast<int>(c.op)) + ": " + c.why);
    World world;
    world.protect("/n", kBobWrites);
    world.connection.identities = {{"digest", "bob:hash="}};
    EXPECT_EQ(world.ask(c.op, c.body), frame(9, kZxid, static_cast<int32_t>(c.code)));
    EXPECT_EQ(world.reads.answer(world.connection, {c.op, 9, c.body, world.connection.identities}), c.code);
  }
}

TEST(Reads, TrailingBytesAreIgnored) {
  World world;
  EXPECT_EQ(world.body_of(Op::Exists, path_watch("/a", false) + "more"), kStatOfA);
}

TEST(Reads, ReadOpensWhatAdminDoesNot) {
  World world;
  world.protect("/n", kCarolAdmins);
  world.connection.identities = {{"digest", "carol:hash="}};
  EXPECT_EQ(world.ask(Op::GetData, path_watch("/n", false)), frame(9, kZxid, -102));
  world.protect("/n", kBobReads);
  world.connection.identities = {{"digest", "bob:hash="}};
  EXPECT_EQ(world.body_of(Op::GetData, path_watch("/n", false)).substr(0, 4), hex("ffffffff"));
}

// A fuzzy snapshot may leave a node with a list that nobody knows; known-faults R-W4.
TEST(Reads, AnUnknownListGrantsNothing) {
  World world;
  world.tree.acls().reserve(tree::AclId{900});
  world.tree.set_acl(world.tree.find("/n"), tree::AclId{900});
  EXPECT_EQ(world.ask(Op::GetData, path_watch("/n", false)), frame(9, kZxid, -102));
  EXPECT_EQ(world.ask(Op::GetAcl, Bytes().text("/n")), frame(9, kZxid, -102));
  world.connection.identities.push_back({"super", ""});
  EXPECT_EQ(world.body_of(Op::GetData, path_watch("/n", false)).substr(0, 4), hex("ffffffff"));
}

// Spec: client 7.1. Which request leaves which watch: 1 is the child table, 2 the data table.
TEST(Reads, RegistersWatchesAsTheTableSays) {
  struct Case {
    const char* why;
    Op op;
    const char* path;
    bool data;
    bool child;
  };
  const Case cases[] = {
      {"exists", Op::Exists, "/a", true, false},
      {"exists of a missing node", Op::Exists, "/missing", true, false},
      {"exists without permission", Op::Exists, "/n", false, false},
      {"getData", Op::GetData, "/a", true, false},
      {"getData of a missing node", Op::GetData, "/missing", false, false},
      {"getData without permission", Op::GetData, "/n", false, false},
      {"getChildren", Op::GetChildren, "/a", false, true},
      {"getChildren of a missing node", Op::GetChildren, "/missing", false, false},
      {"getChildren without permission", Op::GetChildren, "/n", false, false},
      {"getChildren2", Op::GetChildren2, "/a", false, true},
      {"getChildren2 of a missing node", Op::GetChildren2, "/missing", false, false},
      {"getChildren2 without permission", Op::GetChildren2, "/n", false, false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    World world;
    world.protect("/n", kBobWrites);
    world.ask(c.op, path_watch(c.path, false));
    EXPECT_FALSE(world.connection.watcher.has_value());
    world.ask(c.op, path_watch(c.path, true));
    EXPECT_EQ(world.watches_path(c.path, 2), c.data);
    EXPECT_EQ(world.watches_path(c.path, 1), c.child);
    EXPECT_EQ(world.connection.watcher.has_value(), c.data || c.child);
  }
}

TEST(Reads, AnyNonZeroFlagIsAWatch) {
  World world;
  world.ask(Op::GetData, Bytes().text("/a").i8(2));
  EXPECT_TRUE(world.watches_path("/a", 2));
}

// Spec: known-faults R-W1. Its watches were removed at the close; a later one would never go.
TEST(Reads, AClosedConnectionRegistersNothing) {
  World world;
  world.connection.phase = Phase::Closed;
  for (const Op op : {Op::Exists, Op::GetData, Op::GetChildren, Op::GetChildren2}) {
    world.ask(op, path_watch("/a", true));
  }
  EXPECT_FALSE(world.connection.watcher.has_value());
  EXPECT_TRUE(world.watches.empty());
}

TEST(Reads, RepliesAreAppended) {
  World world;
  const std::string ping = world.ask(Op::Ping, "");
  world.reads.answer(world.connection, {Op::Sync, 3, "bad"});
  world.reads.answer(world.connection, {Op::Ping, 0, ""});
  EXPECT_EQ(world.connection.out.view(), ping + frame(3, kZxid, -5) + ping);
}

TEST(Reads, KnowsWhatIsARead) {
  for (int32_t type = -20; type < 120; ++type) {
    const std::set<int32_t> reads = {3, 4, 6, 8, 9, 11, 12, 17, 18, 22, 101, 103, 104, 105, 106, 107};
    EXPECT_EQ(Reads::is_read(static_cast<Op>(type)), reads.contains(type)) << type;
  }
}

}  // namespace
}  // namespace quorate::replica::testing
