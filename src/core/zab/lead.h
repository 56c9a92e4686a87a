#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_buffer.h"
#include "base/fifo.h"
#include "base/ids.h"
#include "base/log_line.h"
#include "core/zab/discover.h"
#include "core/zab/epochs.h"
#include "core/zab/journal.h"
#include "core/zab/quorum.h"
#include "core/zab/synchronise.h"
#include "wire/quorum.h"

/// Leading, from the won election to the lost quorum: learners come in, promise the epoch, are brought up to date one
/// by one, and then get every proposal. A step function over any number of learners' connections; the cut by phase is
/// discover.h (who may be led), synchronise.h (what a learner lacks), broadcast.h (what is committed).
/// Spec: quorum 3.2, 3.3, 3.5, 3.8 to 3.10, 4.2; rules 16 to 29, 43, 46, 47, 49.
namespace quorate::zab {

struct LeadSettings {
  ServerId self;
  Millis tick{2000};
  int32_t init_limit = 10;  ///< In ticks.
  int32_t sync_limit = 5;
  bool force_snapshot = false;
  bool history_on_disk = true;           ///< snapshotSizeFactor >= 0
  size_t max_queued_bytes = 256u << 20;  ///< A learner that lets more than this wait is dropped.
  std::string config_text;               ///< Of the last seen configuration, for NEWLEADER.
  int64_t config_version = 0;            ///< Of the committed one.
};

enum class LeadPhase : uint8_t {
  Discovery,       ///< Learners tell their accepted epochs.
  PromisingEpoch,  ///< acceptedEpoch is being written.
  Electing,        ///< Learners tell how far their history goes.
  TakingEpoch,     ///< currentEpoch is being written.
  Synchronising,   ///< A quorum has to acknowledge NEWLEADER.
  Broadcast,
  Over,
};

enum class LearnerPhase : uint8_t {
  New,            ///< Its first packet is awaited.
  Waiting,        ///< For the quorum of accepted epochs, or of its own epoch being written.
  AckingEpoch,    ///< LEADERINFO sent.
  Acked,          ///< For the quorum of ACKEPOCHs.
  AwaitingDisk,   ///< Its history is being read from the log.
  ReceivingTree,  ///< The shell is sending a snapshot; packets wait in `held`.
  Synchronising,  ///< All queued up to NEWLEADER, not acknowledged.
  Synced,         ///< ACK(NEWLEADER) came.
  Live,           ///< UPTODATE sent.
};

/// A learner as the leader sees it.
struct Learner {
  LinkId link;
  ServerId sid;
  bool observer = false;
  int32_t protocol_version = 0;
  LearnerPhase phase = LearnerPhase::New;
  Zxid last;                ///< Of its ACKEPOCH.
  ByteBuffer out;           ///< To be sent now.
  ByteBuffer held;          ///< To be sent behind the snapshot.
  bool forwarding = false;  ///< Gets every proposal and commit.
  int64_t deadline_tick = 0;
  Millis read_deadline;
  std::optional<Zxid> timed_proposal;  ///< Must be acknowledged within the sync limit.
  Millis proposal_deadline;
};

/// A request that a learner forwarded. Views point into the packet: use it before the next input.
struct Forwarded {
  LinkId from;
  wire::ForwardedHeader header;
  std::string_view record;
  wire::AuthVector auth;
};

struct LeadOutput {
  std::vector<LinkId> dirty;      ///< Have bytes in `out`.
  std::vector<LinkId> closes;     ///< To be closed at once; already forgotten here.
  std::optional<DiskOrder> disk;  ///< Stays until on_disk_done().
  struct HistoryWish {
    LinkId link;
    Zxid after;
    Zxid until;  ///< From there on the journal serves.
  };
  std::vector<HistoryWish> histories;  ///< Answered by on_history() or on_no_history().
  std::vector<LinkId> trees;           ///< Send SNAP's stream for the tree as it is now; then on_tree_sent().
  std::vector<Forwarded> requests;     ///< sync (op 9) among them: answer_sync() when its turn has come.
  struct Revalidation {
    LinkId link;
    wire::SessionTimeout session;
  };
  std::vector<Revalidation> revalidations;    ///< Answered by answer_revalidate().
  std::vector<wire::SessionTimeout> touched;  ///< By learners' pings.
  bool established = false;                   ///< Set once: serve, and make proposals from now on.
  std::vector<LogLine> lines;
};

class Lead {
 public:
  /// `last` is what the log holds; the journal holds it, settled.
  Lead(LeadSettings settings, Electorate electorate, Epochs epochs, Zxid last, Journal& journal, Millis now);
  ~Lead();

  // Inputs. What is Over ignores them.
  void on_learner(LinkId link, Millis now);
  void on_packet(LinkId link, const wire::QuorumPacket& packet, Millis now);
  void on_closed(LinkId link);
  void on_disk_done(Millis now);
  /// journal.durable() has moved.
  void on_persisted(Millis now);
  void on_time(Millis now);
  Millis next_time() const;
  /// The txns behind what was asked, in order; `last` with the final piece (which may be empty).
  void on_history(LinkId link, Zxid zxid, std::string_view payload);
  void on_history_end(LinkId link);
  void on_no_history(LinkId link);
  void on_tree_sent(LinkId link, Millis now);

  // The replica's part, once established.
  /// The zxid of the next txn; none when the epoch's counter has run out and a new election must follow (rule 47).
  std::optional<Zxid> next_zxid() const;
  /// The journal has just got it: it goes to the learners.
  void propose(Zxid zxid, std::string_view payload);
  void answer_sync(LinkId link);
  void answer_revalidate(LinkId link, SessionId session, bool valid);

  LeadPhase phase() const { return phase_; }
  const Epochs& epochs() const { return epochs_; }
  const std::string& reason() const { return reason_; }
  const std::map<LinkId, std::unique_ptr<Learner>>& learners() const { return learners_; }
  Learner* find(LinkId link);
  LeadOutput& out() { return out_; }

 private:
  LeadSettings settings_;
  Electorate electorate_;
  Epochs epochs_;
  Zxid last_;
  Journal& journal_;
  LeadPhase phase_ = LeadPhase::Discovery;
  std::map<LinkId, std::unique_ptr<Learner>> learners_;
  std::string reason_;
  LeadOutput out_;
  // The phases' own state: discover.h, broadcast.h.
};

}  // namespace quorate::zab
