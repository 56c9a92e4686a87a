#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fifo.h"
#include "base/ids.h"
#include "base/log_line.h"
#include "core/auth/auth.h"
#include "core/replica/replica.h"
#include "core/zab/elect.h"
#include "core/zab/follow.h"
#include "core/zab/journal.h"
#include "core/zab/lead.h"

/// One server of an ensemble as one step function: it looks for a leader, then leads or follows, and carries the one
/// history, the tree and the sessions over all its roles. Each role has a Replica of its own for clients; between two
/// roles everything of the old one ends: its clients, the batch at the log, the order at the disk. Then what the log
/// holds is what the memory holds, and nothing else is voted with (known-faults MUST-6, MUST-7).
/// Spec: quorum 2, 3; DESIGN, section 3.
namespace quorate::replica {

struct MemberSettings {
  zab::ElectSettings elect;
  zab::LeadSettings lead;
  zab::FollowSettings follow;         ///< But for `leader`, which each election finds.
  size_t kept_txns = 500;             ///< commitLogCount
  bool reads_without_leader = false;  ///< readonlymode.enabled
};

/// What recovery found.
struct MemberStart {
  std::unique_ptr<tree::Tree> tree;
  tree::SessionList sessions;
  zab::Epochs epochs;
  bool in_doubt = false;  ///< The history has a hole: no vote, and a SNAP before anything else (known-faults R-D6).
  Now now;
  uint64_t seed = 0;
};

/// What the shell must do; bytes for learners and for the leader are in their own places (learner(), to_leader()).
struct MemberOutput {
  std::vector<zab::ElectionMessage> votes;
  bool connect_all = false;
  std::optional<ServerId> dial;    ///< Connect to that server's quorum port.
  bool hang_up = false;            ///< Close the connection to the leader, or stop dialing.
  bool listening_changed = false;  ///< See listening().
  std::vector<LinkId> dirty;       ///< Learners with bytes to be sent.
  std::vector<LinkId> closes;      ///< Learners to be closed, before new trees are captured: a tree has one walk.
  std::vector<zab::LeadOutput::HistoryWish> histories;
  std::vector<LinkId> trees;
  /// Load tree and sessions from disk, then on_reloaded(). If in_doubt() by now, note that first, durably: a restart
  /// must not forget it (storage/set_aside.h).
  bool reload = false;
  std::vector<std::string> config_texts;
  std::vector<LogLine> lines;

  /// Is there anything besides `dirty`?
  bool is_urgent() const {
    const bool flags = connect_all || dial || hang_up || listening_changed || reload;
    return flags || !votes.empty() || !closes.empty() || !histories.empty() || !trees.empty() ||
           !config_texts.empty() || !lines.empty();
  }
};

class Member {
 public:
  Member(MemberSettings settings, ReplicaSettings replica_settings, auth::AuthSettings auth, zab::Electorate electorate,
         MemberStart start);
  ~Member();

  // Inputs. Each comes with the time in `now`, which set_now() told before.
  void set_now(Now now);
  void on_notification(ServerId from, const wire::Notification& notification);
  void on_reach(ServerId voter, zab::Reach reach);
  void on_time(bool undelivered);

  // The connection to the leader.
  void on_leader_connected();
  void on_leader_packet(const wire::QuorumPacket& packet);
  void on_leader_lost(const std::string& why);
  /// Some of the tree behind SNAP came in; all of it; or it cannot be used.
  void on_tree_bytes();
  void on_tree_received(std::unique_ptr<tree::Tree> tree, tree::SessionList sessions);
  void on_tree_refused(const std::string& why);

  // Learners' connections.
  void on_learner(LinkId link);
  void on_learner_packet(LinkId link, const wire::QuorumPacket& packet);
  void on_learner_lost(LinkId link);
  void on_history(LinkId link, Zxid zxid, std::string_view payload);
  void on_history_end(LinkId link);
  void on_no_history(LinkId link);
  void on_tree_progress(LinkId link);
  void on_tree_sent(LinkId link);

  // The disk: one order or one batch at a time.
  const zab::DiskOrder* order() const;
  void on_order_done();
  /// Truncate is done, and this is what the disk holds now.
  void on_truncated(std::unique_ptr<tree::Tree> tree, tree::SessionList sessions);
  void on_order_refused(const std::string& why);
  bool has_batch() const;
  zab::LogBatch& take_batch();
  void on_persisted();
  void on_reloaded(MemberStart loaded);

  /// Call after the outputs, the replica's outbox among them, were carried out: trees to be sent are captured then, and
  /// an old role ends when its last connection is released.
  void go_on();
  Millis next_time() const;

  wire::PeerState state() const { return elect_.state(); }
  /// Are learners let in?
  bool listening() const { return lead_ && lead_->phase() != zab::LeadPhase::Over; }
  bool serving() const { return replica_->serving(); }
  /// No vote, and nobody served, until a leader's tree is stored.
  bool in_doubt() const { return in_doubt_; }
  /// A role ends: clients are to be let go, whatever they have not taken.
  bool ending() const { return next_ != Next::Nothing || arrived_.has_value(); }
  Replica& replica() { return *replica_; }
  const Replica& replica() const { return *replica_; }
  zab::Journal& journal() { return journal_; }
  const zab::Epochs& epochs() const { return epochs_; }
  const zab::Elect& elect() const { return elect_; }
  const zab::Electorate& electorate() const { return electorate_; }
  zab::Lead* lead() { return lead_.get(); }
  const zab::Lead* lead() const { return lead_.get(); }
  zab::Follow* follow() { return follow_.get(); }
  const zab::Follow* follow() const { return follow_.get(); }
  /// Nothing: that learner is gone.
  zab::Learner* learner(LinkId link) { return lead_ ? lead_->find(link) : nullptr; }
  /// Bytes for the leader; nothing while there is none.
  ByteBuffer* to_leader() { return follow_ ? &follow_->out().packets : nullptr; }
  MemberOutput take() { return std::exchange(output_, {}); }
  /// take() has something that cannot wait; `dirty` can, until everything that came in was taken.
  bool has_output() const { return output_.is_urgent(); }
  /// The `dirty` of take() alone.
  std::vector<LinkId> take_dirty() { return std::exchange(output_.dirty, {}); }

 private:
  enum class Next : uint8_t { Nothing, Look, Take };  ///< Take: the role that the election found.

  void end_role();
  void change_role();
  void install();
  bool drained() const;
  void take_epochs();
  bool may_return() const;
  void note_conversation();
  Millis rest_before_dial() const;
  void prepare_following(const zab::Vote& vote);
  void dial_when_rested();
  void stop_resting(ServerId gone);
  std::optional<Millis> read_only_at() const;
  void settle(tree::Tree& tree, tree::SessionList& sessions);
  void look();
  void look_or_return();
  void take_role();
  std::pair<std::unique_ptr<tree::Tree>, tree::SessionList> take_memory();
  void make_replica(Role role, std::unique_ptr<tree::Tree> tree, tree::SessionList sessions);
  void after_election();
  void after_follow();
  void after_lead();
  bool deliver_event();

  MemberSettings settings_;
  ReplicaSettings replica_settings_;
  auth::AuthSettings auth_;
  zab::Electorate electorate_;
  Now now_;
  uint64_t seed_;
  zab::Epochs epochs_;
  bool in_doubt_;
  /// The memory that takes the present one's place once nobody is connected to that any more.
  struct Arrived {
    std::unique_ptr<tree::Tree> tree;
    tree::SessionList sessions;
    bool is_cut = false;  ///< Ours, after a cut. Else a leader's tree.
  };
  std::optional<Arrived> arrived_;
  bool at_log_ = false;
  bool reloading_ = false;
  zab::Journal journal_;
  zab::Elect elect_;
  std::unique_ptr<zab::Lead> lead_;
  std::unique_ptr<zab::Follow> follow_;
  std::unique_ptr<Replica> replica_;
  ServerStats stats_;  ///< Between two replicas: they count the process's life.
  Millis looking_since_;
  Fifo<zab::FollowEvent> events_;  ///< That wait for their places among the commits.
  Next next_ = Next::Nothing;

  zab::FollowSettings following_;         ///< With what is known of this leader.
  int64_t voted_round_ = -1;              ///< Of the election that it won.
  int failures_ = 0;                      ///< Of conversations with it since then, in a row.
  bool refused_ = false;                  ///< The history that it sent, and it has not sent a better one.
  std::optional<int64_t> tree_in_epoch_;  ///< Of the leader that is asked for its tree before anybody looks.
  std::optional<Millis> dial_at_;
  std::optional<Millis> up_since_;  ///< UPTODATE came then.
  MemberOutput output_;
};

}  // namespace quorate::replica
