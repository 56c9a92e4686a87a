#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_buffer.h"
#include "base/fifo.h"
#include "base/ids.h"
#include "base/log_line.h"
#include "core/zab/epochs.h"
#include "core/zab/journal.h"
#include "wire/quorum.h"

/// One learner's conversation with its leader, from the first packet to the last: discovery, synchronisation,
/// broadcast. A step function over one connection; it ends with the connection and is made anew for the next leader.
/// The order that keeps acknowledged writes (rules 16, 17, 31, 40): history durable, then the epoch, then
/// ACK(NEWLEADER), then an ACK of its own for each txn that was not committed by then.
///
/// Nothing goes to the log before NEWLEADER (may_log()): a history that turns out to have a gap leaves no trace, and
/// the journal is restarted, if at all, while no batch is at the log.
/// Spec: quorum 3.2, 3.3, 3.6, 3.7, 3.9; known-faults MUST-1, MUST-2, MUST-7, R-S1, R-S2.
namespace quorate::zab {

/// Reported as last zxid by a learner whose history is in doubt: the leader can answer with a SNAP only.
constexpr Zxid kInDoubt{-1};

struct FollowSettings {
  ServerId self;
  ServerId leader;
  bool observer = false;
  int64_t config_version = 0;
  Millis init_limit{20000};
  Millis sync_limit{10000};
  /// Ask for the tree though the history is not in doubt, if the leader is established in this epoch. A leader that is
  /// still to be elected in its epoch needs to hear how far our history goes.
  int64_t ask_for_tree_in_epoch = -1;
  /// A digest of this leader differed from our tree before. In whichever epoch: while all its learners get its tree it
  /// may have to be elected anew.
  bool differed_before = false;
  int64_t foreign_in_epoch = -1;  ///< In this epoch of its they count no more.
};

/// Where a learner is. Each phase takes few packets; anything else ends the conversation, but for what rule 30 ignores.
enum class FollowPhase : uint8_t {
  Connecting,
  Discovery,       ///< FOLLOWERINFO sent; LEADERINFO is awaited.
  PromisingEpoch,  ///< acceptedEpoch is being written.
  AwaitingSync,    ///< ACKEPOCH sent; DIFF, TRUNC or SNAP is awaited.
  Truncating,
  ReceivingTree,  ///< The bytes behind SNAP are no packets: they go to the shell until it calls on_tree_received().
  StoringTree,
  CatchingUp,        ///< History comes in, up to NEWLEADER.
  MakingDurable,     ///< NEWLEADER is here; the history before it is not all durable and applied.
  TakingEpoch,       ///< currentEpoch is being written.
  AwaitingUpToDate,  ///< ACK(NEWLEADER) sent.
  Broadcast,
  Over,
};

/// Has its place among the commits: it counts once journal.applied() has reached `after`.
struct FollowEvent {
  enum class Kind : uint8_t {
    SnapFollows,  ///< Phase ReceivingTree has begun.
    UpToDate,     ///< Serve clients from now on.
    Synced,       ///< The leader answered the oldest sync request of this connection.
  };
  Kind kind = Kind::SnapFollows;
  Zxid after;
  friend bool operator==(const FollowEvent&, const FollowEvent&) = default;
};

struct FollowOutput {
  ByteBuffer packets;  ///< To the leader.
  /// Stays until on_disk_done(), also when the conversation is Over: an order that was given is carried out, behind
  /// the batch that is at the log.
  std::optional<DiskOrder> disk;
  std::vector<FollowEvent> events;
  std::vector<wire::Revalidated> revalidated;
  std::optional<Zxid> pinged;             ///< Answer with answer_ping(): the touched sessions are the replica's.
  std::vector<std::string> config_texts;  ///< Of NEWLEADER, and of a reconfig that was activated.
  std::vector<LogLine> lines;
};

class Follow {
 public:
  /// `last` is what the log and the settled journal hold, or kInDoubt. Requires: no batch at the log.
  Follow(FollowSettings settings, Epochs epochs, Zxid last, Journal& journal, Millis now);

  // Inputs. What is Over ignores them, but for the end of an order.
  void on_connected(Millis now);
  /// Requires: takes_packets().
  void on_packet(const wire::QuorumPacket& packet, Millis now);
  /// Some of the tree behind SNAP has come in: the limit is on silence, not on the whole.
  void on_tree_bytes(Millis now);
  /// The tree behind SNAP came in whole and is the memory now.
  void on_tree_received(Millis now);
  /// Or it did not: what is in memory must be dropped (rule 38).
  void on_tree_refused(const std::string& why);
  void on_disk_done(Millis now);
  /// Truncate found no record with exactly that zxid (R-S3), or StoreSnapshot no room: the disk is as it was.
  void on_disk_refused(const std::string& why);
  /// journal.durable() or journal.applied() has moved.
  void on_persisted(Millis now);
  /// The tree after a txn is not what the leader's digest says: nothing more is acknowledged (MUST-2, MUST-8). When it
  /// differed before, and the tree is the leader's own, its digests are foreign from then on (disk 5.4).
  void on_digest_mismatch(Zxid zxid);
  void on_closed(const std::string& why);
  void on_time(Millis now);
  Millis next_time() const { return deadline_; }

  // What the replica sends once in Broadcast; dropped in any other phase.
  /// `auth` is the vector as it stands on the wire; empty is null.
  void forward(const wire::ForwardedHeader& header, std::string_view record, std::string_view auth);
  void revalidate(SessionId session, int32_t timeout_ms);
  void answer_ping(Zxid zxid, const std::vector<wire::SessionTimeout>& touched);

  FollowPhase phase() const { return phase_; }
  /// While false, leave what the leader sends unread; in ReceivingTree it is the tree.
  bool takes_packets() const;
  /// May a batch be taken from the journal? Never while an order stands.
  bool may_log() const;
  /// As they are on disk.
  const Epochs& epochs() const { return epochs_; }
  /// Why it is over.
  const std::string& reason() const { return reason_; }
  int64_t leader_epoch() const { return leader_epoch_; }
  /// The leader's epoch has begun while we followed, and this is how.
  const std::optional<EpochStart>& epoch_began() const { return epoch_began_; }
  /// A digest of this leader was believed, and was not our tree's.
  bool digest_differed() const { return digest_differed_; }
  /// What the leader says of its tree is only counted.
  bool digest_is_foreign() const { return leader_epoch_ == settings_.foreign_in_epoch; }
  /// Memory and disk are not to be trusted as one history until they are loaded anew (MUST-7).
  bool must_reload() const { return must_reload_; }
  /// The history here is in doubt: the next conversation begins with kInDoubt.
  bool wants_tree() const { return wants_tree_; }
  /// What the leader sent is not a history that follows ours, or cannot be followed from here: nothing of it is kept,
  /// and a tree is asked for next. Our own history is no worse for it.
  bool was_refused() const { return refused_; }
  /// An Apache leader's tree changes while it is sent: behind a SNAP the digest of a txn up to this one proves nothing,
  /// and the txn's effects may be there before it. Settled when the first txn is applied. Spec: quorum 3.5.
  Zxid fuzzy_until() const { return fuzzy_until_; }
  FollowOutput& out() { return out_; }

 private:
  // Discovery.
  void on_leader_info(const wire::QuorumPacket& packet);
  bool may_follow_in(int64_t epoch) const;
  void acknowledge_epoch(int64_t current_epoch);
  // Synchronisation.
  void on_sync(const wire::QuorumPacket& packet);
  void on_diff(Zxid zxid);
  void on_trunc(Zxid zxid);
  void on_snap(Zxid zxid);
  void take_base(Zxid zxid);
  void on_new_leader(const wire::QuorumPacket& packet);
  void go_on_when_durable();
  void acknowledge_new_leader();
  void on_up_to_date();
  // Txns, in synchronisation and broadcast alike.
  void on_stream(const wire::QuorumPacket& packet);
  void on_proposal(Zxid zxid, std::string_view txn);
  void on_commit(Zxid zxid);
  void on_inform(Zxid zxid, std::string_view txn);
  void on_commit_and_activate(Zxid zxid, std::string_view data);
  void on_inform_and_activate(Zxid zxid, std::string_view data);
  void activate(std::string_view txn, int64_t designated);
  bool append(Zxid zxid, std::string_view txn);
  bool in_base(Zxid zxid) const { return zxid <= base_ && last_ == base_; }
  bool continues(Zxid zxid) const;
  void acknowledge_durable();
  // Broadcast.
  void on_revalidated(std::string_view data);
  void on_synced();
  // The frame.
  void send(wire::PacketType type, Zxid zxid, std::string_view data = wire::kAbsent);
  void order(DiskOrder wanted, FollowPhase phase);
  void enter(FollowPhase phase);
  void rearm();
  void say(std::string text);
  void unexpected(const wire::QuorumPacket& packet);
  void ignore_unknown(const wire::QuorumPacket& packet);
  void refuse(std::string reason);
  void end(std::string reason);
  Zxid epoch_start() const { return {leader_epoch_ << 32}; }

  FollowSettings settings_;
  Epochs epochs_;
  Zxid last_;  ///< Of the history, as far as it came in.
  Journal& journal_;
  FollowPhase phase_ = FollowPhase::Connecting;
  int64_t leader_epoch_ = 0;
  Zxid base_ = kInDoubt;         ///< Of SNAP or TRUNC: older proposals are known already (rule 33).
  Zxid promised_ = kInDoubt;     ///< By DIFF: the history reaches to there, or further.
  Zxid history_end_ = kInDoubt;  ///< The last txn before NEWLEADER.
  Zxid fuzzy_until_ = kInDoubt;  ///< What the tree may hold already.
  Zxid repeated_ = kInDoubt;     ///< Of the newest error txn without a zxid of its own.
  Fifo<Zxid> to_ack_;            ///< Proposals not acknowledged, in order.
  Fifo<Zxid> uncommitted_;
  bool got_tree_ = false;
  bool must_reload_ = false;
  bool wants_tree_;
  bool refused_ = false;
  bool digest_differed_ = false;
  std::optional<EpochStart> epoch_began_;
  std::string reason_;
  Millis now_;  ///< Of the input being taken.
  Millis deadline_;
  FollowOutput out_;
};

}  // namespace quorate::zab
