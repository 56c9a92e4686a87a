#include "core/zab/journal.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace quorate::zab {
namespace {

/// A txn that is a header with nothing but its zxid, and so much behind it.
std::string txn(int64_t zxid, size_t body = 4) {
  std::string payload(32 + body, '\0');
  wire::store_be64(payload.data() + 12, static_cast<uint64_t>(zxid));
  return payload;
}

std::vector<int64_t> apply_all(Journal& journal) {
  std::vector<int64_t> applied;
  for (auto payload = journal.next_to_apply(); !payload.empty(); payload = journal.next_to_apply()) {
    applied.push_back(Journal::zxid_of(payload).value);
  }
  return applied;
}

std::vector<int64_t> kept_after(const Journal& journal, int64_t after) {
  std::vector<int64_t> zxids;
  journal.each_after(Zxid{after}, [&](Zxid zxid, std::string_view payload) {
    EXPECT_EQ(payload, txn(zxid.value, payload.size() - 32));
    zxids.push_back(zxid.value);
  });
  return zxids;
}

using Zxids = std::vector<int64_t>;

TEST(Journal, AppliesWhatIsDurableAndCommitted) {
  for (const bool commit_first : {false, true}) {
    Journal journal(Zxid{10}, 0);
    journal.append(Zxid{11}, txn(11));
    journal.append(Zxid{12}, txn(12));
    ASSERT_TRUE(journal.has_batch());
    LogBatch& batch = journal.take_batch();
    EXPECT_EQ(batch.first, Zxid{11});
    EXPECT_EQ(batch.last, Zxid{12});
    EXPECT_EQ(batch.txns, 2);
    EXPECT_FALSE(journal.has_batch());
    commit_first ? journal.commit(Zxid{11}) : journal.on_persisted();
    EXPECT_EQ(apply_all(journal), Zxids{});
    commit_first ? journal.on_persisted() : journal.commit(Zxid{11});
    EXPECT_EQ(apply_all(journal), Zxids{11});
    journal.commit(Zxid{12});
    journal.commit(Zxid{11});
    EXPECT_EQ(journal.committed(), Zxid{12});
    EXPECT_EQ(apply_all(journal), Zxids{12});
    EXPECT_EQ(journal.applied(), Zxid{12});
  }
}

TEST(Journal, WhatIsMadeDuringASyncIsTheNextBatch) {
  Journal journal(Zxid{0}, 0);
  journal.append(Zxid{1}, txn(1));
  journal.take_batch();
  journal.append(Zxid{2}, txn(2));
  journal.append(Zxid{3}, txn(3));
  EXPECT_FALSE(journal.has_batch());  // one writer, one batch
  journal.on_persisted();
  EXPECT_EQ(journal.durable(), Zxid{1});
  ASSERT_TRUE(journal.has_batch());
  EXPECT_EQ(journal.take_batch().first, Zxid{2});
}

TEST(Journal, BatchesEndBelowTheLimitUnlessOneRecordIsLonger) {
  Journal journal(Zxid{0}, 0);
  journal.append(Zxid{1}, txn(1, kMaxBatchBytes / 2));
  journal.append(Zxid{2}, txn(2, kMaxBatchBytes / 2));
  journal.append(Zxid{3}, txn(3, 2 * kMaxBatchBytes));
  journal.append(Zxid{4}, txn(4));
  for (int64_t zxid = 1; zxid <= 4; ++zxid) {
    EXPECT_EQ(journal.has_full_batch(), zxid < 4);
    const LogBatch& batch = journal.take_batch();
    EXPECT_EQ(batch.first, Zxid{zxid});
    EXPECT_EQ(batch.txns, 1);
    journal.on_persisted();
  }
  journal.commit(Zxid{4});
  EXPECT_EQ(apply_all(journal), (Zxids{1, 2, 3, 4}));
}

TEST(Journal, KeepsEnoughForLearners) {
  Journal journal(Zxid{0}, 5);
  for (int64_t zxid = 1; zxid <= 12; ++zxid) {
    journal.append(Zxid{zxid}, txn(zxid));
    if (zxid % 2 == 0) {
      journal.take_batch();
      journal.on_persisted();
    }
  }
  EXPECT_EQ(journal.base(), Zxid{0});
  journal.commit(Zxid{12});
  apply_all(journal);
  EXPECT_EQ(journal.base(), Zxid{6});
  EXPECT_EQ(kept_after(journal, 6), (Zxids{7, 8, 9, 10, 11, 12}));
  EXPECT_EQ(kept_after(journal, 9), (Zxids{10, 11, 12}));
  EXPECT_EQ(kept_after(journal, 12), Zxids{});
}

TEST(Journal, LearnersSeeTxnsOnTheirWayToo) {
  Journal journal(Zxid{0}, 0);
  for (int64_t zxid = 1; zxid <= 3; ++zxid) {
    journal.append(Zxid{zxid}, txn(zxid));
    if (zxid == 1) journal.take_batch(), journal.on_persisted();
    if (zxid == 2) journal.take_batch();
  }
  EXPECT_EQ(kept_after(journal, 0), (Zxids{1, 2, 3}));
}

// known-faults MUST-6: after a role the memory is what the log would give back, no less and no more.
TEST(Journal, SettlingForgetsWhatNoLogHoldsAndCommitsTheRest) {
  Journal journal(Zxid{0}, 5);
  journal.append(Zxid{1}, txn(1));
  journal.take_batch();
  journal.append(Zxid{2}, txn(2));
  journal.on_persisted();
  journal.settle();
  EXPECT_FALSE(journal.has_batch());
  EXPECT_EQ(journal.last_made(), Zxid{1});
  EXPECT_EQ(apply_all(journal), Zxids{1});
  journal.append(Zxid{0x100000001}, txn(0x100000001));
  EXPECT_EQ(kept_after(journal, 0), (Zxids{1, 0x100000001}));
}

TEST(Journal, RestartsAtAnotherHistory) {
  Journal journal(Zxid{0}, 5);
  journal.append(Zxid{1}, txn(1));
  journal.restart(Zxid{0x200000000});
  EXPECT_FALSE(journal.has_batch());
  EXPECT_EQ(journal.base(), Zxid{0x200000000});
  EXPECT_EQ(journal.applied(), Zxid{0x200000000});
  EXPECT_EQ(kept_after(journal, 0x200000000), Zxids{});
}

// A refused request of a standalone Apache server repeats the zxid before it (quorum rule 35).
TEST(Journal, AZxidMayBeRepeated) {
  Journal journal(Zxid{0}, 5);
  journal.append(Zxid{1}, txn(1));
  journal.append(Zxid{1}, txn(1, 8));
  journal.take_batch();
  journal.on_persisted();
  journal.commit(Zxid{1});
  EXPECT_EQ(apply_all(journal), (Zxids{1, 1}));
}

// The naive twin: three lists and four numbers.
TEST(Journal, AgreesWithItsTwin) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const size_t keep = random() % 20;
    Journal journal(Zxid{0}, keep);
    Zxids made, applied;
    size_t at_log = 0, durable = 0, committed = 0;
    bool busy = false;
    for (int step = 0; step < 200; ++step) {
      switch (random() % 5) {
        case 0:
        case 1:
          made.push_back(static_cast<int64_t>(made.size()) + 1);
          journal.append(Zxid{made.back()}, txn(made.back(), random() % 2000 == 0 ? kMaxBatchBytes : random() % 50));
          break;
        case 2:
          ASSERT_EQ(journal.has_batch(), !busy && durable < made.size());
          if (!journal.has_batch()) break;
          at_log = static_cast<size_t>(journal.take_batch().last.value);
          busy = true;
          break;
        case 3:
          if (!busy) break;
          journal.on_persisted();
          busy = false;
          durable = at_log;
          break;
        default:
          if (made.empty()) break;
          committed = std::max<size_t>(committed, random() % (made.size() + 1));
          journal.commit(Zxid{static_cast<int64_t>(committed)});
      }
      for (const int64_t zxid : apply_all(journal)) applied.push_back(zxid);
      ASSERT_EQ(applied.size(), std::min(durable, committed));
      ASSERT_EQ(journal.durable(), Zxid{static_cast<int64_t>(durable)});
      const Zxids kept = kept_after(journal, journal.base().value);
      ASSERT_EQ(kept, Zxids(made.begin() + journal.base().value, made.end()));
      ASSERT_GE(kept.size() - (made.size() - applied.size()), std::min(keep, applied.size()));
    }
    ASSERT_EQ(applied, Zxids(made.begin(), made.begin() + static_cast<int64_t>(applied.size())));
  }
}

}  // namespace
}  // namespace quorate::zab
