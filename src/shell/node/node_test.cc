#include "shell/node/node.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "shell/node/node_testing.h"

namespace quorate::node::testing {
namespace {

std::vector<int32_t> xids(Rig& rig, Wire& wire) {
  std::vector<int32_t> all;
  for (const auto& reply : rig.replies(wire)) all.push_back(reply.xid);
  return all;
}

using Xids = std::vector<int32_t>;

// Spec: client 12: accepted, then reset; the place is free again when the connection is gone.
TEST(Limits, PerAddress) {
  Rig rig(with([](NodeSettings& s) { s.links.max_per_address = 2; }));
  Wire& first = rig.connect();
  rig.connect();
  Wire& third = rig.connect();
  EXPECT_EQ(third.client, nullptr);
  EXPECT_TRUE(third.was_reset);
  EXPECT_TRUE(third.closed);
  EXPECT_NE(rig.connect("10.0.0.2").client, nullptr);
  EXPECT_EQ(rig.node->replica().stats().connection_rejected, 1);
  first.hung_up = true;
  rig.run();
  EXPECT_TRUE(rig.said("Error accepting new connection: Too many connections from /10.0.0.1 - max is 2"));
  EXPECT_TRUE(first.closed);
  EXPECT_FALSE(first.was_reset);
  EXPECT_NE(rig.connect().client, nullptr);
  EXPECT_EQ(rig.node->client_count(), 3U);
}

TEST(Limits, Total) {
  Rig rig(with([](NodeSettings& s) {
    s.links.max_per_address = 0;
    s.links.max_total = 100;
  }));
  for (int i = 0; i < 100; ++i) EXPECT_NE(rig.connect().client, nullptr);
  EXPECT_TRUE(rig.connect("10.0.0.2").was_reset);
  rig.run();
  EXPECT_TRUE(rig.said("Error accepting new connection: Too many connections max allowed is 100"));
}

// Spec: client 12.
TEST(Idle, ConnectionsWithoutASessionAreClosed) {
  Rig rig;
  Wire& silent = rig.connect();
  Wire& started = rig.connect();
  started.to_server = framed(connect_request()).substr(0, 20);
  rig.run_at(9000);
  EXPECT_FALSE(started.closed);
  rig.run_at(11000);
  EXPECT_TRUE(silent.closed);
  EXPECT_FALSE(started.closed);  // its bytes came at 9000
  rig.run_at(20000);
  EXPECT_TRUE(started.closed);
  EXPECT_EQ(rig.node->replica().stats().sessionless_connections_expired, 2);
}

TEST(Idle, ExpiryClosesConnectionsWithASession) {
  Rig rig;
  Wire& wire = rig.join(6000);
  rig.run_at(9000);
  EXPECT_TRUE(wire.closed);
  EXPECT_EQ(rig.node->replica().sessions().size(), 0U);
}

TEST(Frames, ArriveInPieces) {
  Rig rig;
  Wire& wire = rig.connect();
  wire.piece = 1;
  rig.send(wire, connect_request());
  rig.send(wire, 1, Op::Create, ask::create("/a"));
  rig.send(wire, 2, Op::Exists, path_watch("/a", false));
  rig.run();
  EXPECT_EQ(frames_in(wire.to_client).size(), 3U);
}

TEST(Frames, BehindTheHandshakeStayUnreadUntilItIsConfirmed) {
  Rig rig;
  Wire& wire = rig.connect();
  rig.send(wire, connect_request());
  rig.send(wire, 1, Op::GetData, path_watch("/", true));
  rig.round();
  EXPECT_FALSE(wire.want_readable);
  EXPECT_EQ(wire.to_client, "");
  rig.run();
  EXPECT_TRUE(wire.want_readable);
  EXPECT_EQ(frames_in(wire.to_client).size(), 2U);
}

// Spec: client 1.2 rule 1.
TEST(Frames, OfTooGreatALengthClose) {
  for (const int32_t length : {-1, INT32_MIN, 1048576, INT32_MAX}) {
    Rig rig;
    Wire& wire = rig.join();
    wire.to_server = Bytes().i32(length).raw("xxxx");
    rig.run();
    EXPECT_TRUE(wire.closed);
    EXPECT_EQ(wire.to_client, "");
    EXPECT_TRUE(rig.said(
        fmt::format("Len error. A message from /10.0.0.1:5000 with advertised length of {} is either a "
                    "malformed message or too large to process (length is greater than jute.maxbuffer=1048575)",
                    length)));
  }
}

TEST(Frames, OfTheGreatestLengthPass) {
  Rig rig;
  Wire& wire = rig.join();
  std::string body = request(1, Op::Exists, path_watch("/", false));
  body.resize(1048575);
  rig.send(wire, body);
  rig.run();
  EXPECT_EQ(xids(rig, wire), Xids{1});
}

// A client that does not take its answers is not read from; when it does, it gets all of them in order.
TEST(SlowReader, IsNotReadFromUntilItTakesItsAnswers) {
  Rig rig;
  Wire& wire = rig.join(60000);
  rig.must(wire, Op::SetData, ask::set_data("/", std::string(1000000, 'x')));
  wire.window = 0;
  for (int32_t xid = 1; xid <= 200; ++xid) rig.send(wire, xid, Op::GetData, path_watch("/", false));
  rig.run();
  const ByteBuffer& out = wire.client->connection->out;
  EXPECT_LE(out.size(), 6U << 20);
  EXPECT_FALSE(wire.want_readable);
  EXPECT_TRUE(wire.want_writable);
  const size_t receives = wire.receives;
  rig.send(wire, 201, Op::Ping);
  rig.run();
  EXPECT_EQ(wire.receives, receives);

  for (int rounds = 0; rounds < 1000 && wire.to_client.size() < 150'000'000; ++rounds) {
    wire.window = 700'000;
    rig.run();
    EXPECT_LE(out.size(), 6U << 20);
  }
  wire.window = SIZE_MAX;
  rig.run();
  EXPECT_TRUE(wire.want_readable);
  EXPECT_FALSE(wire.want_writable);
  const Xids all = xids(rig, wire);
  ASSERT_EQ(all.size(), 201U);
  for (int32_t i = 0; i < 200; ++i) EXPECT_EQ(all[i], i + 1);
  EXPECT_EQ(all.back(), -2);
}

TEST(SlowReader, IsClosedWhenItsSessionEnds) {
  Rig rig;
  Wire& wire = rig.join(6000);
  wire.window = 0;
  rig.send(wire, 1, Op::Ping);
  rig.run_at(2000);
  rig.run_at(9000);  // the session is over, but the ping's answer still waits
  EXPECT_FALSE(wire.closed);
  EXPECT_EQ(rig.node->replica().sessions().size(), 0U);
  rig.run_at(14000);
  EXPECT_TRUE(wire.closed);
  EXPECT_EQ(rig.node->client_count(), 0U);
}

TEST(HangUp, ClosesAtOnceAndKeepsTheSession) {
  Rig rig;
  Wire& wire = rig.join();
  rig.send(wire, 1, Op::Create, ask::create("/a"));
  rig.round();
  wire.hung_up = true;
  rig.round();
  EXPECT_TRUE(wire.closed);
  rig.run();
  EXPECT_EQ(wire.to_client, "");
  EXPECT_NE(rig.tree().find("/a"), tree::kNoNode);
  EXPECT_EQ(rig.node->replica().sessions().size(), 1U);
}

// An idle connection holds no buffer; a busy one keeps a small one.
TEST(Buffers, AreGivenBackWhenIdle) {
  Rig rig;
  Wire& wire = rig.join(60000);
  const ByteBuffer& out = wire.client->connection->out;
  EXPECT_GT(out.capacity(), 0U);
  rig.must(wire, Op::Exists, path_watch("/", false));
  rig.run_at(1000);
  EXPECT_GT(out.capacity(), 0U);
  rig.run_at(2000);
  EXPECT_EQ(out.capacity(), 0U);

  rig.must(wire, Op::SetData, ask::set_data("/", std::string(200000, 'x')));
  rig.must(wire, Op::GetData, path_watch("/", false));
  EXPECT_GE(out.capacity(), 200000U);
  rig.run_at(3000);
  EXPECT_EQ(out.capacity(), 0U);
}

// Rules: the log's failure is final; nothing is acknowledged after it. Spec: disk 6.1 rule 3, MUST-10.
TEST(LogFailure, StopsEverything) {
  for (const std::string_view failing : {"write /data/version-2/log.1", "sync /data/version-2/log.1"}) {
    Rig rig;
    Wire& wire = rig.join();
    rig.must(wire, Op::Create, ask::create("/a"));
    rig.disk.failing = [failing](const std::string& line) {
      return line.starts_with(failing) ? std::optional(Fault::Io) : std::nullopt;
    };
    rig.send(wire, 1, Op::Create, ask::create("/b"));
    rig.send(wire, 2, Op::Exists, path_watch("/b", false));
    rig.run();
    EXPECT_TRUE(rig.node->failed());
    rig.disk.failing = nullptr;
    rig.send(wire, 3, Op::Create, ask::create("/c"));
    rig.run();
    EXPECT_FALSE(rig.node->begin_log());
    EXPECT_EQ(wire.to_client, "");
    EXPECT_EQ(rig.tree().find("/b"), tree::kNoNode);
    EXPECT_TRUE(rig.said("Severe unrecoverable error, from thread : SyncThread"));
  }
}

TEST(LogFailure, AFullDiskIsOne) {
  Rig rig;
  Wire& wire = rig.connect();
  rig.disk.failing = [](const std::string&) { return std::optional(Fault::NoSpace); };
  rig.send(wire, connect_request());
  rig.run();
  EXPECT_TRUE(rig.node->failed());
  EXPECT_EQ(wire.to_client, "");
}

// One batch is one append and one sync; what arrives meanwhile is the next one.
TEST(Log, GroupsWhatArrivesDuringASync) {
  Rig rig;
  Wire& wire = rig.join();
  rig.send(wire, 1, Op::Create, ask::create("/a"));
  rig.round();
  ASSERT_TRUE(rig.node->begin_log());
  EXPECT_TRUE(rig.node->lone_write());
  for (int32_t xid = 2; xid <= 9; ++xid) rig.send(wire, xid, Op::SetData, ask::set_data("/", "x"));
  rig.round();
  EXPECT_FALSE(rig.node->begin_log());  // the last one is not done
  EXPECT_EQ(wire.to_client, "");
  rig.node->log().perform();
  rig.node->on_log_done();
  rig.round();
  EXPECT_EQ(xids(rig, wire), Xids{1});
  const size_t syncs = rig.disk.count("sync /data/version-2/log.1");
  ASSERT_TRUE(rig.node->begin_log());
  EXPECT_FALSE(rig.node->lone_write());
  rig.node->log().perform();
  rig.node->on_log_done();
  rig.round();
  EXPECT_EQ(xids(rig, wire), (Xids{2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(rig.disk.count("sync /data/version-2/log.1"), syncs + 1);
}

// Spec: disk 2.5. A batch waits for the delay since the last sync, or for enough of its kind.
TEST(Log, FlushDelayGathersWrites) {
  Rig rig(with([](NodeSettings& s) {
    s.flush_delay = Millis{50};
    s.max_batch = 4;
  }));
  rig.clock.ms = 1000;
  Wire& wire = rig.join();
  rig.clock.ms = 1010;
  for (int32_t xid = 1; xid <= 3; ++xid) rig.send(wire, xid, Op::SetData, ask::set_data("/", "x"));
  rig.run();
  EXPECT_EQ(wire.to_client, "");
  EXPECT_EQ(rig.node->next_tick(), Millis{1050});
  rig.run_at(1050);
  EXPECT_EQ(xids(rig, wire), (Xids{1, 2, 3}));
  for (int32_t xid = 4; xid <= 7; ++xid) rig.send(wire, xid, Op::SetData, ask::set_data("/", "x"));
  rig.run();
  EXPECT_EQ(xids(rig, wire), (Xids{4, 5, 6, 7}));
}

// Zeros save a sync the work of a longer file; they cost as much as data, which large batches have enough of.
TEST(Log, ZerosAreWrittenAheadOfSmallBatches) {
  for (const size_t bytes : {1000U, 60000U}) {
    Rig rig(with([](NodeSettings& s) { s.log.preallocate_bytes = 64 << 10; }));
    Wire& wire = rig.join();
    for (size_t written = 0; written < 240'000; written += bytes) {
      rig.must(wire, Op::SetData, ask::set_data("/", std::string(bytes, 'x')));
    }
    const size_t size = rig.disk.bytes("/data/version-2/log.1").size();
    EXPECT_EQ(size > rig.node->log().log().file_bytes(), bytes == 1000) << bytes;
  }
}

TEST(Log, SlowSyncsAreTold) {
  Rig rig;
  Wire& wire = rig.join();
  rig.send(wire, 1, Op::Create, ask::create("/a"));
  rig.round();
  EXPECT_TRUE(rig.said("Creating new log file: log.1"));
  ASSERT_TRUE(rig.node->begin_log());
  rig.disk.failing = [&rig](const std::string& line) {
    if (line.starts_with("sync")) rig.clock.extra_micros = 1'001'000;
    return std::optional<Fault>();
  };
  rig.node->log().perform();
  rig.node->on_log_done();
  rig.run();
  EXPECT_TRUE(
      rig.said("fsync-ing the write ahead log in SyncThread took 1001ms which will adversely effect operation "
               "latency.File size is "));
}

}  // namespace
}  // namespace quorate::node::testing
