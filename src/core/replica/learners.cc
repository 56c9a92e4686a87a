#include "base/planted.h"
#include "core/replica/replica.h"

/// The leader's part for clients of other servers. Spec: quorum 4.1 to 4.4; known-faults 1.1, R-N2, R-N3.
namespace quorate::replica {
namespace {

auth::Identities identities_of(const wire::AuthVector& auth) {
  auth::Identities who;
  auth.each([&](const wire::AuthItem& item) { who.push_back({std::string(item.scheme), std::string(item.id)}); });
  return who;
}

bool is_of_server(wire::Op op) { return op == wire::Op::CreateSession || op == wire::Op::CloseSession; }

}  // namespace

void Replica::on_forwarded(const zab::Forwarded& request) {
  const auto op = static_cast<wire::Op>(request.header.op);
  if (op == wire::Op::Sync) return role_.lead->sync(request.from);
  const auth::Identities who = identities_of(request.auth);
  WriteRequest write;
  write.op = op;
  write.xid = request.header.cxid;
  write.session = request.header.session;
  write.origin = is_of_server(op) ? Origin::Server : Origin::Client;
  write.who = who;
  write.body = request.record;
  const bool moves = op == wire::Op::CreateSession || planted(Planted::OwnerMovesWithRequest);
  if (moves) owners_.move(write.session, request.from);
  const session::Touch state = session_table_.state(write.session);
  const bool known = state == session::Touch::Ok;
  // Only its own server knows a local session. Ours are not forwarded.
  const bool of_other_server = write.session.value >> 56 != settings_.server_id;
  write.of_local_session = settings_.local_sessions && state == session::Touch::Unknown && of_other_server;
  if (!is_of_server(op) && known && !owners_.allows(write.session, request.from)) {
    write.refused = wire::Code::SessionMoved;
  } else if (!is_write(op) && !is_of_server(op)) {
    write.refused = wire::Code::Unimplemented;
  }
  make_txn(write);
}

void Replica::on_revalidate(LinkId from, const wire::SessionTimeout& session) {
  const SessionId id = session.session;
  const bool valid = session_table_.touch(id, session.timeout_ms, now_.monotonic) == session::Touch::Ok;
  if (valid) {
    owners_.move(id, from);
    if (const auto bound = bound_.find(id); bound != bound_.end()) begin_close(*bound->second);
  }
  role_.lead->answer_revalidate(from, id, valid);
}

void Replica::on_touched(const wire::SessionTimeout& session) {
  if (planted(Planted::TouchesLost)) return;
  session_table_.touch(session.session, session.timeout_ms, now_.monotonic);
}

}  // namespace quorate::replica
