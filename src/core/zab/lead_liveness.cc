#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/planted.h"
#include "core/zab/lead.h"
#include "core/zab/zxid_text.h"

/// Who is still there: limits of the phases and of the learners, pings, and the quorum that a leader must have.
/// Everything is looked at once in half a tick.
namespace quorate::zab {

using wire::PacketType;

namespace {

constexpr Millis kNever{std::numeric_limits<int64_t>::max() / 2};

const char* awaited_in(LeadPhase phase) {
  switch (phase) {
    case LeadPhase::Discovery:
      return "epoch from quorum";
    case LeadPhase::Electing:
      return "epoch to be acked by quorum";
    case LeadPhase::Synchronising:
      return "NEWLEADER to be acked by quorum";
    default:
      return "an epoch file to be written";
  }
}

}  // namespace

void Lead::heard(Learner& learner) {
  learner.deadline_tick = tick_ + settings_.sync_limit;
  if (learner.phase == LearnerPhase::Synchronising) expect(learner, settings_.init_limit);
  if (learner.phase == LearnerPhase::Live) expect(learner, settings_.sync_limit);
}

void Lead::expect(Learner& learner, int32_t within_ticks) { learner.read_deadline = now_ + ticks(within_ticks); }

void Lead::expect_nothing(Learner& learner) { learner.read_deadline = kNever; }

void Lead::give_time(Learner& learner, int32_t ticks_more) {
  expect(learner, ticks_more);
  learner.deadline_tick = tick_ + settings_.init_limit + settings_.sync_limit;
  if (phase_ == LeadPhase::Synchronising && vote_of(learner) != 0) enter(phase_);
}

/// A learner that takes what is sent is alive, and worth waiting for, however much there is to send; so are those that
/// can do nothing but wait for it.
void Lead::on_progress(Learner& learner) {
  give_time(learner, settings_.init_limit);
  each_learner([&](Learner& other) {
    if (other.phase == LearnerPhase::AwaitingTurn) await_turn(other);
  });
}

Millis Lead::next_time() const { return phase_ == LeadPhase::Over ? kNever : next_beat_; }

void Lead::on_time(Millis now) {
  now_ = std::max(now_, now);
  if (phase_ == LeadPhase::Over || now_ < next_beat_) return;
  const Millis late = now_ - next_beat_;
  next_beat_ = {now_.value + settings_.tick.value / 2};
  // We slept, and what learners sent meanwhile is not read yet: their silence was ours.
  if (late > settings_.tick) {
    each_learner([&](Learner& learner) {
      learner.read_deadline = std::min(kNever, learner.read_deadline + late);
      learner.proposal_deadline = learner.proposal_deadline + late;
    });
  }
  full_tick_ = !full_tick_;
  check_phase();
  if (phase_ == LeadPhase::Broadcast && !full_tick_) check_quorum();
  each_learner([&](Learner& learner) { check_learner(learner); });
  drop_slow();
  give_turns();
}

void Lead::check_phase() {
  if (phase_ >= LeadPhase::Broadcast || now_ < phase_deadline_) return;
  end(fmt::format("Timeout while waiting for {}", awaited_in(phase_)));
}

void Lead::check_quorum() {
  ++tick_;
  VoterSet synced = electorate_.bit(settings_.self);
  each_learner([&](Learner& learner) {
    if (learner.phase != LearnerPhase::New && tick_ <= learner.deadline_tick) synced |= vote_of(learner);
  });
  if (electorate_.contains_quorum(synced) || planted(Planted::LeadsWithoutQuorum)) return;
  end(fmt::format("Not sufficient followers synced, only synced with sids: [ {} ]", names_of(synced)));
}

/// Pings also before UPTODATE: the learner's time-out is short from its ACK(NEWLEADER) on (rule 27).
void Lead::check_learner(Learner& learner) {
  if (now_ >= learner.read_deadline) return drop(learner, "it was silent for too long");
  if (learner.timed_proposal && now_ >= learner.proposal_deadline) {
    return drop(learner, fmt::format("proposal {} was not acknowledged in time", hex(*learner.timed_proposal)));
  }
  if (learner.phase < LearnerPhase::Synchronising) return;
  send(learner, PacketType::Ping, std::max(epoch_start(), last_proposed_));
}

}  // namespace quorate::zab
