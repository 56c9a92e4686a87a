#pragma once
#include <boost/unordered/unordered_flat_map.hpp>
#include <functional>

#include "base/ids.h"

/// Through which connection each session was last found good, as the leader sees it: a learner's link, or its own
/// clients. The owner moves with a renewal and never with a request, so a request that was delayed on an old
/// connection cannot follow the client to its new one. Spec: quorum 4.4; known-faults 1.1, R-N2, R-N3; rule 51.
namespace quorate::session {

/// The leader's own clients.
constexpr LinkId kOwnClients{0};

class Owners {
 public:
  void move(SessionId session, LinkId to) { owners_[session] = to; }
  /// May a request of the session come that way? Nobody owns it yet: then whoever comes first does.
  bool allows(SessionId session, LinkId from) { return owners_.try_emplace(session, from).first->second == from; }
  void remove(SessionId session) { owners_.erase(session); }
  size_t size() const { return owners_.size(); }

 private:
  boost::unordered_flat_map<SessionId, LinkId, std::hash<SessionId>> owners_;
};

}  // namespace quorate::session
