#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/byte_buffer.h"
#include "base/ids.h"
#include "base/log_line.h"
#include "core/zab/commit_rule.h"
#include "core/zab/discover.h"
#include "core/zab/epochs.h"
#include "core/zab/journal.h"
#include "core/zab/quorum.h"
#include "core/zab/synchronise.h"
#include "wire/quorum.h"

/// Leading, from the won election to the lost quorum: learners come in, promise the epoch, are brought up to date one
/// by one, and then get every proposal. A step function over any number of learners' connections. The cut is by
/// question: discover.h (who may be led), synchronise.h (what a learner lacks), commit_rule.h (what is committed);
/// and by phase: lead.cc, lead_sync.cc, lead_broadcast.cc, lead_liveness.cc.
/// Spec: quorum 3.2, 3.3, 3.5, 3.8 to 3.10, 4.2; rules 16 to 29, 43, 46, 47, 49.
namespace quorate::zab {

struct LeadSettings {
  ServerId self;
  Millis tick{2000};
  int32_t init_limit = 10;  ///< In ticks.
  int32_t sync_limit = 5;
  uint32_t most_counter = 0xfffffffe;  ///< The epoch's last zxid (rule 47).
  SyncSettings sync;
  size_t max_queued_bytes = 256u << 20;  ///< A learner that lets more than this wait, besides its sync, is dropped.
  std::string config_text;               ///< Of the last seen configuration, for NEWLEADER.
  int64_t config_version = 0;            ///< Of the committed one.
  int64_t known_epoch = 0;               ///< The newest that anybody is known to have accepted.
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
  Waiting,        ///< For the quorum of accepted epochs, or of the leader's epoch being written.
  AckingEpoch,    ///< LEADERINFO sent.
  Acked,          ///< For the quorum of ACKEPOCHs.
  AwaitingTurn,   ///< For others' syncs to end; it gets nothing until its own begins.
  AwaitingDisk,   ///< Its history is being read from the log, and sent piece by piece.
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
  LearnerPhase phase = LearnerPhase::New;
  Zxid last;                           ///< Of its ACKEPOCH.
  ByteBuffer out;                      ///< To be sent now; what the socket does not take stays here.
  ByteBuffer held;                     ///< To be sent behind the snapshot.
  bool gets_tree = false;              ///< Its sync is by a snapshot.
  size_t queue_limit = 0;              ///< For both.
  bool forwarding = false;             ///< Gets every proposal and commit.
  bool disk_began = false;             ///< AwaitingDisk: DIFF and some history are queued,
  Zxid disk_at;                        ///< up to here,
  Zxid disk_until;                     ///< and the log serves up to here.
  int64_t deadline_tick = 0;           ///< Counts as synchronised until then.
  Millis read_deadline;                ///< Its next packet is due.
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

/// What must be done, in this order: `established` first, for UPTODATE (rule 26) is among the bytes in `out`.
struct LeadOutput {
  bool established = false;       ///< Set once: serve, and make proposals from now on.
  std::vector<LinkId> dirty;      ///< Have bytes in `out`.
  std::vector<LinkId> closes;     ///< To be closed at once; already forgotten here.
  std::optional<DiskOrder> disk;  ///< Stays until on_disk_done().
  struct HistoryWish {
    LinkId link;
    Zxid after;
    Zxid until;  ///< From there on the journal serves.
  };
  /// Answered by on_history() calls and on_history_end(), or by on_no_history() when the log does not hold `after`
  /// itself, or is not known to be gap-free from there on (known-faults R-D4); 0 is where the first txn of all is next.
  /// Read on as `out` empties, not before.
  std::vector<HistoryWish> histories;
  /// SNAP is the last packet in `out`: send it, then its stream, of the tree as it is before anything more is taken
  /// from the journal; then on_tree_sent(). No packet gets into `out` meanwhile. Never more of them at a time than
  /// SyncSettings::max_trees, those among `closes` not counted.
  std::vector<LinkId> trees;
  std::vector<Forwarded> requests;  ///< sync (op 9) among them: sync().
  struct Revalidation {
    LinkId link;
    wire::SessionTimeout session;
  };
  std::vector<Revalidation> revalidations;    ///< Answered by answer_revalidate().
  std::vector<wire::SessionTimeout> touched;  ///< By learners' pings.
  std::vector<LogLine> lines;

  /// All of it was done, but `disk`, which ends with on_disk_done().
  void clear();
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
  /// The txns behind what was asked, in order. Those behind `until` are ignored.
  void on_history(LinkId link, Zxid zxid, std::string_view payload, Millis now);
  void on_history_end(LinkId link, Millis now);
  void on_no_history(LinkId link, Millis now);
  /// The learner has taken some of the tree: the limits are for progress, not for the whole.
  void on_tree_progress(LinkId link, Millis now);
  void on_tree_sent(LinkId link, Millis now);

  // The replica's part, once established.
  /// The zxid of the next txn; none when the epoch's counter has run out and a new election must follow (rule 47).
  std::optional<Zxid> next_zxid() const;
  /// The journal has just got it: it goes to the learners.
  void propose(Zxid zxid, std::string_view payload);
  /// Answers SYNC once all that was proposed so far is committed. Spec: quorum 4.2.
  void sync(LinkId link);
  /// An observer, which hears of nothing before it is committed, is answered once all that was proposed so far is: what
  /// its client asked elsewhere must not come behind what it asks there.
  void answer_revalidate(LinkId link, SessionId session, bool valid);
  /// Stops leading, e.g. when there is no next zxid.
  void resign(const std::string& why);

  LeadPhase phase() const { return phase_; }
  const Epochs& epochs() const { return epochs_; }
  /// The one that is led: 0 until it is settled and promised.
  int64_t epoch() const { return epochs_.accepted < discover_.epoch() ? 0 : discover_.epoch(); }
  /// Those that it was given, and the one that it has established.
  const std::vector<EpochStart>& epoch_starts() const { return settings_.sync.epochs; }
  /// With what learners have told.
  int64_t known_epoch() const { return settings_.known_epoch; }
  /// A learner was promised history that the log turned out not to have: it is of no use to the next role either.
  bool log_has_gap() const { return log_has_gap_; }
  /// Why it is over.
  const std::string& reason() const { return reason_; }
  const std::map<LinkId, std::unique_ptr<Learner>>& learners() const { return learners_; }
  Learner* find(LinkId link);
  LeadOutput& out() { return out_; }

 private:
  // lead.cc
  void enter(LeadPhase phase);
  void order(DiskOrder::Kind kind, LeadPhase phase);
  void go_on();
  void establish();
  void invite(Learner& learner);
  void welcome(Learner& learner, int64_t accepted);
  void on_first_packet(Learner& learner, const wire::QuorumPacket& packet);
  void on_ack_epoch(Learner& learner, const wire::QuorumPacket& packet);
  void leave_older_link(const Learner& learner);
  VoterSet vote_of(const Learner& learner) const { return learner.observer ? 0 : electorate_.bit(learner.sid); }
  Zxid epoch_start() const { return {discover_.epoch() << 32}; }
  std::string names_of(VoterSet set) const;
  void send(Learner& learner, wire::PacketType type, Zxid zxid, std::string_view data = wire::kAbsent);
  void mark_dirty(LinkId link);
  void drop(Learner& learner, const std::string& why);
  void drop_slow();
  void forget(LinkId link);
  void say(Level level, std::string text);
  void end(const std::string& why);
  /// Calls visit(Learner&) for each; it may drop the learner that it was given.
  template <class Visit>
  void each_learner(Visit&& visit) {
    for (auto at = learners_.begin(); at != learners_.end();) visit(*(at++)->second);
  }

  // lead_sync.cc
  void begin_sync(Learner& learner);
  void begin_syncs(LearnerPhase from);
  bool must_wait(const Learner& learner, SyncKind kind) const;
  void await_turn(Learner& learner);
  void give_turns();
  void send_diff(Learner& learner);
  void ask_history(Learner& learner, Zxid after);
  void no_history(Learner& learner);
  void send_tree(Learner& learner, const char* why);
  void join(Learner& learner, Zxid from);
  void on_new_leader_ack(Learner& learner);
  void go_live(Learner& learner);

  // lead_broadcast.cc
  void on_synced_packet(Learner& learner, const wire::QuorumPacket& packet);
  void on_ack(Learner& learner, Zxid zxid);
  void on_request(Learner& learner, const wire::QuorumPacket& packet);
  void on_revalidate(Learner& learner, const wire::QuorumPacket& packet);
  void on_ping(Learner& learner, const wire::QuorumPacket& packet);
  void time_proposal(Learner& learner, Zxid zxid);
  void spread_commits();
  void inform_observers(Zxid after);
  void answer_held();
  void send_revalidated(Learner& learner, const wire::Revalidated& answer);

  // lead_liveness.cc
  Millis ticks(int32_t count) const { return {count * settings_.tick.value}; }
  void heard(Learner& learner);
  void expect(Learner& learner, int32_t within_ticks);
  void expect_nothing(Learner& learner);
  void give_time(Learner& learner, int32_t ticks_more);
  void on_progress(Learner& learner);
  void check_phase();
  void check_learner(Learner& learner);
  void check_quorum();

  LeadSettings settings_;
  Electorate electorate_;
  Epochs epochs_;
  Zxid last_;
  Journal& journal_;
  Discover discover_;
  CommitRule commits_;
  LeadPhase phase_ = LeadPhase::Discovery;
  std::map<LinkId, std::unique_ptr<Learner>> learners_;
  bool log_has_gap_ = false;
  std::set<ServerId> snapshot_next_;  ///< For them the log turned out to have a gap.
  bool turn_is_free_ = false;         ///< A sync has ended while others may wait for it.
  VoterSet new_leader_acks_ = 0;
  Zxid last_proposed_;
  /// What a learner gets once `after` is committed: an answer to SYNC, or to REVALIDATE.
  struct HeldAnswer {
    Zxid after;
    LinkId link;
    std::optional<wire::Revalidated> revalidated;
  };
  Fifo<HeldAnswer> held_answers_;
  std::string reason_;
  LeadOutput out_;

  Millis now_;             ///< Of the newest input.
  Millis phase_deadline_;  ///< Until established.
  Millis next_beat_;       ///< Half a tick from the one before.
  bool full_tick_ = false;
  int64_t tick_ = 0;  ///< Counts once established.
};

}  // namespace quorate::zab
