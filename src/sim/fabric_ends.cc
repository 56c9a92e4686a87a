#include "sim/fabric_connection.h"

/// What arrives at an end of a connection, how its process hears of it, and how ends close.
namespace quorate::sim {
namespace {

// At most, between an event and the turn of the loop that tells it.
constexpr int64_t kTurnMicros = 40;

}  // namespace

void Fabric::deliver(const Place& to, const Piece& piece) {
  trace_.note(uint64_t{to.connection->number} << 8 | to.side << 4 | static_cast<uint64_t>(piece.kind));
  switch (piece.kind) {
    case Kind::Dial:
      return arrive_dial(to);
    case Kind::Open:
      return arrive_open(to);
    case Kind::Data:
      return arrive_data(to, piece.bytes);
    case Kind::End:
      if (to.end().phase != Phase::Open || to.in().torn) return;
      say(to.other(), "closed");
      to.end().peer_ended = true;
      return notify(to);
    case Kind::Reset:
      return arrive_reset(to);
    case Kind::Tear:
      break;
  }
}

void Fabric::arrive_dial(const Place& to) {
  if (!listeners_.contains({to.end().host, to.connection->port})) {
    say(to.other(), "refused");
    return answer_reset(to);
  }
  say(to.other(), "accepted");
  to.end().phase = Phase::Open;
  launch(to, Kind::Open);
  hand_over(to);
}

void Fabric::arrive_open(const Place& to) {
  if (to.end().phase != Phase::Dialing || to.in().torn) return answer_reset(to);
  to.end().phase = Phase::Open;
  hand_over(to);
}

void Fabric::arrive_data(const Place& to, std::string_view bytes) {
  trace_.note(bytes);
  trace_.say("net: #{} {} -> {}: {} bytes", to.connection->number, name_of(to.other_end().host), name_of(to.end().host),
             bytes.size());
  if (to.end().phase != Phase::Open || to.in().torn) return answer_reset(to);
  to.end().arrived += bytes;
  notify(to);
}

void Fabric::arrive_reset(const Place& to) {
  if (to.end().phase == Phase::Dialing) return fail_dial(to, DialFailure::Refused);
  if (to.end().phase != Phase::Open) return;
  say(to.other(), "reset");
  break_end(to);
}

/// A kernel's word that it knows of no such connection.
void Fabric::answer_reset(const Place& place) {
  if (place.other_end().phase == Phase::Gone) return;
  const auto& flying = place.out().flying;
  if (flying.empty() || flying.back().kind != Kind::Reset) launch(place, Kind::Reset);
}

/// A connection is there for its process.
void Fabric::hand_over(const Place& to) {
  soon(to.end().host, [this, to] {
    if (to.end().phase == Phase::Gone) return;
    if (to.side == 0) {
      const Dialed dialed = std::exchange(to.connection->dialed, nullptr);
      return dialed(std::make_unique<Handle>(*this, to));
    }
    const auto listener = listeners_.find({to.end().host, to.connection->port});
    if (listener == listeners_.end()) return close(to, true);
    const Accepted accepted = listener->second;
    accepted(std::make_unique<Handle>(*this, to));
  });
}

void Fabric::fail_dial(const Place& place, DialFailure failure) {
  say(place, failure == DialFailure::Refused ? "the dial is refused" : "no answer");
  place.end().phase = Phase::Gone;
  soon(place.end().host, [this, place, failure] {
    const Dialed dialed = std::exchange(place.connection->dialed, nullptr);
    forget_if_over(place.connection);
    if (dialed) dialed(std::unexpected(failure));
  });
}

/// No more bytes get to that end but a prefix of what is under way.
void Fabric::tear(const Place& place, bool told) {
  keep_prefix(place.in());
  launch(place.other(), Kind::Tear);
  if (told) launch(place.other(), Kind::Reset);
}

void Fabric::break_end(const Place& place) {
  place.end().phase = Phase::Broken;
  notify(place);
}

/// Bytes that were never read turn an orderly end into a reset, as in any kernel.
void Fabric::close(const Place& place, bool with_reset) {
  const End& end = place.end();
  if (end.phase == Phase::Open && (with_reset || end.read < end.arrived.size())) {
    keep_prefix(place.out());
    launch(place, Kind::Reset);
  } else if (end.phase == Phase::Open) {
    launch(place, Kind::End);
  }
  if (end.phase != Phase::Not) be_gone(place);
}

void Fabric::be_gone(const Place& place) {
  End& end = place.end();
  end.phase = Phase::Gone;
  end.arrived.clear();
  end.read = 0;
  end.watchers.reset();
  if (place.side == 0) place.connection->dialed = nullptr;
  forget_if_over(place.connection);
}

bool Fabric::readable(const Place& place) const {
  const End& end = place.end();
  if (end.phase != Phase::Open && end.phase != Phase::Broken) return false;
  return end.wants_readable && (end.read < end.arrived.size() || end.peer_ended || end.phase == Phase::Broken);
}

bool Fabric::writable(const Place& place) {
  const End& end = place.end();
  if (!end.wants_writable) return false;
  return end.phase == Phase::Broken ||
         (end.phase == Phase::Open && place.out().used < link_from(place).quality.window_bytes);
}

void Fabric::notify(const Place& place) {
  End& end = place.end();
  if (end.watchers == nullptr || (!readable(place) && !writable(place)) || std::exchange(end.call_due, true)) return;
  agenda_.in(rng_.between(0, kTurnMicros),
             [this, place] { when_running(place.end().host, [this, place] { call(place); }); });
}

void Fabric::call(const Place& place) {
  place.end().call_due = false;
  // A callback may destroy its stream.
  const auto watchers = place.end().watchers;
  if (watchers != nullptr && readable(place)) watchers->first();
  if (place.end().watchers != nullptr && writable(place)) watchers->second();
  notify(place);
}

void Fabric::forget_if_over(const ConnectionPtr& connection) {
  for (const size_t side : {0, 1}) {
    const Phase phase = connection->ends[side].phase;
    if ((phase != Phase::Gone && phase != Phase::Not) || !connection->pipes[side].flying.empty()) return;
  }
  if (connection->dialed == nullptr) connections_.erase(connection->number);
}

void Fabric::Handle::want_writable(bool wanted) {
  place_.end().wants_writable = wanted;
  fabric_.notify(place_);
}

void Fabric::Handle::want_readable(bool wanted) {
  place_.end().wants_readable = wanted;
  fabric_.notify(place_);
}

void Fabric::Handle::watch(Callback readable, Callback writable) {
  if (place_.end().phase == Phase::Gone) return;
  place_.end().watchers = std::make_shared<std::pair<Callback, Callback>>(std::move(readable), std::move(writable));
  want_readable(true);
}

bool Fabric::Handle::readable() const { return fabric_.readable(place_); }
bool Fabric::Handle::writable() const { return fabric_.writable(place_); }

}  // namespace quorate::sim
