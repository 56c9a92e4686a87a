#include "sim/ensemble_checks.h"

#include <gtest/gtest.h>

#include <functional>

namespace quorate::sim {
namespace {

using What = Change::What;
using Check = std::string (*)(const EnsembleHistory&);

constexpr int64_t kEpoch = int64_t{1} << 32;
constexpr int64_t kAnn = 0xA;
constexpr int64_t kBob = 0xB;

void apply_everywhere(EnsembleHistory& history) {
  for (const Committed& txn : history.committed) {
    for (const uint32_t server : {1, 2, 3}) {
      history.applied.push_back({server, txn.zxid, static_cast<uint64_t>(txn.zxid) * 31, false});
    }
  }
}

/// Two sessions, one of which moves when the leader changes.
EnsembleHistory good_history() {
  const int64_t first = kEpoch;
  const int64_t second = 2 * kEpoch;
  EnsembleHistory history;
  history.voters = 3;
  history.leaderships = {{1, 3, {2, 3}, 0}, {2, 2, {1, 2}, first + 7}};
  history.epochs = {{1, 0, 0, 0}, {1, 1, 1, first + 2}, {1, 2, 1, first + 7}};
  history.committed = {
      {.zxid = first + 1, .opens = kAnn},
      {.zxid = first + 2, .opens = kBob},
      {.zxid = first + 3, .session = kAnn, .request = 1, .changes = {{What::Created, "/a", "1"}}},
      {.zxid = first + 4,
       .session = kAnn,
       .request = 3,
       .changes = {{What::Created, "/a/e-0000000000", "", kAnn, 0}, {What::Other, "/a", "1"}}},
      {.zxid = first + 5, .session = kBob, .request = 1, .changes = {{What::DataSet, "/a", "2"}}},
      {.zxid = first + 6, .session = kBob, .request = 2},
      {.zxid = first + 7,
       .session = kBob,
       .request = 3,
       .changes = {{What::Created, "/b", "x"}, {What::DataSet, "/a", "3"}}},
      {.zxid = second + 1, .session = kAnn, .request = 6, .changes = {{What::Created, "/a/e-0000000001", "", kAnn, 1}}},
      {.zxid = second + 2,
       .session = kAnn,
       .request = 7,
       .closes = kAnn,
       .changes = {{What::Deleted, "/a/e-0000000000"}, {What::Deleted, "/a/e-0000000001"}}},
  };
  history.attached = {{kAnn, 1, 1, first + 1, 1}, {kBob, 1, 2, first + 2, 1}, {kAnn, 2, 40, first + 7, 2}};
  const Seen two_b{"/b", "x", {}};
  const Seen three_a{"/a", "3", {}};
  history.requests = {
      {kAnn, 1, 1, true, 10, first + 3, true, {}},
      {kAnn, 1, 2, false, 11, first + 3, true, {{"/a", "1", {}}}},
      {kAnn, 1, 3, true, 20, first + 4, true, {}},
      {kAnn, 1, 4, false, 0, 0, false, {}},
      {kAnn, 2, 5, false, 41, first + 7, true, {two_b, three_a}},
      {kAnn, 2, 6, true, 50, second + 1, true, {}},
      {kAnn, 2, 7, true, 52, second + 2, true, {}},
      {kBob, 1, 1, true, 22, first + 5, true, {}},
      {kBob, 1, 2, true, 23, first + 6, false, {}},
      {kBob, 1, 3, true, 0, 0, false, {}},
      {kBob, 1, 4, false, 60, second + 2, true, {{"/a", std::nullopt, std::vector<std::string>{}}}},
  };
  history.requests[9].order = 30;
  history.requests[9].zxid = first + 7;
  history.watches = {{kAnn, 1, 11, first + 3, "/a", false},
                     {kAnn, 2, 40, first + 3, "/a", false},
                     {kAnn, 2, 41, first + 7, "/a", true}};
  history.events = {{kAnn, 2, 40, -1, "/a", WatchTold::What::DataChanged},
                    {kAnn, 2, 49, second + 1, "/a", WatchTold::What::ChildrenChanged}};
  // The list of watches of the second connection is told of at once, in the answer to it.
  history.watches[1].order = 39;
  apply_everywhere(history);
  return history;
}

struct Case {
  const char* name;
  Check check;
  std::function<void(EnsembleHistory&)> spoil;
  const char* wrong;  ///< A part of what is said.
};

void expect_found(std::span<const Case> cases) {
  for (const Case& each : cases) {
    EnsembleHistory history = good_history();
    each.spoil(history);
    const std::string wrong = each.check(history);
    EXPECT_TRUE(wrong.contains(each.wrong)) << each.name << ": " << wrong;
    EXPECT_FALSE(check_all(history).empty()) << each.name;
  }
}

void expect_good(Check check, const std::function<void(EnsembleHistory&)>& change) {
  EnsembleHistory history = good_history();
  change(history);
  EXPECT_EQ(check(history), "");
}

TEST(EnsembleChecks, AGoodHistoryIsGood) {
  EXPECT_EQ(check_all(good_history()), "");
  EXPECT_EQ(check_all({}), "");
}

TEST(EnsembleChecks, Leaders) {
  const Case cases[] = {
      {"two leaders", check_leaders, [](auto& h) { h.leaderships.push_back({2, 3, {1, 3}, kEpoch + 7}); },
       "epoch 2 is led by server 3, and was by server 2"},
      {"an epoch twice", check_leaders, [](auto& h) { h.leaderships.push_back({2, 2, {2, 3}, 2 * kEpoch + 2}); },
       "epoch 2 is led by server 2, and was by server 2"},
      {"no quorum", check_leaders, [](auto& h) { h.leaderships[0].quorum = {3}; }, "with 1 of 3 voters"},
      {"one voter twice", check_leaders, [](auto& h) { h.leaderships[0].quorum = {3, 3}; }, "with 1 of 3 voters"},
      {"others only", check_leaders, [](auto& h) { h.leaderships[0].quorum = {1, 2}; }, "without its own vote"},
      {"incomplete", check_leaders, [](auto& h) { h.leaderships[1].last_zxid = kEpoch + 6; },
       "but 0x100000007 was applied"},
  };
  expect_found(cases);
}

TEST(EnsembleChecks, Epochs) {
  const Case cases[] = {
      {"current above accepted", check_epochs, [](auto& h) { h.epochs.push_back({1, 2, 3, 0}); }, "is in epoch 3"},
      {"txns of a later epoch", check_epochs, [](auto& h) { h.epochs.push_back({1, 2, 1, 2 * kEpoch + 1}); },
       "its last txn is of 2"},
      {"accepted goes back", check_epochs, [](auto& h) { h.epochs.push_back({1, 1, 1, kEpoch}); },
       "went back from the epochs 2 and 1 to 1 and 1"},
      {"current goes back", check_epochs, [](auto& h) { h.epochs.push_back({1, 2, 0, 0}); }, "to 2 and 0"},
  };
  expect_found(cases);
  expect_good(check_epochs, [](auto& h) { h.epochs.push_back({2, 0, 0, 0}); });
}

TEST(EnsembleChecks, Agreement) {
  const auto skip = [](auto& h) {
    std::erase_if(h.applied, [](const Applied& a) { return a.server == 2 && a.zxid == kEpoch + 7; });
  };
  const auto begin_at = [](auto& h) { std::erase_if(h.applied, [](const Applied& a) { return a.server == 1; }); };
  const Case cases[] = {
      {"another tree", check_agreement, [](auto& h) { h.applied[4].digest ^= 1; }, "at 0x100000002 servers 1 and 2"},
      {"a gap", check_agreement, skip, "server 2 applied 0x200000001 behind 0x100000006, without 0x100000007"},
      {"no first", check_agreement,
       [](auto& h) { std::erase_if(h.applied, [](auto& a) { return a.server == 3 && a.zxid == kEpoch + 1; }); },
       "server 3 applied 0x100000002 behind 0x0"},
      {"twice", check_agreement, [](auto& h) { h.applied.push_back(h.applied.back()); },
       "server 3 applied 0x200000002 behind 0x200000002"},
      {"another branch", check_agreement,
       [](auto& h) {
         h.applied.push_back({2, 2 * kEpoch + 9, 1, false}), h.applied.push_back({1, 2 * kEpoch + 8, 1, false});
       },
       "without 0x200000008"},
      {"a snapshot of another tree", check_agreement, [](auto& h) { h.applied.push_back({1, kEpoch + 7, 1, true}); },
       "at 0x100000007 servers 1 and 1"},
  };
  expect_found(cases);
  expect_good(check_agreement, [&](auto& h) {
    begin_at(h);
    h.applied.push_back({1, kEpoch + 7, static_cast<uint64_t>(kEpoch + 7) * 31, true});
    h.applied.push_back({1, 2 * kEpoch + 1, static_cast<uint64_t>(2 * kEpoch + 1) * 31, false});
  });
  expect_good(check_agreement, [&](auto& h) {  // a start with less than had been applied
    h.applied.push_back({1, kEpoch + 7, static_cast<uint64_t>(kEpoch + 7) * 31, true});
  });
}

TEST(EnsembleChecks, Convergence) {
  constexpr uint32_t kAll[] = {1, 2, 3};
  EnsembleHistory history = good_history();
  EXPECT_EQ(check_converged(history, kAll), "");
  history.applied.pop_back();
  EXPECT_EQ(check_converged(history, kAll), "server 3 has come to 0x200000001, the history ends at 0x200000002");
  EXPECT_EQ(check_converged(history, std::span(kAll).first(2)), "");
}

TEST(EnsembleChecks, Ephemerals) {
  const Case cases[] = {
      {"left behind", check_ephemerals, [](auto& h) { h.committed.back().changes.pop_back(); },
       "/a/e-0000000001 is left behind its session 0xa"},
      {"of no session", check_ephemerals, [](auto& h) { h.committed[3].changes[0].owner = 0xC; },
       "for session 0xc, which is not there"},
      {"behind the end", check_ephemerals,
       [](auto& h) {
         h.committed.push_back({.zxid = 2 * kEpoch + 3, .changes = {{What::Created, "/late", "", kAnn}}});
       },
       "/late is created at 0x200000003 for session 0xa"},
  };
  expect_found(cases);
}

TEST(EnsembleChecks, Sequences) {
  const auto add = [](auto& h, std::vector<Change> changes) {
    h.committed.push_back({.zxid = 2 * kEpoch + 3, .changes = std::move(changes)});
  };
  const Case cases[] = {
      {"used again", check_sequences, [&](auto& h) { add(h, {{What::Created, "/a/other-0000000001", "", 0, 1}}); },
       "does not count on from 1"},
      {"back", check_sequences, [&](auto& h) { add(h, {{What::Created, "/a/e-0000000000", "", 0, 0}}); },
       "does not count on from 1"},
  };
  expect_found(cases);
  expect_good(check_sequences, [&](auto& h) {
    add(h, {{What::Deleted, "/a"}, {What::Created, "/a", ""}, {What::Created, "/a/e-0000000000", "", 0, 0}});
  });
  expect_good(check_sequences, [&](auto& h) {
    add(h, {{What::Created, "/a/e", "", 0, INT32_MAX}, {What::Created, "/a/f", "", 0, INT32_MIN}});
  });
}

TEST(EnsembleChecks, Acknowledged) {
  const Case cases[] = {
      {"lost", check_acknowledged, [](auto& h) { h.committed.erase(h.committed.begin() + 4); },
       "request 1 of session 0xb is acknowledged at 0x100000005, and not done"},
      {"another zxid", check_acknowledged, [](auto& h) { ++h.requests[5].zxid; }, "and done at 0x200000001"},
      {"twice", check_acknowledged,
       [](auto& h) { h.committed.push_back({.zxid = 2 * kEpoch + 3, .session = kBob, .request = 3}); },
       "request 3 of session 0xb is done at 0x100000007 and at 0x200000003"},
      {"nobody's", check_acknowledged,
       [](auto& h) { h.committed.push_back({.zxid = 2 * kEpoch + 3, .session = kBob, .request = 9}); },
       "nobody asked for 0x200000003"},
      {"a read's", check_acknowledged,
       [](auto& h) { h.committed.push_back({.zxid = 2 * kEpoch + 3, .session = kBob, .request = 4}); },
       "nobody asked for 0x200000003"},
  };
  expect_found(cases);
  expect_good(check_acknowledged, [](auto& h) {  // not answered: done or not
    h.requests[9].order = 0;
    h.committed.erase(h.committed.begin() + 6);
  });
}

TEST(EnsembleChecks, SessionOrder) {
  const Case cases[] = {
      {"overtaken", check_session_order, [](auto& h) { std::swap(h.committed[4].request, h.committed[5].request); },
       "request 1 of session 0xb is done at 0x100000006, behind request 2"},
      {"answers change places", check_session_order,
       [](auto& h) { std::swap(h.requests[7].order, h.requests[8].order); },
       "request 2 of session 0xb is answered before request 1"},
      {"an answer is left out", check_session_order, [](auto& h) { h.requests[1].order = 0; },
       "request 3 of session 0xa is answered before request 2"},
      {"an old connection's", check_session_order,
       [](auto& h) {
         h.requests[3].is_write = true;
         h.committed[7].request = 4;
       },
       "is done at 0x200000001, but its connection 1 was over at 0x100000007"},
      {"an old connection's, which no newer epoch has let in", check_session_order,
       [](auto& h) {
         h.requests[3].is_write = true;
         h.committed[7].request = 4;
         h.attached[2].epoch = 1;
       },
       "is done at 0x200000001, but its connection 1 was over at 0x100000007"},
      {"behind a new connection of the newest epoch", check_session_order,
       [](auto& h) { h.attached.push_back({kAnn, 3, 51, 2 * kEpoch + 1, 2}); },
       "is done at 0x200000002, but its connection 2 was over at 0x200000001"},
      {"an old epoch's", check_session_order,
       [](auto& h) {
         h.committed.push_back({.zxid = 2 * kEpoch + 3, .session = kBob, .request = 4});
         h.requests[10].is_write = true;
       },
       "is done at 0x200000003, but its connection 1 is of epoch 1"},
  };
  expect_found(cases);
  // A leader that had been replaced let the session in for a while.
  expect_good(check_session_order, [](auto& h) { h.attached.push_back({kAnn, 3, 49, kEpoch + 9, 1}); });
}

TEST(EnsembleChecks, ReplyZxids) {
  const Case cases[] = {
      {"another server is behind", check_reply_zxids, [](auto& h) { h.requests[4].zxid = kEpoch + 3; },
       "session 0xa is told 0x100000003 behind 0x100000004, on connections 2 and 1"},
      {"on one connection", check_reply_zxids, [](auto& h) { h.requests[1].zxid = kEpoch + 2; },
       "session 0xa is told 0x100000002 behind 0x100000003"},
  };
  expect_found(cases);
}

TEST(EnsembleChecks, Reads) {
  const Case cases[] = {
      {"too old", check_reads, [](auto& h) { h.requests[4].seen = {{"/a", "0", {}}}; }, "reads of /a"},
      {"older than what it saw", check_reads, [](auto& h) { h.requests[10].seen = {{"/a", "2", {}}}; },
       "session 0xb reads of /a"},
      {"from the future", check_reads, [](auto& h) { h.requests[1].seen = {{"/a", "2", {}}}; }, "session 0xa reads"},
      {"own write unseen", check_reads, [](auto& h) { h.requests[1].seen = {{"/a", std::nullopt, {}}}; },
       "session 0xa reads of /a"},
      {"half a multi", check_reads, [](auto& h) { h.requests[4].seen[1].value = "2"; }, "session 0xa reads of /b"},
      {"a child that is gone", check_reads,
       [](auto& h) { h.requests[10].seen[0].children = std::vector<std::string>{"e-0000000001"}; },
       "session 0xb reads of /a"},
  };
  expect_found(cases);
  expect_good(check_reads, [](auto& h) { h.requests[4].seen = {{"/a", "2", {}}, {"/b", std::nullopt, {}}}; });
  // As they were when the session last heard, and as they were on the way from there.
  expect_good(check_reads, [](auto& h) { h.requests[10].seen[0].children = std::vector<std::string>{"e-0000000000"}; });
  expect_good(check_reads, [](auto& h) {
    h.requests[10].seen[0].children = std::vector<std::string>{"e-0000000000", "e-0000000001"};
  });
}

TEST(EnsembleChecks, Watches) {
  const Case cases[] = {
      {"never told", check_watches, [](auto& h) { h.events.pop_back(); },
       "answered at 0x200000001 before it is told of /a at 0x200000001"},
      {"told late", check_watches, [](auto& h) { h.events[1].order = 51; },
       "answered at 0x200000001 before it is told of /a"},
      {"twice", check_watches,
       [](auto& h) {
         h.events.push_back(h.events[1]);
         h.events.back().order = 55;
       },
       "which nobody owed it"},
      {"another change", check_watches, [](auto& h) { ++h.events[1].zxid; }, "which nobody owed it"},
      {"another kind", check_watches, [](auto& h) { h.events[1].what = WatchTold::What::DataChanged; },
       "which nobody owed it"},
      {"not asked for", check_watches, [](auto& h) { h.events[1].path = "/b"; }, "is told of /b"},
      {"nothing had changed", check_watches, [](auto& h) { h.watches[1].zxid = kEpoch + 7; }, "is told of /a at"},
      {"lost with the old connection", check_watches, [](auto& h) { h.events.erase(h.events.begin()); },
       "answered at 0x100000007 before it is told of /a at 0x100000005"},
  };
  expect_found(cases);
  expect_good(check_watches, [](auto& h) {  // a deletion is told once to both kinds
    h.committed.push_back({.zxid = 2 * kEpoch + 3, .changes = {{What::Deleted, "/b"}}});
    h.watches.push_back({kBob, 1, 30, kEpoch + 7, "/b", false});
    h.watches.push_back({kBob, 1, 30, kEpoch + 7, "/b", true});
    h.events.push_back({kBob, 1, 61, 2 * kEpoch + 3, "/b", WatchTold::What::Deleted});
    h.requests.push_back({kBob, 1, 5, false, 62, 2 * kEpoch + 3, true, {}});
  });
}

}  // namespace
}  // namespace quorate::sim
