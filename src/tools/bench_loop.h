#pragma once
#include <vector>

#include "base/result.h"
#include "tools/bench_link.h"
#include "tools/bench_window.h"
#include "tools/bench_workload.h"

/// The load itself: one thread, one epoll set, level-triggered. Closed loop: every connection keeps its number of
/// requests in flight, refilled as its replies are read and flushed by one send for each readable event. Open loop:
/// requests are due at fixed instants; a latency counts from that instant, whenever the request could really leave.
namespace quorate::tools {

/// Returns the figures of the measured part once everything in flight is answered, or 10 s after the end. The links
/// are non-blocking then. Errors: Closed or Io when a connection is lost or nothing comes for a minute, Corrupt when
/// replies do not match the requests; there are no figures then.
Result<LoopFigures> run_load(std::vector<BenchLink>& links, BenchWorkload& workload, const LoopPlan& plan);

}  // namespace quorate::tools
