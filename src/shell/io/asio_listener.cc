#include "shell/io/asio_listener.h"

#include <fmt/format.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "shell/io/asio_stream.h"

namespace quorate::io {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// Connections wait for this long when none can be taken: no file descriptor is left, or the kernel has no memory.
constexpr std::chrono::milliseconds kShortagePause{100};

/// Shared with the handlers, which can outlive the listener they belong to, but own no loop.
struct Accepting : std::enable_shared_from_this<Accepting> {
  Accepting(const std::shared_ptr<LoopCore>& c, tcp::acceptor a, const SocketSettings& s)
      : core(c), acceptor(std::move(a)), pause(c->context), settings(s) {}

  void next() {
    acceptor.async_accept([self = shared_from_this()](error_code error, tcp::socket socket) {
      if (self->acceptor.is_open()) self->on_accept(error, std::move(socket));
    });
  }

  void on_accept(error_code error, tcp::socket socket) {
    const bool was_short = std::exchange(short_of_room, bool{error});
    if (!error) {
      take(std::move(socket));
    } else if (!was_short) {
      refused(error.message());
    }
    if (!acceptor.is_open()) return;
    short_of_room ? later() : next();
  }

  /// The connection stays in the backlog, so the next accept would fail at once, and the one after it, for ever.
  void later() {
    pause.expires_after(kShortagePause);
    pause.async_wait([self = shared_from_this()](error_code) {
      if (self->acceptor.is_open()) self->next();
    });
  }

  void take(tcp::socket socket) {
    auto stream = make_stream(core.lock(), std::move(socket), settings);
    if (stream) accepted(std::move(stream));
  }

  void close() {
    error_code ignored;
    acceptor.close(ignored);
    pause.cancel();
  }

  std::weak_ptr<LoopCore> core;
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  SocketSettings settings;
  Listener::Accepted accepted;
  Listener::Refused refused;
  bool short_of_room = false;
};

class AsioListener final : public Listener {
 public:
  AsioListener(std::shared_ptr<LoopCore> core, tcp::acceptor acceptor, const SocketSettings& settings)
      : core_(std::move(core)), accepting_(std::make_shared<Accepting>(core_, std::move(acceptor), settings)) {
    error_code ignored;
    port_ = accepting_->acceptor.local_endpoint(ignored).port();
  }
  ~AsioListener() override { accepting_->close(); }

  uint16_t port() const override { return port_; }
  void accept(Accepted accepted, Refused refused) override {
    accepting_->accepted = std::move(accepted);
    accepting_->refused = std::move(refused);
    accepting_->next();
  }

 private:
  std::shared_ptr<LoopCore> core_;
  std::shared_ptr<Accepting> accepting_;
  uint16_t port_ = 0;
};

Result<std::vector<tcp::endpoint>> endpoints_of(const LoopCore& core, const ListenSettings& settings) {
  if (settings.address.empty()) {
    return std::vector<tcp::endpoint>{{tcp::v6(), settings.port}, {tcp::v4(), settings.port}};
  }
  auto addresses = parse_addresses(settings.numbers.empty() ? std::vector{settings.address} : settings.numbers);
  if (addresses.empty()) {
    const auto found = core.names.at_once(settings.address);
    if (!found) return fail(Fault::Invalid, found.error().detail);
    addresses = parse_addresses(*found);
  }
  std::vector<tcp::endpoint> endpoints;
  for (const auto& address : addresses) endpoints.emplace_back(address, settings.port);
  return endpoints;
}

error_code open(tcp::acceptor& acceptor, const tcp::endpoint& endpoint, int backlog) {
  error_code error;
  if (acceptor.open(endpoint.protocol(), error)) return error;
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (endpoint == tcp::endpoint(tcp::v6(), endpoint.port())) acceptor.set_option(asio::ip::v6_only(false), error);
  if (acceptor.bind(endpoint, error)) return error;
  return acceptor.listen(backlog < 0 ? asio::socket_base::max_listen_connections : backlog, error);
}

bool not_of_this_machine(const error_code& error) {
  return error == asio::error::address_family_not_supported || error == boost::system::errc::address_not_available;
}

}  // namespace

Result<std::unique_ptr<Listener>> make_listener(const std::shared_ptr<LoopCore>& core, const ListenSettings& settings) {
  auto endpoints = endpoints_of(*core, settings);
  if (!endpoints) return std::unexpected(endpoints.error());
  error_code error = asio::error::host_not_found;
  for (const tcp::endpoint& endpoint : *endpoints) {
    tcp::acceptor acceptor(core->context);
    error = open(acceptor, endpoint, settings.backlog);
    if (!error) return std::make_unique<AsioListener>(core, std::move(acceptor), settings.accepted);
    if (!not_of_this_machine(error)) break;
  }
  return fail(Fault::Io, fmt::format("cannot bind {}:{}: {}", settings.address.empty() ? "*" : settings.address,
                                     settings.port, error.message()));
}

}  // namespace quorate::io
