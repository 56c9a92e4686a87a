#include "shell/io/asio_stream.h"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace quorate::io {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// Shared with the handlers that wait on the socket, so that they can outlive the stream they belong to.
struct SocketState {
  SocketState(tcp::socket s, LoopCore& c) : socket(std::move(s)), core(c) {}
  tcp::socket socket;
  LoopCore& core;
  TcpStream::Callback readable;
  TcpStream::Callback writable;
  bool want_readable = false;
  bool want_writable = false;
  bool waiting_readable = false;
  bool waiting_writable = false;
  bool closed = false;
};

namespace {

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

void wait_readable(const std::shared_ptr<SocketState>& state) {
  if (std::exchange(state->waiting_readable, true)) return;
  state->socket.async_wait(tcp::socket::wait_read, [state](error_code) {
    state->waiting_readable = false;
    if (state->closed || !state->want_readable) return;
    state->readable();
    state->core.to_rearm.push_back(state);
  });
}

void wait_writable(const std::shared_ptr<SocketState>& state) {
  if (std::exchange(state->waiting_writable, true)) return;
  state->socket.async_wait(tcp::socket::wait_write, [state](error_code) {
    state->waiting_writable = false;
    if (state->closed || !state->want_writable) return;
    state->writable();
    state->core.to_rearm.push_back(state);
  });
}

void rearm(const std::shared_ptr<SocketState>& state) {
  if (state->closed) return;
  if (state->want_readable) wait_readable(state);
  if (state->want_writable) wait_writable(state);
}

class AsioStream final : public TcpStream {
 public:
  AsioStream(std::shared_ptr<LoopCore> core, tcp::socket socket, const tcp::endpoint& peer)
      : core_(std::move(core)), peer_(peer), state_(std::make_shared<SocketState>(std::move(socket), *core_)) {}
  ~AsioStream() override { close(); }

  void watch(Callback readable, Callback writable) override {
    replace(state_->readable, std::move(readable));
    replace(state_->writable, std::move(writable));
    want_readable(true);
  }

  Result<size_t> receive(std::span<char> into) override {
    const ssize_t n = ::recv(state_->socket.native_handle(), into.data(), into.size(), 0);
    if (n > 0) return static_cast<size_t>(n);
    if (n == 0) return fail(Fault::Closed, "the other side closed the connection");
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

  void set_user_timeout(Millis timeout) override {
    const auto milliseconds = static_cast<unsigned>(timeout.value);
    ::setsockopt(state_->socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
  }

  SocketName peer_name() const override { return name_of(peer_); }
  SocketName local_name() const override {
    error_code error;
    const tcp::endpoint local = state_->socket.local_endpoint(error);
    return error ? SocketName{} : name_of(local);
  }

 private:
  void replace(Callback& callback, Callback by) {
    if (callback) core_->replaced.push_back(std::move(callback));
    callback = std::move(by);
  }

  void close() {
    if (std::exchange(state_->closed, true)) return;
    error_code ignored;
    state_->socket.shutdown(tcp::socket::shutdown_both, ignored);
    state_->socket.close(ignored);
  }

  std::shared_ptr<LoopCore> core_;
  tcp::endpoint peer_;
  std::shared_ptr<SocketState> state_;
};

}  // namespace

SocketName name_of(const tcp::endpoint& endpoint) {
  const std::string ip = java_address(endpoint.address());
  const bool bracket = ip.find(':') != std::string::npos;
  return {ip, bracket ? fmt::format("/[{}]:{}", ip, endpoint.port()) : fmt::format("/{}:{}", ip, endpoint.port())};
}

std::unique_ptr<TcpStream> make_stream(std::shared_ptr<LoopCore> core, tcp::socket socket,
                                       const SocketSettings& settings) {
  error_code error;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) return nullptr;
  socket.non_blocking(true, error);
  socket.set_option(tcp::no_delay(true), error);
  if (settings.keep_alive) socket.set_option(asio::socket_base::keep_alive(true), error);
  auto stream = std::make_unique<AsioStream>(std::move(core), std::move(socket), peer);
  if (settings.user_timeout.value > 0) stream->set_user_timeout(settings.user_timeout);
  return stream;
}

void rearm_sockets(LoopCore& core) {
  core.replaced.clear();
  core.rearming.swap(core.to_rearm);
  for (const auto& socket : core.rearming) rearm(socket);
  core.rearming.clear();
}

}  // namespace quorate::io
