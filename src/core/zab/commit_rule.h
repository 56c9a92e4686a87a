#pragma once
#include <optional>

#include "base/fifo.h"
#include "base/ids.h"
#include "core/zab/quorum.h"

/// When a proposal is committed: once a quorum has it on disk, and in the order of the zxids. A learner's ack is for
/// one proposal and never for those before it; the own log's progress counts up to where it is. A standalone server is
/// a quorum of one. Spec: quorum 3.9, rules 29, 42, 43.
namespace quorate::zab {

class CommitRule {
 public:
  /// `self` are the own bits; everything up to `last` is committed.
  CommitRule(const Electorate& electorate, VoterSet self, Zxid last)
      : electorate_(electorate), self_(self), committed_(last), durable_(last) {}

  /// Requires: zxid is above every earlier one.
  void propose(Zxid zxid);
  /// A server's log holds `zxid`. `who` has no bits when it is no voter. What is not outstanding is ignored: a late
  /// ack is normal.
  void on_ack(VoterSet who, Zxid zxid);
  /// A server has left, and may cut from its log what it has acknowledged: until it acknowledges again, that counts no
  /// more.
  void withdraw(VoterSet who);
  /// The own log holds everything up to `zxid`.
  void on_durable(Zxid zxid);
  /// The next proposal that has become committed; none when the oldest one lacks acks. Call it until then.
  std::optional<Zxid> next_committed();

  Zxid committed() const { return committed_; }
  bool idle() const { return outstanding_.empty(); }

 private:
  struct Proposal {
    Zxid zxid;
    VoterSet acks = 0;
  };

  const Electorate& electorate_;
  VoterSet self_;
  Zxid committed_;
  Zxid durable_;
  Fifo<Proposal> outstanding_;  ///< Ascending.
};

}  // namespace quorate::zab
