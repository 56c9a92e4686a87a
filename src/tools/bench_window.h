#pragma once
#include <cstdint>
#include <functional>
#include <limits>
#include <map>

#include "tools/bench_histogram.h"
#include "tools/bench_in_flight.h"

/// The measured part of a run: when it begins and ends, and which replies belong to it. Time is an input.
namespace quorate::tools {

struct LoopPlan {
  uint32_t in_flight = 8;
  double rate = 0;  ///< Requests a second; 0: closed loop.
  int64_t warmup_ns = 0;
  int64_t measured_ns = 0;  ///< 0: until the workload is used up.
  uint64_t operations = 0;  ///< 0: no limit.
  /// Called at the ends of the measured part, for figures from elsewhere.
  std::function<void()> on_begin = [] {};
  std::function<void()> on_end = [] {};
};

struct LoopFigures {
  BenchHistogram reads;  ///< Latencies in ns of replies without error.
  BenchHistogram writes;
  std::map<int32_t, uint64_t> errors;  ///< Replies by error code, over the whole run.
  uint64_t replies = 0;                ///< Of the measured part, errors included; the base of all figures "an op".
  uint64_t requests = 0;               ///< Appended in the measured part.
  uint64_t receives = 0;               ///< Calls of recv that brought something.
  uint64_t sends = 0;
  uint64_t unanswered = 0;  ///< Without a reply (or, open loop, not even sent) 10 s after the end.
  int64_t elapsed_ns = 0;
};

class BenchWindow {
 public:
  BenchWindow(const LoopPlan& plan, int64_t start_ns) : plan_(plan), start_ns_(start_ns) {}

  /// Begins or ends the measured part when it is time.
  void turn(int64_t now);
  /// Ends the measured part early: the workload is used up.
  void end(int64_t now);
  void on_reply(BenchInFlight::Entry request, int32_t err, int64_t now);

  bool measuring() const { return phase_ == Phase::Measured; }
  bool ended() const { return phase_ == Phase::Ended; }
  LoopFigures& figures() { return figures_; }

  /// Open loop: when request number `number` is due, and how many are due before `now` (never after the end).
  int64_t due_ns(uint64_t number) const {
    return start_ns_ + static_cast<int64_t>(static_cast<double>(number) * 1e9 / plan_.rate);
  }
  uint64_t due_count(int64_t now) const;

 private:
  enum class Phase : uint8_t { Warmup, Measured, Ended };

  void begin(int64_t now);
  bool open_loop() const { return plan_.rate > 0; }
  /// Closed loop: a reply counts when it comes. Open loop: when its request was due, so that the slowest requests,
  /// whose replies come after the end, are not left out.
  bool counts(int64_t start_ns) const { return open_loop() ? start_ns >= from_ns_ && start_ns < to_ns_ : measuring(); }

  const LoopPlan& plan_;
  int64_t start_ns_;
  int64_t from_ns_ = std::numeric_limits<int64_t>::max();
  int64_t to_ns_ = std::numeric_limits<int64_t>::max();
  Phase phase_ = Phase::Warmup;
  LoopFigures figures_;
};

}  // namespace quorate::tools
