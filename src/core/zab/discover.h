#pragma once
#include <cstdint>

#include "base/ids.h"
#include "core/zab/epochs.h"
#include "core/zab/quorum.h"

/// Which epoch a would-be leader may lead, and whether it may lead at all: a quorum of voters says which epochs they
/// have promised, promises the next one, and says how far its histories go. Knows no links and no clock: who gave an
/// answer stays counted when its connection is gone, for what it promised stays promised.
/// Spec: quorum 3.3, rules 16, 19, 20.
namespace quorate::zab {

/// The greatest epoch of which zxids can be made.
constexpr int64_t kMaxEpoch = 0x7fffffff;

class Discover {
 public:
  /// `self` are the leader's bits. It counts in both rounds from the start, so a quorum of one is there at once.
  Discover(const Electorate& electorate, VoterSet self, Epochs own, Zxid last);

  /// A learner has answered leaders up to `accepted`. `who` has no bits when it is no voter: its epoch counts all the
  /// same. Once the epoch is settled nothing changes it.
  /// Requires: accepted < kMaxEpoch.
  void on_accepted(VoterSet who, int64_t accepted);
  bool epoch_settled() const { return electorate_.contains_committed_quorum(connecting_); }
  /// The epoch to lead, higher than every accepted one that is known.
  int64_t epoch() const { return epoch_; }

  /// Is the learner's history newer than the leader's? Then it must not be led. Once elected the leader's history is
  /// the history: a longer tail of an older epoch is one to be cut.
  bool is_ahead(int64_t current, Zxid last) const;
  /// A learner has promised the epoch. Does not count whose history is in doubt (`last` -1), nor who was asked before
  /// (`current` -1): it told its history to another try of this epoch.
  void on_promised(VoterSet who, int64_t current, Zxid last);
  bool elected() const { return electorate_.contains_committed_quorum(electing_); }

 private:
  const Electorate& electorate_;
  Epochs own_;
  Zxid last_;
  int64_t epoch_;
  VoterSet connecting_;
  VoterSet electing_;
};

}  // namespace quorate::zab
