#include <fmt/format.h>

#include <algorithm>

#include "core/replica/replica.h"
#include "core/replica/write_ask.h"

/// Sessions that only this server knows: they are in no txn, cost the ensemble nothing, and end with the server's role.
/// The first ephemeral makes a global one of them, where that is allowed; and the only sessions of a server that lets
/// clients read without a leader. Spec: client 2.5, 8.7; quorum 4.5; known-faults 3471.
namespace quorate::replica {
namespace {

/// Creates of these two types only (client 8.7).
bool makes_ephemeral(wire::Op op, std::string_view body) {
  const auto ephemeral = [](const Ask& ask) {
    return (ask.op == wire::Op::Create || ask.op == wire::Op::Create2) && is_ephemeral(ask);
  };
  if (op == wire::Op::Multi) {
    std::vector<Ask> parts;
    std::vector<uint16_t> create2_parts;
    return decode_multi(body, parts, create2_parts) && std::ranges::any_of(parts, ephemeral);
  }
  Ask ask;
  ask.op = op;
  wire::Decoder in(body);
  const bool creates = op == wire::Op::Create || op == wire::Op::Create2;
  return creates && decode_ask(in, ask) && ephemeral(ask);
}

}  // namespace

void Replica::create_local(Connection& connection, int32_t timeout_ms) {
  const SessionId id = new_session_id();
  connection.timeout_ms = timeout_ms;
  local_sessions_.add(id, timeout_ms, now_.monotonic);
  admit_renewal(connection, id);
}

void Replica::renew_local(Connection& connection, SessionId session) {
  local_sessions_.touch(session, connection.timeout_ms, now_.monotonic);
  admit_renewal(connection, session);
}

bool Replica::refused_read_only(const Request& request) const {
  const bool changes = is_write(request.op) && request.op != wire::Op::CloseSession;
  return reading_only_ && (changes || request.op == wire::Op::Sync || request.op == wire::Op::Check);
}

/// True: the request is to be answered here, in its turn.
bool Replica::settle_local(Connection& connection, Request& request) {
  if (refused_read_only(request)) {
    request.refusal = wire::Code::NotReadOnly;
    return true;
  }
  if (!is_local(connection.session)) return false;
  if (request.op == wire::Op::CloseSession) {
    connection.phase = Phase::Ending;
    return true;
  }
  if (!makes_ephemeral(request.op, request.body)) return false;
  if (settings_.local_sessions_upgrade) {
    upgrade(connection);
    return false;
  }
  request.refusal = wire::Code::EphemeralOnLocalSession;
  return true;
}

/// From here on it is a session like any other, under the same id: its requests go behind the txn that makes it known.
void Replica::upgrade(Connection& connection) {
  const SessionId id = connection.session;
  local_sessions_.remove(id);
  if (role_.lead != nullptr) owners_.move(id, session::kOwnClients);
  ByteBuffer body;
  wire::Encoder(body).i32(connection.timeout_ms);
  submit_own(wire::Op::CreateSession, id, body.view());
  say(Level::Info, "UpgradeableSessionTracker",
      fmt::format("Upgrading session 0x{:x}", static_cast<uint64_t>(id.value)));
}

void Replica::end_local(Connection& connection, const Request& request) {
  local_sessions_.remove(connection.session);
  reply_code(connection, request.xid, tree_->last_zxid(), wire::Code::Ok);
  begin_close(connection);
}

void Replica::expire_local() {
  for (const SessionId id : local_sessions_.expire(now_.monotonic)) {
    ++stats_.stale_sessions_expired;
    local_sessions_.remove(id);
    say(Level::Info, "SessionTracker", fmt::format("Expiring local session 0x{:x}", static_cast<uint64_t>(id.value)));
    if (const auto bound = bound_.find(id); bound != bound_.end()) begin_close(*bound->second);
  }
}

}  // namespace quorate::replica
