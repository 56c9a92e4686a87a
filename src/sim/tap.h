#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "sim/history.h"
#include "sim/sim_clock.h"
#include "sim/watch_twin.h"
#include "wire/client.h"

/// Listens to what the node sends on one connection, and checks every frame against the naive model: order of replies,
/// zxids that never go back, answers that are right at their zxid, each watch event once and before any reply that
/// shows its change. What was sent counts as acknowledged, whether or not it arrives.
namespace quorate::sim {

struct Observers {
  History& history;
  Verdict& verdict;
  Trace& trace;
  const SimClock& clock;
};

class Tap {
 public:
  /// `session`: 0 asks for a new one. `timeout_ms`: what the server must grant.
  Tap(Observers observers, uint32_t client, std::string who, int64_t session, int32_t timeout_ms)
      : observers_(observers), client_(client), who_(std::move(who)), session_(session), timeout_ms_(timeout_ms) {}

  /// No client's: nothing is owed to it, and a session least of all.
  void be_stranger() { stranger_ = true; }
  /// The client has sent it; its answer is owed behind those before it.
  void expect(Request* request) { owed_.push_back(request); }
  void expect_auth() { ++auths_; }
  void sent(std::string_view bytes);
  void closed() { closed_ = true; }

  bool is_closed() const { return closed_; }
  int64_t session() const { return session_; }
  const WatchTwin& twin() const { return twin_; }
  /// Checks that no event is missing, once everything up to `zxid` must have been told.
  void settle(int64_t zxid);

 private:
  void on_frame(std::string_view frame);
  void on_stranger();
  void on_connect(std::string_view frame);
  void on_refusal();
  void on_event(int64_t zxid, std::string_view body);
  void on_reply(const wire::ReplyHeader& header, std::string_view body);
  void check_write(const Request& request, const wire::ReplyHeader& header, std::string_view body);
  void check_read(const Request& request, const wire::ReplyHeader& header, std::string_view body);
  void check_restored(const Request& request, const wire::ReplyHeader& header);
  void check_watch_request(const Request& request, const wire::ReplyHeader& header);
  void register_watch(const Request& request, wire::Code code);

  Observers observers_;
  uint32_t client_;
  std::string who_;
  int64_t session_;
  int32_t timeout_ms_;
  bool stranger_ = false;
  bool connected_ = false;
  bool closed_ = false;
  int auths_ = 0;
  int64_t last_zxid_ = 0;
  std::string partial_;
  std::deque<Request*> owed_;
  std::vector<ExpectedEvent> restored_;  ///< Events that belong to a setWatches whose reply is to come.
  WatchTwin twin_;
};

}  // namespace quorate::sim
