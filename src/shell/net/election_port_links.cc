#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "shell/net/election_port.h"

// The life of each connection: who may come in, who keeps it, what is said on it, and its end.
// Spec: quorum 1.1 to 1.4.
namespace quorate::net {
namespace {

// Of old, who has no sid of its own says this one; nobody can be called back under it.
constexpr int64_t kAnonymous = std::numeric_limits<int64_t>::max();
// A hello has room for hundreds; trying them all would keep us from those of the configuration.
constexpr size_t kMostCallbackAddresses = 4;

std::string name_of(const ElectionLink& link) {
  if (link.stage == ElectionLink::Stage::AwaitingHello) return link.peer();
  return fmt::format("server {}{}{}", link.sid.value, link.peer().empty() ? "" : " at ", link.peer());
}

}  // namespace

ElectionLinkId ElectionPort::accepted(std::unique_ptr<env::Stream> stream, std::string peer, Millis now) {
  make_room(now);
  keep(std::move(stream), std::move(peer), now);
  ++half_open_;
  return ElectionLinkId{last_link_};
}

// Who means well says who it is at once: whoever has waited longest is the least likely to.
void ElectionPort::make_room(Millis now) {
  if (half_open_ <= kMostHalfOpen / 2) crowded_ = false;
  if (half_open_ < kMostHalfOpen) return;
  const auto oldest =
      std::ranges::find_if(links_, [](const auto& entry) { return entry.second.stage == Stage::AwaitingHello; });
  if (std::exchange(crowded_, true)) return close(oldest->first);
  refuse(oldest->first, fmt::format("{} connections have not said who they are, and this is the oldest", half_open_),
         now);
}

ElectionLink& ElectionPort::keep(std::unique_ptr<env::Stream> stream, std::string peer, Millis now) {
  ElectionLink& link =
      links_.try_emplace(ElectionLinkId{++last_link_}, std::move(stream), std::move(peer)).first->second;
  link.deadline = now + settings_.hello_timeout;
  return link;
}

std::optional<ElectionLinkId> ElectionPort::dialed(DialId dial, std::unique_ptr<env::Stream> stream, Millis now) {
  const auto at = in_flight(dial);
  if (at == peers_.end()) return std::nullopt;
  auto& [sid, peer] = *at;
  peer.flight.reset();
  peer.call_back = false;
  // It has called meanwhile. Without a hello it does not even notice that we have come.
  if (peer.link) return std::nullopt;
  ElectionLink& link = keep(std::move(stream), "", now);
  const ElectionLinkId id{last_link_};
  wire::append_hello(link.out(), {settings_.self, own_});
  link.sid = sid;
  link.stage = sid > settings_.self ? Stage::Challenging : Stage::Open;
  if (link.stage == Stage::Open) {
    open(id, sid, peer);
  } else {
    peer.challenge = id;
  }
  pump(id, now);
  if (!links_.contains(id)) return std::nullopt;
  return id;
}

void ElectionPort::on_readable(ElectionLinkId id, Millis now) {
  const auto found = links_.find(id);
  if (found == links_.end()) return;
  ElectionLink& link = found->second;
  const auto received = link.receive();
  if (!received) return on_lost(id, received.error().detail, now);
  if (*received == 0) return;
  if (link.stage == Stage::Challenging) return link.discard();
  if (link.stage == Stage::AwaitingHello) take_hello(id, now);
  take_messages(id, now);
}

void ElectionPort::take_hello(ElectionLinkId id, Millis now) {
  wire::ElectionHello hello;
  const wire::PacketCut cut = links_.at(id).take_hello(hello);
  if (cut.cut == wire::Cut::Malformed) return refuse(id, cut.why, now);
  if (cut.cut == wire::Cut::Whole) admit(id, hello, now);
}

// Spec: quorum 1.2.
void ElectionPort::admit(ElectionLinkId id, const wire::ElectionHello& hello, Millis now) {
  const ServerId sid = hello.sid;
  if (sid.value < 0 || sid.value == kAnonymous) {
    return refuse(id, fmt::format("{} is the id of no server", sid.value), now);
  }
  if (sid == settings_.self) {
    return refuse(id,
                  fmt::format("it has our own id {}; either two servers have the same myid, or a configuration "
                              "gives our address to another server",
                              sid.value),
                  now);
  }
  Peer* peer = make_peer(sid);
  if (peer == nullptr) {
    return refuse(id,
                  fmt::format("it is server {}, and {} servers that are in no configuration are connected already",
                              sid.value, kMostStrangers),
                  now);
  }
  if (sid < settings_.self) return answer_challenge(id, hello, now);
  if (peer->challenge) close(*peer->challenge);
  // Replaced, not lost: to the election there is a connection all the time.
  if (peer->link) {
    const ElectionLinkId old = *peer->link;
    peer->link.reset();
    close(old);
  }
  open(id, sid, *peer);
  pump(id, now);
}

void ElectionPort::answer_challenge(ElectionLinkId id, const wire::ElectionHello& hello, Millis now) {
  Peer& peer = peers_.at(hello.sid);
  if (peer.link) close(*peer.link);
  close(id);
  peer.callback = hello.addresses;
  if (peer.callback.size() > kMostCallbackAddresses) peer.callback.resize(kMostCallbackAddresses);
  peer.call_back = peer.flight.has_value();
  dial(hello.sid, peer, now);
}

/// Null: too many are in no configuration.
ElectionPort::Peer* ElectionPort::make_peer(ServerId sid) {
  if (Peer* known = find(sid)) return known;
  const auto stranger = [](const auto& entry) { return !entry.second.member; };
  if (std::ranges::count_if(peers_, stranger) >= static_cast<std::ptrdiff_t>(kMostStrangers)) {
    const auto gone =
        std::ranges::find_if(peers_, [&](const auto& entry) { return stranger(entry) && entry.second.idle(); });
    if (gone == peers_.end()) return nullptr;
    peers_.erase(gone);
  }
  return &peers_[sid];
}

void ElectionPort::open(ElectionLinkId id, ServerId sid, Peer& peer) {
  ElectionLink& link = links_.at(id);
  if (link.stage == Stage::AwaitingHello) --half_open_;
  link.stage = Stage::Open;
  link.sid = sid;
  peer.link = id;
  peer.unsent = peer.message.has_value();
  peer.redial_at.reset();
  peer.failed = false;
  say(Level::Info,
      fmt::format("Connected with {}{}", name_of(link), peer.member ? "" : ", which no configuration names"));
  set_reach(sid, peer, Reach::Open);
}

void ElectionPort::take_messages(ElectionLinkId id, Millis now) {
  const auto found = links_.find(id);
  if (found == links_.end() || found->second.stage != Stage::Open) return;
  ElectionLink& link = found->second;
  std::string_view message;
  wire::PacketCut cut;
  while ((cut = link.take_message(message)).cut == wire::Cut::Whole) hear(link.sid, message);
  if (cut.cut == wire::Cut::Malformed) return refuse(id, cut.why, now);
  link.settle();
}

void ElectionPort::hear(ServerId from, std::string_view message) {
  peers_.at(from).pause = kFirstPause;
  Heard heard{.from = from, .notification = {}, .config = {}};
  if (!wire::decode_notification(message, heard.notification)) return;
  if (heard.notification.version > 1) heard.config = std::string(heard.notification.config);
  heard.notification.config = {};
  output_.heard.push_back(std::move(heard));
}

void ElectionPort::on_writable(ElectionLinkId id, Millis now) { pump(id, now); }

void ElectionPort::pump(ElectionLinkId id, Millis now) {
  const auto found = links_.find(id);
  if (found == links_.end() || found->second.stage == Stage::AwaitingHello) return;
  ElectionLink& link = found->second;
  Peer& peer = peers_.at(link.sid);
  for (;;) {
    const auto emptied = link.flush();
    if (!emptied) return on_lost(id, emptied.error().detail, now);
    if (!*emptied) return;
    link.deadline.reset();
    if (link.stage == Stage::Challenging) {
      const ServerId sid = link.sid;
      close(id);
      return schedule(sid, peer, kCallbackPause, now);
    }
    if (!std::exchange(peer.unsent, false)) return;
    wire::Notification notification = *peer.message;
    notification.config = config_text_;
    wire::append_notification(link.out(), notification);
  }
}

void ElectionPort::on_deadline(ElectionLinkId id, Millis now) {
  const ElectionLink& link = links_.at(id);
  const int64_t limit = settings_.hello_timeout.value;
  if (link.stage != Stage::AwaitingHello)
    return on_lost(id, fmt::format("it did not take our hello in {} ms", limit), now);
  refuse(id, fmt::format("{} bytes of its hello came in {} ms", link.unread_bytes(), limit), now);
}

void ElectionPort::on_lost(ElectionLinkId id, const std::string& why, Millis now) {
  const ElectionLink& link = links_.at(id);
  const bool named = link.stage != Stage::AwaitingHello;
  const ServerId sid = link.sid;
  say(named ? Level::Info : Level::Debug, fmt::format("Connection broken with {}: {}", name_of(link), why));
  close(id);
  if (named) hurry(sid, peers_.at(sid), now);
}

void ElectionPort::refuse(ElectionLinkId id, const std::string& why, Millis now) {
  const ElectionLink& link = links_.at(id);
  const bool named = link.stage != Stage::AwaitingHello;
  const ServerId sid = link.sid;
  say(Level::Warn, fmt::format("Closing the connection of {}: {}", name_of(link), why));
  close(id);
  if (named) schedule(sid, peers_.at(sid), kFirstPause, now);
}

void ElectionPort::close(ElectionLinkId id) {
  const auto link = links_.extract(id);
  output_.closed.push_back(id);
  const ElectionLink& gone = link.mapped();
  if (gone.stage == Stage::AwaitingHello) {
    --half_open_;
    return;
  }
  Peer& peer = peers_.at(gone.sid);
  if (gone.stage == Stage::Open && gone.sends() && peer.message) peer.unsent = true;
  if (peer.challenge == id) peer.challenge.reset();
  if (peer.link != id) return;
  peer.link.reset();
  set_reach(gone.sid, peer, Reach::Unknown);
}

}  // namespace quorate::net
