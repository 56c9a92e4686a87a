#include "shell/net/election_port.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"

namespace quorate::net {
namespace {

constexpr Millis kNever{std::numeric_limits<int64_t>::max()};

void add_new(std::vector<wire::HostPort>& addresses, const std::vector<wire::HostPort>& more) {
  for (const wire::HostPort& address : more) {
    if (std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(address);
  }
}

std::vector<wire::HostPort> election_addresses(const wire::QuorumMember& member) {
  std::vector<wire::HostPort> addresses;
  for (const wire::PeerAddress& address : member.addresses) addresses.push_back({address.host, address.election_port});
  return addresses;
}

}  // namespace

ElectionPort::ElectionPort(ElectionPortSettings settings, const wire::QuorumConfig& committed,
                           const wire::QuorumConfig* last_seen)
    : settings_(std::move(settings)) {
  set_configs(committed, last_seen);
}

ElectionPort::~ElectionPort() = default;

void ElectionPort::set_configs(const wire::QuorumConfig& committed, const wire::QuorumConfig* last_seen) {
  QUORATE_CHECK(committed.voters() > 0);
  config_text_ = wire::to_text(committed);
  own_.clear();
  for (auto& [sid, peer] : peers_) {
    peer.addresses.clear();
    peer.member = peer.voter = false;
  }
  learn(committed);
  if (last_seen != nullptr) learn(*last_seen);
  if (own_.empty()) own_ = settings_.own;
  // The acceptor leaves a wildcard out and falls back to what its own configuration says.
  if (own_.empty()) own_.push_back({"0.0.0.0", 0});
  if (!settings_.several_addresses) own_.resize(1);
  std::erase_if(peers_, [](const auto& entry) { return !entry.second.member && entry.second.idle(); });
}

void ElectionPort::learn(const wire::QuorumConfig& config) {
  for (const wire::QuorumMember& member : config.members) {
    if (ServerId{member.sid} == settings_.self) {
      if (own_.empty()) own_ = election_addresses(member);
      continue;
    }
    Peer& peer = peers_[ServerId{member.sid}];
    add_new(peer.addresses, election_addresses(member));
    peer.member = true;
    peer.voter = peer.voter || member.role == wire::Role::Participant;
  }
}

void ElectionPort::set_looking(bool looking, Millis now) {
  if (std::exchange(looking_, looking) == looking) return;
  for (auto& [sid, peer] : peers_) {
    peer.pause = kFirstPause;
    peer.redial_at.reset();
    peer.hurries = 0;
    schedule(sid, peer, kFirstPause, now);
  }
}

void ElectionPort::send(ServerId to, const wire::Notification& notification, Millis now) {
  QUORATE_CHECK(to != settings_.self);
  Peer* peer = find(to);
  if (peer == nullptr) {
    return say(Level::Warn, fmt::format("There is nothing to send to server {}: it is in no configuration and has no "
                                        "connection",
                                        to.value));
  }
  peer->message = notification;
  peer->message->version = wire::kNotificationVersion;
  peer->message->config = {};
  peer->unsent = true;
  if (peer->link) return pump(*peer->link, now);
  if (!peer->addresses.empty()) dial(to, *peer, now);
}

void ElectionPort::connect_all(Millis now) {
  for (auto& [sid, peer] : peers_) {
    if ((peer.voter || undelivered(peer)) && !peer.addresses.empty()) dial(sid, peer, now);
  }
}

// A challenge is one dial with the rest of what it takes, until our hello is gone.
void ElectionPort::dial(ServerId sid, Peer& peer, Millis now) {
  if (!peer.idle()) return;
  Addresses addresses = std::exchange(peer.callback, {});
  peer.call_back = false;
  peer.redial_at.reset();
  add_new(addresses, peer.addresses);
  if (addresses.empty()) {
    return say(Level::Warn, fmt::format("Cannot call server {} back: no configuration names it, and its hello has no "
                                        "address",
                                        sid.value));
  }
  const auto tries = static_cast<int64_t>(addresses.size());
  peer.flight = Flight{DialId{++last_dial_}, now + Millis{settings_.connect_timeout.value * tries}};
  output_.dials.push_back({peer.flight->id, sid, std::move(addresses), peer.flight->give_up_at});
  set_reach(sid, peer, Reach::Unknown);
}

void ElectionPort::dial_failed(DialId dial, bool refused, const std::string& why, Millis now) {
  const auto at = in_flight(dial);
  if (at != peers_.end()) fail_dial(at->first, at->second, refused, why, now);
}

void ElectionPort::fail_dial(ServerId sid, Peer& peer, bool refused, const std::string& why, Millis now) {
  peer.flight.reset();
  if (peer.link) return;
  set_reach(sid, peer, refused ? Reach::Refused : Reach::Unknown);
  if (!std::exchange(peer.failed, true)) {
    say(Level::Warn, fmt::format("Cannot open channel to server {}: {}", sid.value, why));
  }
  if (peer.call_back) return this->dial(sid, peer, now);
  schedule(sid, peer, kFirstPause, now);
}

// Two that lost their connection would dial each other at the same moment; the one with the smaller id only asks to be
// called, which would end the call that is under way. It waits longer.
void ElectionPort::schedule(ServerId sid, Peer& peer, Millis least, Millis now) {
  if (!looking_ || !peer.voter || !peer.idle()) return;
  const Millis pause = sid > settings_.self ? peer.pause + peer.pause : peer.pause;
  peer.redial_at = now + std::max(std::min(pause, kLongestPause), least);
  peer.pause = std::min(peer.pause + peer.pause, kLongestPause);
}

// Voters that lose their leader tell each other at once, and the leader too where its end has not come through yet.
// Only its refusal says that they need not wait for its vote.
void ElectionPort::hurry(ServerId sid, Peer& peer, Millis now) {
  const bool may = looking_ && peer.voter && peer.idle() && peer.hurries < kMostHurries;
  if (!may) return schedule(sid, peer, kFirstPause, now);
  const int pauses = peer.hurries++ + (sid > settings_.self ? 1 : 0);
  peer.redial_at = now + Millis{kHurriedPause.value * pauses};
}

void ElectionPort::on_time(Millis now) {
  std::vector<ElectionLinkId> late;
  for (const auto& [id, link] : links_) {
    if (link.deadline && *link.deadline <= now) late.push_back(id);
  }
  for (const ElectionLinkId id : late) on_deadline(id, now);
  for (auto& [sid, peer] : peers_) {
    if (peer.flight && peer.flight->give_up_at <= now) fail_dial(sid, peer, false, "there was no answer in time", now);
    if (peer.redial_at.value_or(kNever) <= now) {
      peer.redial_at.reset();
      dial(sid, peer, now);
    }
  }
}

Millis ElectionPort::next_time() const {
  Millis next = kNever;
  for (const auto& [id, link] : links_) next = std::min(next, link.deadline.value_or(kNever));
  for (const auto& [sid, peer] : peers_) {
    next = std::min(next, peer.redial_at.value_or(kNever));
    if (peer.flight) next = std::min(next, peer.flight->give_up_at);
  }
  return next;
}

bool ElectionPort::undelivered() const {
  return std::ranges::any_of(peers_,
                             [this](const auto& entry) { return entry.second.voter && undelivered(entry.second); });
}

bool ElectionPort::undelivered(const Peer& peer) const {
  return peer.unsent || (peer.link && peer.message && links_.at(*peer.link).sends());
}

Reach ElectionPort::reach(ServerId sid) const {
  const auto found = peers_.find(sid);
  return found == peers_.end() ? Reach::Unknown : found->second.reach;
}

ElectionPortOutput ElectionPort::take() { return std::exchange(output_, {}); }

ElectionPort::Peer* ElectionPort::find(ServerId sid) {
  const auto found = peers_.find(sid);
  return found == peers_.end() ? nullptr : &found->second;
}

ElectionPort::Peers::iterator ElectionPort::in_flight(DialId dial) {
  return std::ranges::find_if(
      peers_, [&](const auto& entry) { return entry.second.flight && entry.second.flight->id == dial; });
}

void ElectionPort::set_reach(ServerId sid, Peer& peer, Reach reach) {
  if (std::exchange(peer.reach, reach) != reach) output_.reach.push_back({sid, reach});
}

void ElectionPort::say(Level level, std::string text) {
  output_.lines.push_back({level, "QuorumCnxManager", std::move(text)});
}

}  // namespace quorate::net
