#include "core/zab/elect.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace quorate::zab {

namespace {

using wire::PeerState;

constexpr Millis kNever{std::numeric_limits<int64_t>::max()};
constexpr int64_t kNobody = std::numeric_limits<int64_t>::min();
constexpr Zxid kMissingHistory{-1};
constexpr Millis kSoon{1000};

bool is_state(int32_t state) { return state >= 0 && state <= static_cast<int32_t>(PeerState::Observing); }

// A voter may send any round, also the highest: it wraps, as with Apache.
int64_t round_after(int64_t round) { return static_cast<int64_t>(static_cast<uint64_t>(round) + 1); }

}  // namespace

Elect::Elect(ElectSettings settings, Electorate electorate) : settings_(settings), electorate_(std::move(electorate)) {
  current_.leader = settings_.self;
}

void Elect::look(Zxid zxid, int64_t peer_epoch, Millis now) {
  if (!looked_) current_ = {.leader = settings_.self, .zxid = zxid, .round = -1, .peer_epoch = peer_epoch};
  looked_ = true;
  searching_ = true;
  state_ = PeerState::Looking;
  own_zxid_ = zxid;
  own_epoch_ = peer_epoch;
  round_ = round_after(round_);
  received_.clear();
  settled_.clear();
  // Who refused a dial in an earlier election may listen by now; our announcement makes the link dial again.
  std::erase_if(reach_, [](const auto& entry) { return entry.second == Reach::Refused; });
  interval_ = settings_.min_interval;
  next_announce_ = now + interval_;
  adopt(initial());
  count_early(now);
  if (searching_) consider(now);
}

Vote Elect::initial() const {
  const bool candidate = electorate_.is_committed_voter(settings_.self);
  return {.leader = candidate ? settings_.self : ServerId{kNobody},
          .zxid = settings_.observer ? Zxid{kNobody} : own_zxid_,
          .round = round_,
          .peer_epoch = settings_.observer ? kNobody : own_epoch_};
}

void Elect::adopt(const Vote& vote) {
  proposal_ = vote;
  proposal_.round = round_;
  finalize_at_.reset();
  // What others would not count of us does not count here: rule 10, quorum 2.5.
  if (has_vote() && electorate_.is_voter(vote.leader) && initial().zxid != kMissingHistory) {
    received_[settings_.self] = {.vote = proposal_, .state = PeerState::Looking, .version = 0};
  }
  announce();
}

void Elect::announce() {
  for (const ServerId voter : electorate_.voters()) {
    if (voter != settings_.self) say(voter, proposal_, PeerState::Looking);
  }
}

void Elect::say(ServerId to, const Vote& vote, PeerState state) {
  output_.messages.push_back({.to = to,
                              .notification = {.state = static_cast<int32_t>(state),
                                               .leader = vote.leader.value,
                                               .zxid = vote.zxid,
                                               .round = vote.round,
                                               .peer_epoch = vote.peer_epoch,
                                               .version = wire::kNotificationVersion,
                                               .config = {}}});
}

// A voter that looks answers an observer, and the observer answers a voter that looks: left alone, the two would answer
// each other without end, as fast as the network lets them. So whoever has no vote, or answers such a one, does not
// repeat itself within an interval.
void Elect::answer(ServerId to, const Answer& answer) {
  std::erase_if(answered_, [&](const auto& entry) { return answer.at - entry.second.at >= settings_.min_interval; });
  const auto [entry, first] = answered_.try_emplace(to, answer);
  if (!first && entry->second.vote == answer.vote && entry->second.state == answer.state) return;
  entry->second = answer;
  say(to, answer.vote, answer.state);
}

// Whoever has no vote learns what the last election found, in today's round, and is not listened to. Spec: quorum 2.6.
// It surely asks when it looks in no later round than ours; else its message may be an answer itself.
void Elect::answer_stranger(ServerId to, const wire::Notification& notification, Millis now) {
  Vote vote = current_;
  vote.round = round_;
  const bool asks = notification.state == static_cast<int32_t>(PeerState::Looking) && notification.round <= round_;
  if (asks) return say(to, vote, state_);
  answer(to, {.vote = vote, .state = state_, .at = now});
}

void Elect::answer_voter(ServerId to, const Vote& vote, Millis now) {
  if (has_vote()) return say(to, vote, state_);
  answer(to, {.vote = vote, .state = state_, .at = now});
}

void Elect::on_notification(ServerId from, const wire::Notification& notification, Millis now) {
  if (from == settings_.self) return;
  if (!electorate_.is_voter(from)) return answer_stranger(from, notification, now);
  if (!is_state(notification.state)) return;
  const CastVote cast = cast_of(notification);
  if (!searching_) return on_unsought(from, cast, now);
  if (!waits_for_us(cast)) next_announce_ = now + interval_;
  if (cast.state == PeerState::Looking && cast.vote.round < round_) answer_voter(from, proposal_, now);
  if (!electorate_.is_voter(cast.vote.leader)) return;
  if (cast.state == PeerState::Looking) return on_looking(from, cast, now);
  if (cast.state != PeerState::Observing) on_settled(from, cast, now);
}

// Who has no history only asks, again and again; who goes on voting for less than we do has not heard us. Neither must
// keep us from telling, be its clock a little faster than ours.
bool Elect::waits_for_us(const CastVote& cast) const {
  if (cast.vote.zxid == kMissingHistory) return true;
  const bool votes_now = cast.state == PeerState::Looking && cast.vote.round == round_;
  return votes_now && better(proposal_, cast.vote, electorate_);
}

// It is answered at once. Voters that lose one leader begin to look at slightly different times, and say so once: an
// early vote is kept until we look ourselves, as if it had been longer on its way.
void Elect::on_unsought(ServerId from, const CastVote& cast, Millis now) {
  if (cast.state != PeerState::Looking) return;
  if (state_ != PeerState::Looking) answer_voter(from, current_, now);
  if (cast.vote.round > round_) early_[from] = {.cast = cast, .at = now};
}

// Old ones are left out: who still looks after that time has said so again, and who does not shall not be counted.
void Elect::count_early(Millis now) {
  for (const auto& [from, early] : std::exchange(early_, {})) {
    const bool sound = electorate_.is_voter(early.cast.vote.leader);
    if (searching_ && sound && now - early.at <= settings_.min_interval) on_looking(from, early.cast, now);
  }
}

void Elect::on_looking(ServerId from, const CastVote& cast, Millis now) {
  if (cast.vote.zxid == kMissingHistory) return;
  if (initial().zxid == kMissingHistory) return ask_soon(now);
  if (cast.vote.round < round_) return;
  if (cast.vote.round > round_) {
    round_ = cast.vote.round;
    received_.clear();
    const Vote own = initial();
    adopt(better(cast.vote, own, electorate_) ? cast.vote : own);
  } else if (better(cast.vote, proposal_, electorate_)) {
    adopt(cast.vote);
  }
  received_[from] = {.vote = cast.vote, .state = cast.state, .version = 0};
  consider(now);
}

// An election is under way without us, and nobody will tell us how it went.
void Elect::ask_soon(Millis now) {
  interval_ = std::min(interval_, kSoon);
  next_announce_ = now + interval_;
}

// The one who follows or leads has decided already: in our round it may complete our quorum; in any round a quorum of
// such servers has a leader that we join. Either way the leader must say so itself (rule 13).
void Elect::on_settled(ServerId from, const CastVote& cast, Millis now) {
  if (cast.vote.round == round_) {
    received_[from] = {.vote = cast.vote, .state = cast.state, .version = 0};
    if (has_quorum(received_, cast) && leader_confirms(received_, cast.vote)) return decide(cast.vote);
  }
  settled_[from] = cast;
  if (has_quorum(settled_, cast) && leader_confirms(settled_, cast.vote)) return decide(cast.vote);
  consider(now);
}

void Elect::on_reach(ServerId voter, Reach reach, Millis now) {
  if (!electorate_.is_voter(voter)) return;
  reach_[voter] = reach;
  if (searching_) consider(now);
}

void Elect::on_time(Millis now, bool undelivered) {
  if (searching_) consider(now);
  if (!searching_ || now < next_announce_) return;
  // Apache does one or the other; but a server that is down must not keep us from repeating ourselves to the rest.
  announce();
  output_.connect_all = undelivered;
  interval_ = std::min(interval_ + interval_, settings_.max_interval);
  next_announce_ = now + interval_;
}

Millis Elect::next_time() const {
  if (!searching_) return kNever;
  return std::min(next_announce_, finalize_at_.value_or(kNever));
}

ElectionOutput Elect::take() { return std::exchange(output_, {}); }

// To us, if we have no vote, looking voters do not tell their votes but what their last election found (quorum 2.6): a
// leader that is not even there is not worth a decision.
void Elect::consider(Millis now) {
  const bool hearsay = !has_vote() && reach_of(proposal_.leader) != Reach::Open;
  if (hearsay || !has_quorum(received_, {.vote = proposal_, .state = PeerState::Looking, .version = 0})) {
    finalize_at_.reset();
    return;
  }
  if (!finalize_at_) finalize_at_ = now + settings_.finalize_wait;
  if (now >= *finalize_at_ || !better_may_come()) decide(proposal_);
}

// Rule 14. Safety does not rest on the answer: a leader that is behind is left during discovery.
bool Elect::better_may_come() const {
  return std::ranges::any_of(electorate_.voters(), [this](ServerId voter) {
    const auto found = received_.find(voter);
    if (found != received_.end() && found->second.vote == proposal_) return false;
    return reach_of(voter) != Reach::Refused;
  });
}

Reach Elect::reach_of(ServerId voter) const {
  const auto found = reach_.find(voter);
  return found == reach_.end() ? Reach::Unknown : found->second;
}

bool Elect::has_quorum(const Votes& votes, const CastVote& reference) const {
  VoterSet set = 0;
  for (const auto& [from, cast] : votes) {
    if (agree(cast, reference)) set |= electorate_.bit(from);
  }
  return electorate_.contains_quorum(set);
}

bool Elect::leader_confirms(const Votes& votes, const Vote& vote) const {
  // Whoever has lost its history does not lead, though it did before and others have not noticed (known-faults R-D6).
  if (vote.leader == settings_.self) return vote.round == round_ && own_zxid_ != kMissingHistory;
  const auto found = votes.find(vote.leader);
  return found != votes.end() && found->second.state == PeerState::Leading;
}

void Elect::decide(const Vote& vote) {
  const PeerState follower = settings_.observer ? PeerState::Observing : PeerState::Following;
  state_ = vote.leader == settings_.self ? PeerState::Leading : follower;
  searching_ = false;
  round_ = vote.round;
  current_ = vote;
  output_.decided = vote;
}

}  // namespace quorate::zab
