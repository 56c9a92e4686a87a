#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "core/replica/reads_testing.h"

namespace quorate::replica::testing {
namespace {

using wire::Event;
using wire::Op;

std::string path_number(std::string_view path, int32_t number) { return Bytes().text(path).i32(number); }

// Spec: client 3.3, 7.1. The reply has a record, ErrorResponse, whose err is always 0.
TEST(AddWatch, RegistersAndAnswersAnErrorRecord) {
  World world;
  EXPECT_EQ(world.ask(Op::AddWatch, path_number("/nowhere", 0)),
            hex("00000014 00000009 0000000000000007 00000000 00000000"));
  EXPECT_TRUE(world.watches_path("/nowhere", 4));
  EXPECT_FALSE(world.watches_path("/nowhere", 5));
  EXPECT_EQ(world.watches.data_watches(), 1U);
  EXPECT_EQ(world.watches.child_watches(), 1U);

  EXPECT_EQ(world.ask(Op::AddWatch, path_number("/nowhere", 1)), frame(9, kZxid, 0, hex("00000000")));
  EXPECT_TRUE(world.watches_path("/nowhere", 4));
  EXPECT_TRUE(world.watches_path("/nowhere", 5));
  EXPECT_EQ(world.watches.child_watches(), 1U);
}

TEST(AddWatch, TakesAnyTextForAPath) {
  World world;
  for (const std::string_view path : {std::string_view(""), std::string_view("zz"), std::string_view("/\0", 2)}) {
    EXPECT_EQ(world.ask(Op::AddWatch, path_number(path, 1)), frame(9, kZxid, 0, hex("00000000")));
    EXPECT_TRUE(world.watches_path(path, 5));
  }
}

// Measured on 3.8.0: taken, and never heard of again.
TEST(AddWatch, AnAbsentPathWatchesNothing) {
  World world;
  EXPECT_EQ(world.ask(Op::AddWatch, Bytes().null().i32(0)), frame(9, kZxid, 0, hex("00000000")));
  EXPECT_TRUE(world.watches.empty());
}

TEST(AddWatch, RefusesOtherModes) {
  World world;
  for (const std::string& body :
       {path_number("/a", 2), path_number("/a", -1), std::string(Bytes().text("/a")), std::string()}) {
    EXPECT_EQ(world.ask(Op::AddWatch, body), frame(9, kZxid, -5));
  }
  EXPECT_TRUE(world.watches.empty());
}

// Spec: client 7.9. Rows: what is registered; columns: the types that find it.
TEST(CheckWatches, LooksAtWhatTheTypeNames) {
  struct Case {
    const char* why;
    Op op;
    std::string body;
    std::string_view found;  // One letter a type 1 to 5: y or n.
  };
  const Case cases[] = {
      {"getChildren", Op::GetChildren, path_watch("/a", true), "ynynn"},
      {"getData", Op::GetData, path_watch("/a", true), "nyynn"},
      {"exists", Op::Exists, path_watch("/a", true), "nyynn"},
      {"persistent", Op::AddWatch, path_number("/a", 0), "nnyyn"},
      {"recursive", Op::AddWatch, path_number("/a", 1), "nnyny"},
      {"nothing", Op::Ping, "", "nnnnn"},
  };
  for (const Case& c : cases) {
    World world;
    world.ask(c.op, c.body);
    for (int32_t type = 1; type <= 5; ++type) {
      SCOPED_TRACE(std::string(c.why) + ", type " + std::to_string(type));
      const bool found = c.found[static_cast<size_t>(type) - 1] == 'y';
      EXPECT_EQ(world.ask(Op::CheckWatches, path_number("/a", type)), frame(9, kZxid, found ? 0 : -121));
      EXPECT_EQ(world.ask(Op::CheckWatches, path_number("/a/x", type)), frame(9, kZxid, -121));
      EXPECT_EQ(world.ask(Op::CheckWatches, path_number("/a", type)), frame(9, kZxid, found ? 0 : -121));
      EXPECT_EQ(world.ask(Op::RemoveWatches, path_number("/a", type)), frame(9, kZxid, found ? 0 : -121));
      EXPECT_EQ(world.ask(Op::RemoveWatches, path_number("/a", type)), frame(9, kZxid, -121));
      if (found) world.ask(c.op, c.body);
    }
  }
}

TEST(RemoveWatches, LeavesTheOtherModes) {
  World world;
  const auto fill = [&world] {
    world.ask(Op::GetData, path_watch("/a", true));
    world.ask(Op::GetChildren, path_watch("/a", true));
    world.ask(Op::AddWatch, path_number("/a", 0));
    world.ask(Op::AddWatch, path_number("/a", 1));
  };
  for (const int32_t type : {1, 2, 4, 5}) {
    fill();
    EXPECT_EQ(world.ask(Op::RemoveWatches, path_number("/a", type)), frame(9, kZxid, 0));
    for (const int32_t other : {1, 2, 4, 5}) EXPECT_EQ(world.watches_path("/a", other), other != type) << type;
  }
  fill();
  EXPECT_EQ(world.ask(Op::RemoveWatches, path_number("/a", 3)), frame(9, kZxid, 0));
  EXPECT_TRUE(world.watches.empty());
}

// A connection that watches nothing is in no table, so the refusals must not put it there.
TEST(CheckWatches, RefusesBadRequestsBeforeLooking) {
  World world;
  for (const Op op : {Op::CheckWatches, Op::RemoveWatches}) {
    EXPECT_EQ(world.ask(op, path_number("/a", 0)), frame(9, kZxid, -5));
    EXPECT_EQ(world.ask(op, path_number("/a", 6)), frame(9, kZxid, -5));
    EXPECT_EQ(world.ask(op, Bytes().null().i32(3)), frame(9, kZxid, -121));  // measured on 3.8.0
    EXPECT_EQ(world.ask(op, Bytes().text("/a")), frame(9, kZxid, -5));
    EXPECT_EQ(world.ask(op, path_number("/a", 3)), frame(9, kZxid, -121));
  }
  EXPECT_FALSE(world.connection.watcher.has_value());
}

TEST(CheckWatches, SeesOnlyTheOwnConnection) {
  World world;
  world.ask(Op::GetData, path_watch("/a", true));
  Connection other;
  other.id = ConnId{6};
  other.phase = Phase::Live;
  EXPECT_EQ(world.reads.answer(other, {Op::CheckWatches, 9, path_number("/a", 3)}), wire::Code::NoWatcher);
  world.reads.answer(other, {Op::GetData, 9, path_watch("/n", true)});
  EXPECT_EQ(world.reads.answer(other, {Op::RemoveWatches, 9, path_number("/a", 3)}), wire::Code::NoWatcher);
  EXPECT_TRUE(world.watches_path("/a", 2));
}

using Paths = std::vector<std::string_view>;
struct Lists {
  Paths data = {}, exist = {}, child = {}, persistent = {}, recursive = {};
};

std::string set_watches(int64_t zxid, const Lists& lists) {
  return Bytes().i64(zxid).texts(lists.data).texts(lists.exist).texts(lists.child);
}
std::string set_watches2(int64_t zxid, const Lists& lists) {
  return Bytes().raw(set_watches(zxid, lists)).texts(lists.persistent).texts(lists.recursive);
}

// Spec: client 7.7, the whole table. /a has mzxid 2 and pzxid 5.
TEST(SetWatches, TellsWhatWasMissedOrRegisters) {
  struct Case {
    const char* why;
    int64_t seen;
    Lists lists;
    const char* path;
    std::optional<Event> event;
    int32_t registered;  // Type of removeWatches that finds it; 0: none.
  };
  const Case cases[] = {
      {"data, node gone", 9, {.data = {"/gone"}}, "/gone", Event::Deleted, 0},
      {"data, changed since", 1, {.data = {"/a"}}, "/a", Event::DataChanged, 0},
      {"data, changed by that very txn", 2, {.data = {"/a"}}, "/a", std::nullopt, 2},
      {"data, only children changed since", 4, {.data = {"/a"}}, "/a", std::nullopt, 2},
      {"data, client ahead", INT64_MAX, {.data = {"/a"}}, "/a", std::nullopt, 2},
      {"data, compared signed", -1, {.data = {"/a"}}, "/a", Event::DataChanged, 0},
      {"exist, still missing", 1, {.exist = {"/gone"}}, "/gone", std::nullopt, 2},
      {"exist, there now", 1, {.exist = {"/a"}}, "/a", Event::Created, 0},
      {"exist, however old", 9, {.exist = {"/a"}}, "/a", Event::Created, 0},
      {"child, node gone", 9, {.child = {"/gone"}}, "/gone", Event::Deleted, 0},
      {"child, changed since", 4, {.child = {"/a"}}, "/a", Event::ChildrenChanged, 0},
      {"child, unchanged", 5, {.child = {"/a"}}, "/a", std::nullopt, 1},
      {"persistent, node gone", 9, {.persistent = {"/gone"}}, "/gone", std::nullopt, 4},
      {"persistent, changed since", 0, {.persistent = {"/a"}}, "/a", std::nullopt, 4},
      {"recursive, node gone", 9, {.recursive = {"/gone"}}, "/gone", std::nullopt, 5},
      {"recursive, changed since", 0, {.recursive = {"/a"}}, "/a", std::nullopt, 5},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    const std::string reply = frame(-8, kZxid, 0);
    const std::string expected = c.event ? event_frame(*c.event, c.path, -1) + reply : reply;
    World world;
    EXPECT_EQ(world.ask(Op::SetWatches2, set_watches2(c.seen, c.lists), -8), expected);
    for (int32_t type : {1, 2, 4, 5}) EXPECT_EQ(world.watches_path(c.path, type), type == c.registered) << type;
    EXPECT_EQ(world.connection.stats.sent, c.event ? 1 : 0);

    if (c.lists.persistent.size() + c.lists.recursive.size() > 0) continue;
    World older;
    EXPECT_EQ(older.ask(Op::SetWatches, set_watches(c.seen, c.lists), -8), expected);
    for (int32_t type : {1, 2, 4, 5}) EXPECT_EQ(older.watches_path(c.path, type), type == c.registered) << type;
  }
}

TEST(SetWatches, PersistentGoesToBothTablesRecursiveToOne) {
  World world;
  world.ask(Op::SetWatches2, set_watches2(0, {.persistent = {"/p"}}), -8);
  EXPECT_EQ(world.watches.data_watches(), 1U);
  EXPECT_EQ(world.watches.child_watches(), 1U);
  world.ask(Op::SetWatches2, set_watches2(0, {.recursive = {"/r"}}), -8);
  EXPECT_EQ(world.watches.data_watches(), 2U);
  EXPECT_EQ(world.watches.child_watches(), 1U);
}

// The order recorded from Apache 3.8.0: lists in order, paths in list order, events before the reply.
TEST(SetWatches, EventsComeInListOrderBeforeTheReply) {
  World world;
  const Lists lists{.data = {"/a", "/gone"}, .exist = {"/a", "/new"}, .child = {"/a", "/gone"}};
  EXPECT_EQ(world.ask(Op::SetWatches, set_watches(0, lists), -8),
            hex("0000001e ffffffff ffffffffffffffff 00000000 00000003 00000003 00000002 2f61"
                "00000021 ffffffff ffffffffffffffff 00000000 00000002 00000003 00000005 2f676f6e65"
                "0000001e ffffffff ffffffffffffffff 00000000 00000001 00000003 00000002 2f61"
                "0000001e ffffffff ffffffffffffffff 00000000 00000004 00000003 00000002 2f61"
                "00000021 ffffffff ffffffffffffffff 00000000 00000002 00000003 00000005 2f676f6e65"
                "00000010 fffffff8 0000000000000007 00000000"));
  EXPECT_TRUE(world.watches_path("/new", 2));
  EXPECT_EQ(world.connection.stats.sent, 5);
}

TEST(SetWatches, AsksForNoPermission) {
  World world;
  world.protect("/a", acl_bytes(wire::kPermAll, "digest", "bob:hash="));
  EXPECT_EQ(world.ask(Op::SetWatches, set_watches(0, {.data = {"/a"}}), -8),
            event_frame(Event::DataChanged, "/a", -1) + frame(-8, kZxid, 0));
}

TEST(SetWatches, RefusesNullsAndShortRecordsBeforeDoingAnything) {
  const std::string none = hex("00000000");
  const std::string null = hex("ffffffff");
  const std::string one = hex("00000001 00000002 2f61");
  const std::string null_path = hex("00000001 ffffffff");
  const std::string zero = hex("0000000000000000");
  struct Case {
    const char* why;
    Op op;
    std::string body;
  };
  const Case cases[] = {
      {"null data list", Op::SetWatches, zero + null + one + one},
      {"null exist list", Op::SetWatches, zero + one + null + one},
      {"null child list", Op::SetWatches, zero + one + one + null},
      {"null path", Op::SetWatches, zero + one + one + null_path},
      {"a list too few", Op::SetWatches, zero + one + one},
      {"nothing", Op::SetWatches, ""},
      {"the older record", Op::SetWatches2, zero + one + one + one},
      {"null data list", Op::SetWatches2, zero + null + one + one + one + one},
      {"null persistent list", Op::SetWatches2, zero + one + one + one + null + one},
      {"null recursive list", Op::SetWatches2, zero + one + one + one + one + null},
      {"null recursive path", Op::SetWatches2, zero + one + one + one + one + null_path},
      {"a count without items", Op::SetWatches2, zero + none + none + none + none + hex("7fffffff")},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    World world;
    EXPECT_EQ(world.ask(c.op, c.body, -8), frame(-8, kZxid, -5));
    EXPECT_TRUE(world.watches.empty());
  }
}

// Compat: a count below -1 is an empty vector. Spec: client 1.1.
TEST(SetWatches, TakesNegativeCountsForEmpty) {
  World world;
  EXPECT_EQ(world.ask(Op::SetWatches, hex("0000000000000000 fffffffe 80000000 00000000"), -8), frame(-8, kZxid, 0));
}

TEST(WatchRequests, AClosedConnectionRegistersNothingAndHearsNothing) {
  World world;
  world.connection.phase = Phase::Closed;
  world.ask(Op::AddWatch, path_number("/a", 0));
  world.ask(Op::AddWatch, path_number("/a", 1));
  const Lists lists{
      .data = {"/a", "/gone"}, .exist = {"/new"}, .child = {"/a"}, .persistent = {"/a"}, .recursive = {"/a"}};
  EXPECT_EQ(world.ask(Op::SetWatches2, set_watches2(9, lists), -8), frame(-8, kZxid, 0));
  EXPECT_FALSE(world.connection.watcher.has_value());
  EXPECT_TRUE(world.watches.empty());
}

}  // namespace
}  // namespace quorate::replica::testing
