#include <algorithm>

#include "base/planted.h"
#include "core/replica/path_rule.h"
#include "core/replica/prepare_state.h"

/// createSession and closeSession. Neither asks whether the session is known: expiry closes sessions that it has
/// already marked. Spec: client 4.10, 8.1, 8.5.
namespace quorate::replica {

wire::Code Preparer::State::create_session(Turn& turn) {
  wire::Decoder in(turn.request.body);
  const int32_t timeout_ms = in.i32();
  if (!in.ok()) return wire::Code::MarshallingError;
  turn.out.i32(timeout_ms);
  // Learners may commit, apply and tell the client before our own log has it: requests of the session come at once.
  sessions.add(turn.request.session, timeout_ms, turn.now.monotonic);
  return wire::Code::Ok;
}

void Preparer::State::close_session(Turn& turn) {
  collect_ephemerals(turn.request.session);
  for (const std::string& path : ephemerals) {
    record_remove(pending.look(parent_path(path)), pending.look(path), turn);
  }
  // A list that no reader would take is left out: each server deletes by its own then (known-faults 4306).
  if (settings.close_session_txn && !too_long(ephemeral_bytes() + kTxnOverhead)) {
    turn.out.i32(static_cast<int32_t>(ephemerals.size()));
    for (const std::string& path : ephemerals) turn.out.view(path);
  }
  sessions.mark_closing(turn.request.session);
}

size_t Preparer::State::ephemeral_bytes() const {
  size_t bytes = 0;
  for (const std::string& path : ephemerals) bytes += sizeof(int32_t) + path.size();
  return bytes;
}

/// Applied ephemerals that are not being deleted, and those being created. In byte order, so that every run gives the
/// same list.
void Preparer::State::collect_ephemerals(SessionId session) {
  ephemerals = tree.ephemerals_of(session);
  std::erase_if(ephemerals, [&](const std::string& path) {
    const Pending::Seen node = pending.look(path);
    return !node.exists || pending.stat(node).ephemeral_owner != session.value;
  });
  if (!planted(Planted::EphemeralKept)) pending.add_ephemerals_of(session, ephemerals);
  std::ranges::sort(ephemerals);
  const auto repeated = std::ranges::unique(ephemerals);
  ephemerals.erase(repeated.begin(), repeated.end());
}

}  // namespace quorate::replica
