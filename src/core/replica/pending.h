#pragma once
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "core/replica/pending_index.h"
#include "core/replica/settings.h"
#include "core/tree/tree.h"
#include "wire/stat.h"
#include "wire/vectors.h"

/// The tree as it will be once everything prepared has been applied: the applied tree, and over it one entry for each
/// path that a txn in flight changes. Also the running digest of that state. Used by the preparer alone.
/// Entries are pooled: a steady load allocates nothing. Spec: client 9.2; disk 5.3.
namespace quorate::replica {

/// All that later requests and the digest want to know of a node.
struct NodeState {
  wire::StatPersisted stat;
  int64_t data_bytes = 0;
  tree::AclId acl = tree::kOpenAcl;
  std::string own_acl;  ///< Not empty: the list of a txn in flight, which the tree may not have interned yet.
  int32_t child_count = 0;
  uint32_t content_crc = 0;
  bool exists = false;

  /// Takes the list of a create or setACL, as count and items.
  void set_acl(std::string_view raw);
};

struct PendingNode {
  std::string path;
  uint64_t hash = 0;
  Zxid changed;         ///< The last txn that changed it.
  uint64_t digest = 0;  ///< What it adds to the tree's digest.
  NodeState state;
};

class Pending {
 public:
  /// One path as the next txn meets it.
  struct Seen {
    std::string_view path;  ///< "" for the root.
    uint64_t hash = 0;
    PendingNode* node = nullptr;
    tree::NodeRef ref = tree::kNoNode;  ///< Only when there is no pending node.
    bool exists = false;
  };

  Pending(const tree::Tree& tree, const ReplicaSettings& settings);
  ~Pending();

  /// The next txn starts. When it `may_fail` after its first change, rollback() is possible until the next begin().
  void begin(Zxid zxid, bool may_fail);
  /// Forgets all changes since begin().
  void rollback();
  /// Changes made last by that txn or an earlier one are in the tree now.
  void on_applied(Zxid zxid);

  Seen look(std::string_view path) const;
  wire::StatPersisted stat(const Seen& seen) const;
  int32_t child_count(const Seen& seen) const;
  int64_t data_bytes(const Seen& seen) const;
  /// Open, or the id's list, or a list in flight.
  bool acl_is_open(const Seen& seen) const;
  std::string_view acl_raw(const Seen& seen) const;

  /// Runs `edit` on the node's state; keeps digest and bookkeeping. `seen` must be fresh: no change of the same path
  /// since look().
  template <class Edit>
  void change(const Seen& seen, Edit&& edit) {
    PendingNode& node = open(seen);
    edit(node.state);
    close(node);
  }

  /// Paths with a live ephemeral of that session that a txn in flight has touched.
  void add_ephemerals_of(SessionId session, std::vector<std::string>& paths) const;
  /// Does that stored owner name a session? Spec: client 5.2.
  bool is_session(int64_t owner) const;

  size_t size() const { return index_.size(); }
  uint64_t digest() const { return touched_.size() == first_touched_ ? tree_.digest() : digest_; }

 private:
  struct Touched {
    Zxid zxid;
    PendingNode* node;
  };
  struct Undo {
    PendingNode* node;
    Zxid changed;
    bool fresh;  ///< There was no entry before.
    NodeState state;
  };

  PendingNode& open(const Seen& seen);
  void close(PendingNode& node);
  PendingNode* take(const Seen& seen);
  void give_back(PendingNode* node);
  void load(PendingNode& node, tree::NodeRef ref) const;
  uint64_t digest_of(const PendingNode& node) const;
  void count_ephemeral(const NodeState& state, int32_t step);

  const tree::Tree& tree_;
  const ReplicaSettings& settings_;
  PendingIndex index_;
  std::vector<std::unique_ptr<PendingNode>> all_;
  std::vector<PendingNode*> free_;
  std::vector<Touched> touched_;  ///< From first_touched_ on, ascending by zxid.
  size_t first_touched_ = 0;
  uint64_t digest_ = 0;

  Zxid zxid_;
  bool may_fail_ = false;
  size_t touched_before_ = 0;
  uint64_t digest_before_ = 0;
  std::vector<Undo> undo_;

  /// How many entries are live ephemerals of a session: most sessions end with none, and need no search.
  boost::unordered_flat_map<int64_t, int32_t> ephemerals_;
};

}  // namespace quorate::replica
