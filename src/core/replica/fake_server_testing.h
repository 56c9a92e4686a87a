#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/replica/member.h"
#include "core/replica/replica_testing.h"
#include "core/tree/apply.h"
#include "core/zab/epochs.h"
#include "core/zab/journal.h"

/// The parts of the ensemble that the tests of members run: what a server has persisted, the memory that comes of it,
/// the server itself, and the connections between servers.
namespace quorate::replica::testing {

/// What a client sees that gets none: connection loss.
constexpr auto kNoAnswer = static_cast<Code>(-4);

/// The whole history of a server, from the first txn on: a tree is made of it by replay.
struct FakeDisk {
  std::vector<std::string> history;
  zab::Epochs epochs;
  bool damaged = false;  ///< Where TRUNC has to go, and only there.

  Zxid last() const { return history.empty() ? Zxid{} : zab::Journal::zxid_of(history.back()); }
  bool holds(Zxid zxid) const {
    return zxid == Zxid{} || std::ranges::find(history, zxid, &zab::Journal::zxid_of) != history.end();
  }
  void cut_behind(Zxid zxid) {
    if (damaged) return;
    std::erase_if(history, [zxid](const std::string& txn) { return zab::Journal::zxid_of(txn) > zxid; });
  }
  std::vector<std::string> up_to(Zxid zxid) const {
    FakeDisk copy = *this;
    copy.damaged = false;
    copy.cut_behind(zxid);
    return copy.history;
  }
};

struct Memory {
  std::unique_ptr<tree::Tree> tree;
  tree::SessionList sessions;
};

inline Memory replay(const std::vector<std::string>& history, bool digests_are_right = true) {
  Memory memory{std::make_unique<tree::Tree>(tree::HashKey{1, 2}), {}};
  tree::Applied applied;
  for (const std::string& payload : history) {
    tree::TxnView txn;
    std::string why;
    EXPECT_TRUE(tree::parse_txn(payload, txn, why)) << why;
    applied.clear();
    tree::apply(*memory.tree, memory.sessions, txn, applied);
    EXPECT_TRUE(applied.digest_matches || !digests_are_right);
    tree::release_acls(*memory.tree, applied);
  }
  return memory;
}

/// A tree on its way behind SNAP, as the history that makes it.
struct TreeInFlight {
  std::vector<std::string> history;
};

struct QuorumLink {
  int64_t learner = 0;
  int64_t leader = 0;
  std::string to_leader;
  std::deque<std::variant<std::string, TreeInFlight>> to_learner;
};

struct Server {
  int64_t id = 0;
  FakeDisk disk;
  std::unique_ptr<Member> member;
  std::deque<Peer> peers;
  std::optional<ServerId> dialing;
  int64_t dial_ends = 0;
  std::vector<std::string> tree_history;  ///< Of the tree just received.
  std::vector<std::string> lines;
};

}  // namespace quorate::replica::testing
