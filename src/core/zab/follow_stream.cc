#include <fmt/format.h>

#include "base/planted.h"
#include "core/zab/follow.h"
#include "core/zab/zxid_text.h"
#include "wire/codes.h"
#include "wire/txn.h"

/// Txns as they come from the leader, which they do from the base on, in every phase: checked for continuity, kept as
/// sent, committed in order. Spec: quorum 3.7, 3.9; rules 30, 32 to 35, 41, 42, 46, 59.
namespace quorate::zab {
namespace {

using wire::PacketType;
using wire::QuorumPacket;

constexpr size_t kTxnHeaderBytes = 32;

wire::TxnHeader header_of(std::string_view txn) {
  wire::TxnHeader header;
  wire::Decoder in(txn);
  wire::decode(in, header);
  return header;
}

bool is_error(std::string_view txn) { return header_of(txn).type == static_cast<int32_t>(wire::Op::Error); }

}  // namespace

void Follow::on_stream(const QuorumPacket& packet) {
  const bool live = phase_ == FollowPhase::Broadcast;
  const bool observer = settings_.observer;
  switch (packet.kind()) {
    case PacketType::Proposal:
      return observer && live ? unexpected(packet) : on_proposal(packet.zxid, packet.data);
    case PacketType::Commit:
      return on_commit(packet.zxid);
    case PacketType::CommitAndActivate:
      return on_commit_and_activate(packet.zxid, packet.data);
    case PacketType::Inform:
      return observer ? on_inform(packet.zxid, packet.data) : unexpected(packet);
    case PacketType::InformAndActivate:
      return observer ? on_inform_and_activate(packet.zxid, packet.data) : unexpected(packet);
    case PacketType::NewLeader:
      return phase_ == FollowPhase::CatchingUp ? on_new_leader(packet) : unexpected(packet);
    case PacketType::UpToDate:
      return phase_ == FollowPhase::AwaitingUpToDate ? on_up_to_date() : unexpected(packet);
    case PacketType::Ping:
      if (live) out_.pinged = packet.zxid;
      return;
    case PacketType::Sync:
      return live ? on_synced() : unexpected(packet);
    case PacketType::Revalidate:
      return live ? on_revalidated(packet.data) : unexpected(packet);
    default:
      return ignore_unknown(packet);
  }
}

void Follow::on_proposal(Zxid zxid, std::string_view txn) {
  if (in_base(zxid)) return;
  const bool repeats = zxid == last_;
  if (!append(zxid, txn)) return;
  if (!settings_.observer) to_ack_.push(zxid);
  if (repeats) {
    repeated_ = zxid;  // It is committed with the txn whose zxid it has.
  } else {
    uncommitted_.push(zxid);
  }
}

void Follow::on_commit(Zxid zxid) {
  if (zxid <= base_) return;
  if (uncommitted_.empty() || uncommitted_.front() != zxid) {
    if (zxid == repeated_ && zxid <= journal_.committed()) return;
    return end(fmt::format("COMMIT of {} where the next to commit is {}", hex(zxid),
                           uncommitted_.empty() ? "none" : hex(uncommitted_.front())));
  }
  uncommitted_.pop();
  journal_.commit(planted(Planted::CommitTakesAll) ? last_ : zxid);
}

void Follow::on_inform(Zxid zxid, std::string_view txn) {
  if (in_base(zxid)) return;
  if (!uncommitted_.empty()) {
    return end(fmt::format("INFORM of {} while {} is not committed", hex(zxid), hex(uncommitted_.front())));
  }
  if (append(zxid, txn)) journal_.commit(zxid);
}

void Follow::on_commit_and_activate(Zxid zxid, std::string_view data) {
  if (zxid <= base_) return;
  if (data.size() < sizeof(int64_t)) return end("COMMITANDACTIVATE is too short");
  const int64_t designated = wire::Decoder(data).i64();
  on_commit(zxid);
  if (phase_ == FollowPhase::Over) return;
  std::string_view txn;
  journal_.each_after(Zxid{zxid.value - 1}, [&](Zxid at, std::string_view payload) {
    if (at == zxid && txn.empty()) txn = payload;
  });
  activate(txn, designated);
}

void Follow::on_inform_and_activate(Zxid zxid, std::string_view data) {
  if (in_base(zxid)) return;
  if (data.size() < sizeof(int64_t)) return end("INFORMANDACTIVATE is too short");
  const int64_t designated = wire::Decoder(data).i64();
  const std::string_view txn = data.substr(sizeof(int64_t));
  on_inform(zxid, txn);
  if (phase_ != FollowPhase::Over) activate(txn, designated);
}

void Follow::activate(std::string_view txn, int64_t designated) {
  wire::Decoder in(txn);
  wire::TxnHeader header;
  wire::SetDataTxn config;
  const bool whole = wire::decode(in, header) && wire::decode(in, config);
  if (!whole || header.type != static_cast<int32_t>(wire::Op::Reconfig)) {
    return end("a txn is to be activated that is no reconfig");
  }
  out_.config_texts.emplace_back(config.data);
  if (designated != settings_.leader.value) end(fmt::format("server {} is designated to lead", designated));
}

/// Takes the next txn of the one history. False: it is not that, and the conversation has ended.
bool Follow::append(Zxid zxid, std::string_view txn) {
  if (txn.size() < kTxnHeaderBytes || header_of(txn).zxid != zxid) {
    refuse(fmt::format("proposal {} holds a txn of another zxid, or none", hex(zxid)));
    return false;
  }
  const bool any_will_do =
      planted(Planted::DiffOverHole) || planted(Planted::JoinsLiveLate) || planted(Planted::HoleServed);
  if (!continues(zxid) && !(zxid == last_ && is_error(txn)) && !any_will_do) {
    refuse(fmt::format("sync got proposal {}, last queued {}, expected {}", hex(zxid), hex(last_), hex(last_.next())));
    return false;
  }
  journal_.append(zxid, txn);
  // What came before NEWLEADER is the leader's word only: its own log may have the hole.
  const bool begins = zxid.epoch() == leader_epoch_ && last_.epoch() < leader_epoch_;
  if (begins && may_log()) epoch_began_ = {leader_epoch_, last_};
  last_ = zxid;
  return true;
}

/// The next of the same epoch, or the first of a later one that the leader can know (rule 35).
bool Follow::continues(Zxid zxid) const {
  if (zxid.epoch() > leader_epoch_) return false;
  if (zxid.epoch() == last_.epoch()) return zxid.value == last_.value + 1;
  return zxid.epoch() > last_.epoch() && zxid.counter() == 1;
}

/// One each, in order (rule 41).
void Follow::acknowledge_durable() {
  if (phase_ != FollowPhase::AwaitingUpToDate && phase_ != FollowPhase::Broadcast) return;
  const Zxid held = planted(Planted::AckedBeforeDurable) ? journal_.last_made() : journal_.durable();
  while (!to_ack_.empty() && to_ack_.front() <= held) send(PacketType::Ack, to_ack_.pop());
}

void Follow::on_revalidated(std::string_view data) {
  wire::Decoder in(data);
  wire::Revalidated answer;
  if (!wire::decode(in, answer)) return end("REVALIDATE is too short");
  out_.revalidated.push_back(answer);
}

void Follow::on_synced() {
  const Zxid after = planted(Planted::SyncedTooEarly) ? Zxid{} : journal_.committed();
  out_.events.push_back({FollowEvent::Kind::Synced, after});
}

}  // namespace quorate::zab
