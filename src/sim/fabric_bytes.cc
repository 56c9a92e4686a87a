#include <algorithm>

#include "sim/fabric_connection.h"

/// How bytes get from one end of a connection to the other, or do not.
namespace quorate::sim {
namespace {

// After a cut, until a kernel happens to repeat what was not confirmed.
constexpr int64_t kSoonestRepeat = 1000;
constexpr int64_t kLatestRepeat = 200'000;

}  // namespace

Result<size_t> Fabric::send(const Place& from, std::string_view bytes) {
  if (from.end().phase != Phase::Open) return fail(Fault::Closed, "the connection was reset");
  const LinkQuality& quality = link_from(from).quality;
  Pipe& pipe = from.out();
  const size_t count = std::min(bytes.size(), quality.window_bytes - std::min(quality.window_bytes, pipe.used));
  pipe.used += count;
  std::string_view left = bytes.substr(0, count);
  const uint64_t cuts = count > 1 && rng_.percent(quality.chop_percent) ? 1 + rng_.below(3) : 0;
  for (uint64_t i = 0; i < cuts && left.size() > 1; ++i) {
    const size_t size = 1 + rng_.below(left.size() - 1);
    launch(from, Kind::Data, std::string(left.substr(0, size)));
    left.remove_prefix(size);
  }
  if (!left.empty()) launch(from, Kind::Data, std::string(left));
  return count;
}

Result<size_t> Fabric::receive(const Place& at, std::span<char> into) {
  End& end = at.end();
  if (end.phase == Phase::Gone) return fail(Fault::Closed, "the connection is closed");
  size_t count = std::min(into.size(), end.arrived.size() - end.read);
  if (count == 0) {
    if (into.empty()) return size_t{0};
    if (end.phase == Phase::Broken) return fail(Fault::Closed, "the connection was reset");
    if (end.peer_ended) return fail(Fault::Closed, "the peer has closed");
    return size_t{0};
  }
  if (rng_.one_in(8)) count = 1 + rng_.below(count);
  std::copy_n(end.arrived.data() + end.read, count, into.data());
  end.read += count;
  if (end.read == end.arrived.size()) {
    end.arrived.clear();
    end.read = 0;
  }
  if (at.other_end().phase == Phase::Open) {
    agenda_.in(link_from(at).quality.delay_us, [this, from = at.other(), count] { arrive_confirmation(from, count); });
  }
  return count;
}

/// When something sent now will be there.
int64_t Fabric::arrival(const Place& from, size_t bytes) {
  Link& way = link_from(from);
  const LinkQuality& quality = way.quality;
  int64_t left_at = agenda_.now();
  if (quality.bytes_per_second > 0) {
    left_at = std::max(left_at, way.busy_until) + static_cast<int64_t>(bytes) * 1'000'000 / quality.bytes_per_second;
    way.busy_until = left_at;
  }
  const bool hiccup = quality.hiccup_one_in > 0 && rng_.one_in(quality.hiccup_one_in);
  const int64_t extra = rng_.between(0, quality.jitter_us) + (hiccup ? rng_.between(0, quality.hiccup_us) : 0);
  return left_at + quality.delay_us + extra;
}

void Fabric::launch(const Place& from, Kind kind, std::string bytes) {
  Pipe& pipe = from.out();
  const int64_t at = arrival(from, bytes.size());
  pipe.flying.push_back({at, kind, std::move(bytes)});  // and never passes what is before it
  arm(from);
}

void Fabric::arm(const Place& from) {
  Pipe& pipe = from.out();
  if (pipe.flying.empty() || pipe.stuck) return;
  const int64_t at = pipe.flying.front().at;
  if (pipe.due_at >= 0 && pipe.due_at <= at) return;
  pipe.due_at = at;
  agenda_.at(at, [this, from, at] {
    if (from.out().due_at == at) fly(from);  // else another call came before
  });
}

/// The link is another one now: what is under way may be there sooner.
void Fabric::hasten(const Place& from) {
  for (Piece& piece : from.out().flying) piece.at = std::min(piece.at, arrival(from, piece.bytes.size()));
  arm(from);
}

void Fabric::fly(const Place& from) {
  Pipe& pipe = from.out();
  pipe.due_at = -1;
  while (!pipe.flying.empty() && pipe.flying.front().at <= agenda_.now()) {
    const Kind kind = pipe.flying.front().kind;
    if (kind != Kind::Reset && kind != Kind::Tear && is_blocked(from)) return get_stuck(from);
    if (kind == Kind::Data && is_unanswered(from)) return get_stuck(from);
    const Piece piece = std::move(pipe.flying.front());
    pipe.flying.pop_front();
    if (kind == Kind::Tear) {
      pipe.torn = true;
    } else if (!is_blocked(from)) {  // else a reset is lost: it is not repeated
      deliver(from.other(), piece);
    }
  }
  arm(from);
  forget_if_over(from.connection);
}

bool Fabric::is_blocked(const Place& from) { return link_from(from).cut || hosts_[from.other_end().host].off; }

/// Bytes come to an end that does not know of them, and its reset would be lost: they stay unconfirmed.
bool Fabric::is_unanswered(const Place& from) {
  const Place to = from.other();
  return (to.end().phase != Phase::Open || to.in().torn) && link_from(to).cut;
}

void Fabric::get_stuck(const Place& from) {
  say(from, "bytes get lost");
  if (from.out().abandoned) {
    from.out().flying.clear();
    return forget_if_over(from.connection);
  }
  from.out().stuck = true;
  start_giving_up(from);
}

void Fabric::start_giving_up(const Place& from) {
  Pipe& pipe = from.out();
  if (std::exchange(pipe.troubled, true)) return;
  const int64_t patience = pipe.user_timeout_us > 0 ? pipe.user_timeout_us : from.connection->give_up_us;
  agenda_.in(patience, [this, from, trouble = ++pipe.trouble] {
    if (from.out().troubled && from.out().trouble == trouble) give_up(from);
  });
}

/// A dial has a patience of its own.
void Fabric::give_up(const Place& from) {
  Pipe& pipe = from.out();
  pipe.troubled = false;
  if (from.end().phase == Phase::Dialing) return;
  say(from, "given up");
  pipe.flying.clear();
  pipe.stuck = false;
  pipe.abandoned = true;
  if (from.end().phase == Phase::Open) break_end(from);
  forget_if_over(from.connection);
}

/// A link is whole again, or a host is back: what was not confirmed is sent again after a while.
void Fabric::recover(const Place& from) {
  Pipe& pipe = from.out();
  if (pipe.stuck && !is_blocked(from)) {
    const int64_t repeated_at = agenda_.now() + rng_.between(kSoonestRepeat, kLatestRepeat);
    for (Piece& piece : pipe.flying) piece.at = std::max(piece.at, repeated_at);
    pipe.stuck = false;
    arm(from);
  }
  if (pipe.unconfirmed > 0 && !link_from(from.other()).cut) {
    pipe.used -= std::exchange(pipe.unconfirmed, 0);
    notify(from);
  }
  if (!pipe.stuck && pipe.unconfirmed == 0) pipe.troubled = false;
}

/// The other end has read so many bytes, and says so.
void Fabric::arrive_confirmation(const Place& from, size_t count) {
  if (from.end().phase != Phase::Open) return;
  if (link_from(from.other()).cut) {
    from.out().unconfirmed += count;
    return start_giving_up(from);
  }
  from.out().used -= count;
  notify(from);
}

/// Loses what is under way but the first bytes of it.
void Fabric::keep_prefix(Pipe& pipe) {
  const size_t whole = rng_.below(pipe.flying.size() + 1);
  if (whole == pipe.flying.size()) return;
  Piece& last = pipe.flying[whole];
  last.bytes.resize(rng_.below(last.bytes.size() + 1));
  pipe.flying.resize(whole + (last.bytes.empty() ? 0 : 1));
}

}  // namespace quorate::sim
