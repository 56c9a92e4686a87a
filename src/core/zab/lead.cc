#include "core/zab/lead.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/planted.h"
#include "core/zab/zxid_text.h"

namespace quorate::zab {

using wire::PacketType;

void LeadOutput::clear() {
  std::optional<DiskOrder> order = disk;
  *this = LeadOutput();
  disk = order;
}

Lead::Lead(LeadSettings settings, Electorate electorate, Epochs epochs, Zxid last, Journal& journal, Millis now)
    : settings_(std::move(settings)),
      electorate_(std::move(electorate)),
      epochs_(epochs),
      last_(last),
      journal_(journal),
      discover_(electorate_, electorate_.bit(settings_.self), epochs, last),
      commits_(electorate_, electorate_.bit(settings_.self), last),
      last_proposed_(last),
      now_(now),
      next_beat_({now.value + settings_.tick.value / 2}) {
  QUORATE_CHECK(journal.last_made() == last && journal.durable() == last && journal.committed() == last);
  enter(LeadPhase::Discovery);
  discover_.on_accepted(0, settings_.known_epoch);
  if (epochs.accepted < kMaxEpoch) {
    go_on();
  } else {
    end("there is no epoch left");
  }
}

Lead::~Lead() = default;

void Lead::enter(LeadPhase phase) {
  phase_ = phase;
  phase_deadline_ = now_ + ticks(settings_.init_limit);
}

void Lead::order(DiskOrder::Kind kind, LeadPhase phase) {
  out_.disk = DiskOrder{.kind = kind, .epoch = discover_.epoch(), .zxid = {}};
  enter(phase);
}

/// Takes each step that the quorums allow by now.
void Lead::go_on() {
  if (phase_ == LeadPhase::Discovery && discover_.epoch_settled()) {
    order(DiskOrder::Kind::AcceptedEpoch, LeadPhase::PromisingEpoch);
  }
  if (phase_ == LeadPhase::Electing && discover_.elected()) {
    order(DiskOrder::Kind::CurrentEpoch, LeadPhase::TakingEpoch);
    begin_syncs(LearnerPhase::Acked);
  }
  const bool acked = electorate_.contains_quorum(new_leader_acks_) || planted(Planted::ServesBeforeQuorum);
  if (phase_ == LeadPhase::Synchronising && acked) establish();
}

void Lead::on_disk_done(Millis now) {
  QUORATE_CHECK(out_.disk.has_value());
  now_ = std::max(now_, now);
  const DiskOrder done = *std::exchange(out_.disk, std::nullopt);
  const bool promised = done.kind == DiskOrder::Kind::AcceptedEpoch;
  (promised ? epochs_.accepted : epochs_.current) = done.epoch;
  if (phase_ == LeadPhase::Over) return;
  if (promised) {
    enter(LeadPhase::Electing);
    each_learner([&](Learner& learner) {
      if (learner.phase == LearnerPhase::Waiting) invite(learner);
    });
  } else {
    // The own history was durable before the epoch: this is the leader's ack of its own NEWLEADER (rule 17).
    new_leader_acks_ |= electorate_.bit(settings_.self);
    enter(LeadPhase::Synchronising);
  }
  go_on();
}

void Lead::establish() {
  enter(LeadPhase::Broadcast);
  full_tick_ = false;
  settings_.sync.epochs.push_back({.epoch = discover_.epoch(), .before = last_});
  out_.established = true;
  say(Level::Info,
      fmt::format("Have quorum of supporters, sids: [[{}]]; starting up and setting last processed zxid: {}",
                  names_of(new_leader_acks_), hex(epoch_start())));
  each_learner([&](Learner& learner) {
    if (learner.phase == LearnerPhase::Synced) go_live(learner);
  });
}

void Lead::on_learner(LinkId link, Millis now) {
  if (phase_ == LeadPhase::Over) return;
  now_ = std::max(now_, now);
  auto learner = std::make_unique<Learner>();
  learner->link = link;
  learner->queue_limit = settings_.max_queued_bytes;
  learner->deadline_tick = tick_ + settings_.init_limit + settings_.sync_limit;
  expect(*learner, settings_.init_limit);
  learners_[link] = std::move(learner);
}

void Lead::on_packet(LinkId link, const wire::QuorumPacket& packet, Millis now) {
  now_ = std::max(now_, now);
  Learner* learner = find(link);
  if (learner == nullptr) return;
  heard(*learner);
  switch (learner->phase) {
    case LearnerPhase::New:
      on_first_packet(*learner, packet);
      break;
    case LearnerPhase::AckingEpoch:
      on_ack_epoch(*learner, packet);
      break;
    case LearnerPhase::Synchronising:
    case LearnerPhase::Synced:
    case LearnerPhase::Live:
      on_synced_packet(*learner, packet);
      break;
    case LearnerPhase::Waiting:
    case LearnerPhase::Acked:
    case LearnerPhase::AwaitingTurn:
    case LearnerPhase::AwaitingDisk:
    case LearnerPhase::ReceivingTree:
      drop(*learner, fmt::format("packet type {} while the leader's answer is due", packet.type));
      break;
  }
  drop_slow();
  give_turns();
}

void Lead::on_first_packet(Learner& learner, const wire::QuorumPacket& packet) {
  learner.observer = packet.kind() == PacketType::ObserverInfo;
  wire::LearnerInfo hello;
  if ((packet.kind() != PacketType::FollowerInfo && !learner.observer) || !decode_learner_info(packet.data, hello)) {
    return drop(learner, fmt::format("first packet, type {}, does not say who it is", packet.type));
  }
  learner.sid = {hello.server_id};
  const int64_t accepted = packet.zxid.epoch();
  if (hello.protocol_version < wire::kLearnerProtocol) {
    return drop(learner, fmt::format("protocol version {:#x} is too old, {:#x} is the least that promises epochs",
                                     hello.protocol_version, wire::kLearnerProtocol));
  }
  if (learner.sid == settings_.self) return drop(learner, "that is the leader's own server id");
  if (hello.config_version > settings_.config_version) {
    return drop(learner, fmt::format("its configuration, version {:#x}, is newer than the leader's, {:#x}",
                                     hello.config_version, settings_.config_version));
  }
  if (accepted < 0 || accepted >= kMaxEpoch) return drop(learner, fmt::format("accepted epoch {}", accepted));
  leave_older_link(learner);
  welcome(learner, accepted);
}

/// A voter that has accepted a newer epoch than ours can never follow us (rule 18), and would be missing for as long as
/// we lead: it takes a new epoch to have it back. Others are no reason to end what voters have settled.
void Lead::welcome(Learner& learner, int64_t accepted) {
  learner.phase = LearnerPhase::Waiting;
  expect_nothing(learner);
  settings_.known_epoch = std::max(settings_.known_epoch, accepted);
  discover_.on_accepted(vote_of(learner), accepted);
  if (accepted > discover_.epoch() && vote_of(learner) != 0) {
    return end(fmt::format("voter {} has accepted epoch {}, and cannot follow in epoch {}", learner.sid.value, accepted,
                           discover_.epoch()));
  }
  go_on();
  if (phase_ >= LeadPhase::Electing) invite(learner);
}

/// A server has one life at a time: its earlier connection is dead, though nobody told.
void Lead::leave_older_link(const Learner& learner) {
  each_learner([&](Learner& other) {
    const bool same = other.sid == learner.sid && other.phase != LearnerPhase::New;
    if (same && other.link != learner.link) drop(other, "it has come again on a new connection");
  });
}

void Lead::invite(Learner& learner) {
  char version[4];
  wire::store_be32(version, wire::kLearnerProtocol);
  send(learner, PacketType::LeaderInfo, epoch_start(), {version, sizeof version});
  learner.phase = LearnerPhase::AckingEpoch;
  expect(learner, settings_.init_limit);
}

void Lead::on_ack_epoch(Learner& learner, const wire::QuorumPacket& packet) {
  wire::Decoder in(packet.data);
  const int32_t current = in.i32();
  if (packet.kind() != PacketType::AckEpoch || !in.ok()) {
    return drop(learner,
                fmt::format("packet type {} of {} bytes instead of ACKEPOCH", packet.type, packet.data.size()));
  }
  if (current != -1 && discover_.is_ahead(current, packet.zxid)) {
    return drop(learner, fmt::format("its history, epoch {}, zxid {}, is newer than the leader's, epoch {}, zxid {}",
                                     current, hex(packet.zxid), epochs_.current, hex(last_)));
  }
  learner.last = packet.zxid;
  learner.phase = LearnerPhase::Acked;
  expect_nothing(learner);
  discover_.on_promised(vote_of(learner), current, packet.zxid);
  go_on();
  if (phase_ >= LeadPhase::TakingEpoch && learner.phase == LearnerPhase::Acked) begin_sync(learner);
}

void Lead::on_closed(LinkId link) {
  forget(link);
  give_turns();
}

void Lead::resign(const std::string& why) {
  if (phase_ != LeadPhase::Over) end(why);
}

Learner* Lead::find(LinkId link) {
  const auto at = learners_.find(link);
  return at == learners_.end() ? nullptr : at->second.get();
}

std::string Lead::names_of(VoterSet set) const {
  std::string names;
  for (const ServerId id : electorate_.voters()) {
    if ((electorate_.bit(id) & set) != 0) names += fmt::format("{}{}", names.empty() ? "" : ", ", id.value);
  }
  return names;
}

void Lead::send(Learner& learner, PacketType type, Zxid zxid, std::string_view data) {
  if (learner.phase == LearnerPhase::ReceivingTree) return append_packet(learner.held, type, zxid, data);
  append_packet(learner.out, type, zxid, data);
  mark_dirty(learner.link);
}

void Lead::mark_dirty(LinkId link) {
  if (std::ranges::find(out_.dirty, link) == out_.dirty.end()) out_.dirty.push_back(link);
}

void Lead::drop(Learner& learner, const std::string& why) {
  const LinkId link = learner.link;
  const std::string who = learner.phase == LearnerPhase::New && learner.sid.value == 0
                              ? std::string("a learner that has not said who it is")
                              : fmt::format("learner sid: {}", learner.sid.value);
  say(Level::Warn, fmt::format("Closing connection to {}: {}", who, why));
  forget(link);
  out_.closes.push_back(link);
}

/// After each input, not while packets are being queued: then nobody is gone in the middle of a step.
void Lead::drop_slow() {
  each_learner([&](Learner& learner) {
    const size_t queued = learner.out.size() + learner.held.size();
    if (queued > learner.queue_limit) drop(learner, fmt::format("{} bytes wait for it", queued));
  });
}

void Lead::forget(LinkId link) {
  turn_is_free_ = true;
  const auto found = learners_.find(link);
  if (found != learners_.end() && !planted(Planted::CutAckCounts)) commits_.withdraw(vote_of(*found->second));
  learners_.erase(link);
  std::erase(out_.dirty, link);
  std::erase(out_.trees, link);
  std::erase_if(out_.histories, [&](const LeadOutput::HistoryWish& wish) { return wish.link == link; });
}

void Lead::say(Level level, std::string text) { out_.lines.push_back({level, "Leader", std::move(text)}); }

void Lead::end(const std::string& why) {
  phase_ = LeadPhase::Over;
  reason_ = why;
  say(Level::Warn, fmt::format("Shutdown called. For the reason {}", why));
  each_learner([&](Learner& learner) {
    const LinkId link = learner.link;
    forget(link);
    out_.closes.push_back(link);
  });
}

}  // namespace quorate::zab
