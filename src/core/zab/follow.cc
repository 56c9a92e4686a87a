#include "core/zab/follow.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "base/check.h"
#include "base/planted.h"
#include "core/zab/zxid_text.h"

namespace quorate::zab {
namespace {

using wire::PacketType;
using wire::QuorumPacket;

constexpr Millis kNever{std::numeric_limits<int64_t>::max()};
constexpr Zxid kNoZxid{-1};  // Of packets that are about no txn.
constexpr size_t kForwardedHeaderBytes = 16;
constexpr int32_t kEpochPromisedBefore = -1;

template <class Record>
ByteBuffer encoded(const Record& record) {
  ByteBuffer bytes;
  wire::Encoder out(bytes);
  wire::encode(out, record);
  return bytes;
}

ByteBuffer encoded_int(int64_t value) {
  ByteBuffer bytes;
  wire::Encoder(bytes).i32(static_cast<int32_t>(value));
  return bytes;
}

void move_to_front(ByteBuffer& bytes, size_t begin) {
  ByteBuffer moved;
  moved.append(bytes.view().substr(begin));
  moved.append(bytes.view().substr(0, begin));
  bytes = std::move(moved);
}

/// Nothing is awaited from the leader then, so its silence says nothing.
bool works_on_disk(FollowPhase phase) {
  switch (phase) {
    case FollowPhase::PromisingEpoch:
    case FollowPhase::Truncating:
    case FollowPhase::StoringTree:
    case FollowPhase::MakingDurable:
    case FollowPhase::TakingEpoch:
      return true;
    default:
      return false;
  }
}

}  // namespace

Follow::Follow(FollowSettings settings, Epochs epochs, Zxid last, Journal& journal, Millis now)
    : settings_(settings),
      epochs_(epochs),
      last_(last),
      journal_(journal),
      wants_tree_(last == kInDoubt),
      now_(now),
      deadline_(now + settings.init_limit) {
  QUORATE_CHECK(epochs.current <= epochs.accepted);
  QUORATE_CHECK(wants_tree_ || (last == journal.last_made() && last == journal.durable()));
}

void Follow::on_connected(Millis now) {
  if (phase_ == FollowPhase::Over) return;
  now_ = now;
  wire::LearnerInfo self;
  self.server_id = settings_.self.value;
  self.config_version = settings_.config_version;
  send(settings_.observer ? PacketType::ObserverInfo : PacketType::FollowerInfo, Zxid{epochs_.accepted << 32},
       encoded(self).view());
  enter(FollowPhase::Discovery);
}

void Follow::on_packet(const QuorumPacket& packet, Millis now) {
  if (phase_ == FollowPhase::Over) return;
  QUORATE_CHECK(takes_packets());
  now_ = now;
  rearm();
  switch (phase_) {
    case FollowPhase::Discovery:
      return on_leader_info(packet);
    case FollowPhase::AwaitingSync:
      return on_sync(packet);
    case FollowPhase::Connecting:
    case FollowPhase::PromisingEpoch:
      return unexpected(packet);
    default:
      return on_stream(packet);
  }
}

void Follow::on_leader_info(const QuorumPacket& packet) {
  if (packet.kind() != PacketType::LeaderInfo || packet.data.size() < sizeof(int32_t)) return unexpected(packet);
  leader_epoch_ = packet.zxid.epoch();
  if (!may_follow_in(leader_epoch_)) {
    return end(
        fmt::format("the leader's epoch {} is older than the accepted epoch {}", leader_epoch_, epochs_.accepted));
  }
  const bool promised_before = leader_epoch_ <= epochs_.accepted && !planted(Planted::EpochPromisedTwice);
  if (promised_before) return acknowledge_epoch(kEpochPromisedBefore);
  order({DiskOrder::Kind::AcceptedEpoch, leader_epoch_, {}}, FollowPhase::PromisingEpoch);
}

/// A voter's promise is one that a leader of the accepted epoch counts on (rule 18). Nobody counts on an observer's,
/// and no leader gives way to it: it would be away until another is elected.
bool Follow::may_follow_in(int64_t epoch) const {
  return epoch >= (settings_.observer ? epochs_.current : epochs_.accepted);
}

void Follow::acknowledge_epoch(int64_t current_epoch) {
  const bool ask_for_tree = settings_.ask_for_tree_in_epoch == leader_epoch_;
  send(PacketType::AckEpoch, ask_for_tree ? kInDoubt : last_, encoded_int(current_epoch).view());
  enter(FollowPhase::AwaitingSync);
}

void Follow::on_disk_done(Millis now) {
  QUORATE_CHECK(out_.disk.has_value());
  const DiskOrder done = *out_.disk;
  out_.disk.reset();
  now_ = now;
  const bool over = phase_ == FollowPhase::Over;
  switch (done.kind) {
    case DiskOrder::Kind::AcceptedEpoch:
      epochs_.accepted = done.epoch;
      if (!over) acknowledge_epoch(epochs_.current);
      return;
    case DiskOrder::Kind::CurrentEpoch:
      epochs_.current = done.epoch;
      if (!over) acknowledge_new_leader();
      return;
    case DiskOrder::Kind::StoreSnapshot:
      wants_tree_ = false;
      [[fallthrough]];
    case DiskOrder::Kind::Truncate:
      if (!over) take_base(done.zxid);
      return;
  }
}

void Follow::on_disk_refused(const std::string& why) {
  QUORATE_CHECK(out_.disk.has_value());
  refused_ = out_.disk->kind == DiskOrder::Kind::Truncate;
  out_.disk.reset();
  end(why);
}

void Follow::on_persisted(Millis now) {
  now_ = now;
  go_on_when_durable();
  acknowledge_durable();
}

void Follow::on_digest_mismatch(Zxid zxid) {
  if (phase_ == FollowPhase::Over || digest_is_foreign()) return;
  if (got_tree_ && settings_.differed_before) {
    settings_.foreign_in_epoch = leader_epoch_;
    out_.lines.push_back({Level::Error, "Learner",
                          fmt::format("The digest of leader {} differs again at {}, behind its own snapshot: its "
                                      "digests are foreign, and only counted from now on",
                                      settings_.leader.value, hex(zxid))});
    return;
  }
  digest_differed_ = true;
  wants_tree_ = true;
  must_reload_ = true;
  end(fmt::format("the tree after {} is not what the leader's digest says", hex(zxid)));
}

void Follow::on_closed(const std::string& why) { end(why); }

void Follow::on_time(Millis now) {
  if (now >= deadline_) end("nothing was heard from the leader for too long");
}

void Follow::forward(const wire::ForwardedHeader& header, std::string_view record, std::string_view auth) {
  if (phase_ != FollowPhase::Broadcast) return;
  const size_t begin = out_.packets.size();
  wire::Encoder out(out_.packets);
  out.i32(static_cast<int32_t>(PacketType::Request));
  out.i64(kNoZxid.value);
  out.i32(static_cast<int32_t>(kForwardedHeaderBytes + record.size()));
  wire::encode(out, header);
  out.raw(record);
  out.raw(auth.empty() ? wire::AuthVector().raw() : auth);
  if (planted(Planted::ForwardedReordered)) move_to_front(out_.packets, begin);
}

void Follow::revalidate(SessionId session, int32_t timeout_ms) {
  if (phase_ != FollowPhase::Broadcast) return;
  send(PacketType::Revalidate, kNoZxid, encoded(wire::SessionTimeout{session, timeout_ms}).view());
}

void Follow::answer_ping(Zxid zxid, const std::vector<wire::SessionTimeout>& touched) {
  if (phase_ != FollowPhase::Broadcast) return;
  ByteBuffer sessions;
  sessions.reserve(1);  // No session is an empty buffer, not a null one (rule 52).
  wire::Encoder out(sessions);
  for (const wire::SessionTimeout& session : touched) wire::encode(out, session);
  send(PacketType::Ping, zxid, sessions.view());
}

bool Follow::takes_packets() const {
  return phase_ != FollowPhase::Truncating && phase_ != FollowPhase::ReceivingTree &&
         phase_ != FollowPhase::StoringTree;
}

bool Follow::may_log() const {
  return phase_ == FollowPhase::MakingDurable || phase_ == FollowPhase::AwaitingUpToDate ||
         phase_ == FollowPhase::Broadcast;
}

void Follow::send(PacketType type, Zxid zxid, std::string_view data) {
  wire::append_packet(out_.packets, type, zxid, data);
}

void Follow::order(DiskOrder wanted, FollowPhase phase) {
  QUORATE_CHECK(!out_.disk.has_value());
  out_.disk = wanted;
  enter(phase);
}

void Follow::enter(FollowPhase phase) {
  phase_ = phase;
  rearm();
}

/// Until NEWLEADER others may take the leader's time; from then on it has to be heard.
void Follow::rearm() {
  if (phase_ == FollowPhase::Over || works_on_disk(phase_)) {
    deadline_ = kNever;
    return;
  }
  const bool established = phase_ == FollowPhase::AwaitingUpToDate || phase_ == FollowPhase::Broadcast;
  deadline_ = now_ + (established ? settings_.sync_limit : settings_.init_limit);
}

void Follow::say(std::string text) { out_.lines.push_back({Level::Info, "Learner", std::move(text)}); }

void Follow::unexpected(const QuorumPacket& packet) {
  end(fmt::format("packet of type {} with zxid {} where it has no place", packet.type, hex(packet.zxid)));
}

/// Types that later versions may add (rule 30).
void Follow::ignore_unknown(const QuorumPacket& packet) {
  const bool known = packet.kind() >= PacketType::Request && packet.kind() <= PacketType::InformAndActivate;
  if (known) unexpected(packet);
}

/// Nothing of this conversation is logged before NEWLEADER, and behind it only what continued our history: what the log
/// holds can be voted with, or one bad leader would leave an ensemble without voters.
void Follow::refuse(std::string reason) {
  refused_ = true;
  must_reload_ = true;
  end(std::move(reason));
}

void Follow::end(std::string reason) {
  if (phase_ == FollowPhase::Over) return;
  // Memory and disk are on their ways to a new base, and not there yet.
  if (!takes_packets() && !planted(Planted::BrokenSyncKept)) must_reload_ = true;
  out_.lines.push_back({Level::Warn, "Learner", fmt::format("Following has ended: {}", reason)});
  reason_ = std::move(reason);
  enter(FollowPhase::Over);
}

}  // namespace quorate::zab
