#include "core/session/session_table.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <map>

#include "base/check.h"
#include "base/planted.h"

namespace quorate::session {

namespace {

/// A place in a ring: a session, or the head of a bucket's ring.
struct Place {
  SessionId id;
  int64_t deadline = 0;
  uint32_t next = 0;
  uint32_t prev = 0;
  int32_t timeout_ms = 0;
  bool closing = false;  ///< In no bucket.
};

}  // namespace

struct SessionTable::State {
  explicit State(Millis width) : tick(width.value) {}

  /// A negative timeout, which a peer may forward, counts as 0: every deadline is positive.
  int64_t bucket(Millis now, int32_t timeout_ms) const {
    if (planted(Planted::ExpiresEarly)) timeout_ms /= 2;
    return ((now.value + std::max(timeout_ms, 0)) / tick + 1) * tick;
  }
  const Place* find(SessionId id) const;
  uint32_t take_place();
  uint32_t head_of(int64_t deadline);
  void enter(uint32_t number, int64_t deadline);
  void leave(uint32_t number);
  void close(uint32_t number);
  std::vector<SessionId> members(uint32_t head) const;

  int64_t tick;
  std::vector<Place> places;
  std::vector<uint32_t> free;
  boost::unordered_flat_map<SessionId, uint32_t, std::hash<SessionId>> numbers;
  std::map<int64_t, uint32_t> heads;  ///< Deadline to head of the ring; no ring is without sessions.
  /// The bucket that was entered last: within a tick most touches go to the same one. 0: none, as no bucket ends at 0.
  int64_t latest_deadline = 0;
  uint32_t latest_head = 0;
};

const Place* SessionTable::State::find(SessionId id) const {
  const auto at = numbers.find(id);
  return at == numbers.end() ? nullptr : &places[at->second];
}

uint32_t SessionTable::State::take_place() {
  if (free.empty()) {
    places.emplace_back();
    return static_cast<uint32_t>(places.size() - 1);
  }
  const uint32_t number = free.back();
  free.pop_back();
  places[number] = Place{};
  return number;
}

uint32_t SessionTable::State::head_of(int64_t deadline) {
  if (deadline == latest_deadline) return latest_head;
  const auto [at, fresh] = heads.try_emplace(deadline, 0);
  if (fresh) {
    at->second = take_place();
    places[at->second].next = places[at->second].prev = at->second;
  }
  latest_deadline = deadline;
  latest_head = at->second;
  return at->second;
}

void SessionTable::State::enter(uint32_t number, int64_t deadline) {
  const uint32_t head = head_of(deadline);
  const uint32_t last = places[head].prev;
  places[number].deadline = deadline;
  places[number].prev = last;
  places[number].next = head;
  places[last].next = number;
  places[head].prev = number;
}

void SessionTable::State::leave(uint32_t number) {
  const auto [id, deadline, next, prev, timeout_ms, closing] = places[number];
  places[prev].next = next;
  places[next].prev = prev;
  if (next != prev) return;
  // Only the head is left.
  heads.erase(deadline);
  free.push_back(next);
  if (latest_deadline == deadline) latest_deadline = 0;
}

void SessionTable::State::close(uint32_t number) {
  if (places[number].closing) return;
  leave(number);
  places[number].closing = true;
}

std::vector<SessionId> SessionTable::State::members(uint32_t head) const {
  std::vector<SessionId> found;
  for (uint32_t at = places[head].next; at != head; at = places[at].next) found.push_back(places[at].id);
  std::ranges::sort(found);
  return found;
}

SessionTable::SessionTable(Millis tick) : state_(std::make_unique<State>(tick)) { QUORATE_CHECK(tick.value > 0); }
SessionTable::~SessionTable() = default;

void SessionTable::add(SessionId id, int32_t timeout_ms, Millis now) {
  if (touch(id, timeout_ms, now) != Touch::Unknown) return;
  const uint32_t number = state_->take_place();
  state_->places[number].id = id;
  state_->places[number].timeout_ms = timeout_ms;
  state_->numbers.emplace(id, number);
  state_->enter(number, state_->bucket(now, timeout_ms));
}

Touch SessionTable::touch(SessionId id, int32_t timeout_ms, Millis now) {
  const auto at = state_->numbers.find(id);
  if (at == state_->numbers.end()) return Touch::Unknown;
  Place& session = state_->places[at->second];
  if (session.closing) return Touch::Closing;
  session.timeout_ms = timeout_ms;
  const int64_t deadline = state_->bucket(now, timeout_ms);
  if (deadline == session.deadline) return Touch::Ok;
  state_->leave(at->second);
  state_->enter(at->second, deadline);
  return Touch::Ok;
}

Touch SessionTable::state(SessionId id) const {
  const Place* session = state_->find(id);
  if (session == nullptr) return Touch::Unknown;
  return session->closing ? Touch::Closing : Touch::Ok;
}

bool SessionTable::mark_closing(SessionId id) {
  const auto at = state_->numbers.find(id);
  if (at == state_->numbers.end()) return false;
  state_->close(at->second);
  return true;
}

void SessionTable::remove(SessionId id) {
  const auto at = state_->numbers.find(id);
  if (at == state_->numbers.end()) return;
  state_->close(at->second);
  state_->free.push_back(at->second);
  state_->numbers.erase(at);
}

std::vector<SessionId> SessionTable::expire(Millis now) {
  std::vector<SessionId> expired;
  while (!state_->heads.empty() && state_->heads.begin()->first <= now.value) {
    const std::vector<SessionId> members = state_->members(state_->heads.begin()->second);
    for (const SessionId id : members) mark_closing(id);
    expired.insert(expired.end(), members.begin(), members.end());
  }
  return expired;
}

Millis SessionTable::next_expiry() const { return {state_->heads.empty() ? INT64_MAX : state_->heads.begin()->first}; }

int32_t SessionTable::timeout_ms(SessionId id) const {
  const Place* session = state_->find(id);
  return session == nullptr ? 0 : session->timeout_ms;
}

size_t SessionTable::size() const { return state_->numbers.size(); }

std::vector<SessionTable::Bucket> SessionTable::buckets() const {
  std::vector<Bucket> found;
  found.reserve(state_->heads.size());
  for (const auto& [deadline, head] : state_->heads) found.push_back({Millis{deadline}, state_->members(head)});
  return found;
}

}  // namespace quorate::session
