#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "sim/network.h"
#include "sim/plan.h"
#include "sim/workload.h"

/// A client with the manners of real ones: pipelines, pings, reconnects with its session and restores its watches in
/// one burst, loses patience, hangs up, vanishes, oversleeps, closes its session.
namespace quorate::sim {

struct ClientWorld {
  Observers observers;
  Network& network;
  Workload& workload;
  Rng& rng;
  const Plan& plan;
  uint32_t& requests_left;
  std::function<void(Link&)> dial;  ///< The connection arrives at the server after a while.
};

class SimClient {
 public:
  SimClient(ClientWorld world, uint32_t number);

  /// Does what comes next; returns when to be called again, in microseconds from now.
  int64_t act();
  void on_chunk(Link& link, const Chunk& chunk);

  /// No more requests of its own; stays connected.
  void settle_down() { settling_ = true; }
  /// Connected, and every request answered.
  bool quiet() const { return link_ != nullptr && connected_ && awaited_.empty(); }
  void leave();
  bool gone() const { return gone_; }
  Link* link() { return link_; }

 private:
  struct Beliefs {
    std::set<std::string> data, exist, child, persistent, recursive;
  };
  void connect();
  void send_stranger();
  void send_connect();
  void send_auth();
  void restore_watches();
  bool misbehave();
  void close_session();
  void hang_up(bool politely);
  void forget_link();
  void forget_session();
  void send(Request request);
  void send_burst();
  void ping();
  void flush();
  void on_frame(std::string_view frame);
  void on_connected(std::string_view frame);
  void on_reply(const Request& request, int32_t err);
  void on_event(std::string_view body);
  bool lost_patience() const;
  int64_t now() const { return world_.observers.clock.micros(); }
  int64_t pause();

  ClientWorld world_;
  uint32_t number_;
  std::string credentials_;  ///< "user:password"; empty: anonymous.
  std::string who_;
  Link* link_ = nullptr;
  bool connected_ = false;
  bool was_refused_ = false;
  bool overdone_ = false;  ///< A frame that is too long is on its way; nothing behind it will be read.
  bool settling_ = false;
  bool gone_ = false;
  bool closing_ = false;  ///< closeSession is under way.
  int64_t session_ = 0;
  std::string password_;
  int32_t timeout_ms_;  ///< As asked for, then as granted.
  int64_t last_zxid_ = 0;
  int32_t next_xid_ = 1;
  int64_t last_sent_ = 0;
  int64_t last_heard_ = 0;
  std::string partial_;
  ByteBuffer out_;
  std::deque<const Request*> awaited_;
  Beliefs watches_;
};

}  // namespace quorate::sim
