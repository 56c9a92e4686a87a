#pragma once
#include <boost/unordered/unordered_flat_map.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log_line.h"
#include "base/result.h"
#include "core/replica/replica.h"
#include "shell/admin/metrics.h"
#include "shell/admin/words.h"
#include "shell/env/clock.h"
#include "shell/env/disk.h"
#include "shell/env/network.h"
#include "shell/env/stream.h"
#include "shell/net/client_link.h"
#include "shell/node/ensemble.h"
#include "shell/node/log_actor.h"
#include "shell/node/settings.h"
#include "shell/node/snapshot_actor.h"

/// One server between socket bytes and disk calls, without threads or sockets of its own: shell/server puts it on
/// real ones, sim on a fake world. Everything here runs on the loop thread; the three actors' perform() runs elsewhere.
/// It is a server of its own, or, with `ensemble` in its settings, a member that has its peers on `network`.
///
/// A round of the loop: set_now(), then any inputs, then flush(), then begin_log(), begin_background() and
/// begin_history() until all say no. Calls from the network may come at any time between rounds.
/// Spec: DESIGN, sections 1 and 2.
namespace quorate::node {

/// A client as the node keeps it: its stream, the frames on it, and the core's view.
struct Client {
  Client(std::unique_ptr<env::Stream> s, int32_t max_frame_bytes)
      : stream(std::move(s)), link(*stream, max_frame_bytes) {}

  std::unique_ptr<env::Stream> stream;
  net::ClientLink link;
  replica::Connection* connection = nullptr;
  Millis last_io;
  bool readable_wanted = true;
  bool writable_wanted = false;
  bool held = false;  ///< Whole frames may be unread until it has taken its answers.
  bool warm = false;  ///< Listed for giving its buffer back.
  bool busy_lately = false;
};

class Node {
 public:
  struct World {
    env::Disk& disk;
    const env::Clock& clock;
    env::Network* network = nullptr;  ///< A member's.
  };
  /// Recovers from disk and starts serving in memory. `lines` gets what the operator should read, errors included.
  static Result<std::unique_ptr<Node>> boot(const World& world, NodeSettings settings, std::vector<LogLine>& lines);
  ~Node();

  // Inputs.
  void set_now();
  /// Null: over a limit; the connection was reset.
  Client* accept(std::unique_ptr<env::Stream> stream, replica::PeerAddress peer);
  void on_readable(Client& client);
  void on_writable(Client& client);
  void on_hangup(Client& client);
  void on_tick();
  void on_log_done();
  void on_background_done();
  void on_history_done() { ensemble_->on_history_done(); }

  // Outputs.
  /// Sends what is to be sent and closes what is to be closed. Client pointers of closed clients are dead after it.
  void flush();
  /// True: the actor's perform() is to be run, then on_log_done(), on_background_done() or on_history_done() called.
  bool begin_log();
  bool begin_background();
  bool begin_history();
  LogActor& log() { return log_; }
  SnapshotActor& background() { return background_; }
  HistoryActor& history() { return ensemble_->history(); }
  /// The log's only batch in flight would be a single small write; see DESIGN, "Threads".
  bool lone_write() const { return lone_write_; }
  /// A tree has more to walk, or frames that were held back can go on: do not sleep.
  bool walking() const;
  Millis next_tick() const;
  std::vector<LogLine> take_lines();
  /// The log failed: stop the process. Spec: disk 6.1 rule 3.
  bool failed() const { return failed_; }

  /// A member has another one in each of its roles.
  replica::Replica& replica() const { return ensemble_ ? ensemble_->member().replica() : *replica_; }
  /// Null: a server of its own.
  replica::Member* member() { return ensemble_ ? &ensemble_->member() : nullptr; }
  const NodeSettings& settings() const { return settings_; }
  size_t client_count() const { return clients_.size(); }
  Now now() const { return replica().now(); }
  Now started() const { return started_; }
  env::Disk& disk() { return disk_; }
  /// Asks for a snapshot as if the log had grown enough.
  void want_snapshot() { snapshot_wanted_ = true; }
  admin::Metrics& metrics() { return metrics_; }
  /// What the machine is asked for when a word shows it; without it those places stay empty.
  void set_surroundings(std::function<admin::Surroundings()> source) { surroundings_ = std::move(source); }

 private:
  Node(const World& world, NodeSettings settings);

  // boot.cc
  void start_alone(storage::Recovered recovered, auth::Auth auth);
  Result<void> start_member(storage::Recovered recovered, env::Network& network, std::vector<LogLine>& lines);

  // disk_work.cc
  bool has_batch() const;
  bool begin_batch();
  bool begin_orders();
  void on_orders_done();
  void on_batch_done();
  void stop_serving(const Error& why);
  void note_given_up();
  void let_go_of_tree(const char* why);

  // node.cc
  void consume(Client& client);
  bool answer_word(Client& client);
  void refuse_length(Client& client);
  void on_gone(Client& client);
  void flush_clients();
  void open_gates();
  void send(Client& client);
  Result<bool> transmit(Client& client);
  void update_interest(Client& client);
  void close_listed();
  void drop(Client& client);
  void collect_lines();

  // words.cc
  std::string word_answer(Client& client, std::string_view word);
  admin::ServerView view(const Client& client, bool with_surroundings) const;
  void carry_out(const admin::Answer& answer);

  // upkeep.cc
  bool flush_is_due() const;
  void expire_idle();
  void release_idle_buffers();
  void consider_snapshot();
  void consider_fill();
  void consider_purge();
  bool log_has_grown_enough() const;

  env::Disk& disk_;
  const env::Clock& clock_;
  NodeSettings settings_;
  std::unique_ptr<zab::Journal> journal_;
  std::unique_ptr<replica::Replica> replica_;  ///< Of a server of its own. Outlives the walk over its tree.
  std::unique_ptr<Ensemble> ensemble_;         ///< Of a member; the same.
  LogActor log_;
  SnapshotActor background_;
  admin::Metrics metrics_;
  std::function<admin::Surroundings()> surroundings_;
  int64_t trace_mask_ = 306;
  int64_t sync_warnings_ = 0;
  Now started_;

  std::vector<char> scratch_;
  boost::unordered_flat_map<Client*, std::unique_ptr<Client>> clients_;
  boost::unordered_flat_map<std::string, int32_t> per_address_;
  std::vector<Client*> warm_;
  std::vector<LogLine> lines_;

  bool failed_ = false;
  bool lone_write_ = false;
  bool walking_ = false;
  bool snapshot_wanted_ = false;
  bool history_changes_ = false;  ///< An order is at work on logs and snapshots.
  int64_t txns_since_snapshot_ = 0;
  int64_t bytes_since_snapshot_ = 0;
  int64_t snapshot_errors_ = 0;
  Millis next_snapshot_{0};
  uint64_t filled_at_ = 0;
  int64_t filled_at_batch_ = 0;
  Millis last_flush_{0};
  Millis next_upkeep_{0};
  Millis next_purge_{0};
};

}  // namespace quorate::node
