#include "core/zab/quorum.h"

#include <algorithm>
#include <bit>
#include <map>
#include <utility>

#include "base/check.h"

namespace quorate::zab {

QuorumRule rule_of(const wire::QuorumConfig& config) {
  QuorumRule rule{.voters = {}, .hierarchical = config.hierarchical, .version = config.version};
  for (const wire::QuorumMember& member : config.members) {
    if (member.role != wire::Role::Participant) continue;
    rule.voters.push_back({.id = {member.sid}, .weight = member.weight, .group = member.group.value_or(0)});
  }
  return rule;
}

Electorate::Electorate(QuorumRule committed)
    : Electorate(std::move(committed), QuorumRule{.voters = {}, .version = -1}) {}

Electorate::Electorate(QuorumRule committed, const QuorumRule& last_seen)
    : committed_(std::move(committed)), two_(last_seen.version > committed_.version) {
  for (const Voter& voter : committed_.voters) ids_.push_back(voter.id);
  if (two_) {
    for (const Voter& voter : last_seen.voters) ids_.push_back(voter.id);
  }
  std::ranges::sort(ids_);
  ids_.erase(std::ranges::unique(ids_).begin(), ids_.end());
  QUORATE_CHECK(ids_.size() <= kMaxVoters);
  committed_count_ = count_of(committed_);
  if (two_) last_seen_count_ = count_of(last_seen);
}

Electorate::Count Electorate::count_of(const QuorumRule& rule) const {
  Count count{
      .members = 0, .weights = std::vector<int64_t>(ids_.size()), .hierarchical = rule.hierarchical, .groups = {}};
  std::map<int64_t, Count::Group> groups;
  for (const Voter& voter : rule.voters) {
    const VoterSet voter_bit = bit(voter.id);
    QUORATE_CHECK((count.members & voter_bit) == 0);
    count.members |= voter_bit;
    count.weights[static_cast<size_t>(std::countr_zero(voter_bit))] = rule.hierarchical ? voter.weight : 1;
    groups[voter.group].members |= voter_bit;
  }
  for (auto& [id, group] : groups) {
    group.weight = weight_in(count, group.members);
    if (group.weight > 0) count.groups.push_back(group);
  }
  return count;
}

VoterSet Electorate::bit(ServerId id) const {
  const auto found = std::ranges::lower_bound(ids_, id);
  return found == ids_.end() || *found != id ? 0 : VoterSet{1} << (found - ids_.begin());
}

bool Electorate::contains_quorum(VoterSet set) const {
  return decides(committed_count_, set) && (!two_ || decides(last_seen_count_, set));
}

int64_t Electorate::weight(ServerId id) const {
  const VoterSet voter = bit(id);
  return weight_in((voter & committed_count_.members) != 0 ? committed_count_ : last_seen_count_, voter);
}

// More than half, rounded down, of the voters; or of the weight in more than half, rounded down, of the groups.
bool Electorate::decides(const Count& count, VoterSet set) {
  set &= count.members;
  if (!count.hierarchical) return std::popcount(set) > std::popcount(count.members) / 2;
  const auto won = std::ranges::count_if(count.groups, [&](const Count::Group& group) {
    return weight_in(count, set & group.members) > group.weight / 2;
  });
  return won > std::ssize(count.groups) / 2;
}

int64_t Electorate::weight_in(const Count& count, VoterSet set) {
  int64_t weight = 0;
  for (set &= count.members; set != 0; set &= set - 1) {
    weight += count.weights[static_cast<size_t>(std::countr_zero(set))];
  }
  return weight;
}

}  // namespace quorate::zab
