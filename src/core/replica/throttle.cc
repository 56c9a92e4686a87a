#include <algorithm>

#include "core/replica/replica.h"
#include "wire/client.h"

/// request_throttle_*: while max_requests writes are in process, frames wait here in order. There is always a write at
/// the log then, and each one that comes back lets frames on. Spec: client 9.7.
namespace quorate::replica {

bool Replica::stall(Connection& connection, const Request& request, std::string_view frame) {
  const RequestThrottleSettings& throttle = settings_.request_throttle;
  if (throttle.max_requests <= 0) return false;
  if (stalled_.empty() && in_flight_.size() < static_cast<size_t>(throttle.max_requests)) return false;
  ++connection.writes_in_flight;  // keeps the connection alive while its frame waits here
  ++stats_.request_throttle_wait_count;
  stalled_.push({&connection, std::string(frame), request.received, request.identities});
  return true;
}

void Replica::admit_stalled() {
  const auto most = static_cast<size_t>(std::max(settings_.request_throttle.max_requests, 0));
  while (!stalled_.empty() && in_flight_.size() < most) {
    const Stalled stalled = stalled_.pop();
    Connection& connection = *stalled.connection;
    --connection.writes_in_flight;
    if (connection.phase == Phase::Live) {
      admit_late(connection, stalled);
    } else if (connection.phase == Phase::Closed) {
      ++stats_.stale_requests_dropped;
      forget(connection);
    }
  }
}

void Replica::admit_late(Connection& connection, const Stalled& stalled) {
  const RequestThrottleSettings& throttle = settings_.request_throttle;
  wire::Decoder in(stalled.frame);
  const int32_t xid = in.i32();
  const auto op = static_cast<wire::Op>(in.i32());
  Request request{xid, op, in.rest(), stalled.since, wire::Code::Ok, stalled.identities};
  const Millis waited = now_.monotonic - stalled.since;
  if (throttle.drop_stale && throttle.stale_latency_check && op != wire::Op::CloseSession &&
      waited.value > connection.timeout_ms) {
    ++stats_.stale_requests_dropped;
    return begin_close(connection);
  }
  // The session may have ended meanwhile.
  if (!touch(connection)) return;
  const bool exempt = op == wire::Op::Ping || op == wire::Op::CloseSession;
  if (!exempt && throttle.throttled_op_wait_time.value > 0 && waited > throttle.throttled_op_wait_time) {
    ++stats_.throttled_ops;
    request.refusal = wire::Code::ThrottledOp;
  }
  if (request.refusal == wire::Code::Ok) return carry_out(connection, request, stalled.frame);
  answer_in_turn(connection, request, stalled.frame);
}

}  // namespace quorate::replica
