#include "sim/ensemble_contacts.h"

#include <algorithm>
#include <utility>

#include "wire/quorum.h"

namespace quorate::sim {
namespace {

constexpr int64_t kMicros = 1000;
/// Servers count in whole milliseconds: one is lost where the time begins, and one in the pace of the clock.
constexpr int64_t kToleranceUs = 2 * kMicros;
constexpr size_t kMostPacketBytes = 64 << 20;

uint32_t server_of(HostId host) { return host + 1; }

}  // namespace

size_t FrameCount::feed(std::string_view bytes) {
  size_t whole = 0;
  while (!bytes.empty()) {
    if (left_ > 0) {
      const size_t taken = std::min(left_, bytes.size());
      bytes.remove_prefix(taken);
      left_ -= taken;
      whole += left_ == 0;
      continue;
    }
    head_ = head_ << 8 | static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    if (++head_bytes_ < 4) continue;
    left_ = std::exchange(head_, 0);
    head_bytes_ = 0;
    whole += left_ == 0;
  }
  return whole;
}

void EnsembleContacts::leads(uint32_t server) {
  leaders_[server] = {now(), {}};
  learners_[server].leader = 0;
}

void EnsembleContacts::serves_no_more(uint32_t server) {
  Learner& learner = learners_[server];
  learner.fresh.clear();
  learner.frozen.clear();
  learner.leader = 0;
  ++learner.services;
}

void EnsembleContacts::heard(uint32_t server, int64_t session) {
  learners_[server].fresh[session] = now();
  know(server, session, now());
}

void EnsembleContacts::granted(uint32_t server, int64_t session, int32_t timeout_ms, int64_t asked_at) {
  ++grants_[session];
  const auto [known, added] = granted_ms_.emplace(session, timeout_ms);
  known->second = std::min(known->second, timeout_ms);
  know(server, session, asked_at);
  // No learner answers before its leader has.
  if (learners_[server].leader != 0) know(learners_[server].leader, session, asked_at);
}

void EnsembleContacts::know(uint32_t leader, int64_t session, int64_t heard_at) {
  const auto found = leaders_.find(leader);
  if (found == leaders_.end()) return;
  int64_t& latest = found->second.known[session];
  latest = std::max(latest, heard_at);
}

void EnsembleContacts::learner_sends(const Wire& wire, std::string_view bytes, bool all) {
  Learner& learner = learners_[server_of(wire.learner)];
  if (learner.connection != wire.connection) {
    learner.connection = wire.connection;
    learner.unparsed.clear();
    learner.parsed = learner.read = 0;
    learner.pings.clear();
  }
  learner.leader = server_of(wire.leader);
  learner.unparsed += bytes;
  take_packets(learner);
  if (!all) return;
  for (const auto& [session, heard_at] : std::exchange(learner.fresh, {})) learner.frozen[session] = heard_at;
}

void EnsembleContacts::take_packets(Learner& learner) {
  size_t at = 0;
  for (;;) {
    wire::QuorumPacket packet;
    const wire::PacketCut cut =
        wire::cut_packet(std::string_view(learner.unparsed).substr(at), kMostPacketBytes, packet);
    if (cut.cut == wire::Cut::Malformed) return verdict_.fail("a learner sends nonsense: {}", cut.why);
    if (cut.cut == wire::Cut::Incomplete) break;
    at += cut.bytes;
    learner.parsed += cut.bytes;
    if (packet.kind() == wire::PacketType::Ping)
      learner.pings.push_back({learner.parsed, std::exchange(learner.frozen, {})});
  }
  learner.unparsed.erase(0, at);
}

void EnsembleContacts::leader_reads(const Wire& wire, size_t bytes) {
  Learner& learner = learners_[server_of(wire.learner)];
  if (learner.connection != wire.connection) return;
  learner.read += bytes;
  for (; !learner.pings.empty() && learner.pings.front().end <= learner.read; learner.pings.pop_front()) {
    for (const auto& [session, heard_at] : learner.pings.front().heard) know(server_of(wire.leader), session, heard_at);
  }
}

void EnsembleContacts::expires(uint32_t server, int64_t session, int32_t timeout_ms) {
  expired_.insert(session);
  const Leader& leader = leaders_[server];
  const auto known = leader.known.find(session);
  const int64_t from = std::max(leader.since, known == leader.known.end() ? 0 : known->second);
  const auto pace = paces_.find(server);
  const int64_t waited_us =
      (now() - from) * (pace == paces_.end() ? HostClock::kUsualPace : pace->second) / HostClock::kUsualPace;
  const auto granted = granted_ms_.find(session);
  const int64_t timeout = granted == granted_ms_.end() ? timeout_ms : granted->second;
  if (waited_us + kToleranceUs >= timeout * kMicros) return;
  verdict_.fail("server {} lets session 0x{:x} expire {} ms after its client was heard; its timeout is {} ms", server,
                session, waited_us / kMicros, timeout);
}

}  // namespace quorate::sim
