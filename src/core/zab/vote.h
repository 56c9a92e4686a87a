#pragma once
#include <cstdint>

#include "base/ids.h"
#include "core/zab/quorum.h"
#include "wire/election.h"

/// A vote, its order, and when two count together. Spec: quorum 2.2 to 2.4.
namespace quorate::zab {

struct Vote {
  ServerId leader;
  Zxid zxid;
  int64_t round = -1;  ///< electionEpoch
  int64_t peer_epoch = 0;
  friend bool operator==(const Vote&, const Vote&) = default;
};

/// A vote as somebody sent it.
struct CastVote {
  Vote vote;
  wire::PeerState state = wire::PeerState::Looking;
  int32_t version = 0;  ///< 0 when it is kept for the current round.
};

/// What a notification says. Requires: its state is a PeerState.
CastVote cast_of(const wire::Notification& notification);

/// Is `a` the better candidate? The round does not count.
bool better(const Vote& a, const Vote& b, const Electorate& electorate);
/// Do they count as the same vote? Symmetric, but not transitive: settled servers are compared by less than looking
/// ones, because those that joined later remember another round and zxid of the same election.
bool agree(const CastVote& a, const CastVote& b);

}  // namespace quorate::zab
