#include "sim/fabric.h"

#include <utility>

#include "sim/fabric_connection.h"

/// Hosts, links, and what goes wrong with them.
namespace quorate::sim {

Fabric::~Fabric() = default;

HostId Fabric::add_host(std::string name) {
  hosts_.emplace_back().name = std::move(name);
  return host_count() - 1;
}

std::string Fabric::ip_of(HostId host) { return fmt::format("10.0.{}.{}", host / 250, host % 250 + 1); }

std::optional<HostId> Fabric::find(std::string_view ip) const {
  for (HostId host = 0; host < host_count(); ++host) {
    if (ip_of(host) == ip) return host;
  }
  return std::nullopt;
}

Fabric::Link& Fabric::link_from(const Place& place) { return link(place.end().host, place.other_end().host); }

void Fabric::say(const Place& place, std::string_view what) const {
  trace_.say("net: #{} {} -> {}: {}", place.connection->number, name_of(place.end().host),
             name_of(place.other_end().host), what);
}

void Fabric::set_quality(HostId from, HostId to, const LinkQuality& quality) {
  if (link(from, to).quality == quality) return;
  link(from, to).quality = quality;
  trace_.say("net: {} -> {}: {} to {} us, {} bytes/s, window {}", name_of(from), name_of(to), quality.delay_us,
             quality.delay_us + quality.jitter_us, quality.bytes_per_second, quality.window_bytes);
  link(from, to).busy_until = 0;
  for (const Place& place : places_on(from)) {
    if (place.other_end().host != to) continue;
    hasten(place);
    notify(place);  // its window may have room now
  }
}

bool Fabric::listen(Address address, Accepted accepted) {
  const bool added = listeners_.try_emplace(address, std::move(accepted)).second;
  if (added) trace_.say("net: {} listens on {}", name_of(address.host), address.port);
  return added;
}

void Fabric::stop_listening(Address address) {
  if (listeners_.erase(address) > 0) trace_.say("net: {} stops listening on {}", name_of(address.host), address.port);
}

uint32_t Fabric::dial(HostId from, Address to, int64_t patience_us, Dialed dialed) {
  auto connection = std::make_shared<Connection>();
  connection->number = next_number_++;
  connection->port = to.port;
  connection->give_up_us = rng_.between(2'000'000, 30'000'000);
  connection->dialed = std::move(dialed);
  connection->ends[0].host = from;
  connection->ends[0].phase = Phase::Dialing;
  connection->ends[1].host = to.host;
  connections_.emplace(connection->number, connection);
  const Place place{connection, 0};
  launch(place, Kind::Dial);
  agenda_.in(patience_us, [this, place] {
    if (place.end().phase == Phase::Dialing) fail_dial(place, DialFailure::NoAnswer);
  });
  return connection->number;
}

void Fabric::forget_dial(uint32_t number) {
  const auto found = connections_.find(number);
  if (found == connections_.end() || found->second->dialed == nullptr) return;
  const Place place{found->second, 0};
  place.connection->dialed = nullptr;
  close(place, true);
}

void Fabric::when_running(HostId host, Agenda::Act act) {
  if (!hosts_[host].paused) return act();
  hosts_[host].waiting.push_back(std::move(act));
}

/// For a process's ears: out of the agenda, and not after its end.
void Fabric::soon(HostId host, Agenda::Act act) {
  agenda_.in(0, [this, host, life = hosts_[host].life, act = std::move(act)]() mutable {
    if (hosts_[host].life == life) when_running(host, std::move(act));
  });
}

std::vector<Fabric::Place> Fabric::places_on(HostId host) {
  std::vector<Place> places;
  for (const auto& [number, connection] : connections_) {
    for (const size_t side : {0, 1}) {
      if (connection->ends[side].host == host) places.push_back({connection, side});
    }
  }
  return places;
}

void Fabric::set_cut(HostId from, HostId to, bool cut) {
  if (std::exchange(link(from, to).cut, cut) == cut) return;
  trace_.say("net: {} -> {} is {}", name_of(from), name_of(to), cut ? "cut" : "whole again");
  if (!cut) resume_traffic(from, to);
}

void Fabric::resume_traffic(HostId from, HostId to) {
  for (const Place& place : places_on(from)) {
    if (place.other_end().host != to) continue;
    recover(place);
    recover(place.other());
  }
}

void Fabric::reset_connections(HostId one, HostId other, SeenBy seen_by) {
  for (const Place& place : places_on(one)) {
    if (place.other_end().host != other || (one == other && place.side == 1)) continue;
    say(place, "lost");
    tear(place, seen_by == SeenBy::Both || seen_by == SeenBy::First);
    tear(place.other(), seen_by == SeenBy::Both || seen_by == SeenBy::Second);
  }
}

void Fabric::pause(HostId host) {
  if (hosts_[host].off || std::exchange(hosts_[host].paused, true)) return;
  trace_.say("net: {} is paused", name_of(host));
}

void Fabric::resume(HostId host) {
  if (!std::exchange(hosts_[host].paused, false)) return;
  trace_.say("net: {} goes on", name_of(host));
  for (Agenda::Act& act : std::exchange(hosts_[host].waiting, {})) soon(host, std::move(act));
}

void Fabric::drop_process(HostId host) {
  std::erase_if(listeners_, [host](const auto& listener) { return listener.first.host == host; });
  hosts_[host].waiting.clear();
  hosts_[host].paused = false;
  ++hosts_[host].life;
}

void Fabric::end_process(HostId host) {
  trace_.say("net: the process on {} ends", name_of(host));
  for (const Place& place : places_on(host)) close(place, false);
  drop_process(host);
}

void Fabric::lose_power(HostId host) {
  trace_.say("net: {} loses power", name_of(host));
  for (const Place& place : places_on(host)) {
    if (place.end().phase == Phase::Not) continue;
    // What only its kernel would have repeated is lost.
    place.out().stuck ? place.out().flying.clear() : keep_prefix(place.out());
    place.out().stuck = false;
    place.out().abandoned = true;
    be_gone(place);
  }
  drop_process(host);
  hosts_[host].off = true;
}

void Fabric::power_on(HostId host) {
  if (!std::exchange(hosts_[host].off, false)) return;
  trace_.say("net: {} is back", name_of(host));
  for (const Place& place : places_on(host)) recover(place.other());
}

size_t Fabric::open_ends(HostId host) const {
  size_t count = 0;
  for (const auto& [number, connection] : connections_) {
    for (const End& end : connection->ends) {
      count += end.host == host && (end.phase == Phase::Open || end.phase == Phase::Broken);
    }
  }
  return count;
}

}  // namespace quorate::sim
