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
/// and the resending of a connection's last message are the election link's part (shell/net).
/// Spec: quorum 2; DESIGN, "End of an election"; rules 4, 6, 9 to 15.
namespace quorate::zab {

struct ElectSettings {
  ServerId self;
  bool observer = false;  ///< peerType; an observer's own vote never counts.
  Millis finalize_wait{200};
  Millis min_interval{200};    ///< fastleader.minNotificationInterval
  Millis max_interval{60000};  ///< fastleader.maxNotificationInterval
};

/// What the election port knows of a voter.
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
  bool connect_all = false;     ///< Nothing came for a while and messages wait: dial every voter again.
  std::optional<Vote> decided;  ///< Taken once; the state has changed with it.
};

class Elect {
 public:
  Elect(ElectSettings settings, Electorate electorate);

  /// Begins to look. `zxid` is the last durable one, `peer_epoch` the currentEpoch file's (rule 12).
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
  /// Outputs since the last call.
  ElectionOutput take();

 private:
  Vote initial() const;
  wire::Notification saying(const Vote& vote, wire::PeerState state) const;
  void announce();
  void answer(ServerId to, const Vote& vote, wire::PeerState state);
  void on_looking(ServerId from, const CastVote& cast, Millis now);
  void on_settled(ServerId from, const CastVote& cast);
  void consider(Millis now);
  void decide(const Vote& vote);
  bool better_may_come() const;
  bool has_quorum(const std::map<ServerId, CastVote>& votes, const CastVote& reference) const;
  bool leader_confirms(const std::map<ServerId, CastVote>& votes, ServerId leader, int64_t round) const;

  ElectSettings settings_;
  Electorate electorate_;
  wire::PeerState state_ = wire::PeerState::Looking;
  bool searching_ = false;
  int64_t round_ = 0;  ///< logicalclock
  Vote current_;
  Vote proposal_;
  Zxid own_zxid_;
  int64_t own_epoch_ = 0;
  std::map<ServerId, CastVote> received_;  ///< This round's.
  std::map<ServerId, CastVote> settled_;   ///< Of those who follow or lead, any round.
  std::map<ServerId, Reach> reach_;
  Millis next_announce_{0};
  Millis interval_{0};
  std::optional<Millis> finalize_at_;
  ElectionOutput output_;
};

}  // namespace quorate::zab
