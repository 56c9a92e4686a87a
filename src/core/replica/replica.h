#pragma once
#include <boost/unordered/unordered_flat_map.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fifo.h"
#include "core/auth/auth.h"
#include "core/replica/cleaner.h"
#include "core/replica/connection.h"
#include "core/replica/connection_throttle.h"
#include "core/replica/outbox.h"
#include "core/replica/prepare.h"
#include "core/replica/reads.h"
#include "core/replica/role.h"
#include "core/replica/server_stats.h"
#include "core/replica/settings.h"
#include "core/session/owners.h"
#include "core/session/session_table.h"
#include "core/tree/apply.h"
#include "core/tree/tree.h"
#include "core/tree/watch_table.h"
#include "core/zab/journal.h"

/// One server as one step function: frames, log completions and time go in; replies, log batches and closes come out.
/// Quiet and deterministic: no clock, thread, socket or file. The path of a write through it: on_frame (intake.cc) →
/// Preparer::prepare → Journal::made → [log] → on_persisted → apply → reply (commit.cc).
/// Called by one thread at a time. Spec: client 2, 8, 9.
namespace quorate::replica {

/// What recovery found, to go on from.
struct StartingPoint {
  std::unique_ptr<tree::Tree> tree;
  tree::SessionList sessions;
  Now now;
  uint64_t seed = 0;  ///< Secret; clients choose the paths that are hashed.
  Role role;
};

struct PeerAddress {
  std::string ip;    ///< Without brackets or zone.
  std::string text;  ///< "/127.0.0.1:39328"
  bool secure = false;
};

class Replica {
 public:
  /// The journal ends where the tree does, unless the role's synchronisation has begun.
  Replica(ReplicaSettings settings, auth::Auth auth, StartingPoint start, zab::Journal& journal);
  ~Replica();

  // Inputs. set_now() goes before each batch of others.
  void set_now(Now now) { now_ = now; }
  Connection& open(PeerAddress peer);
  /// A frame without its length. Requires: connection.accepts_frames().
  void on_frame(Connection& connection, std::string_view frame);
  /// The peer has gone, or sent what no client may send. Idempotent.
  void close(Connection& connection);
  /// The shell will not use the connection again.
  void release(Connection& connection);
  /// The log holds the batch that was taken from the journal.
  void on_persisted();
  /// Applies what has become durable and committed, fires watches, replies. Part of on_persisted().
  void apply_ready();
  /// Nothing behind that zxid is applied before another is given: something else has its place there.
  void apply_until(Zxid zxid) { apply_until_ = zxid; }
  /// A member's role is established: clients are served from now on. A server of its own always serves.
  void begin_serving();
  /// A member that has no leader lets clients read that asked for that much. Spec: client 2.5.
  void begin_reading_only() { reading_only_ = true; }

  // From learners, on the leader (learners.cc).
  void on_forwarded(const zab::Forwarded& request);
  void on_revalidate(LinkId from, const wire::SessionTimeout& session);
  void on_touched(const wire::SessionTimeout& session);

  // From the leader, on a learner (forward.cc).
  void on_revalidated(const wire::Revalidated& answer);
  /// The oldest sync that was forwarded is done.
  void on_synced();
  /// Sessions that were heard of since the last call, for the leader's ping.
  std::vector<wire::SessionTimeout> take_touched();
  /// Time has passed: expiry, container cleaning, throttled requests.
  void on_tick();

  // Outputs.
  Outbox& outbox() { return outbox_; }
  /// Batches for the log are taken from here.
  zab::Journal& journal() { return journal_; }
  const zab::Journal& journal() const { return journal_; }
  /// Earliest time at which on_tick() has something to do.
  Millis next_tick() const;

  // Views for snapshots, four-letter words and checkers.
  tree::Tree& tree() { return *tree_; }
  const tree::SessionList& sessions() const { return sessions_; }
  const session::SessionTable& session_table() const { return session_table_; }
  /// Sessions that no other server knows.
  const session::SessionTable& local_sessions() const { return local_sessions_; }
  const tree::WatchTables& watches() const { return watches_; }
  const ReplicaSettings& settings() const { return settings_; }
  const auth::Auth& auth() const { return auth_; }
  ServerStats& stats() { return stats_; }
  double connection_drop_probability() const { return throttle_.drop_probability(); }
  /// Received and not answered, but for frames that the shell still holds. Spec: client 9.4.
  size_t requests_in_process() const { return in_flight_.size() + syncs_.size() + stalled_.size() + waiting_reads_; }
  bool serving() const { return serving_; }
  bool reading_only() const { return reading_only_; }
  /// The role ends: every client is let go.
  void close_all();
  /// Opened and not released.
  size_t connection_count() const { return connections_.size(); }
  /// Gives the memory up, at the end of a role.
  std::pair<std::unique_ptr<tree::Tree>, tree::SessionList> release();
  std::vector<Connection*> connections() const;  ///< In order of opening.
  Now now() const { return now_; }
  /// Tree digests at zxids divisible by 128, the newest 1024, for the word hash. Spec: disk 5.4.
  const std::deque<std::pair<Zxid, int64_t>>& digest_history() const { return digest_history_; }

 private:
  /// A write whose reply is owed.
  struct InFlight {
    Zxid zxid;  ///< 0 on a learner, which learns it with the txn.
    SessionId session;
    Connection* connection = nullptr;  ///< Null: the server's own, or its client has gone.
    int32_t xid = 0;
    wire::Op op = wire::Op::Error;
    Millis received;
    std::vector<uint16_t> create2_parts;
    int64_t large_bytes = 0;  ///< Of a request above largeRequestThreshold; else 0.
    Zxid after;               ///< On a learner: the newest txn here when it was forwarded; its own comes behind that.
  };
  struct Request {
    int32_t xid = 0;
    wire::Op op = wire::Op::Error;
    std::string_view body;
    Millis received;
    wire::Code refusal = wire::Code::Ok;  ///< Answered so, without being carried out.
    size_t identities = 0;                ///< How many the connection had when it was read.
  };

  /// A frame in the request throttle.
  struct Stalled {
    Connection* connection;
    std::string frame;
    Millis since;
    size_t identities;  ///< How many the connection had when it was read.
  };

  // handshake.cc
  void connect(Connection& connection, std::string_view frame);
  void create_session(Connection& connection, int32_t timeout_ms);
  SessionId new_session_id();
  void renew_session(Connection& connection, const wire::ConnectRequest& request, int32_t timeout_ms);
  void admit_renewal(Connection& connection, SessionId session);
  void refuse_renewal(Connection& connection, SessionId session);
  void send_connect_response(Connection& connection, SessionId session, int32_t timeout_ms);
  void refuse_session(Connection& connection, std::string_view why);
  void bind(Connection& connection, SessionId session);
  bool admit_connect(Connection& connection, const wire::ConnectRequest& request);

  // intake.cc
  void request(Connection& connection, std::string_view frame);
  bool admit(Connection& connection, const Request& request);
  bool admit_large(Connection& connection, size_t frame_bytes);
  int64_t large_bytes(size_t frame_bytes) const;
  void carry_out(Connection& connection, Request request, std::string_view frame);
  void submit(Connection& connection, const Request& request);
  void submit_own(wire::Op op, SessionId session, std::string_view body);
  void enqueue_write(Connection* connection, const WriteRequest& write, Millis received);
  struct MadeTxn {
    Zxid zxid;
    Prepared prepared;
  };
  std::optional<MadeTxn> make_txn(const WriteRequest& write);
  bool touch(Connection& connection);
  void answer_in_turn(Connection& connection, const Request& request, std::string_view frame);
  void count_read(const Request& request, size_t reply_bytes);
  void answer_read(Connection& connection, const Request& request);
  void answer_waiting(Connection& connection);
  void await_commits(Connection& connection, const Request& request, std::string_view frame);
  void answer_own_syncs();
  void answer_waited(Connection& connection, const Waiting& waited);
  void answer_auth(Connection& connection, const Request& request);
  void reply_code(Connection& connection, int32_t xid, Zxid zxid, wire::Code code);
  void note_reply(Connection& connection, const Request& request);
  void finish_reply(Connection& connection, const Request& request, size_t reply_bytes);
  void pause_if_overloaded(Connection& connection);
  void resume_if_fine(Connection& connection);
  static bool is_write(wire::Op op);

  // local_sessions.cc
  bool makes_local_sessions() const { return reading_only_ || (settings_.local_sessions && !role_.alone()); }
  bool is_local(SessionId id) const {
    return local_sessions_.size() > 0 && local_sessions_.state(id) != session::Touch::Unknown;
  }
  void create_local(Connection& connection, int32_t timeout_ms);
  void renew_local(Connection& connection, SessionId session);
  bool refused_read_only(const Request& request) const;
  bool settle_local(Connection& connection, Request& request);
  void upgrade(Connection& connection);
  void end_local(Connection& connection, const Request& request);
  void expire_local();

  // forward.cc
  void forward_write(Connection* connection, const WriteRequest& write, Millis received);
  void forward_sync(Connection& connection, const Request& request, std::string_view frame);
  void revalidate(Connection& connection, SessionId session);

  // throttle.cc
  bool stall(Connection& connection, const Request& request, std::string_view frame);
  void admit_stalled();
  void admit_late(Connection& connection, const Stalled& stalled);

  // commit.cc
  void apply_txn(std::string_view payload);
  void count_writes();
  void fire_watches(Zxid zxid);
  void fire(const tree::Change& change, Zxid zxid);
  void tell(const std::vector<ConnId>& connections, wire::Event event, std::string_view path, tree::AclId acl,
            Zxid zxid);
  void note_digest(const tree::TxnView& txn);
  bool is_of(const InFlight& write, const tree::TxnView& txn) const;
  bool following_ended() const;
  void finish_write(const InFlight& write, const tree::TxnView& txn);
  void write_result(Connection& connection, const InFlight& write, const tree::TxnView& txn);
  void on_session_created(const InFlight& write, const tree::TxnView& txn);
  void on_session_closed(Connection* asker, SessionId session);

  // replica.cc
  void mark_dirty(Connection& connection);
  void begin_close(Connection& connection);
  void forget(Connection& connection);
  void say(Level level, const char* component, std::string text);
  Connection* find(ConnId id) const;
  void wait_for_creation(SessionId session);

  ReplicaSettings settings_;
  auth::Auth auth_;
  Now now_;
  std::unique_ptr<tree::Tree> tree_;
  tree::SessionList sessions_;
  Role role_;
  bool serving_;
  bool reading_only_ = false;
  session::SessionTable session_table_;   ///< Empty on a learner: the leader tracks.
  session::SessionTable local_sessions_;  ///< In no txn, and nowhere else.
  session::Owners owners_;                ///< Kept by a leader.
  tree::WatchTables watches_;
  zab::Journal& journal_;
  Preparer preparer_;
  Reads reads_;
  ConnectionThrottle throttle_;
  Cleaner cleaner_;
  ServerStats stats_;

  int64_t next_session_id_;
  uint64_t next_conn_id_ = 1;
  boost::unordered_flat_map<ConnId, std::unique_ptr<Connection>, std::hash<ConnId>> connections_;
  boost::unordered_flat_map<SessionId, Connection*, std::hash<SessionId>> bound_;

  Fifo<InFlight> in_flight_;
  Fifo<Connection*> syncs_;  ///< Forwarded, not answered; each keeps its connection alive.
  struct OwnSync {
    Zxid after;
    Connection* connection;
  };
  Fifo<OwnSync> own_syncs_;  ///< A leader's, for clients of its own; the same.
  /// Connections whose session the leader is asked about, in order; an answer is for the first of its session.
  std::vector<std::pair<SessionId, ConnId>> revalidating_;
  boost::unordered_flat_map<SessionId, int32_t, std::hash<SessionId>> touched_;
  int64_t large_bytes_in_flight_ = 0;
  size_t waiting_reads_ = 0;  ///< In the `waiting` of all connections.
  Fifo<Stalled> stalled_;
  tree::Applied applied_;
  Zxid apply_until_{INT64_MAX};
  std::vector<ConnId> told_data_, told_child_;
  std::deque<std::pair<Zxid, int64_t>> digest_history_;
  Outbox outbox_;
};

}  // namespace quorate::replica
