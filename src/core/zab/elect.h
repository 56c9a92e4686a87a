#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "core/zab/quorum.h"
#include "core/zab/vote.h"
#include "wire/election.h"

/// Fast leader election as one step function: notifications, links and time go in; notifications and the decision come
/// out. It lives as long as the server and answers in every state; only while Looking does it search. Sockets, dialing
/// and the resending of a connection's last message are the election link's part (shell/net); the configuration that a
/// notification carries is looked at before it comes here (quorum 2.7).
/// Spec: quorum 2; DESIGN, "End of an election"; rules 4, 6, 9 to 15.
namespace quorate::zab {

struct ElectSettings {
  ServerId self;
  bool observer = false;  ///< peerType; an observer's own vote never counts.
  Millis finalize_wait{200};
  Millis min_interval{200};    ///< fastleader.minNotificationInterval
  Millis max_interval{60000};  ///< fastleader.maxNotificationInterval
};

/// What the election port knows of a voter. Every change is to be told; a dial begins with Unknown.
enum class Reach : uint8_t {
  Unknown,  ///< Never tried, or a try is under way.
  Open,     ///< There is a connection.
  Refused,  ///< No connection, and the last dial was refused: nobody listens there.
};

struct ElectionMessage {
  ServerId to;
  wire::Notification notification;  ///< Its config is left to the sender, which knows the committed text.
};

struct ElectionOutput {
  std::vector<ElectionMessage> messages;
  bool connect_all = false;     ///< Nothing came for a while and messages wait: dial whoever has no connection.
  std::optional<Vote> decided;  ///< Taken once; the state has changed with it.
};

class Elect {
 public:
  Elect(ElectSettings settings, Electorate electorate);

  /// Begins to look. `zxid` is the last durable one (-1: the history is missing, quorum 2.9), `peer_epoch` the
  /// currentEpoch file's (rule 12).
  void look(Zxid zxid, int64_t peer_epoch, Millis now);
  void on_notification(ServerId from, const wire::Notification& notification, Millis now);
  void on_reach(ServerId voter, Reach reach, Millis now);
  /// `undelivered`: some voter has not taken its last message (quorum 1.4).
  void on_time(Millis now, bool undelivered);
  /// When on_time() has something to do; far away while not looking.
  Millis next_time() const;

  /// The epoch of the leader that was found is established: answers say so from now on (rule 11).
  void set_peer_epoch(int64_t epoch) { current_.peer_epoch = epoch; }

  wire::PeerState state() const { return state_; }
  const Vote& current() const { return current_; }
  int64_t round() const { return round_; }
  /// Outputs since the last call. Messages to one server in their order; of those that still wait the newest is enough.
  ElectionOutput take();

 private:
  using Votes = std::map<ServerId, CastVote>;

  /// A looking voter's message that came while we were not looking ourselves.
  struct Early {
    CastVote cast;
    Millis at;
  };

  /// What we said last to somebody, where it is not said again at once.
  struct Answer {
    Vote vote;
    wire::PeerState state;
    Millis at;
  };

  bool has_vote() const { return electorate_.is_voter(settings_.self); }
  Vote initial() const;
  void adopt(const Vote& vote);
  void announce();
  void say(ServerId to, const Vote& vote, wire::PeerState state);
  void answer(ServerId to, const Answer& answer);
  void answer_stranger(ServerId to, const wire::Notification& notification, Millis now);
  void answer_voter(ServerId to, const Vote& vote, Millis now);
  bool waits_for_us(const CastVote& cast) const;
  void on_unsought(ServerId from, const CastVote& cast, Millis now);
  void on_looking(ServerId from, const CastVote& cast, Millis now);
  void ask_soon(Millis now);
  void on_settled(ServerId from, const CastVote& cast, Millis now);
  void count_early(Millis now);
  void consider(Millis now);
  void decide(const Vote& vote);
  bool better_may_come() const;
  Reach reach_of(ServerId voter) const;
  bool has_quorum(const Votes& votes, const CastVote& reference) const;
  bool leader_confirms(const Votes& votes, const Vote& vote) const;

  ElectSettings settings_;
  Electorate electorate_;
  wire::PeerState state_ = wire::PeerState::Looking;
  bool looked_ = false;     ///< Ever.
  bool searching_ = false;  ///< From look() to the decision.
  int64_t round_ = 0;       ///< logicalclock
  Vote current_;            ///< What the last search found.
  Vote proposal_;           ///< Of this round.
  Zxid own_zxid_;
  int64_t own_epoch_ = 0;
  Votes received_;  ///< This round's, our own among them.
  Votes settled_;   ///< Of those who follow or lead, any round.
  std::map<ServerId, Early> early_;
  std::map<ServerId, Answer> answered_;  ///< Lately, where one side has no vote.
  std::map<ServerId, Reach> reach_;
  Millis next_announce_{0};
  Millis interval_{0};
  std::optional<Millis> finalize_at_;  ///< Set while a quorum votes as we do.
  ElectionOutput output_;
};

}  // namespace quorate::zab
