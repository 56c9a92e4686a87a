#include "shell/node/election_service.h"

#include <utility>

namespace quorate::node {
namespace {

net::ElectionPortSettings port_settings(const config::EnsembleSettings& settings, Millis tick) {
  net::ElectionPortSettings port;
  port.self = ServerId{settings.my_id};
  for (const wire::PeerAddress& address : settings.me()->addresses) {
    port.own.push_back({address.host, address.election_port});
  }
  port.several_addresses = settings.multi_address;
  port.connect_timeout = settings.election_connect_timeout;
  const Millis read = settings.election_read_timeout;
  port.hello_timeout = read.value > 0 ? read : Millis{tick.value * settings.sync_limit};
  return port;
}

}  // namespace

ElectionService::ElectionService(MemberHost& host, env::Network& network, const config::EnsembleSettings& settings,
                                 Millis tick)
    : host_(host),
      network_(network),
      port_(port_settings(settings, tick), settings.config, settings.last_seen ? &*settings.last_seen : nullptr) {}

ElectionService::~ElectionService() = default;

Result<void> ElectionService::listen(const std::vector<env::HostPort>& addresses) {
  for (const env::HostPort& address : addresses) {
    auto listener = network_.listen(address, [this](auto stream) { accept(std::move(stream)); });
    if (!listener) return std::unexpected(listener.error());
    listeners_.push_back(std::move(*listener));
  }
  return {};
}

void ElectionService::accept(std::unique_ptr<env::PeerStream> stream) {
  const Millis now = host_.wake().monotonic;
  env::PeerStream& watched = *stream;
  std::string peer = stream->peer_text();
  watch(watched, used().accepted(std::move(stream), std::move(peer), now));
  host_.carry_out();
}

void ElectionService::watch(env::PeerStream& stream, net::ElectionLinkId id) {
  stream.watch(
      [this, id] {
        used().on_readable(id, host_.wake().monotonic);
        host_.carry_out();
      },
      [this, id] {
        used().on_writable(id, host_.wake().monotonic);
        host_.carry_out();
      });
}

bool ElectionService::deliver(Millis now) {
  if (!std::exchange(used_, false)) return false;
  net::ElectionPortOutput out = port_.take();
  for (LogLine& line : out.lines) host_.say(std::move(line));
  for (const net::Dial& dial : out.dials) start(dial, now);
  for (const net::ReachChange& change : out.reach) {
    host_.member().on_reach(change.sid, static_cast<zab::Reach>(change.reach));
  }
  for (const net::Heard& heard : out.heard) {
    if (is_usable(heard)) host_.member().on_notification(heard.from, heard.notification);
  }
  return true;
}

/// Without reconfiguration a newer configuration is nothing that this server could take; but one that nobody can read
/// says that the sender is out of its mind. Spec: quorum 2.7.
bool ElectionService::is_usable(const net::Heard& heard) {
  return !heard.config || heard.config->empty() || wire::parse_quorum_config(*heard.config).has_value();
}

void ElectionService::start(const net::Dial& dial, Millis now) {
  env::PeerDial request;
  for (const wire::HostPort& address : dial.addresses) {
    request.addresses.push_back({address.host, static_cast<uint16_t>(address.port)});
  }
  request.patience = dial.give_up_at - now;
  dials_[dial.id] = network_.dial(std::move(request), [this, id = dial.id](auto dialed) {
    const auto task = std::move(dials_.extract(id).mapped());
    if (dialed) return on_dialed(id, std::move(*dialed));
    used().dial_failed(id, dialed.error().refused, dialed.error().detail, host_.wake().monotonic);
    host_.carry_out();
  });
}

void ElectionService::on_dialed(net::DialId id, std::unique_ptr<env::PeerStream> stream) {
  env::PeerStream& watched = *stream;
  if (const auto link = used().dialed(id, std::move(stream), host_.wake().monotonic)) watch(watched, *link);
  host_.carry_out();
}

}  // namespace quorate::node
