#pragma once
#include <cstdint>
#include <optional>

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

/// Is `a` the better candidate? The round does not count.
bool better(const Vote& a, const Vote& b, const Electorate& electorate);
/// Do they count as the same vote?
bool agree(const CastVote& a, const CastVote& b);

}  // namespace quorate::zab
