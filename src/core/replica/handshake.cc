#include <fmt/format.h>

#include "base/planted.h"
#include "core/replica/replica.h"
#include "wire/client.h"

/// The first frame of a connection: a new session, or an old one on a new connection. Spec: client 2.
namespace quorate::replica {
namespace {

uint64_t hex(SessionId id) { return static_cast<uint64_t>(id.value); }

constexpr char kNoPassword[16] = {};

}  // namespace

void Replica::connect(Connection& connection, std::string_view frame) {
  wire::ConnectRequest request;
  wire::Decoder in(frame);
  if (!wire::decode(in, request)) return begin_close(connection);
  // Clients of before 3.4 leave the flag out and must get an answer without it.
  connection.knows_read_only = !in.ended();
  const bool reads_only = connection.knows_read_only && in.boolean();
  ++stats_.connection_request_count;
  if (reading_only_ && !reads_only) {
    say(Level::Info, "ZooKeeperServer", "Refusing session request for not-read-only client " + connection.remote_text);
    return begin_close(connection);
  }
  const bool serves = serving_ || reading_only_;
  if (!serves || !admit_connect(connection, request)) return begin_close(connection);

  const int32_t timeout_ms = session::granted_timeout(request.time_out, settings_.timeouts);
  connection.phase = Phase::Confirming;
  if (request.session_id.value == 0) return create_session(connection, timeout_ms);
  renew_session(connection, request, timeout_ms);
}

bool Replica::admit_connect(Connection& connection, const wire::ConnectRequest& request) {
  const bool fresh = request.session_id.value == 0;
  if (!throttle_.admit(fresh ? throttle_.new_session_weight() : throttle_.renewal_weight(), now_.monotonic)) {
    ++stats_.connection_rejected;
    ++stats_.connection_drop_count;
    return false;
  }
  if (request.last_zxid_seen <= tree_->last_zxid() || planted(Planted::ClientAheadAdmitted)) return true;
  say(Level::Info, "ZooKeeperServer",
      fmt::format("Refusing session(0x{:x}) request for client {} as it has seen zxid 0x{:x} our last zxid is 0x{:x} "
                  "client must try another server",
                  hex(request.session_id), connection.remote_text, static_cast<uint64_t>(request.last_zxid_seen.value),
                  static_cast<uint64_t>(tree_->last_zxid().value)));
  return false;
}

/// Ids are drawn from the clock of the start; where that went back, they may meet those of sessions that still live.
SessionId Replica::new_session_id() {
  const auto taken = [this](SessionId id) {
    return session_table_.state(id) != session::Touch::Unknown || is_local(id) || sessions_.contains(id);
  };
  while (taken(SessionId{next_session_id_})) ++next_session_id_;
  return {next_session_id_++};
}

void Replica::create_session(Connection& connection, int32_t timeout_ms) {
  if (makes_local_sessions()) return create_local(connection, timeout_ms);
  const SessionId id = new_session_id();
  connection.timeout_ms = timeout_ms;
  bind(connection, id);
  ByteBuffer body;
  wire::Encoder(body).i32(timeout_ms);
  WriteRequest write;
  write.op = wire::Op::CreateSession;
  write.session = id;
  write.origin = Origin::Server;
  write.who = connection.identities;
  write.body = body.view();
  if (role_.lead != nullptr) owners_.move(id, session::kOwnClients);
  enqueue_write(&connection, write, now_.monotonic);
}

void Replica::renew_session(Connection& connection, const wire::ConnectRequest& request, int32_t timeout_ms) {
  ++stats_.connection_revalidate_count;
  // The password comes before any effect: knowing an id must not be enough to cut its connection (HARDEN-6).
  if (!session::password_matches(request.session_id, request.passwd)) {
    say(Level::Warn, "ZooKeeperServer",
        fmt::format("Incorrect password from {} for session 0x{:x}", connection.remote_text, hex(request.session_id)));
    return refuse_session(connection, "");
  }
  connection.timeout_ms = timeout_ms;
  if (is_local(request.session_id)) return renew_local(connection, request.session_id);
  // The others may have closed it long ago (known-faults 3863).
  if (reading_only_ && sessions_.contains(request.session_id)) return begin_close(connection);
  // Also on a learner before the leader is asked: what is still unread on the old connection would come by a way that
  // the session has just been given again, behind what it has done elsewhere in between.
  if (const auto bound = bound_.find(request.session_id); bound != bound_.end()) begin_close(*bound->second);
  if (role_.follow != nullptr) return revalidate(connection, request.session_id);
  if (session_table_.touch(request.session_id, timeout_ms, now_.monotonic) != session::Touch::Ok) {
    return refuse_renewal(connection, request.session_id);
  }
  owners_.move(request.session_id, session::kOwnClients);
  admit_renewal(connection, request.session_id);
}

void Replica::admit_renewal(Connection& connection, SessionId session) {
  const auto bound = bound_.find(session);
  if (bound != bound_.end() && bound->second != &connection) begin_close(*bound->second);
  bind(connection, session);
  connection.phase = Phase::Live;
  send_connect_response(connection, session, connection.timeout_ms);
  outbox_.gates.push_back(&connection);
}

void Replica::refuse_renewal(Connection& connection, SessionId session) {
  refuse_session(connection, fmt::format("Invalid session 0x{:x} for client {}, probably expired", hex(session),
                                         connection.remote_text));
}

void Replica::bind(Connection& connection, SessionId session) {
  connection.session = session;
  bound_[session] = &connection;
}

void Replica::refuse_session(Connection& connection, std::string_view why) {
  if (!why.empty()) say(Level::Info, "ZooKeeperServer", std::string(why));
  send_connect_response(connection, SessionId{0}, 0);
  begin_close(connection);
}

void Replica::send_connect_response(Connection& connection, SessionId session, int32_t timeout_ms) {
  wire::ConnectResponse response;
  response.time_out = timeout_ms;
  response.session_id = session;
  const std::string password =
      session.value == 0 ? std::string(kNoPassword, sizeof kNoPassword) : session::password_of(session);
  response.passwd = password;

  const size_t at = connection.out.size();
  connection.out.grow(4);
  wire::Encoder out(connection.out);
  wire::encode(out, response);
  if (connection.knows_read_only) out.boolean(reading_only_);
  wire::store_be32(connection.out.data() + at, static_cast<uint32_t>(connection.out.size() - at - 4));
  ++connection.stats.sent;
  ++stats_.packets_sent;
  mark_dirty(connection);
}

}  // namespace quorate::replica
