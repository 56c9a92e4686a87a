#pragma once
#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "wire/quorum_config.h"

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

/// The part of a configuration that elections are about. Whoever takes a configuration from outside has to refuse one
/// of more than kMaxVoters voters first.
QuorumRule rule_of(const wire::QuorumConfig& config);

/// The committed configuration, and the last seen one while it is newer: what is decided needs a quorum of both.
class Electorate {
 public:
  /// Requires: at most kMaxVoters in both together, each id once in a rule.
  explicit Electorate(QuorumRule committed);
  Electorate(QuorumRule committed, const QuorumRule& last_seen);

  bool is_voter(ServerId id) const { return bit(id) != 0; }  ///< Of either.
  bool is_committed_voter(ServerId id) const { return (bit(id) & committed_count_.members) != 0; }
  /// The id's bit; 0 for whoever is no voter of either, so that adding it changes nothing.
  VoterSet bit(ServerId id) const;
  /// A quorum of the committed configuration, and of the last seen one if that is newer.
  bool contains_quorum(VoterSet set) const;
  bool contains_committed_quorum(VoterSet set) const { return decides(committed_count_, set); }
  /// By the committed configuration, or the newer one if only that knows the id. Weight 0 may never lead. Of an id that
  /// is unknown: 0.
  int64_t weight(ServerId id) const;
  const std::vector<ServerId>& voters() const { return ids_; }  ///< Ascending, of both.
  const QuorumRule& committed() const { return committed_; }

 private:
  /// A rule in bits.
  struct Count {
    struct Group {
      VoterSet members = 0;
      int64_t weight = 0;
    };
    VoterSet members = 0;
    std::vector<int64_t> weights;  ///< By the number of the bit.
    bool hierarchical = false;
    std::vector<Group> groups;  ///< Those that have weight.
  };

  Count count_of(const QuorumRule& rule) const;
  static bool decides(const Count& count, VoterSet set);
  static int64_t weight_in(const Count& count, VoterSet set);

  QuorumRule committed_;
  std::vector<ServerId> ids_;
  Count committed_count_;
  Count last_seen_count_;  ///< Counts when it is newer.
  bool two_ = false;
};

}  // namespace quorate::zab
