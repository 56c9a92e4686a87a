#pragma once
#include <cstdint>

#include "core/replica/settings.h"
#include "sim/verdict.h"

/// Between which bounds the server's bucket of connection tokens must be. It counts whole tokens, and only now and
/// then; this one counts parts of tokens all the time, once as if it lost as much by that as it may, once as if it lost
/// nothing. Spec: client 9.5.
namespace quorate::sim {

class ThrottleTwin {
 public:
  /// A server that has just started: the bucket is full.
  ThrottleTwin(const replica::ConnectionThrottleSettings& settings, int64_t now_ms);
  /// Somebody asked for a session.
  void on_connect(bool admitted, int64_t now_ms, Verdict& verdict);

 private:
  replica::ConnectionThrottleSettings settings_;
  int64_t filled_at_;
  double least_;
  double most_;
};

}  // namespace quorate::sim
