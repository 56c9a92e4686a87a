#include <gtest/gtest.h>

#include "core/zab/lead_established_testing.h"

/// From ACKEPOCH to UPTODATE, as pages; which sync is chosen is in synchronise_test.cc.
namespace quorate::zab::lead_testing {
namespace {

using Page = std::vector<std::string>;

// Rules 21, 25: history as pairs, then what is outstanding, then NEWLEADER; and from then on live traffic.
TEST(LeadSync, Diff) {
  Leader leader;
  EXPECT_EQ(leader.come(3, zxid(1, 5)), (Page{
                                            "3 < DIFF 0x200000002",
                                            "3 < PROPOSAL 0x200000001",
                                            "3 < COMMIT 0x200000001",
                                            "3 < PROPOSAL 0x200000002",
                                            "3 < COMMIT 0x200000002",
                                            "3 < PROPOSAL 0x200000003",
                                            "3 < NEWLEADER 0x200000000",
                                        }));
  leader.propose(zxid(2, 4));
  leader.say(1, ack(zxid(2, 3)));
  leader.say(3, ack(zxid(2, 0)));
  EXPECT_EQ(leader.take(3), (Page{
                                "3 < PROPOSAL 0x200000004",
                                "3 < COMMIT 0x200000003",
                                "3 > ACK 0x200000000",
                                "3 < UPTODATE 0xffffffffffffffff",
                            }));
}

// Rule 24: learners before 3.8.5 acknowledge txns before NEWLEADER, in a race.
TEST(LeadSync, AcksThatOvertakeTheAckOfNewLeader) {
  Leader leader;
  leader.come(3, zxid(1, 5));
  leader.say(3, ack(zxid(2, 1)));
  leader.say(3, ack(zxid(2, 3)));
  EXPECT_EQ(leader.journal.committed(), zxid(2, 3));
  leader.say(3, ack(zxid(2, 0)));
  leader.say(3, ack(zxid(2, 0)));
  EXPECT_EQ(leader.take(3), (Page{
                                "3 > ACK 0x200000001",
                                "3 > ACK 0x200000003",
                                "3 < COMMIT 0x200000003",
                                "3 > ACK 0x200000000",
                                "3 < UPTODATE 0xffffffffffffffff",
                                "3 > ACK 0x200000000",
                            }));
}

// What is outstanding comes to an observer by INFORM. Spec: quorum 3.5; rule 46.
TEST(LeadSync, DiffOfAnObserver) {
  Leader leader;
  EXPECT_EQ(leader.come(7, zxid(2, 1), true), (Page{"7 < DIFF 0x200000002", "7 < PROPOSAL 0x200000002",
                                                    "7 < COMMIT 0x200000002", "7 < NEWLEADER 0x200000000"}));
  leader.propose(zxid(2, 4));
  leader.say(1, ack(zxid(2, 3)));
  leader.say(7, ack(zxid(2, 0)));
  EXPECT_EQ(leader.take(7), (Page{"7 < INFORM 0x200000003", "7 > ACK 0x200000000", "7 < UPTODATE 0xffffffffffffffff"}));
  leader.persist();
  leader.say(1, ack(zxid(2, 4)));
  EXPECT_EQ(leader.take(7), Page{"7 < INFORM 0x200000004"});
}

TEST(LeadSync, NothingIsMissing) {
  Leader leader;
  EXPECT_EQ(leader.come(3, zxid(2, 2)),
            (Page{"3 < DIFF 0x200000002", "3 < PROPOSAL 0x200000003", "3 < NEWLEADER 0x200000000"}));
}

// It holds our own proposal, which is not committed: cut and sent again, so that its ack counts.
TEST(LeadSync, TruncAndTheLiveStream) {
  Leader leader;
  EXPECT_EQ(leader.come(3, zxid(2, 3)),
            (Page{"3 < TRUNC 0x200000002", "3 < PROPOSAL 0x200000003", "3 < NEWLEADER 0x200000000"}));
}

TEST(LeadSync, TruncAndDiff) {
  Leader leader;
  EXPECT_EQ(leader.come(3, zxid(1, 8)), (Page{
                                            "3 < TRUNC 0x100000005",
                                            "3 < PROPOSAL 0x200000001",
                                            "3 < COMMIT 0x200000001",
                                            "3 < PROPOSAL 0x200000002",
                                            "3 < COMMIT 0x200000002",
                                            "3 < PROPOSAL 0x200000003",
                                            "3 < NEWLEADER 0x200000000",
                                        }));
}

// Rule 25: nothing overtakes the tree, which is as of SNAP's zxid; the rest follows it.
TEST(LeadSync, Snap) {
  Leader leader;
  EXPECT_EQ(leader.come(3, {-1}), (Page{"3 < SNAP 0x200000002", "3 tree"}));
  leader.propose(zxid(2, 4));
  leader.say(1, ack(zxid(2, 3)));
  leader.beat(2);
  EXPECT_EQ(leader.take(3), Page{});
  leader.lead.on_tree_progress(Bench::link(3), leader.now);
  leader.send_tree(3);
  leader.say(3, ack(zxid(2, 0)));
  EXPECT_EQ(leader.take(3), (Page{
                                "3 < the tree",
                                "3 < PROPOSAL 0x200000003",
                                "3 < NEWLEADER 0x200000000",
                                "3 < PROPOSAL 0x200000004",
                                "3 < COMMIT 0x200000003",
                                "3 > ACK 0x200000000",
                                "3 < UPTODATE 0xffffffffffffffff",
                            }));
}

// What is committed and not yet in the tree follows it as history.
TEST(LeadSync, SnapOfATreeThatIsBehind) {
  Leader leader;
  leader.propose(zxid(2, 4));
  leader.journal.take_batch();
  leader.journal.on_persisted();
  leader.lead.on_persisted(leader.now);
  leader.say(1, ack(zxid(2, 3)));
  EXPECT_EQ(leader.journal.applied(), zxid(2, 2));
  leader.come(7, {-1}, true);
  leader.send_tree(7);
  EXPECT_EQ(leader.take(7),
            (Page{"7 < the tree", "7 < PROPOSAL 0x200000003", "7 < COMMIT 0x200000003", "7 < NEWLEADER 0x200000000"}));
}

TEST(LeadSync, ALearnerThatSpeaksOrDiesDuringTheTree) {
  Leader leader;
  leader.come(3, {-1});
  leader.leave(3);
  leader.send_tree(3);
  leader.lead.on_tree_progress(Bench::link(3), leader.now);
  leader.come(3, {-1});
  leader.say(3, ack(zxid(2, 0)));
  EXPECT_FALSE(leader.knows(3));
}

/// Answers of the log, one line each: zxids of epoch 1.
struct FromDisk : Leader {
  explicit FromDisk(Start start = {}) : Leader(std::move(start)) {}
  void history(std::vector<int64_t> counters) {
    for (const int64_t counter : counters) {
      lead.on_history(link(3), zxid(1, counter), txn(zxid(1, counter)), now);
      look();
    }
  }
  void end() {
    lead.on_history_end(link(3), now);
    look();
  }
};

TEST(LeadSync, HistoryFromDiskThenFromTheJournal) {
  FromDisk leader;
  EXPECT_EQ(leader.come(3, zxid(1, 3)), Page{"3 history 0x100000003 to 0x100000005"});
  leader.history({4});
  leader.propose(zxid(2, 4));
  leader.history({5});
  leader.lead.on_history(Bench::link(3), zxid(2, 1), txn(zxid(2, 1)), leader.now);  // the journal has it
  leader.end();
  EXPECT_EQ(leader.take(3), (Page{
                                "3 < DIFF 0x200000002",
                                "3 < PROPOSAL 0x100000004",
                                "3 < COMMIT 0x100000004",
                                "3 < PROPOSAL 0x100000005",
                                "3 < COMMIT 0x100000005",
                                "3 < PROPOSAL 0x200000001",
                                "3 < COMMIT 0x200000001",
                                "3 < PROPOSAL 0x200000002",
                                "3 < COMMIT 0x200000002",
                                "3 < PROPOSAL 0x200000003",
                                "3 < PROPOSAL 0x200000004",
                                "3 < NEWLEADER 0x200000000",
                            }));
}

// The journal let go of txns while the log was read: the log is asked for those, too.
TEST(LeadSync, TheJournalMovesOnWhileTheLogIsRead) {
  FromDisk leader({.keep = 0});
  EXPECT_EQ(leader.come(3, zxid(1, 3)), Page{"3 history 0x100000003 to 0x100000005"});
  leader.history({4, 5});
  leader.say(1, ack(zxid(2, 3)));
  leader.propose_durable(1);
  leader.say(1, ack(zxid(2, 4)));
  leader.persist();
  ASSERT_EQ(leader.journal.base(), zxid(2, 4));
  leader.take();
  leader.end();
  EXPECT_EQ(leader.take(), Page{"3 history 0x100000005 to 0x200000004"});
  for (int64_t counter = 1; counter <= 4; ++counter) {
    leader.lead.on_history(Bench::link(3), zxid(2, counter), txn(zxid(2, counter)), leader.now);
  }
  leader.end();
  const Page sent_last = leader.take(3);
  ASSERT_EQ(sent_last.size(), 9U);
  EXPECT_EQ(sent_last.front(), "3 < PROPOSAL 0x200000001");
  EXPECT_EQ(sent_last.back(), "3 < NEWLEADER 0x200000000");
}

// MUST-3, rule 23. Before anything is sent the tree can take the place of the history; then it is a matter of the next
// connection.
TEST(LeadSync, ALogThatDoesNotServe) {
  struct Case {
    const char* why;
    std::vector<int64_t> history;
    bool ends;
    bool tree_at_once;
  };
  const Case cases[] = {
      {"it says so", {}, false, true},
      {"it holds nothing behind the learner's zxid", {}, true, true},
      {"the first txn is missing", {5}, false, true},
      {"it says so too late", {4}, false, false},
      {"a hole", {4, 6}, false, false},
      {"it stops before the journal begins", {4}, true, false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    FromDisk leader({.base = zxid(1, 7)});
    EXPECT_EQ(leader.come(3, zxid(1, 3)), Page{"3 history 0x100000003 to 0x100000007"});
    leader.history(c.history);
    c.ends ? leader.end() : leader.lead.on_no_history(Bench::link(3), leader.now);
    leader.look();
    EXPECT_EQ(leader.knows(3), c.tree_at_once);
    if (!c.tree_at_once) {
      EXPECT_EQ(leader.take().back(), "3 closed");
      EXPECT_EQ(leader.come(3, zxid(1, 3)), (Page{"3 < SNAP 0x200000002", "3 tree"}));
      leader.leave(3);
      EXPECT_EQ(leader.come(3, zxid(1, 3)), Page{"3 history 0x100000003 to 0x100000007"});
    } else {
      EXPECT_EQ(leader.take().back(), "3 tree");
    }
  }
}

// SIM-C1b (2099): the first txn of an epoch does not tell what should be before it; somebody must have seen it.
TEST(LeadSync, AnEpochOnDiskThatNobodySawBegin) {
  struct Case {
    const char* why;
    std::vector<EpochStart> known;
    bool served;
  };
  const Case cases[] = {
      {"never seen", {}, false}, {"behind another txn", {{1, zxid(0, 9)}}, false}, {"seen", {{1, zxid(0, 8)}}, true}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    Start start;
    start.base = zxid(1, 2);
    start.settings.sync.epochs = c.known;
    FromDisk leader(start);
    EXPECT_EQ(leader.come(3, zxid(0, 7)), Page{"3 history 0x7 to 0x100000002"});
    leader.lead.on_history(Bench::link(3), zxid(0, 8), txn(zxid(0, 8)), leader.now);
    leader.history({1, 2});
    EXPECT_EQ(leader.knows(3), c.served);
    leader.end();
    if (c.served) {
      EXPECT_EQ(leader.take().back(), "3 < NEWLEADER 0x200000000");
    } else {
      EXPECT_EQ(leader.come(3, zxid(0, 7)), (Page{"3 < SNAP 0x200000002", "3 tree"}));
    }
  }
}

TEST(LeadSync, AnswersOfTheLogForALinkThatIsGone) {
  FromDisk leader;
  leader.come(3, zxid(1, 3));
  leader.leave(3);
  leader.take();
  leader.history({4, 5});
  leader.end();
  leader.lead.on_no_history(Bench::link(3), leader.now);
  leader.look();
  EXPECT_EQ(leader.take(), Page{});
}

// A leader that is not established sends all of its log as committed: NEWLEADER commits it. The own commit waits.
TEST(LeadSync, HistoryOfANewLeader) {
  Bench bench({.base = zxid(1, 3), .history = {zxid(1, 4), zxid(1, 5)}});
  bench.arrive(1);
  bench.say(1, follower_info(1, 1));
  bench.finish_disk();
  bench.take();
  bench.say(1, ack_epoch(zxid(1, 4), 1));
  EXPECT_EQ(bench.take(1), (Page{"1 > ACKEPOCH 0x100000004 epoch 1", "1 < DIFF 0x100000005", "1 < PROPOSAL 0x100000005",
                                 "1 < COMMIT 0x100000005", "1 < NEWLEADER 0x200000000"}));
}

// Compat: histories of Apache repeat a zxid on a failed txn (client 3.5); both are sent, as they stand.
TEST(LeadSync, AZxidThatComesTwice) {
  Bench bench({.base = zxid(1, 3), .history = {zxid(1, 4), zxid(1, 4), zxid(1, 5)}});
  bench.arrive(1);
  bench.say(1, follower_info(1, 1));
  bench.finish_disk();
  bench.take();
  bench.say(1, ack_epoch(zxid(1, 3), 1));
  EXPECT_EQ(bench.take(1), (Page{"1 > ACKEPOCH 0x100000003 epoch 1", "1 < DIFF 0x100000005", "1 < PROPOSAL 0x100000004",
                                 "1 < COMMIT 0x100000004", "1 < PROPOSAL 0x100000004", "1 < COMMIT 0x100000004",
                                 "1 < PROPOSAL 0x100000005", "1 < COMMIT 0x100000005", "1 < NEWLEADER 0x200000000"}));
}

// A learner does not have to take a long sync at once, but what is live must not pile up on top of it.
TEST(LeadSync, TheLimitOfWhatWaitsBeginsBehindTheSync) {
  Start start;
  start.settings.max_queued_bytes = 1000;
  Bench bench(start);
  bench.join(1);
  for (int64_t counter = 1; counter <= 10; ++counter) bench.propose(zxid(2, counter), txn(zxid(2, counter), 500));
  ASSERT_TRUE(bench.knows(1));
  bench.arrive(3);
  bench.say(3, follower_info(3, 1));
  bench.say(3, ack_epoch({-1}, 1));  // 10 proposals are held behind the tree
  ASSERT_TRUE(bench.knows(3));
  bench.propose(zxid(2, 11), txn(zxid(2, 11), 500));
  ASSERT_TRUE(bench.knows(3));
  bench.take();
  bench.propose(zxid(2, 12), txn(zxid(2, 12), 500));
  EXPECT_FALSE(bench.knows(3));
  EXPECT_TRUE(bench.knows(1));
  const Page page = bench.take();
  EXPECT_EQ(page.back(), "3 closed");
  EXPECT_TRUE(page[page.size() - 2].ends_with(" bytes wait for it")) << page[page.size() - 2];
}

}  // namespace
}  // namespace quorate::zab::lead_testing
