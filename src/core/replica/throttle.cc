#include "core/replica/replica.h"
#include "core/replica/reply.h"
#include "wire/client.h"

/// request_throttle_*: while more than max_requests are in process, frames wait here in order. Spec: client 9.7.
namespace quorate::replica {

bool Replica::stall(Connection& connection, const Request& request, std::string_view frame) {
  const RequestThrottleSettings& throttle = settings_.request_throttle;
  if (throttle.max_requests <= 0) return false;
  if (stalled_.empty() && in_flight_.size() < static_cast<size_t>(throttle.max_requests)) return false;
  if (request.xid > 0) ++connection.outstanding;
  ++connection.writes_in_flight;  // keeps the connection alive while its frame waits here
  ++stats_.request_throttle_wait_count;
  stalled_.push({&connection, std::string(frame), now_.monotonic});
  pause_if_overloaded(connection);
  return true;
}

void Replica::admit_stalled() {
  const RequestThrottleSettings& throttle = settings_.request_throttle;
  while (!stalled_.empty() && in_flight_.size() < static_cast<size_t>(throttle.max_requests)) {
    const Stalled stalled = stalled_.pop();
    Connection& connection = *stalled.connection;
    --connection.writes_in_flight;
    if (connection.phase == Phase::Closed) {
      ++stats_.stale_requests_dropped;
      forget(connection);
      continue;
    }
    if (connection.phase != Phase::Live) continue;
    wire::Decoder in(stalled.frame);
    const int32_t xid = in.i32();
    const auto op = static_cast<wire::Op>(in.i32());
    const Request request{xid, op, in.rest(), stalled.since};
    const Millis waited = now_.monotonic - stalled.since;
    const bool exempt = op == wire::Op::Ping || op == wire::Op::CloseSession;
    if (throttle.drop_stale && throttle.stale_latency_check && op != wire::Op::CloseSession &&
        waited.value > connection.timeout_ms) {
      ++stats_.stale_requests_dropped;
      begin_close(connection);
    } else if (throttle.throttled_op_wait_time.value > 0 && !exempt && waited > throttle.throttled_op_wait_time) {
      ++stats_.throttled_ops;
      reply_code(connection, xid, tree_->last_zxid(), wire::Code::ThrottledOp);
    } else if (is_write(op)) {
      submit(connection, request);
    } else if (connection.waiting.empty()) {
      answer_read(connection, request);
    } else {
      connection.waiting.push({false, Zxid{}, stalled.frame, stalled.since});
    }
  }
}

}  // namespace quorate::replica
