#include "core/zab/synchronise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/zab/zxid_text.h"

namespace quorate::zab {
namespace {

constexpr Zxid zxid(int64_t epoch, int64_t counter) { return {(epoch << 32) | counter}; }

std::string payload_of(Zxid zxid) {
  std::string payload(32, '\0');
  wire::store_be64(payload.data() + 12, static_cast<uint64_t>(zxid.value));
  return payload;
}

/// A journal that begins behind `base` and holds `txns`, the last `uncommitted` of them only proposed.
struct Held {
  Held(Zxid base, const std::vector<Zxid>& txns, size_t uncommitted = 0) : journal(base, 1000) {
    for (const Zxid zxid : txns) journal.append(zxid, payload_of(zxid));
    if (txns.size() > uncommitted) journal.commit(txns[txns.size() - uncommitted - 1]);
  }
  Journal journal;
};

std::string text_of(const SyncPlan& plan) {
  switch (plan.kind) {
    case SyncKind::Diff:
      return "DIFF " + hex(plan.from);
    case SyncKind::DiffFromDisk:
      return "DIFF from disk " + hex(plan.from);
    case SyncKind::Trunc:
      return "TRUNC " + hex(plan.from);
    case SyncKind::Snap:
      return "SNAP";
  }
  return "?";
}

std::string diff(Zxid from) { return text_of({SyncKind::Diff, from, ""}); }
std::string disk(Zxid from) { return text_of({SyncKind::DiffFromDisk, from, ""}); }
std::string trunc(Zxid from) { return text_of({SyncKind::Trunc, from, ""}); }
const std::string kSnap = "SNAP";

struct Case {
  const char* why;
  Zxid peer;
  std::string plan;
};

void expect(const Journal& journal, const std::vector<Case>& cases, const SyncSettings& settings = {}) {
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    const SyncPlan plan = choose_sync(c.peer, journal, settings);
    EXPECT_EQ(text_of(plan), c.plan) << plan.why;
    if (plan.kind == SyncKind::Snap) {
      EXPECT_STRNE(plan.why, "");
    }
  }
}

// Rule 23.
TEST(Synchronise, WhatFollows) {
  struct Pair {
    const char* why;
    Zxid last, next;
    bool follows;
  };
  const Pair cases[] = {
      {"the next one", zxid(1, 4), zxid(1, 5), true},
      {"the first of all", zxid(0, 0), zxid(1, 1), true},
      {"the first of an epoch", zxid(2, 0), zxid(2, 1), true},
      {"the first of a later epoch", zxid(1, 4), zxid(3, 1), true},
      {"a failed txn repeats a zxid", zxid(1, 4), zxid(1, 4), true},
      {"one is missing", zxid(1, 4), zxid(1, 6), false},
      {"the first of a later epoch is missing", zxid(1, 4), zxid(2, 2), false},
      {"backwards", zxid(1, 4), zxid(1, 3), false},
      {"an older epoch", zxid(2, 4), zxid(1, 1), false},
      {"the counter's end is no way into the next epoch's start", zxid(1, 0xffffffff), zxid(2, 0), false},
  };
  for (const Pair& c : cases) {
    SCOPED_TRACE(c.why);
    EXPECT_EQ(follows(c.last, c.next), c.follows);
  }
}

// Spec: quorum 3.5, rows 1 to 6, within one epoch.
TEST(Synchronise, OneEpoch) {
  const Held held(zxid(1, 3), {zxid(1, 4), zxid(1, 5), zxid(1, 6), zxid(1, 7)}, 1);
  const std::vector<Case> cases = {
      {"it lacks nothing", zxid(1, 6), diff(zxid(1, 6))},
      {"within the journal", zxid(1, 4), diff(zxid(1, 4))},
      {"where the journal begins", zxid(1, 3), diff(zxid(1, 3))},
      {"behind the journal", zxid(1, 2), disk(zxid(1, 2))},
      {"without a history, and ours did not begin here", zxid(0, 0), disk(zxid(0, 0))},
      {"a tail that nobody else has", zxid(1, 9), trunc(zxid(1, 6))},
      {"a proposal of ours that is not committed: cut and sent again", zxid(1, 7), trunc(zxid(1, 6))},
      {"a tail of another epoch", zxid(2, 1), kSnap},
      {"the start of an epoch that we never heard of", zxid(2, 0), kSnap},
      {"the start of our epoch, but that was before our journal", zxid(1, 0), kSnap},
      {"in doubt", {-1}, kSnap},
      {"nonsense", {INT64_MIN}, kSnap},
      {"nonsense", {INT64_MAX}, kSnap},
  };
  expect(held.journal, cases);
}

TEST(Synchronise, Settings) {
  const Held held(zxid(1, 3), {zxid(1, 4), zxid(1, 5)});
  expect(held.journal, {{"equal", zxid(1, 5), kSnap}, {"behind", zxid(1, 4), kSnap}, {"far behind", zxid(1, 1), kSnap}},
         {.force_snapshot = true, .history_on_disk = true, .epochs = {}});
  expect(held.journal, {{"behind", zxid(1, 4), diff(zxid(1, 4))}, {"far behind", zxid(1, 1), kSnap}},
         {.force_snapshot = false, .history_on_disk = false, .epochs = {}});
}

TEST(Synchronise, AHistoryFromTheFirstTxnOn) {
  expect(Held(zxid(0, 0), {}).journal, {{"both empty (q01)", zxid(0, 0), diff(zxid(0, 0))},
                                        {"it has what we have not", zxid(1, 3), kSnap},
                                        {"an epoch began somewhere else", zxid(1, 0), kSnap}});
  expect(Held(zxid(0, 0), {zxid(1, 1), zxid(1, 2)}).journal,
         {{"it is new", zxid(0, 0), diff(zxid(0, 0))}, {"the start of our epoch", zxid(1, 0), diff(zxid(0, 0))}});
}

// Rule 22: never TRUNC across an epoch, nor to or from the start of one. A tail of an older epoch is cut within it.
TEST(Synchronise, SeveralEpochs) {
  const Held held(zxid(1, 3), {zxid(1, 4), zxid(3, 1), zxid(3, 2), zxid(6, 1)});
  expect(held.journal, {
                           {"the end of an epoch", zxid(1, 4), diff(zxid(1, 4))},
                           {"the first of an epoch", zxid(3, 1), diff(zxid(3, 1))},
                           {"a tail of an older epoch: TRUNC, then DIFF", zxid(1, 9), trunc(zxid(1, 4))},
                           {"a tail of an epoch in between", zxid(3, 7), trunc(zxid(3, 2))},
                           {"an epoch of which we have nothing", zxid(2, 1), kSnap},
                           {"and another", zxid(4, 1), kSnap},
                           {"the start of an epoch with txns", zxid(3, 0), diff(zxid(1, 4))},
                           {"the start of the newest", zxid(6, 0), diff(zxid(3, 2))},
                           {"the start of an epoch without txns", zxid(4, 0), kSnap},
                           {"the start of one to come", zxid(7, 0), kSnap},
                       });
}

// R-S4: an established (e, 0) that the leader remembers.
TEST(Synchronise, RememberedStartsOfEpochs) {
  const Held held(zxid(1, 3), {zxid(1, 4), zxid(3, 1)});
  const SyncSettings settings{
      .force_snapshot = false,
      .history_on_disk = true,
      .epochs = {{1, zxid(0, 0)}, {2, zxid(1, 4)}, {3, zxid(1, 4)}, {5, zxid(3, 1)}, {9, zxid(8, 8)}}};
  expect(held.journal,
         {
             {"no txn was made in it", zxid(2, 0), diff(zxid(1, 4))},
             {"as the journal says, too", zxid(3, 0), diff(zxid(1, 4))},
             {"our own, fresh one: nothing to send", zxid(5, 0), diff(zxid(3, 1))},
             {"one that began before the journal", zxid(1, 0), disk(zxid(0, 0))},
             {"one that we do not remember", zxid(4, 0), kSnap},
             {"one that contradicts our history", zxid(9, 0), kSnap},
         },
         settings);
}

// The leader itself was brought to the start of an epoch by a SNAP.
TEST(Synchronise, AJournalThatBeginsWithAnEpoch) {
  const Held empty(zxid(2, 0), {});
  expect(empty.journal, {{"it lacks nothing", zxid(2, 0), diff(zxid(2, 0))},
                         {"there is no txn (2,0) to cut behind", zxid(2, 3), kSnap},
                         {"the epoch before", zxid(1, 9), disk(zxid(1, 9))}});
  const Held held(zxid(2, 0), {zxid(2, 1)});
  expect(held.journal,
         {{"where the journal begins", zxid(2, 0), diff(zxid(2, 0))}, {"a tail", zxid(2, 3), trunc(zxid(2, 1))}});
}

// Rule 23, MUST-3: known-faults 4925, 2418.
TEST(Synchronise, AJournalWithAHoleIsNoHistory) {
  const Held inside(zxid(1, 3), {zxid(1, 4), zxid(1, 6), zxid(1, 7)});
  expect(inside.journal, {{"before the hole", zxid(1, 4), kSnap},
                          {"in it", zxid(1, 5), kSnap},
                          {"behind it: the hole is no less one", zxid(1, 6), kSnap}});
  const Held boundary(zxid(1, 3), {zxid(1, 4), zxid(2, 2)});
  expect(boundary.journal, {{"before the hole", zxid(1, 4), kSnap}});
  const Held uncommitted(zxid(1, 3), {zxid(1, 4), zxid(1, 6)}, 1);
  expect(uncommitted.journal, {{"what is not committed is not compared", zxid(1, 4), diff(zxid(1, 4))}});
}

// Goal: on any journal, whoever is served from it ends with our history.
// Method: all journals of a few epochs, all positions; a peer is the txns of its own epoch's leader up to its zxid.
TEST(Synchronise, EveryPlanEndsInOurHistory) {
  const std::vector<Zxid> history = {zxid(1, 1), zxid(1, 2), zxid(1, 3), zxid(2, 1), zxid(4, 1), zxid(4, 2)};
  for (size_t kept_from = 0; kept_from <= history.size(); ++kept_from) {
    for (size_t committed = kept_from; committed <= history.size(); ++committed) {
      const Zxid base = kept_from == 0 ? zxid(0, 0) : history[kept_from - 1];
      const std::vector<Zxid> kept(history.begin() + static_cast<std::ptrdiff_t>(kept_from), history.end());
      const Held held(base, kept, history.size() - committed);
      const Zxid end = held.journal.committed();
      for (int64_t epoch = 1; epoch <= 5; ++epoch) {
        for (int64_t counter = 1; counter <= 4; ++counter) {
          const Zxid peer = zxid(epoch, counter);
          const SyncPlan plan = choose_sync(peer, held.journal, {});
          SCOPED_TRACE(hex(base) + " to " + hex(end) + ", peer " + hex(peer) + ": " + text_of(plan));
          if (plan.kind == SyncKind::Diff) {
            EXPECT_EQ(plan.from, peer);
          }
          if (plan.kind == SyncKind::Trunc) {
            EXPECT_LT(plan.from, peer);
            EXPECT_EQ(plan.from.epoch(), peer.epoch());
          }
          if (plan.kind == SyncKind::Diff || plan.kind == SyncKind::Trunc) {
            EXPECT_GE(plan.from, base);
            EXPECT_LE(plan.from, end);
            EXPECT_TRUE(plan.from == base || std::ranges::count(history, plan.from) == 1);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace quorate::zab
