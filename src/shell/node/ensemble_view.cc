#include <string>

#include "shell/node/ensemble.h"

/// A member as operators see it. Spec: operations 4.3.
namespace quorate::node {
namespace {

const char* text_of(zab::LeadPhase phase) {
  switch (phase) {
    case zab::LeadPhase::Discovery:
    case zab::LeadPhase::PromisingEpoch:
    case zab::LeadPhase::Electing:
    case zab::LeadPhase::TakingEpoch:
      return "leading - discovery";
    case zab::LeadPhase::Synchronising:
      return "leading - synchronization";
    case zab::LeadPhase::Broadcast:
      return "leading - broadcast";
    case zab::LeadPhase::Over:
      break;
  }
  return "looking";
}

const char* text_of(zab::FollowPhase phase) {
  switch (phase) {
    case zab::FollowPhase::Connecting:
    case zab::FollowPhase::Discovery:
    case zab::FollowPhase::PromisingEpoch:
    case zab::FollowPhase::AwaitingSync:
      return " - discovery";
    case zab::FollowPhase::Truncating:
      return " - synchronization - trunc";
    case zab::FollowPhase::ReceivingTree:
    case zab::FollowPhase::StoringTree:
      return " - synchronization - snap";
    case zab::FollowPhase::CatchingUp:
    case zab::FollowPhase::MakingDurable:
    case zab::FollowPhase::TakingEpoch:
    case zab::FollowPhase::AwaitingUpToDate:
      return " - synchronization - diff";
    case zab::FollowPhase::Broadcast:
      return " - broadcast";
    case zab::FollowPhase::Over:
      break;
  }
  return "";
}

std::string peer_state(const replica::Member& member, bool observer) {
  if (const zab::Lead* lead = member.lead()) return text_of(lead->phase());
  const zab::Follow* follow = member.follow();
  if (follow == nullptr || follow->phase() == zab::FollowPhase::Over) return "looking";
  return std::string(observer ? "observing" : "following") + text_of(follow->phase());
}

admin::LeaderView leader_view(const zab::Lead& lead, const zab::Electorate& electorate, Millis since) {
  admin::LeaderView view;
  view.since = since;
  for (const auto& [link, learner] : lead.learners()) {
    ++view.learners;
    if (learner->phase < zab::LearnerPhase::Synced) {
      ++view.pending_syncs;
    } else if (learner->observer) {
      ++view.synced_observers;
    } else {
      ++view.synced_followers;
      if (!electorate.is_voter(learner->sid)) ++view.synced_non_voting_followers;
    }
  }
  return view;
}

}  // namespace

admin::MemberView Ensemble::view() const {
  admin::MemberView view;
  view.init_limit = settings_.init_limit;
  view.sync_limit = settings_.sync_limit;
  view.role = settings_.role;
  view.config = settings_.config;
  const zab::Follow* follow = member_.follow();
  // A role that ended with the wish for a tree may still have connections and orders in hand.
  view.in_doubt = member_.in_doubt() || (follow != nullptr && follow->wants_tree());
  view.foreign_digests = follow != nullptr && follow->digest_is_foreign();
  view.set_aside = set_aside_;
  const bool observer = settings_.role == wire::Role::Observer;
  view.peer_state = peer_state(member_, observer);
  if (const zab::Lead* lead = member_.lead()) {
    view.leader = leader_view(*lead, member_.electorate(), leading_since_);
  } else if (observer) {
    view.observer_master_id = member_.elect().current().leader.value;
  } else {
    view.synced_observers = 0;
  }
  return view;
}

}  // namespace quorate::node
