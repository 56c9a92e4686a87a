#pragma once
#include <cstdint>
#include <map>

#include "base/ids.h"

namespace quorate::tree {

/// The replicated table of sessions: id to the timeout it was created with, in ms. Part of snapshots; changes only by
/// createSession and closeSession txns. Deadlines and owners are kept elsewhere (core/session).
class SessionList {
 public:
  void add(SessionId id, int32_t timeout_ms) { timeouts_[id] = timeout_ms; }
  void remove(SessionId id) { timeouts_.erase(id); }
  bool contains(SessionId id) const { return timeouts_.contains(id); }
  const std::map<SessionId, int32_t>& all() const { return timeouts_; }
  size_t size() const { return timeouts_.size(); }

 private:
  std::map<SessionId, int32_t> timeouts_;
};

}  // namespace quorate::tree
