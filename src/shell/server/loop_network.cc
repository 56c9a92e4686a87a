#include "shell/server/loop_network.h"

#include <fmt/format.h>

#include <utility>

#include "shell/server/logging.h"

namespace quorate::server {
namespace {

class LoopPeerStream final : public env::PeerStream {
 public:
  explicit LoopPeerStream(std::unique_ptr<io::TcpStream> tcp) : tcp_(std::move(tcp)), peer_(tcp_->peer_name().text) {}

  Result<size_t> receive(std::span<char> into) override { return tcp_->receive(into); }
  Result<size_t> send(std::string_view bytes) override { return tcp_->send(bytes); }
  void want_writable(bool wanted) override { tcp_->want_writable(wanted); }
  void want_readable(bool wanted) override { tcp_->want_readable(wanted); }
  void reset() override { tcp_->reset(); }
  void watch(Callback readable, Callback writable) override { tcp_->watch(std::move(readable), std::move(writable)); }
  std::string peer_text() const override { return peer_; }

 private:
  std::unique_ptr<io::TcpStream> tcp_;
  std::string peer_;
};

/// Keeps a dial or a listener of the loop going.
template <class Owned>
class Holding final : public env::NetworkTask {
 public:
  explicit Holding(std::unique_ptr<Owned> owned) : owned_(std::move(owned)) {}

 private:
  std::unique_ptr<Owned> owned_;
};

io::DialRequest to_loop(env::PeerDial request, const io::SocketSettings& socket) {
  io::DialRequest dial;
  for (env::HostPort& each : request.addresses) dial.addresses.push_back({std::move(each.host), each.port});
  dial.parallel = request.parallel;
  dial.deadline = request.patience;
  dial.socket = socket;
  return dial;
}

}  // namespace

void LoopNetwork::prepare_listener(const std::string& host, const io::Lookup& lookup) {
  if (auto addresses = lookup(host)) found_[host] = std::move(*addresses);
}

std::unique_ptr<env::NetworkTask> LoopNetwork::dial(env::PeerDial request, Dialed done) {
  auto on_result = [done = std::move(done)](io::DialResult result) {
    if (result) {
      done(std::make_unique<LoopPeerStream>(std::move(*result)));
    } else {
      done(
          std::unexpected(env::PeerDialFailure{result.error().fault == io::DialFault::Refused, result.error().detail}));
    }
  };
  io::SocketSettings socket;
  socket.keep_alive = settings_.keep_alive;
  return std::make_unique<Holding<io::Task>>(loop_.dial(to_loop(std::move(request), socket), std::move(on_result)));
}

Result<std::unique_ptr<env::NetworkTask>> LoopNetwork::listen(const env::HostPort& address, Accepted accepted) {
  io::ListenSettings settings;
  settings.address = address.host;
  settings.port = address.port;
  settings.accepted.keep_alive = settings_.keep_alive;
  if (!address.host.empty() && !io::is_number(address.host)) {
    const auto found = found_.find(address.host);
    if (found == found_.end() || found->second.empty()) {
      look_up_again(address.host);
      return fail(Fault::Invalid, fmt::format("cannot resolve {}: no address is known yet", address.host));
    }
    settings.numbers = found->second;
  }
  auto bound = loop_.listen(settings);
  if (!bound) return std::unexpected(std::move(bound.error()));
  auto refused = [where = fmt::format("{}:{}", address.host.empty() ? "*" : address.host, address.port)](
                     const std::string& why) {
    log({Level::Warn, "QuorumCnxManager",
         fmt::format("Error accepting a connection of a server on {}: {}; it waits until there is room", where, why)});
  };
  (*bound)->accept(
      [accepted = std::move(accepted)](std::unique_ptr<io::TcpStream> stream) {
        accepted(std::make_unique<LoopPeerStream>(std::move(stream)));
      },
      std::move(refused));
  return std::make_unique<Holding<io::Listener>>(std::move(*bound));
}

void LoopNetwork::look_up_again(const std::string& host) {
  if (looking_up_.contains(host)) return;
  looking_up_[host] = loop_.look_up(host, settings_.lookup_patience, [this, host](auto addresses) {
    if (addresses) found_[host] = std::move(*addresses);
    looking_up_.erase(host);
  });
}

}  // namespace quorate::server
