#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/planted.h"
#include "core/zab/lead.h"
#include "wire/record.h"

/// Live traffic: proposals out, acks in, commits out, and what learners forward.
namespace quorate::zab {

using wire::PacketType;

std::optional<Zxid> Lead::next_zxid() const {
  const Zxid start = planted(Planted::ZxidReused) ? Zxid{} : epoch_start();
  const Zxid next = std::max(start, journal_.last_made()).next();
  if (next.counter() > settings_.most_counter && !planted(Planted::CounterGoesOn)) return std::nullopt;
  return next;
}

void Lead::propose(Zxid zxid, std::string_view payload) {
  if (phase_ == LeadPhase::Over) return;
  QUORATE_CHECK(phase_ == LeadPhase::Broadcast && zxid > last_proposed_ && zxid <= journal_.last_made());
  last_proposed_ = zxid;
  commits_.propose(zxid);
  each_learner([&](Learner& learner) {
    const bool informed = planted(Planted::InformedBeforeCommit) && learner.forwarding && learner.observer;
    if (informed) send(learner, PacketType::Inform, zxid, payload);
    if (!learner.forwarding || learner.observer) return;
    send(learner, PacketType::Proposal, zxid, payload);
    // Those of its sync are not timed: there are learners that acknowledged them before they were Synced.
    if (learner.phase >= LearnerPhase::Synced && !learner.timed_proposal) time_proposal(learner, zxid);
  });
  drop_slow();
}

void Lead::on_persisted(Millis now) {
  if (phase_ == LeadPhase::Over) return;
  now_ = std::max(now_, now);
  commits_.on_durable(journal_.durable());
  spread_commits();
  drop_slow();
}

/// Before UPTODATE a learner only acknowledges.
void Lead::on_synced_packet(Learner& learner, const wire::QuorumPacket& packet) {
  const bool live = learner.phase == LearnerPhase::Live;
  switch (packet.kind()) {
    case PacketType::Ack:
      return on_ack(learner, packet.zxid);
    case PacketType::Ping:
      return on_ping(learner, packet);
    case PacketType::Request:
      if (live) return on_request(learner, packet);
      break;
    case PacketType::Revalidate:
      if (live) return on_revalidate(learner, packet);
      break;
    default:
      break;
  }
  drop(learner, fmt::format("packet type {} {}", packet.type, live ? "is none of a learner's" : "before UPTODATE"));
}

void Lead::on_ack(Learner& learner, Zxid zxid) {
  if (zxid == epoch_start()) return on_new_leader_ack(learner);
  if (zxid.counter() == 0) return;  // rule 29
  if (learner.timed_proposal && zxid >= *learner.timed_proposal) {
    learner.timed_proposal.reset();
    if (last_proposed_ > zxid) time_proposal(learner, last_proposed_);
  }
  commits_.on_ack(vote_of(learner), zxid);
  spread_commits();
}

void Lead::time_proposal(Learner& learner, Zxid zxid) {
  learner.timed_proposal = zxid;
  learner.proposal_deadline = now_ + ticks(settings_.sync_limit);
}

void Lead::spread_commits() {
  Zxid informed = commits_.committed();
  while (const std::optional<Zxid> zxid = commits_.next_committed()) {
    journal_.commit(*zxid);
    each_learner([&](Learner& learner) {
      if (learner.forwarding && !learner.observer) send(learner, PacketType::Commit, *zxid);
    });
    if (held_answers_.empty() || held_answers_.front().after > *zxid) continue;
    inform_observers(std::exchange(informed, *zxid));
    answer_held();
  }
  if (commits_.committed() > informed) inform_observers(informed);
}

void Lead::inform_observers(Zxid after) {
  const auto informed = [](const auto& entry) { return entry.second->forwarding && entry.second->observer; };
  if (std::ranges::none_of(learners_, informed) || planted(Planted::InformedBeforeCommit)) return;
  journal_.each_between(after, journal_.committed(), [&](Zxid zxid, std::string_view payload) {
    each_learner([&](Learner& learner) {
      if (learner.forwarding && learner.observer) send(learner, PacketType::Inform, zxid, payload);
    });
  });
}

void Lead::on_request(Learner& learner, const wire::QuorumPacket& packet) {
  Forwarded request{.from = learner.link, .header = {}, .record = {}, .auth = packet.auth};
  wire::Decoder in(packet.data);
  if (!decode(in, request.header)) return drop(learner, fmt::format("REQUEST of {} bytes", packet.data.size()));
  request.record = in.rest();
  out_.requests.push_back(request);
}

void Lead::on_revalidate(Learner& learner, const wire::QuorumPacket& packet) {
  wire::SessionTimeout session;
  wire::Decoder in(packet.data);
  if (!decode(in, session)) return drop(learner, fmt::format("REVALIDATE of {} bytes", packet.data.size()));
  out_.revalidations.push_back({learner.link, session});
}

void Lead::on_ping(Learner& learner, const wire::QuorumPacket& packet) {
  wire::Decoder in(packet.data);
  while (!in.ended()) {
    wire::SessionTimeout session;
    if (!decode(in, session)) return drop(learner, fmt::format("PING of {} bytes", packet.data.size()));
    out_.touched.push_back(session);
  }
}

void Lead::sync(LinkId link) {
  held_answers_.push({.after = last_proposed_, .link = link, .revalidated = {}});
  answer_held();
}

void Lead::answer_revalidate(LinkId link, SessionId session, bool valid) {
  Learner* learner = find(link);
  if (learner == nullptr) return;
  if (!learner->observer) return send_revalidated(*learner, {session, valid});
  held_answers_.push({.after = last_proposed_, .link = link, .revalidated = wire::Revalidated{session, valid}});
  answer_held();
}

/// In their places among the commits, so that a learner finds them between the writes where its clients put them.
void Lead::answer_held() {
  while (!held_answers_.empty() && held_answers_.front().after <= commits_.committed()) {
    const HeldAnswer held = held_answers_.pop();
    Learner* learner = find(held.link);
    if (learner == nullptr) continue;
    held.revalidated ? send_revalidated(*learner, *held.revalidated) : send(*learner, PacketType::Sync, Zxid{0});
  }
}

void Lead::send_revalidated(Learner& learner, const wire::Revalidated& answer) {
  ByteBuffer data;
  wire::Encoder out(data);
  encode(out, answer);
  send(learner, PacketType::Revalidate, Zxid{-1}, data.view());
}

}  // namespace quorate::zab
