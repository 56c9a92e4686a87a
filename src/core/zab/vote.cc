#include "core/zab/vote.h"

#include <tuple>

namespace quorate::zab {

CastVote cast_of(const wire::Notification& notification) {
  return {.vote = {.leader = {notification.leader},
                   .zxid = notification.zxid,
                   .round = notification.round,
                   .peer_epoch = notification.peer_epoch},
          .state = static_cast<wire::PeerState>(notification.state),
          .version = notification.version};
}

bool better(const Vote& a, const Vote& b, const Electorate& electorate) {
  if (electorate.weight(a.leader) == 0) return false;
  return std::tie(a.peer_epoch, a.zxid, a.leader) > std::tie(b.peer_epoch, b.zxid, b.leader);
}

bool agree(const CastVote& a, const CastVote& b) {
  if (a.state == wire::PeerState::Looking || b.state == wire::PeerState::Looking) return a.vote == b.vote;
  if (a.vote.leader != b.vote.leader) return false;
  return (a.version > 0) != (b.version > 0) || a.vote.peer_epoch == b.vote.peer_epoch;
}

}  // namespace quorate::zab
