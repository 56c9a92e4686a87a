#include <gtest/gtest.h>

#include "core/replica/reads_testing.h"

namespace quorate::replica::testing {
namespace {

// Spec: client 7.3. Length, xid -1, the txn's zxid, err 0; then type, state SyncConnected, path.
TEST(Notify, IsAFrameWithTheZxidOfItsTxn) {
  Connection connection;
  notify(connection, wire::Event::DataChanged, "/a", Zxid{0x100000012});
  EXPECT_EQ(connection.out.view(), hex("0000001e ffffffff 0000000100000012 00000000"
                                       "00000003 00000003 00000002 2f61"));
}

TEST(Notify, FramesFollowEachOther) {
  Connection connection;
  notify(connection, wire::Event::Created, "/w/x", Zxid{4});
  notify(connection, wire::Event::ChildrenChanged, "/w", Zxid{4});
  EXPECT_EQ(connection.out.view(),
            event_frame(wire::Event::Created, "/w/x", 4) + event_frame(wire::Event::ChildrenChanged, "/w", 4));
}

TEST(Notify, AClosedConnectionGetsNothing) {
  Connection connection;
  connection.phase = Phase::Closed;
  notify(connection, wire::Event::Deleted, "/a", Zxid{4});
  EXPECT_TRUE(connection.out.empty());
}

}  // namespace
}  // namespace quorate::replica::testing
