#include "core/zab/commit_rule.h"

#include <algorithm>

#include "base/check.h"
#include "base/planted.h"

namespace quorate::zab {

void CommitRule::propose(Zxid zxid) {
  QUORATE_CHECK(zxid > (outstanding_.empty() ? committed_ : outstanding_.back().zxid));
  outstanding_.push({zxid});
}

void CommitRule::on_ack(VoterSet who, Zxid zxid) {
  const auto at = std::ranges::lower_bound(outstanding_, zxid, {}, &Proposal::zxid);
  if (at != outstanding_.end() && at->zxid == zxid) at->acks |= who;
}

void CommitRule::withdraw(VoterSet who) {
  for (Proposal& proposal : outstanding_) proposal.acks &= ~who;
}

void CommitRule::on_durable(Zxid zxid) { durable_ = std::max(durable_, zxid); }

std::optional<Zxid> CommitRule::next_committed() {
  if (outstanding_.empty()) return std::nullopt;
  const Proposal& oldest = outstanding_.front();
  const VoterSet own = oldest.zxid <= durable_ ? self_ : 0;
  const bool decided = electorate_.contains_quorum(oldest.acks | own) || planted(Planted::CommitWithoutQuorum);
  if (!decided) return std::nullopt;
  return committed_ = outstanding_.pop().zxid;
}

}  // namespace quorate::zab
