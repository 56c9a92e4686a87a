#include <gtest/gtest.h>

#include "core/replica/reads_testing.h"

namespace quorate::replica::testing {
namespace {

using wire::Op;

const std::string kEnd = hex("ffffffff 01 ffffffff");
const std::string kNotFound = hex("ffffffff 00 ffffff9b ffffff9b");
const std::string kData = hex("00000004 00 00000000");
const std::string kChildren = hex("00000008 00 00000000");

std::string part(int32_t type, std::string_view path, bool watch = false) {
  return Bytes().i32(type).i8(0).i32(-1).text(path).i8(watch ? 1 : 0);
}

// Recorded from Apache 3.8.0: type, done, err; then the result, or the code once more. Spec: client 6.1, 6.2, 6.5.
TEST(MultiRead, EachPartSucceedsOrFailsAlone) {
  World world;
  const std::string request = part(4, "/a") + part(4, "/missing") + part(8, "/n") + part(4, "/n") + kEnd;
  const std::string a =
      hex("00000002 6869 0000000000000002 0000000000000002 000001a1f8504531 000001a1f8504531 00000000 00000002 00000000"
          "0000000000000000 00000002 00000002 0000000000000005");
  const std::string n =
      hex("ffffffff 0000000000000003 0000000000000003 000001a1f8504531 000001a1f8504531 00000000 00000000 00000000"
          "0000000000000000 00000000 00000000 0000000000000003");
  EXPECT_EQ(world.ask(Op::MultiRead, request),
            frame(9, kZxid, 0, kData + a + kNotFound + kChildren + hex("00000000") + kData + n + kEnd));
}

TEST(MultiRead, GivesChildrenWithoutStat) {
  World world;
  const std::string names = world.body_of(Op::GetChildren, path_watch("/a", false));
  EXPECT_EQ(world.body_of(Op::MultiRead, part(8, "/a") + kEnd), kChildren + names + kEnd);
}

TEST(MultiRead, APartWithoutPermissionFailsAlone) {
  World world;
  world.protect("/n", acl_bytes(wire::kPermAll, "digest", "bob:hash="));
  EXPECT_EQ(world.body_of(Op::MultiRead, part(4, "/n") + part(8, "/a/x") + kEnd),
            hex("ffffffff 00 ffffff9a ffffff9a") + kChildren + hex("00000000") + kEnd);
}

TEST(MultiRead, SetsNoWatches) {
  World world;
  world.ask(Op::MultiRead, part(4, "/a", true) + part(8, "/a", true) + part(4, "/missing", true) + kEnd);
  EXPECT_FALSE(world.connection.watcher.has_value());
  EXPECT_TRUE(world.watches.empty());
}

TEST(MultiRead, MayBeEmptyAndEndWithAnyType) {
  World world;
  EXPECT_EQ(world.body_of(Op::MultiRead, kEnd), kEnd);
  EXPECT_EQ(world.body_of(Op::MultiRead, part(4, "/missing") + hex("00000037 01 00000003") + "more"), kNotFound + kEnd);
}

TEST(MultiRead, RefusesTheWholeRequest) {
  struct Case {
    const char* why;
    std::string body;
  };
  const Case cases[] = {
      {"nothing", ""},
      {"no end", part(4, "/a")},
      {"a cut header", part(4, "/a") + hex("ffffffff 01 ffff")},
      {"a cut part", hex("00000004 00 ffffffff 00000002 2f61")},
      {"exists", part(4, "/a") + part(3, "/a") + kEnd},
      {"getChildren2", part(12, "/a") + kEnd},
      {"a write", hex("00000002 00 ffffffff 00000002 2f61 00000000") + kEnd},
      {"a write behind a read", part(4, "/a") + hex("0000000d 00 ffffffff 00000002 2f61 00000000") + kEnd},
      {"end type that is not done", hex("ffffffff 00 ffffffff") + kEnd},
      {"null path", part(4, "/a") + hex("00000004 00 ffffffff ffffffff 00") + kEnd},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    World world;
    EXPECT_EQ(world.ask(Op::MultiRead, c.body), frame(9, kZxid, -5));
  }
}

// A frame of 1 MiB must not be able to ask for gigabytes.
TEST(MultiRead, RefusesRepliesThatNobodyCouldTake) {
  World world;
  world.add("/n/big", std::string(1 << 20, 'x'), 8);
  std::string parts;
  for (int i = 0; i < 100; ++i) parts += part(4, "/n/big");
  EXPECT_GT(world.body_of(Op::MultiRead, parts + kEnd).size(), size_t{100} << 20);
  for (int i = 0; i < 100; ++i) parts += part(4, "/n/big");
  EXPECT_EQ(world.ask(Op::MultiRead, parts + kEnd), frame(9, kZxid, -5));
}

}  // namespace
}  // namespace quorate::replica::testing
