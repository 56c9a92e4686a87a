#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "sim/fabric_network.h"
#include "sim/sim_clock.h"
#include "sim/verdict.h"

/// When each session's client was last heard, as far as its leader can know: from requests that the leader read itself,
/// and from those that a learner read before it sent a ping which the leader has read. No session may expire before
/// that, or the beginning of the leader's time, lies its whole timeout back, by the leader's own clock. Where it cannot
/// be told from outside what a ping speaks of, the older is taken: a buffer that was empty when a request came held no
/// ping yet. Spec: known-faults R-N8.
namespace quorate::sim {

class EnsembleContacts final : public LearnerTap {
 public:
  EnsembleContacts(const SimClock& clock, Verdict& verdict) : clock_(clock), verdict_(verdict) {}

  int64_t now() const { return clock_.micros(); }
  /// So many microseconds of a server's own clock are a thousand of the world's.
  void set_pace(uint32_t server, int64_t pace) { paces_[server] = pace; }

  // What a server hears of clients.
  /// It has given that session to a client whose connect request it began to read then.
  void granted(uint32_t server, int64_t session, int32_t timeout_ms, int64_t asked_at);
  /// How often a session was given to a connection.
  uint32_t grants(int64_t session) { return grants_[session]; }
  /// It has read a whole request.
  void heard(uint32_t server, int64_t session);

  // What a leader hears of learners, which are hosts there.
  void learner_sends(const Wire& wire, std::string_view bytes, bool all) override;
  void leader_reads(const Wire& wire, size_t bytes) override;

  // Roles.
  /// A new leader's time begins, and with it that of all sessions.
  void leads(uint32_t server);
  /// Its clients are let go, and what they have said to it with them. Some of their bytes may still be read.
  void serves_no_more(uint32_t server);
  /// How often that happened: who was a client before is none any more.
  uint32_t services(uint32_t server) { return learners_[server].services; }
  void expires(uint32_t server, int64_t session, int32_t timeout_ms);
  bool has_expired(int64_t session) const { return expired_.contains(session); }

 private:
  using Times = std::map<int64_t, int64_t>;  ///< By session.
  struct Ping {
    uint64_t end = 0;  ///< The place behind it in the stream.
    Times heard;       ///< Before its sending began.
  };
  struct Learner {
    Times fresh;          ///< Heard since all that there was to be sent was sent.
    Times frozen;         ///< Before that, and behind the last ping.
    uint32_t leader = 0;  ///< 0: none, or not known.
    uint32_t services = 0;
    uint32_t connection = 0;
    std::string unparsed;
    uint64_t parsed = 0;
    uint64_t read = 0;  ///< By the leader.
    std::deque<Ping> pings;
  };
  struct Leader {
    int64_t since = 0;
    Times known;
  };

  void know(uint32_t leader, int64_t session, int64_t heard_at);
  void take_packets(Learner& learner);

  const SimClock& clock_;
  Verdict& verdict_;
  std::map<uint32_t, int64_t> paces_;
  std::map<uint32_t, Learner> learners_;
  std::map<uint32_t, Leader> leaders_;
  std::map<int64_t, int32_t> granted_ms_;  ///< The shortest.
  std::map<int64_t, uint32_t> grants_;
  std::set<int64_t> expired_;
};

/// Counts the whole frames of a stream that comes in pieces.
class FrameCount {
 public:
  /// How many end in these bytes.
  size_t feed(std::string_view bytes);

 private:
  uint32_t head_ = 0;
  uint32_t head_bytes_ = 0;
  size_t left_ = 0;  ///< Of a frame's body.
};

}  // namespace quorate::sim
