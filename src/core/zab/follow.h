#pragma once
#include <cstdint>
#include <optional>
#include <string>
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
/// ACK(NEWLEADER), then an ACK of its own for each txn that is not committed yet.
/// Spec: quorum 3.2, 3.3, 3.6, 3.7, 3.9; known-faults MUST-1, MUST-2, MUST-7, R-S1, R-S2.
namespace quorate::zab {

struct FollowSettings {
  ServerId self;
  bool observer = false;
  int64_t config_version = 0;
  Millis init_limit{20000};
  Millis sync_limit{10000};
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
  MakingDurable,     ///< NEWLEADER is here; the journal is not all on disk.
  TakingEpoch,       ///< currentEpoch is being written.
  AwaitingUpToDate,  ///< ACK(NEWLEADER) sent.
  Broadcast,
  Over,
};

enum class FollowEvent : uint8_t {
  SnapFollows,  ///< Phase ReceivingTree has begun.
  UpToDate,     ///< Serve clients from now on.
  Synced,       ///< The leader answered the oldest sync request of this connection.
};

struct FollowOutput {
  ByteBuffer packets;             ///< To the leader.
  std::optional<DiskOrder> disk;  ///< Stays until on_disk_done(). While it is there no batch goes to the log.
  std::vector<FollowEvent> events;
  std::vector<wire::Revalidated> revalidated;
  std::optional<Zxid> pinged;             ///< Answer with answer_ping(): the touched sessions are the replica's.
  std::vector<std::string> config_texts;  ///< Of NEWLEADER, and of a reconfig that was activated.
  std::vector<LogLine> lines;
};

class Follow {
 public:
  /// `last` is what the log holds, or Zxid{-1} when that is in doubt: the leader then sends a SNAP.
  Follow(FollowSettings settings, Epochs epochs, Zxid last, Journal& journal, Millis now);

  // Inputs. What is Over ignores them.
  void on_connected(Millis now);
  void on_packet(const wire::QuorumPacket& packet, Millis now);
  /// The tree behind SNAP came in whole and is the memory now.
  void on_tree_received(Millis now);
  /// Or it did not: what is in memory must be dropped (rule 38).
  void on_tree_refused(const std::string& why);
  void on_disk_done(Millis now);
  /// journal.durable() has moved.
  void on_persisted(Millis now);
  /// The tree after a txn is not what the leader's digest says: nothing more is acknowledged (MUST-2, MUST-8).
  void on_digest_mismatch(Zxid zxid);
  void on_closed(const std::string& why);
  void on_time(Millis now);
  Millis next_time() const { return deadline_; }

  // What the replica sends once in Broadcast.
  void forward(const wire::ForwardedHeader& header, std::string_view record, std::string_view auth);
  void revalidate(SessionId session, int32_t timeout_ms);
  void answer_ping(Zxid zxid, const std::vector<wire::SessionTimeout>& touched);

  FollowPhase phase() const { return phase_; }
  const Epochs& epochs() const { return epochs_; }
  /// Why it is over.
  const std::string& reason() const { return reason_; }
  /// Memory and disk are not to be trusted as one history until they are loaded anew (MUST-7).
  bool must_reload() const { return must_reload_; }
  FollowOutput& out() { return out_; }

 private:
  void on_leader_info(const wire::QuorumPacket& packet);
  void acknowledge_epoch(int32_t current_epoch);
  void on_sync(const wire::QuorumPacket& packet);
  void on_history(const wire::QuorumPacket& packet);
  void on_proposal(const wire::QuorumPacket& packet);
  void on_commit(Zxid zxid);
  void on_inform(const wire::QuorumPacket& packet);
  void on_new_leader(const wire::QuorumPacket& packet);
  void on_up_to_date();
  void go_on_when_durable();
  void acknowledge_durable();
  bool continues(Zxid zxid, const wire::QuorumPacket& packet) const;
  void order(DiskOrder::Kind kind, FollowPhase phase, int64_t epoch, Zxid zxid);
  void end(std::string reason);

  FollowSettings settings_;
  Epochs epochs_;
  Zxid last_;  ///< Of the history, as far as it came in.
  Journal& journal_;
  FollowPhase phase_ = FollowPhase::Connecting;
  int64_t leader_epoch_ = 0;
  Zxid base_;          ///< Of SNAP or TRUNC: older proposals are known already (rule 33).
  Fifo<Zxid> to_ack_;  ///< Proposals not acknowledged, in order.
  Fifo<Zxid> uncommitted_;
  bool must_reload_ = false;
  bool up_to_date_early_ = false;
  std::string reason_;
  Millis deadline_;
  FollowOutput out_;
};

}  // namespace quorate::zab
