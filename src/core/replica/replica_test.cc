#include "core/replica/replica.h"

#include <gtest/gtest.h>

#include "core/replica/replica_testing.h"
#include "wire/log_record.h"

namespace quorate::replica::testing {
namespace {

struct Counted {
  int32_t txns = 0;
  Zxid last;
};

/// The records of a batch, whose zxids follow each other from `first`.
Counted count_records(const zab::LogBatch& batch) {
  Counted counted;
  Zxid expected = batch.first;
  for (size_t offset = 0; offset < batch.records.size(); expected = expected.next()) {
    wire::TxnHeader header;
    wire::Decoder in(wire::next_payload(batch.records.view(), offset));
    EXPECT_TRUE(wire::decode(in, header));
    EXPECT_EQ(header.zxid, expected);
    counted.last = header.zxid;
    ++counted.txns;
  }
  return counted;
}

void expect_well_formed(const zab::LogBatch& batch) {
  const Counted counted = count_records(batch);
  EXPECT_EQ(counted.txns, batch.txns);
  EXPECT_EQ(counted.last, batch.last);
  EXPECT_TRUE(batch.txns == 1 || batch.records.size() <= zab::kMaxBatchBytes);
}

// A batch is at most 1 MiB, or a single record.
TEST(Batches, AreSplitBetweenRecords) {
  Bench bench;
  Peer& peer = bench.join();
  bench.must(peer, Op::Create, ask::create("/a"));
  const size_t kSizes[] = {10, 400000, 400000, 400000, 1048000, 10, 10, 1048000, 1048000, 10};
  int32_t xid = 0;
  for (const size_t size : kSizes) {
    bench.send(peer, ++xid, Op::SetData, ask::set_data("/a", std::string(size, 'x')));
  }
  std::vector<int32_t> counts;
  Zxid next{3};
  while (bench.replica.journal().has_batch()) {
    const zab::LogBatch& batch = bench.replica.journal().take_batch();
    expect_well_formed(batch);
    EXPECT_EQ(batch.first, next);
    next = batch.last.next();
    counts.push_back(batch.txns);
    bench.replica.on_persisted();
  }
  EXPECT_EQ(counts, (std::vector<int32_t>{3, 1, 3, 1, 2}));
  EXPECT_EQ(next, Zxid{13});
  bench.flush();
  EXPECT_EQ(peer.replies().size(), 10U);
}

TEST(Batches, AreEmptyWithoutWrites) {
  Bench bench;
  zab::Journal& journal = bench.replica.journal();
  EXPECT_FALSE(journal.has_batch());
  Peer& peer = bench.join();
  bench.send(peer, 1, Op::Create, ask::create("/a"));
  EXPECT_EQ(journal.open_txns(), 1);
  const zab::LogBatch& batch = journal.take_batch();
  EXPECT_EQ(batch.first, Zxid{2});
  EXPECT_EQ(batch.last, Zxid{2});
  EXPECT_EQ(journal.open_txns(), 0);
}

// The counter's 0 is no txn's. Spec: disk 4.1.
TEST(Batches, SplitWhereTheCounterWraps) {
  BenchFields fields;
  fields.tree = std::make_unique<tree::Tree>(tree::HashKey{1, 2});
  fields.tree->set_last_zxid(Zxid{0x1fffffffd});
  Bench bench(std::move(fields));
  Peer& peer = bench.join();  // 0x1fffffffe
  for (int32_t xid = 1; xid <= 2; ++xid) {
    bench.send(peer, xid, Op::SetData, ask::set_data("/", std::string(600000, 'x')));
  }
  const zab::LogBatch& first = bench.replica.journal().take_batch();
  EXPECT_EQ(first.last, Zxid{0x1ffffffff});
  expect_well_formed(first);
  bench.replica.on_persisted();
  const zab::LogBatch& second = bench.replica.journal().take_batch();
  EXPECT_EQ(second.first, Zxid{0x200000001});
  expect_well_formed(second);
}

// Known-faults MUST-5: nodes of owners that are no sessions end by a txn of the log, not by hand.
TEST(Start, EphemeralsOfUnknownOwnersAreClosedByATxn) {
  BenchFields fields;
  fields.tree = std::make_unique<tree::Tree>(tree::HashKey{1, 2});
  for (const auto& [path, owner] : {std::pair{"/lost", 77}, std::pair{"/kept", 78}}) {
    wire::StatPersisted stat;
    stat.ephemeral_owner = owner;
    fields.tree->insert({.path = path, .data = "", .acl = tree::kOpenAcl, .stat = stat});
  }
  fields.tree->set_last_zxid(Zxid{9});
  fields.sessions.add(SessionId{78}, 30000);
  Bench bench(std::move(fields));
  ASSERT_TRUE(bench.replica.journal().has_batch());
  EXPECT_NE(bench.replica.tree().find("/lost"), tree::kNoNode);
  bench.run();
  EXPECT_EQ(bench.last_zxid(), 10);
  EXPECT_EQ(bench.replica.tree().find("/lost"), tree::kNoNode);
  EXPECT_NE(bench.replica.tree().find("/kept"), tree::kNoNode);
}

// Spec: client 8.2: each session found at start gets a full timeout.
TEST(Start, SessionsAreTrackedAfresh) {
  BenchFields fields;
  fields.sessions.add(SessionId{78}, 30000);
  Bench bench(std::move(fields));
  EXPECT_EQ(bench.replica.next_tick(), Millis{33000});
  bench.tick_at(33000);
  EXPECT_EQ(bench.replica.sessions().size(), 0U);
  EXPECT_EQ(bench.last_zxid(), 1);
}

// Spec: disk 5.4: every 128th zxid, the newest 1024 of them.
TEST(DigestHistory, KeepsTheNewest) {
  Bench bench;
  Peer& peer = bench.join();
  const auto write_to = [&](int64_t zxid) {
    while (bench.last_zxid() < zxid) {
      for (int i = 0; i < 64 && bench.last_zxid() + i < zxid; ++i) {
        bench.send(peer, 1, Op::SetData, ask::set_data("/", "x"));
      }
      bench.run();
      peer.received.clear();
    }
  };
  write_to(127);
  EXPECT_TRUE(bench.replica.digest_history().empty());
  write_to(128);
  ASSERT_EQ(bench.replica.digest_history().size(), 1U);
  EXPECT_EQ(bench.replica.digest_history().front(),
            (std::pair{Zxid{128}, static_cast<int64_t>(bench.replica.tree().digest())}));
  write_to(128 * 1026);
  EXPECT_EQ(bench.replica.digest_history().size(), 1024U);
  EXPECT_EQ(bench.replica.digest_history().front().first, Zxid{128 * 3});
  EXPECT_EQ(bench.replica.digest_history().back().first, Zxid{128 * 1026});
}

// Spec: operations 2.4: what cons shows.
TEST(Connections, CountersOfOne) {
  Bench bench;
  Peer& peer = bench.join();
  bench.at(100);
  bench.send(peer, 41, Op::SetData, ask::set_data("/", "x"));
  bench.at(130);
  bench.run();
  bench.send(peer, 5, Op::Ping);
  const ConnectionStats& stats = peer.connection->stats;
  EXPECT_EQ(stats.received, 3);
  EXPECT_EQ(stats.sent, 3);
  EXPECT_EQ(stats.last_op, Op::Ping);
  EXPECT_EQ(stats.latency_max, 30);
  EXPECT_EQ(stats.last_zxid, Zxid{2});
  EXPECT_EQ(bench.replica.stats().packets_received, 3);
  EXPECT_EQ(bench.replica.stats().packets_sent, 3);
}

TEST(Connections, AreListedInOrderOfOpening) {
  Bench bench;
  std::vector<Connection*> opened;
  for (int i = 0; i < 20; ++i) opened.push_back(bench.open().connection);
  EXPECT_EQ(bench.replica.connections(), opened);
}

}  // namespace
}  // namespace quorate::replica::testing
