#pragma once
#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "sim/sim_clock.h"
#include "sim/trace.h"

/// What is to happen in a world: in the order of time, and at one microsecond in the order in which it was asked for.
/// Running it is what makes the clock move.
namespace quorate::sim {

class Agenda {
 public:
  using Act = std::move_only_function<void()>;

  Agenda(SimClock& clock, Trace& trace) : clock_(clock), trace_(trace) {}

  int64_t now() const { return clock_.micros(); }
  /// What should have happened already happens next.
  void at(int64_t micros, Act act) { acts_.emplace(std::pair(std::max(micros, now()), next_order_++), std::move(act)); }
  void in(int64_t delay, Act act) { at(now() + delay, std::move(act)); }

  bool empty() const { return acts_.empty(); }
  /// When the next is due. Requires: not empty.
  int64_t next_at() const { return acts_.begin()->first.first; }
  /// Requires: not empty.
  void run_next() {
    auto first = acts_.extract(acts_.begin());
    clock_.advance_to(first.key().first);
    trace_.set_time(now());
    trace_.note(static_cast<uint64_t>(now()));
    first.mapped()();
  }
  /// Everything up to that time, which it is then.
  void run_until(int64_t micros) {
    while (!empty() && next_at() <= micros) run_next();
    clock_.advance_to(std::max(micros, now()));
    trace_.set_time(now());
  }

 private:
  SimClock& clock_;
  Trace& trace_;
  uint64_t next_order_ = 0;
  std::map<std::pair<int64_t, uint64_t>, Act> acts_;  ///< By time and order.
};

}  // namespace quorate::sim
