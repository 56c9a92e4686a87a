#pragma once
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/log_line.h"
#include "wire/election.h"

/// Says what a member of an ensemble is doing whenever that changes, in the words that operators look for: LOOKING,
/// FOLLOWING, LEADING, OBSERVING, and how long the election took. Spec: operations 7.2.
namespace quorate::server {

class RoleLines {
 public:
  /// To be called often; nothing when nothing has changed.
  std::vector<LogLine> on_state(wire::PeerState state, Millis now);

 private:
  std::optional<wire::PeerState> last_;
  Millis looking_since_{0};
};

}  // namespace quorate::server
