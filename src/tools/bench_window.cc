#include "tools/bench_window.h"

#include <algorithm>
#include <cmath>

namespace quorate::tools {

void BenchWindow::turn(int64_t now) {
  if (phase_ == Phase::Warmup && now >= start_ns_ + plan_.warmup_ns) begin(now);
  if (phase_ != Phase::Measured) return;
  const bool time_is_up = plan_.measured_ns > 0 && now >= from_ns_ + plan_.measured_ns;
  const bool enough = plan_.operations > 0 && figures_.replies >= plan_.operations;
  if (time_is_up || enough) end(now);
}

void BenchWindow::begin(int64_t now) {
  phase_ = Phase::Measured;
  from_ns_ = now;
  plan_.on_begin();
}

void BenchWindow::end(int64_t now) {
  if (phase_ == Phase::Ended) return;
  if (phase_ == Phase::Warmup) begin(now);
  plan_.on_end();
  phase_ = Phase::Ended;
  to_ns_ = now;
  figures_.elapsed_ns = now - from_ns_;
}

void BenchWindow::on_reply(BenchInFlight::Entry request, int32_t err, int64_t now) {
  if (measuring()) ++figures_.replies;
  if (err != 0) {
    ++figures_.errors[err];
  } else if (counts(request.start_ns)) {
    (request.kind == Sent::Read ? figures_.reads : figures_.writes).record(now - request.start_ns);
  }
}

uint64_t BenchWindow::due_count(int64_t now) const {
  const int64_t until = std::min(now, to_ns_);
  if (until < start_ns_) return 0;
  return static_cast<uint64_t>(std::floor(static_cast<double>(until - start_ns_) * plan_.rate / 1e9)) + 1;
}

}  // namespace quorate::tools
