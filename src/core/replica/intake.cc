#include <fmt/format.h>

#include <algorithm>

#include "base/planted.h"
#include "core/replica/replica.h"
#include "core/replica/reply.h"
#include "wire/client.h"

/// Requests of live connections: touch the session, keep each connection's order, send writes to prepare and answer
/// reads when it is their turn. Spec: client 3, 8.3, 9, 10.1.
namespace quorate::replica {

bool Replica::is_write(wire::Op op) {
  switch (op) {
    case wire::Op::Create:
    case wire::Op::Create2:
    case wire::Op::CreateContainer:
    case wire::Op::CreateTtl:
    case wire::Op::Delete:
    case wire::Op::SetData:
    case wire::Op::SetAcl:
    case wire::Op::Multi:
    case wire::Op::Reconfig:
    case wire::Op::CloseSession:
      return true;
    default:
      return false;
  }
}

void Replica::request(Connection& connection, std::string_view frame) {
  if (connection.phase != Phase::Live) return;  // behind a closeSession
  wire::RequestHeader header;
  wire::Decoder in(frame);
  if (!wire::decode(in, header)) return begin_close(connection);
  if (!admit_large(connection, frame.size())) return begin_close(connection);
  const Request request{header.xid,     static_cast<wire::Op>(header.type), in.rest(), now_.monotonic,
                        wire::Code::Ok, connection.identities.size()};

  if (request.xid > 0) ++connection.outstanding;
  if (!admit(connection, request)) return;
  if (!stall(connection, request, frame)) {
    carry_out(connection, request, frame);
  }
  pause_if_overloaded(connection);
}

bool Replica::admit(Connection& connection, const Request& request) {
  // Auth and sasl are answered at once, ahead of earlier requests, and do not touch the session (client 8.3, 10.1).
  if (request.op == wire::Op::Auth) {
    answer_auth(connection, request);
    return false;
  }
  if (request.op == wire::Op::Sasl) {
    ReplyFrame reply(connection.out, request.xid, Zxid{0}, wire::Code::Ok);
    reply.body().view(wire::kAbsent);
    finish_reply(connection, request, reply.close());
    return false;
  }
  if (!auth_.admitted(connection.identities)) {
    reply_code(connection, request.xid, Zxid{0}, wire::Code::SessionClosedRequireSaslAuth);
    begin_close(connection);
    return false;
  }
  return touch(connection);
}

/// False: the request is dropped. A session that has moved ends the connection that it left (known-faults R-N3).
bool Replica::touch(Connection& connection) {
  if (is_local(connection.session)) {
    return local_sessions_.touch(connection.session, connection.timeout_ms, now_.monotonic) == session::Touch::Ok;
  }
  if (role_.follow != nullptr) {
    touched_[connection.session] = connection.timeout_ms;
    return true;
  }
  const session::Touch touched = session_table_.touch(connection.session, connection.timeout_ms, now_.monotonic);
  if (touched != session::Touch::Ok) return false;
  if (role_.alone() || owners_.allows(connection.session, session::kOwnClients)) return true;
  begin_close(connection);
  return false;
}

int64_t Replica::large_bytes(size_t frame_bytes) const {
  const auto bytes = static_cast<int64_t>(frame_bytes);
  return settings_.large_request_threshold > 0 && bytes > settings_.large_request_threshold ? bytes : 0;
}

// Spec: client 9.6.
bool Replica::admit_large(Connection& connection, size_t frame_bytes) {
  const int64_t bytes = large_bytes(frame_bytes);
  if (bytes == 0 || large_bytes_in_flight_ + bytes <= settings_.large_request_max_bytes) return true;
  ++stats_.large_requests_rejected;
  say(Level::Warn, "ZooKeeperServer",
      fmt::format(
          "Rejecting a request of {} bytes from {}: {} bytes of large requests are in flight, at most {} may be", bytes,
          connection.remote_text, large_bytes_in_flight_, settings_.large_request_max_bytes));
  return false;
}

void Replica::submit(Connection& connection, const Request& request) {
  WriteRequest write;
  write.op = request.op;
  write.xid = request.xid;
  write.session = connection.session;
  write.of_local_session = is_local(connection.session);
  write.who = auth::Holders(connection.identities).first(request.identities);
  write.body = request.body;
  if (request.op == wire::Op::CloseSession) {
    write.origin = Origin::Server;
    connection.phase = Phase::Ending;
    say(Level::Info, "PrepRequestProcessor",
        fmt::format("Submitting global closeSession request for session 0x{:x}",
                    static_cast<uint64_t>(connection.session.value)));
  }
  enqueue_write(&connection, write, request.received);
}

void Replica::submit_own(wire::Op op, SessionId session, std::string_view body) {
  WriteRequest write;
  write.op = op;
  write.session = session;
  write.origin = Origin::Server;
  write.body = body;
  enqueue_write(nullptr, write, now_.monotonic);
}

void Replica::enqueue_write(Connection* connection, const WriteRequest& write, Millis received) {
  if (role_.follow != nullptr) return forward_write(connection, write, received);
  std::optional<MadeTxn> made = make_txn(write);
  if (!made) return;
  const int64_t large = large_bytes(write.body.size());
  large_bytes_in_flight_ += large;
  in_flight_.push({made->zxid, write.session, connection, write.xid, write.op, received,
                   std::move(made->prepared.create2_parts), large, Zxid{}});
  if (connection == nullptr) return;
  ++connection->writes_in_flight;
  connection->waiting.push({true, made->zxid, {}, received});
}

/// Nothing: this epoch has no zxid left, and the leader has resigned.
std::optional<Replica::MadeTxn> Replica::make_txn(const WriteRequest& write) {
  const std::optional<Zxid> zxid = role_.lead != nullptr ? role_.lead->next_zxid() : journal_.last_made().next();
  if (!zxid) {
    role_.lead->resign("zxid lower 32 bits have rolled over, forcing re-election, and therefore new epoch start");
    return std::nullopt;
  }
  ByteBuffer& records = journal_.records();
  const size_t before = records.size();
  MadeTxn made{*zxid, preparer_.prepare(write, *zxid, now_, records)};
  stats_.proposal_size.add(static_cast<int64_t>(records.size() - before));
  ++stats_.proposal_count;
  const std::string_view payload = journal_.made(*zxid);
  if (role_.lead != nullptr) role_.lead->propose(*zxid, payload);
  return made;
}

void Replica::carry_out(Connection& connection, Request request, std::string_view frame) {
  if (settle_local(connection, request)) return answer_in_turn(connection, request, frame);
  if (is_write(request.op)) return submit(connection, request);
  // A follower's sync has its place among the forwarded writes: what the leader committed before it is read after it.
  const bool sync = request.op == wire::Op::Sync && !planted(Planted::SyncAnsweredHere);
  if (sync && role_.follow != nullptr) return forward_sync(connection, request, frame);
  // What learners have applied, and their clients have seen, may still be on its way to the leader's own disk.
  if (sync && journal_.applied() < journal_.committed()) return await_commits(connection, request, frame);
  answer_in_turn(connection, request, frame);
}

void Replica::await_commits(Connection& connection, const Request& request, std::string_view frame) {
  const Zxid after = journal_.committed();
  connection.waiting.push({false, after, std::string(frame), request.received, request.refusal, request.identities});
  ++waiting_reads_;
  ++connection.writes_in_flight;
  own_syncs_.push({after, &connection});
}

void Replica::answer_own_syncs() {
  while (!own_syncs_.empty() && own_syncs_.front().after <= journal_.applied()) {
    Connection& connection = *own_syncs_.pop().connection;
    --connection.writes_in_flight;
    connection.phase == Phase::Closed ? forget(connection) : answer_waiting(connection);
  }
}

void Replica::answer_in_turn(Connection& connection, const Request& request, std::string_view frame) {
  if (connection.waiting.empty() || planted(Planted::ReadPassesWrite)) return answer_read(connection, request);
  connection.waiting.push({false, Zxid{}, std::string(frame), request.received, request.refusal, request.identities});
  ++waiting_reads_;
}

void Replica::answer_read(Connection& connection, const Request& request) {
  if (request.refusal != wire::Code::Ok) {
    return reply_code(connection, request.xid, tree_->last_zxid(), request.refusal);
  }
  if (request.op == wire::Op::CloseSession) return end_local(connection, request);
  if (!Reads::is_read(request.op)) {
    reply_code(connection, request.xid, Zxid{-1}, wire::Code::Unimplemented);
    return begin_close(connection);
  }
  const auth::Holders who = auth::Holders(connection.identities).first(request.identities);
  const size_t size_before = connection.out.size();
  const int64_t sent_before = connection.stats.sent;
  const wire::Code code = reads_.answer(connection, {request.op, request.xid, request.body, who});
  stats_.read_latency.add((now_.monotonic - request.received).value);
  size_t bytes = connection.out.size() - size_before;
  if (const int64_t events = connection.stats.sent - sent_before; events > 0) {
    // Only setWatches sends notifications of its own, and its reply is a bare header.
    stats_.packets_sent += events;
    stats_.watch_bytes += static_cast<int64_t>(bytes - ReplyFrame::kHeadBytes);
    bytes = ReplyFrame::kHeadBytes;
  }
  if (code == wire::Code::Ok) count_read(request, bytes);
  finish_reply(connection, request, bytes);
}

void Replica::count_read(const Request& request, size_t reply_bytes) {
  constexpr int64_t kStatBytes = 68;
  int64_t data_bytes = static_cast<int64_t>(reply_bytes - ReplyFrame::kHeadBytes) - 4;
  switch (request.op) {
    case wire::Op::GetData:
      data_bytes -= kStatBytes;
      break;
    case wire::Op::GetChildren:
      break;
    case wire::Op::GetChildren2:
      data_bytes -= kStatBytes;
      break;
    case wire::Op::Exists:
      data_bytes = 0;
      break;
    default:
      return;
  }
  ServerStats::note(stats_.read_per_namespace, wire::Decoder(request.body).view(), data_bytes);
}

void Replica::answer_waiting(Connection& connection) {
  while (connection.phase != Phase::Closed && !connection.waiting.empty() && !connection.waiting.front().is_write &&
         connection.waiting.front().zxid <= journal_.applied()) {
    const Waiting read = connection.waiting.pop();
    --waiting_reads_;
    answer_waited(connection, read);
  }
}

void Replica::answer_waited(Connection& connection, const Waiting& waited) {
  wire::Decoder in(waited.frame);
  const int32_t xid = in.i32();
  const int32_t type = in.i32();
  answer_read(connection,
              {xid, static_cast<wire::Op>(type), in.rest(), waited.received, waited.refusal, waited.identities});
}

void Replica::answer_auth(Connection& connection, const Request& request) {
  wire::AuthRequest auth;
  wire::Decoder in(request.body);
  const bool decoded = wire::decode(in, auth) && !wire::is_absent(auth.scheme);
  const auto gained =
      decoded ? auth_.authenticate(auth.scheme, auth.auth, connection.remote_ip) : std::optional<auth::Identities>();
  if (!gained) {
    const std::string scheme(decoded ? auth.scheme : std::string_view("?"));
    say(Level::Warn, "ZooKeeperServer",
        auth_.has_provider(scheme)
            ? fmt::format("Authentication failed for scheme: {}", scheme)
            : fmt::format("No authentication provider for scheme: {} has {}", scheme, auth_.provider_names()));
    ++stats_.auth_failed_count;
    reply_code(connection, request.xid, Zxid{0}, wire::Code::AuthFailed);
    return begin_close(connection);
  }
  for (const auth::Identity& identity : *gained) {
    if (std::ranges::find(connection.identities, identity) == connection.identities.end()) {
      connection.identities.push_back(identity);
    }
  }
  say(Level::Info, "ZooKeeperServer",
      fmt::format("Session 0x{:x}: auth success for scheme {} and address {}",
                  static_cast<uint64_t>(connection.session.value), auth.scheme, connection.remote_text));
  reply_code(connection, request.xid, Zxid{0}, wire::Code::Ok);
}

void Replica::reply_code(Connection& connection, int32_t xid, Zxid zxid, wire::Code code) {
  ReplyFrame reply(connection.out, xid, zxid, code);
  const size_t bytes = reply.close();
  ++connection.stats.sent;
  ++stats_.packets_sent;
  stats_.response_size.add(static_cast<int64_t>(bytes) - 4);
  if (xid > 0 && connection.outstanding > 0) --connection.outstanding;
  resume_if_fine(connection);
  mark_dirty(connection);
}

void Replica::finish_reply(Connection& connection, const Request& request, size_t reply_bytes) {
  note_reply(connection, request);
  ++connection.stats.sent;
  ++stats_.packets_sent;
  stats_.response_size.add(static_cast<int64_t>(reply_bytes) - 4);
  stats_.response_bytes += static_cast<int64_t>(reply_bytes);
  if (request.xid > 0 && connection.outstanding > 0) --connection.outstanding;
  resume_if_fine(connection);
  mark_dirty(connection);
}

void Replica::note_reply(Connection& connection, const Request& request) {
  const int64_t latency = (now_.monotonic - request.received).value;
  ConnectionStats& stats = connection.stats;
  stats.last_op = request.op;
  if (request.xid >= 0) stats.last_cxid = request.xid;  // a ping leaves the last request's
  stats.last_zxid = tree_->last_zxid();
  stats.last_response = now_.monotonic;
  stats.latency_last = latency;
  stats.latency_min = stats.latency_count == 0 ? latency : std::min(stats.latency_min, latency);
  stats.latency_max = std::max(stats.latency_max, latency);
  stats.latency_sum += latency;
  ++stats.latency_count;
  stats_.latency.add(latency);
}

void Replica::pause_if_overloaded(Connection& connection) {
  const auto in_process = static_cast<int64_t>(requests_in_process());
  if (connection.reading_paused || connection.outstanding < 1 || in_process <= settings_.outstanding_limit) return;
  connection.reading_paused = true;
  outbox_.gates.push_back(&connection);
}

void Replica::resume_if_fine(Connection& connection) {
  if (!connection.reading_paused) return;
  const auto in_process = static_cast<int64_t>(requests_in_process());
  if (connection.outstanding > 0 && in_process > settings_.outstanding_limit) return;
  connection.reading_paused = false;
  outbox_.gates.push_back(&connection);
}

}  // namespace quorate::replica
