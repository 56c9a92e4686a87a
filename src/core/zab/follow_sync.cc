#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/planted.h"
#include "core/zab/follow.h"
#include "core/zab/zxid_text.h"

/// From DIFF, TRUNC or SNAP to UPTODATE: the base is there first, then the history behind it, then both are promised.
/// Spec: quorum 3.6, 3.7; rules 17, 31, 34, 36 to 40.
namespace quorate::zab {

using wire::PacketType;
using wire::QuorumPacket;

void Follow::on_sync(const QuorumPacket& packet) {
  switch (packet.kind()) {
    case PacketType::Diff:
      return on_diff(packet.zxid);
    case PacketType::Trunc:
      return on_trunc(packet.zxid);
    case PacketType::Snap:
      return on_snap(packet.zxid);
    case PacketType::Ping:
      return;
    default:
      return ignore_unknown(packet);
  }
}

void Follow::on_diff(Zxid zxid) {
  if (wants_tree_) return end("the leader answers a history in doubt with DIFF");
  say(fmt::format("Getting a diff from the leader {}", hex(zxid)));
  promised_ = zxid;
  enter(FollowPhase::CatchingUp);
}

void Follow::on_trunc(Zxid zxid) {
  if (wants_tree_) return end("the leader answers a history in doubt with TRUNC");
  if (zxid < Zxid{} || zxid > last_) {
    return end(fmt::format("TRUNC to {}, which is not within the history up to {}", hex(zxid), hex(last_)));
  }
  say(fmt::format("Truncating log to get in sync with the leader {}", hex(zxid)));
  order({DiskOrder::Kind::Truncate, 0, zxid}, FollowPhase::Truncating);
}

void Follow::on_snap(Zxid zxid) {
  if (zxid < Zxid{} || zxid.epoch() > leader_epoch_) {
    return end(fmt::format("SNAP of {} by a leader of epoch {}", hex(zxid), leader_epoch_));
  }
  say(fmt::format("Getting a snapshot from leader {}", hex(zxid)));
  base_ = zxid;
  out_.events.push_back({FollowEvent::Kind::SnapFollows, journal_.applied()});
  enter(FollowPhase::ReceivingTree);
}

void Follow::on_tree_bytes(Millis now) {
  now_ = now;
  rearm();
}

void Follow::on_tree_received(Millis now) {
  if (phase_ == FollowPhase::Over) return;
  QUORATE_CHECK(phase_ == FollowPhase::ReceivingTree);
  now_ = now;
  got_tree_ = true;
  if (planted(Planted::TreeNotStored)) return take_base(base_);
  order({DiskOrder::Kind::StoreSnapshot, 0, base_}, FollowPhase::StoringTree);
}

void Follow::on_tree_refused(const std::string& why) {
  QUORATE_CHECK(phase_ == FollowPhase::ReceivingTree || phase_ == FollowPhase::Over);
  end(why);
}

/// Memory and disk both end at `zxid` now. Nothing was logged in this conversation, so no batch is at the log.
void Follow::take_base(Zxid zxid) {
  journal_.restart(zxid);
  base_ = last_ = zxid;
  enter(FollowPhase::CatchingUp);
}

void Follow::on_new_leader(const QuorumPacket& packet) {
  if (packet.zxid != epoch_start()) {
    return end(fmt::format("NEWLEADER {} where {} was promised", hex(packet.zxid), hex(epoch_start())));
  }
  if (last_ < promised_) {
    return refuse(fmt::format("the history ends at {}, expected was {} as DIFF said", hex(last_), hex(promised_)));
  }
  say("Learner received NEWLEADER message");
  if (!packet.data.empty()) out_.config_texts.emplace_back(packet.data);
  history_end_ = last_;
  if (got_tree_) fuzzy_until_ = journal_.committed();
  enter(FollowPhase::MakingDurable);
  go_on_when_durable();
}

/// What the leader says is committed has been applied, too, before anything is promised about it: its digest is
/// checked then (MUST-2).
void Follow::go_on_when_durable() {
  if (phase_ != FollowPhase::MakingDurable) return;
  const bool applied = journal_.applied() >= std::min(journal_.committed(), history_end_);
  const bool holds_all = journal_.durable() >= history_end_ && applied;
  if (!holds_all && !planted(Planted::NewLeaderAckedEarly)) return;
  if (epochs_.current == leader_epoch_) return acknowledge_new_leader();
  order({DiskOrder::Kind::CurrentEpoch, leader_epoch_, {}}, FollowPhase::TakingEpoch);
}

/// What is committed by now needs no ACK from us; the leader awaits one for every other proposal.
void Follow::acknowledge_new_leader() {
  send(PacketType::Ack, epoch_start());
  while (!to_ack_.empty() && to_ack_.front() <= journal_.committed()) to_ack_.pop();
  enter(FollowPhase::AwaitingUpToDate);
  acknowledge_durable();
}

void Follow::on_up_to_date() {
  say("Learner received UPTODATE message");
  send(PacketType::Ack, epoch_start());
  out_.events.push_back({FollowEvent::Kind::UpToDate, journal_.committed()});
  enter(FollowPhase::Broadcast);
}

}  // namespace quorate::zab
