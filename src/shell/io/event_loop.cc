#include "shell/io/event_loop.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <list>
#include <utility>
#include <vector>

namespace quorate::io {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// Connections wait for this long when the process is out of file descriptors or the kernel out of memory.
constexpr std::chrono::milliseconds kShortagePause{100};

/// Java prints IPv6 addresses with all eight groups and no leading zeros.
std::string java_address(const asio::ip::address& address) {
  if (address.is_v4()) return address.to_string();
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, v6).to_string();
  const auto bytes = v6.to_bytes();
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 2) {
    text += fmt::format("{}{:x}", i == 0 ? "" : ":", bytes[i] << 8 | bytes[i + 1]);
  }
  return text;
}

PeerName peer_name(const tcp::endpoint& endpoint) {
  const std::string ip = java_address(endpoint.address());
  const bool bracket = ip.find(':') != std::string::npos;
  return {ip, bracket ? fmt::format("/[{}]:{}", ip, endpoint.port()) : fmt::format("/{}:{}", ip, endpoint.port())};
}

struct SocketState;
using Sockets = std::vector<std::shared_ptr<SocketState>>;

/// Shared with the handlers that wait on the socket, so that they can outlive the stream they belong to.
struct SocketState {
  SocketState(tcp::socket s, Sockets& rearm) : socket(std::move(s)), to_rearm(rearm) {}
  tcp::socket socket;
  Sockets& to_rearm;  ///< Waits that start with the next round.
  TcpStream::Callback readable;
  TcpStream::Callback writable;
  bool want_readable = false;
  bool want_writable = false;
  bool waiting_readable = false;
  bool waiting_writable = false;
  bool closed = false;
};

void wait_readable(const std::shared_ptr<SocketState>& state) {
  if (std::exchange(state->waiting_readable, true)) return;
  state->socket.async_wait(tcp::socket::wait_read, [state](error_code) {
    state->waiting_readable = false;
    if (state->closed || !state->want_readable) return;
    state->readable();
    state->to_rearm.push_back(state);
  });
}

void wait_writable(const std::shared_ptr<SocketState>& state) {
  if (std::exchange(state->waiting_writable, true)) return;
  state->socket.async_wait(tcp::socket::wait_write, [state](error_code) {
    state->waiting_writable = false;
    if (state->closed || !state->want_writable) return;
    state->writable();
    state->to_rearm.push_back(state);
  });
}

void rearm(const std::shared_ptr<SocketState>& state) {
  if (state->closed) return;
  if (state->want_readable) wait_readable(state);
  if (state->want_writable) wait_writable(state);
}

class AsioStream final : public TcpStream {
 public:
  AsioStream(tcp::socket socket, Sockets& to_rearm)
      : state_(std::make_shared<SocketState>(std::move(socket), to_rearm)) {}
  ~AsioStream() override { close(); }

  void watch(Callback readable, Callback writable) override {
    state_->readable = std::move(readable);
    state_->writable = std::move(writable);
    want_readable(true);
  }

  Result<size_t> receive(std::span<char> into) override {
    const ssize_t n = ::recv(state_->socket.native_handle(), into.data(), into.size(), 0);
    if (n > 0) return static_cast<size_t>(n);
    if (n == 0) return fail(Fault::Closed, "the client closed the connection");
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return size_t{0};
    return fail(Fault::Closed, std::strerror(errno));
  }

  Result<size_t> send(std::string_view bytes) override {
    const ssize_t n = ::send(state_->socket.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n >= 0) return static_cast<size_t>(n);
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return size_t{0};
    return fail(Fault::Closed, std::strerror(errno));
  }

  void want_readable(bool wanted) override {
    state_->want_readable = wanted;
    if (wanted) wait_readable(state_);
  }
  void want_writable(bool wanted) override {
    state_->want_writable = wanted;
    if (wanted) wait_writable(state_);
  }

  void reset() override {
    error_code ignored;
    state_->socket.set_option(asio::socket_base::linger(true, 0), ignored);
    state_->closed = true;
    state_->socket.close(ignored);
  }

 private:
  void close() {
    if (std::exchange(state_->closed, true)) return;
    error_code ignored;
    state_->socket.shutdown(tcp::socket::shutdown_both, ignored);
    state_->socket.close(ignored);
  }

  std::shared_ptr<SocketState> state_;
};

bool is_shortage(const error_code& error) {
  return error == boost::system::errc::too_many_files_open || error == boost::system::errc::not_enough_memory ||
         error == boost::system::errc::too_many_files_open_in_system || error == boost::system::errc::no_buffer_space;
}

Error socket_error(const ListenSettings& settings, const error_code& error) {
  return {Fault::Io, fmt::format("cannot bind {}:{}: {}", settings.address.empty() ? "*" : settings.address,
                                 settings.port, error.message())};
}

}  // namespace

struct EventLoop::State {
  struct Listener {
    tcp::acceptor acceptor;
    asio::steady_timer pause;
    bool short_of_room = false;
  };

  asio::io_context context{1};
  std::list<Listener> listeners;
  asio::signal_set signals{context};
  Accepted accepted;
  Refused refused;
  bool keep_alive = false;
  Sockets to_rearm, rearming;

  void accept_next(Listener& listener) {
    listener.acceptor.async_accept([this, &listener](error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted || !listener.acceptor.is_open()) return;
      if (!error) take(std::move(socket));
      const bool was_short = std::exchange(listener.short_of_room, is_shortage(error));
      if (listener.short_of_room && !was_short) refused(error.message());
      listener.short_of_room ? accept_later(listener) : accept_next(listener);
    });
  }

  /// The connection stays in the backlog, so the next accept would fail at once, and the one after it, for ever.
  void accept_later(Listener& listener) {
    listener.pause.expires_after(kShortagePause);
    listener.pause.async_wait([this, &listener](error_code) {
      if (listener.acceptor.is_open()) accept_next(listener);
    });
  }

  void take(tcp::socket socket) {
    error_code error;
    const tcp::endpoint peer = socket.remote_endpoint(error);
    if (error) return;  // gone already
    socket.non_blocking(true, error);
    socket.set_option(tcp::no_delay(true), error);
    if (keep_alive) socket.set_option(asio::socket_base::keep_alive(true), error);
    accepted(std::make_unique<AsioStream>(std::move(socket), to_rearm), peer_name(peer));
  }
};

EventLoop::EventLoop() : state_(std::make_shared<State>()) {}
EventLoop::~EventLoop() = default;

Result<uint16_t> EventLoop::listen(const ListenSettings& settings) {
  error_code error;
  tcp::endpoint endpoint(tcp::v6(), settings.port);
  if (!settings.address.empty()) {
    tcp::resolver resolver(state_->context);
    const auto found = resolver.resolve(settings.address, std::to_string(settings.port), error);
    if (error || found.empty()) {
      return fail(Fault::Invalid, fmt::format("cannot resolve {}: {}", settings.address, error.message()));
    }
    endpoint = found.begin()->endpoint();
  }
  tcp::acceptor acceptor(state_->context);
  acceptor.open(endpoint.protocol(), error);
  if (error && settings.address.empty()) {  // no IPv6 here
    endpoint = tcp::endpoint(tcp::v4(), settings.port);
    acceptor.open(endpoint.protocol(), error);
  }
  if (error) return std::unexpected(socket_error(settings, error));
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (endpoint.protocol() == tcp::v6() && settings.address.empty()) {
    acceptor.set_option(asio::ip::v6_only(false), error);
  }
  if (acceptor.bind(endpoint, error)) return std::unexpected(socket_error(settings, error));
  const int backlog = settings.backlog < 0 ? asio::socket_base::max_listen_connections : settings.backlog;
  if (acceptor.listen(backlog, error)) return std::unexpected(socket_error(settings, error));
  state_->keep_alive = settings.keep_alive;
  const uint16_t port = acceptor.local_endpoint(error).port();
  state_->listeners.push_back({std::move(acceptor), asio::steady_timer(state_->context), false});
  return port;
}

void EventLoop::accept(Accepted accepted, Refused refused) {
  state_->accepted = std::move(accepted);
  state_->refused = std::move(refused);
  for (State::Listener& listener : state_->listeners) state_->accept_next(listener);
}

void EventLoop::stop_accepting() {
  error_code ignored;
  for (State::Listener& listener : state_->listeners) listener.acceptor.close(ignored);
}

void EventLoop::on_stop_signal(std::function<void()> call) {
  state_->signals.add(SIGTERM);
  state_->signals.add(SIGINT);
  state_->signals.async_wait([call = std::move(call)](error_code error, int) {
    if (!error) call();
  });
}

void EventLoop::post(std::function<void()> call) { asio::post(state_->context, std::move(call)); }

bool EventLoop::run(Millis wait) {
  if (state_->context.stopped()) state_->context.restart();
  // A socket is waited for once a round: one that is always ready (a peer that has gone, a client that never stops
  // sending) would otherwise keep poll() from ever coming back.
  state_->rearming.swap(state_->to_rearm);
  for (const auto& socket : state_->rearming) rearm(socket);
  state_->rearming.clear();
  size_t ran = 0;
  if (wait.value > 0) ran += state_->context.run_one_for(std::chrono::milliseconds(wait.value));
  ran += state_->context.poll();
  return ran > 0;
}

}  // namespace quorate::io
