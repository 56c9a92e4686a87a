#include <gtest/gtest.h>

#include "core/zab/lead_testing.h"

/// Live traffic, as pages; when a proposal is committed is in commit_rule_test.cc.
namespace quorate::zab::lead_testing {
namespace {

using Page = std::vector<std::string>;

// Spec: quorum 3.9, 9.3; rules 42, 43, 46. 7 is an observer, 9 no voter.
TEST(LeadBroadcast, AProposal) {
  Bench bench;
  bench.join(1);
  bench.join(3);
  bench.join(7, true);
  bench.join(9);
  bench.take();
  bench.propose(zxid(2, 1));
  bench.say(9, ack(zxid(2, 1)));
  bench.say(7, ack(zxid(2, 1)));
  bench.persist();
  bench.say(3, ack(zxid(2, 1)));
  bench.say(1, ack(zxid(2, 1)));
  EXPECT_EQ(bench.take(), (Page{
                              "1 < PROPOSAL 0x200000001",
                              "3 < PROPOSAL 0x200000001",
                              "9 < PROPOSAL 0x200000001",
                              "9 > ACK 0x200000001",
                              "7 > ACK 0x200000001",
                              "durable 0x200000001",
                              "3 > ACK 0x200000001",
                              "1 < COMMIT 0x200000001",
                              "3 < COMMIT 0x200000001",
                              "7 < INFORM 0x200000001",
                              "9 < COMMIT 0x200000001",
                              "1 > ACK 0x200000001",
                          }));
}

// A learner that comes back may be told to cut what it has acknowledged (seed 207024 of the simulated ensembles).
TEST(LeadBroadcast, WhoHasLeftCountsNoMore) {
  Bench bench;
  bench.join(1);
  bench.join(3);
  bench.propose(zxid(2, 1));
  bench.say(1, ack(zxid(2, 1)));
  bench.leave(1);
  bench.say(3, ack(zxid(2, 1)));
  EXPECT_EQ(bench.journal.committed(), zxid(1, 5));
  bench.persist();
  EXPECT_EQ(bench.journal.committed(), zxid(2, 1));
}

// Rule 42: in order, though the later one has its quorum first. The leader's own log is not needed.
TEST(LeadBroadcast, CommitsComeInOrder) {
  Bench bench;
  bench.join(1);
  bench.join(3);
  bench.join(7, true);
  bench.propose(zxid(2, 1));
  bench.propose(zxid(2, 2));
  bench.take();
  bench.say(1, ack(zxid(2, 2)));
  bench.say(3, ack(zxid(2, 2)));
  EXPECT_EQ(bench.journal.committed(), zxid(1, 5));
  bench.say(1, ack(zxid(2, 1)));
  bench.take();
  bench.say(3, ack(zxid(2, 1)));
  EXPECT_EQ(bench.journal.committed(), zxid(2, 2));
  EXPECT_EQ(bench.journal.applied(), zxid(1, 5));  // not on this disk yet
  EXPECT_EQ(bench.take(),
            (Page{"3 > ACK 0x200000001", "1 < COMMIT 0x200000001", "1 < COMMIT 0x200000002", "3 < COMMIT 0x200000001",
                  "3 < COMMIT 0x200000002", "7 < INFORM 0x200000001", "7 < INFORM 0x200000002"}));
  bench.persist();
  EXPECT_EQ(bench.journal.applied(), zxid(2, 2));
}

// Rule 47.
TEST(LeadBroadcast, TheCounterRunsOut) {
  Bench bench;
  bench.join(1);
  EXPECT_EQ(bench.lead.next_zxid(), zxid(2, 1));
  bench.propose(zxid(2, 0xfffffffd));
  EXPECT_EQ(bench.lead.next_zxid(), zxid(2, 0xfffffffe));
  bench.propose(zxid(2, 0xfffffffe));
  EXPECT_EQ(bench.lead.next_zxid(), std::nullopt);
}

// A txn may be in the journal a moment before it is proposed: who joins in between gets it once.
TEST(LeadBroadcast, ATxnThatIsMadeAndNotProposed) {
  Bench bench;
  bench.join(1);
  bench.arrive(3);
  bench.say(3, follower_info(3, 1));
  bench.journal.append(zxid(2, 1), txn(zxid(2, 1)));
  EXPECT_EQ(bench.lead.next_zxid(), zxid(2, 2));
  bench.take();
  bench.say(3, ack_epoch(zxid(1, 5), 1));
  bench.lead.propose(zxid(2, 1), txn(zxid(2, 1)));
  bench.look();
  EXPECT_EQ(bench.take(3), (Page{"3 > ACKEPOCH 0x100000005 epoch 1", "3 < DIFF 0x100000005",
                                 "3 < NEWLEADER 0x200000000", "3 < PROPOSAL 0x200000001"}));
}

// Rule 59.
TEST(LeadBroadcast, BytesAreSentAsTheyAre) {
  Bench bench;
  bench.join(1);
  bench.join(7, true);
  const std::string payload = txn(zxid(2, 1), 100);
  bench.sent.clear();
  bench.propose(zxid(2, 1), payload);
  bench.persist();
  bench.say(1, ack(zxid(2, 1)));
  EXPECT_EQ(bench.sent[Bench::link(1)],
            packet(PacketType::Proposal, zxid(2, 1), payload) + packet(PacketType::Commit, zxid(2, 1)));
  EXPECT_EQ(bench.sent[Bench::link(7)], packet(PacketType::Inform, zxid(2, 1), payload));
}

// Spec: quorum 4.1, 4.2, 4.4, 9.4, 9.5; rules 50, 52.
TEST(LeadBroadcast, WhatLearnersForward) {
  Bench bench;
  bench.join(1);
  bench.take();
  bench.say(1, packet(PacketType::Request, {-1}, bytes_of(wire::ForwardedHeader{{0x77}, 8, 9}) + "record"));
  bench.lead.sync(Bench::link(1));
  bench.say(1, packet(PacketType::Revalidate, {-1}, bytes_of(wire::SessionTimeout{{0x77}, 10000})));
  bench.lead.answer_revalidate(Bench::link(1), {0x77}, true);
  bench.look();
  bench.say(1, ping(bytes_of(wire::SessionTimeout{{0x77}, 10000}) + bytes_of(wire::SessionTimeout{{0x78}, 4000})));
  bench.lead.sync(Bench::link(3));  // gone
  bench.lead.answer_revalidate(Bench::link(3), {0x77}, true);
  bench.look();
  EXPECT_EQ(bench.take(), (Page{
                              "1 > REQUEST 0xffffffffffffffff",
                              "1 asks op 9 of 0x77, 6 bytes, 0 identities",
                              "1 > REVALIDATE 0xffffffffffffffff",
                              "1 < SYNC 0x0",
                              "1 revalidates 0x77 10000",
                              "1 < REVALIDATE 0xffffffffffffffff",
                              "1 > PING 0x0",
                              "touched 0x77 10000",
                              "touched 0x78 4000",
                          }));
}

// A follower has the proposals themselves in front of the answer; an observer hears of them when they are committed.
TEST(LeadBroadcast, AnObserverIsAnsweredBehindWhatWasProposed) {
  Bench bench;
  bench.join(1);
  bench.join(7, true);
  const std::string payload = txn(zxid(2, 1), 100);
  bench.propose(zxid(2, 1), payload);
  bench.look();
  bench.sent.clear();
  bench.lead.answer_revalidate(Bench::link(1), {0x77}, true);
  bench.lead.answer_revalidate(Bench::link(7), {0x77}, true);
  bench.look();
  const std::string answer = packet(PacketType::Revalidate, {-1}, bytes_of(wire::Revalidated{{0x77}, true}));
  EXPECT_EQ(bench.sent[Bench::link(1)], answer);
  EXPECT_EQ(bench.sent[Bench::link(7)], "");
  bench.persist();
  bench.say(1, ack(zxid(2, 1)));
  EXPECT_EQ(bench.sent[Bench::link(7)], packet(PacketType::Inform, zxid(2, 1), payload) + answer);
  bench.sent.clear();
  bench.lead.answer_revalidate(Bench::link(7), {0x78}, false);
  bench.look();
  EXPECT_EQ(bench.sent[Bench::link(7)],
            packet(PacketType::Revalidate, {-1}, bytes_of(wire::Revalidated{{0x78}, false})));
}

}  // namespace
}  // namespace quorate::zab::lead_testing
