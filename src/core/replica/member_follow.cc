#include <algorithm>
#include <optional>
#include <utility>

#include "core/replica/member.h"
#include "core/replica/member_outputs.h"
#include "core/tree/apply.h"

/// A member's conversations with its leaders. Spec: quorum 3.3, 3.7; known-faults R-S6, MUST-8.
namespace quorate::replica {
namespace {

constexpr Millis kFirstRest{1000};
constexpr Millis kLongestRest{4000};
constexpr int kTreeEvery = 4;  // failures

/// The txn in the packet, if it is of a kind that has one.
std::optional<std::string_view> txn_in(const wire::QuorumPacket& packet) {
  constexpr size_t kDesignatedBytes = 8;
  switch (packet.kind()) {
    case wire::PacketType::Proposal:
    case wire::PacketType::Inform:
      return packet.data;
    case wire::PacketType::InformAndActivate:
      return packet.data.substr(std::min(packet.data.size(), kDesignatedBytes));
    default:
      return std::nullopt;
  }
}

/// Empty: it can be applied.
std::string fault_of(std::string_view payload) {
  tree::TxnView txn;
  std::string why;
  return tree::parse_txn(payload, txn, why) ? std::string() : why;
}

}  // namespace

void Member::on_leader_connected() {
  if (!follow_) return;
  follow_->on_connected(now_.monotonic);
  after_follow();
}

void Member::on_leader_packet(const wire::QuorumPacket& packet) {
  if (!follow_ || follow_->phase() == zab::FollowPhase::Over) return;
  const auto txn = txn_in(packet);
  const std::string fault = txn ? fault_of(*txn) : std::string();
  if (!fault.empty()) {
    follow_->on_closed("the leader sent a txn that cannot be read: " + fault);
  } else {
    follow_->on_packet(packet, now_.monotonic);
  }
  after_follow();
}

void Member::on_leader_lost(const std::string& why) {
  if (!follow_) return;
  follow_->on_closed(why);
  after_follow();
}

void Member::on_tree_bytes() {
  if (follow_) follow_->on_tree_bytes(now_.monotonic);
}

void Member::on_tree_received(std::unique_ptr<tree::Tree> tree, tree::SessionList sessions) {
  if (!follow_ || follow_->phase() != zab::FollowPhase::ReceivingTree) return;
  arrived_ = Arrived{std::move(tree), std::move(sessions)};
  follow_->on_tree_received(now_.monotonic);
  replica_->close_all();
  install();
  after_follow();
}

void Member::on_tree_refused(const std::string& why) {
  if (!follow_) return;
  follow_->on_tree_refused(why);
  after_follow();
}

void Member::after_follow() {
  if (!follow_) return;
  for (const zab::FollowEvent& event : std::exchange(follow_->out().events, {})) events_.push(event);
  do {
    replica_->apply_until(events_.empty() ? Zxid{INT64_MAX} : events_.front().after);
    replica_->apply_ready();
  } while (deliver_event());
  follow_->on_persisted(now_.monotonic);
  zab::FollowOutput& out = follow_->out();
  for (const wire::Revalidated& answer : std::exchange(out.revalidated, {})) replica_->on_revalidated(answer);
  if (const auto pinged = std::exchange(out.pinged, std::nullopt)) {
    follow_->answer_ping(*pinged, replica_->take_touched());
  }
  take_items(std::exchange(out.config_texts, {}), output_.config_texts);
  take_lines(out.lines, output_.lines);
  if (follow_->phase() == zab::FollowPhase::Over) end_role();
}

/// The oldest, if its place has come. What was committed behind it must not be applied before: an answer to a sync
/// would come behind answers that were asked for later.
bool Member::deliver_event() {
  if (events_.empty() || events_.front().after > journal_.applied()) return false;
  const zab::FollowEvent event = events_.pop();
  if (event.kind == zab::FollowEvent::Kind::UpToDate) {
    elect_.set_peer_epoch(epochs_.current);
    up_since_ = now_.monotonic;
    replica_->begin_serving();
  }
  if (event.kind == zab::FollowEvent::Kind::Synced) replica_->on_synced();
  return true;
}

/// Another leader, or another election of the same one, begins with a clean sheet: it may need us at once.
void Member::prepare_following(const zab::Vote& vote) {
  if (following_.leader != vote.leader) {
    following_ = settings_.follow;
    refused_ = false;
  }
  if (following_.leader != vote.leader || voted_round_ != vote.round) failures_ = 0;
  following_.leader = vote.leader;
  voted_round_ = vote.round;
  // What fails again and again may go well from the beginning. Only a leader that was there before us is asked: one
  // that needs us for its election does not count those who ask, and waits for them in vain.
  const bool from_the_beginning = refused_ || failures_ % kTreeEvery == kTreeEvery - 1;
  following_.ask_for_tree_in_epoch = from_the_beginning ? vote.peer_epoch : -1;
  // It has our vote.
  if (const auto elected = std::exchange(tree_in_epoch_, std::nullopt)) following_.ask_for_tree_in_epoch = *elected;
}

/// What failed once is tried again at once; then 1, 2, 4 s later, as long as it is the same leader of the same election
/// (known-faults R-S6). A rest is short against the limit within which the leader has to be heard.
Millis Member::rest_before_dial() const {
  if (failures_ < 2) return Millis{0};
  const Millis doubled{kFirstRest.value << std::min(failures_ - 2, 8)};
  return std::min({doubled, kLongestRest, Millis{settings_.follow.init_limit.value / 4}});
}

void Member::dial_when_rested() {
  if (!dial_at_ || now_.monotonic < *dial_at_) return;
  dial_at_.reset();
  output_.dial = following_.leader;
}

/// The leader that was to be dialed leads no more: others may be waiting for our vote.
void Member::stop_resting(ServerId gone) {
  if (!dial_at_ || gone != following_.leader) return;
  follow_->on_closed("the leader was gone before it was dialed again");
  after_follow();
}

/// What is sent before the leader is known to be established it sends because it was elected, with our vote or without:
/// that we could not take it is no reason to leave it.
bool Member::may_return() const {
  const int64_t epoch = follow_->leader_epoch();
  const bool established = elect_.current().peer_epoch == epoch;
  const bool asked = following_.ask_for_tree_in_epoch == epoch;
  return follow_->was_refused() && !follow_->wants_tree() && !established && !asked;
}

void Member::note_conversation() {
  const auto up_since = std::exchange(up_since_, std::nullopt);
  const bool went_well = up_since && now_.monotonic - *up_since >= settings_.follow.sync_limit;
  failures_ = went_well ? 1 : failures_ + 1;
  refused_ = follow_->was_refused() || (refused_ && !up_since);
  if (may_return()) tree_in_epoch_ = follow_->leader_epoch();
  following_.differed_before |= follow_->digest_differed();
  if (follow_->digest_is_foreign()) following_.foreign_in_epoch = follow_->leader_epoch();
  if (follow_->epoch_began()) settings_.lead.sync.epochs.push_back(*follow_->epoch_began());
  dial_at_.reset();
}

}  // namespace quorate::replica
