#pragma once
#include <cstdint>
#include <vector>

#include "base/ids.h"

/// Who may vote, and which sets of voters decide: majority, or groups with weights. Spec: quorum 6.5, rules 10, 43.
namespace quorate::zab {

/// A set of voters as bits, numbered by the Electorate that made it.
using VoterSet = uint64_t;
constexpr size_t kMaxVoters = 64;

struct Voter {
  ServerId id;
  int64_t weight = 1;
  int64_t group = 0;
};

/// One configuration's voters. `hierarchical` when the configuration has groups or weights.
struct QuorumRule {
  std::vector<Voter> voters;
  bool hierarchical = false;
  int64_t version = 0;  ///< Zxid of the txn that made the configuration; 0: a static one.
};

/// The committed configuration, and the last seen one while it is newer: what is decided needs a quorum of both.
class Electorate {
 public:
  /// Requires: at most kMaxVoters in both together, each id once in a rule.
  explicit Electorate(QuorumRule committed);
  Electorate(QuorumRule committed, QuorumRule last_seen);

  bool is_voter(ServerId id) const;            ///< Of either.
  bool is_committed_voter(ServerId id) const;  ///< Of the committed one.
  /// The id's bit; 0 for whoever is no voter of either, so that adding it changes nothing.
  VoterSet bit(ServerId id) const;
  /// A quorum of the committed configuration, and of the last seen one if that is newer.
  bool contains_quorum(VoterSet set) const;
  bool contains_committed_quorum(VoterSet set) const;
  /// Weight 0 may never lead. Of an id that is unknown: 0.
  int64_t weight(ServerId id) const;
  const std::vector<ServerId>& voters() const { return ids_; }  ///< Ascending, of both.
  const QuorumRule& committed() const { return committed_; }

 private:
  bool decides(const QuorumRule& rule, VoterSet set) const;

  QuorumRule committed_;
  QuorumRule last_seen_;  ///< Counts when its version is higher.
  std::vector<ServerId> ids_;
};

}  // namespace quorate::zab
