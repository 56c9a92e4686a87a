#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"

/// The life of sessions on the server that tracks them: deadlines in buckets of one tick, closing mark. Time is an
/// input. Spec: client 8; known-faults R-N.
namespace quorate::session {

/// The 16 bytes that prove a session id; the same function on every server. Spec: client 2.4.
std::string password_of(SessionId id);
bool password_matches(SessionId id, std::string_view password);

/// First session id of a server process. Spec: client 2.3.
SessionId first_session_id(Millis monotonic, int64_t server_id);

/// Requested timeout brought within limits, in ms. Spec: client 2.2 step 4.
struct TimeoutLimits {
  int32_t min_ms = 4000;
  int32_t max_ms = 40000;
};
int32_t granted_timeout(int32_t wanted_ms, TimeoutLimits limits);

enum class Touch : uint8_t { Ok, Unknown, Closing };

class SessionTable {
 public:
  explicit SessionTable(Millis tick);
  ~SessionTable();
  SessionTable(const SessionTable&) = delete;
  SessionTable& operator=(const SessionTable&) = delete;

  /// Starts tracking (createSession applied, or found at start); the deadline counts from `now`. A session that is
  /// tracked already is touched; one that is closing stays so.
  void add(SessionId id, int32_t timeout_ms, Millis now);
  /// Moves the deadline to bucket(now + timeout). Cheap when the bucket stays.
  Touch touch(SessionId id, int32_t timeout_ms, Millis now);
  Touch state(SessionId id) const;
  /// From now on the session refuses touches, renewals and requests. False when unknown.
  bool mark_closing(SessionId id);
  void remove(SessionId id);

  /// Sessions whose bucket lies at or before `now`, marked closing; each is returned once. Ordered by bucket, then id.
  std::vector<SessionId> expire(Millis now);
  /// When expire() has next work to do; nothing tracked: Millis{INT64_MAX}.
  Millis next_expiry() const;

  int32_t timeout_ms(SessionId id) const;  ///< Of the latest touch; 0 when unknown.
  size_t size() const;
  /// Buckets for `dump`, ascending: deadline and its sessions. Closing ones are in none.
  struct Bucket {
    Millis deadline;
    std::vector<SessionId> sessions;
  };
  std::vector<Bucket> buckets() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quorate::session
