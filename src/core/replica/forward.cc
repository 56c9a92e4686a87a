#include <algorithm>

#include "base/planted.h"
#include "core/replica/replica.h"
#include "core/replica/write_ask.h"

/// A learner's part of what only the leader decides: writes and syncs go to it and come back in the same order, and it
/// is asked whether a session still lives. Spec: quorum 4.1, 4.2, 4.4; known-faults R-N4, R-N5.
namespace quorate::replica {
namespace {

/// As it stands in a packet; empty for none.
std::string auth_vector(auth::Holders who) {
  if (who.empty()) return {};
  ByteBuffer bytes;
  wire::Encoder out(bytes);
  out.i32(static_cast<int32_t>(who.size()));
  for (const auth::Identity& identity : who) {
    out.view(identity.scheme);
    out.view(identity.id);
  }
  return std::string(bytes.view());
}

/// The leader's txn does not tell create2 from create in a multi (DESIGN, "For 3.8 peers"); the reply must.
std::vector<uint16_t> create2_parts_of(const WriteRequest& write) {
  std::vector<uint16_t> create2_parts;
  std::vector<Ask> parts;
  if (write.op == wire::Op::Multi && !decode_multi(write.body, parts, create2_parts)) return {};
  return create2_parts;
}

}  // namespace

void Replica::forward_write(Connection* connection, const WriteRequest& write, Millis received) {
  const int64_t large = large_bytes(write.body.size());
  large_bytes_in_flight_ += large;
  in_flight_.push({Zxid{0}, write.session, connection, write.xid, write.op, received, create2_parts_of(write), large,
                   journal_.last_made()});
  if (connection != nullptr) {
    ++connection->writes_in_flight;
    connection->waiting.push({true, Zxid{0}, {}, received});
  }
  const bool of_server = write.op == wire::Op::CreateSession;
  role_.follow->forward({write.session, write.xid, static_cast<int32_t>(write.op)}, write.body,
                        of_server ? std::string() : auth_vector(write.who));
}

void Replica::forward_sync(Connection& connection, const Request& request, std::string_view frame) {
  ++connection.writes_in_flight;
  connection.waiting.push({true, Zxid{0}, std::string(frame), request.received, wire::Code::Ok, request.identities});
  syncs_.push(&connection);
  role_.follow->forward({connection.session, request.xid, static_cast<int32_t>(request.op)}, request.body,
                        auth_vector(auth::Holders(connection.identities).first(request.identities)));
}

void Replica::on_synced() {
  if (syncs_.empty()) return role_.follow->on_closed("SYNC answers no sync of ours");
  Connection& connection = *syncs_.pop();
  --connection.writes_in_flight;
  if (connection.phase == Phase::Closed) return forget(connection);
  const Waiting sync = connection.waiting.pop();
  // Writes that went before it come back before it, or the leader mixes them up.
  if (sync.frame.empty()) return role_.follow->on_closed("SYNC overtakes a write");
  answer_waited(connection, sync);
  answer_waiting(connection);
}

void Replica::revalidate(Connection& connection, SessionId session) {
  connection.session = session;
  if (planted(Planted::ReadBeforeConfirmed)) connection.phase = Phase::Live;
  revalidating_.emplace_back(session, connection.id);
  role_.follow->revalidate(session, connection.timeout_ms);
}

void Replica::on_revalidated(const wire::Revalidated& answer) {
  const auto asked = std::ranges::find(revalidating_, answer.session, &std::pair<SessionId, ConnId>::first);
  if (asked == revalidating_.end()) return;
  Connection* connection = find(asked->second);
  revalidating_.erase(asked);
  const Phase awaited = planted(Planted::ReadBeforeConfirmed) ? Phase::Live : Phase::Confirming;
  if (connection == nullptr || connection->phase != awaited) return;
  answer.valid ? admit_renewal(*connection, answer.session) : refuse_renewal(*connection, answer.session);
}

std::vector<wire::SessionTimeout> Replica::take_touched() {
  std::vector<wire::SessionTimeout> touched;
  touched.reserve(touched_.size());
  for (const auto& [session, timeout_ms] : touched_) touched.push_back({session, timeout_ms});
  std::ranges::sort(touched, {}, &wire::SessionTimeout::session);
  touched_.clear();
  return touched;
}

}  // namespace quorate::replica
