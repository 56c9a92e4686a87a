#include "tools/bench_link.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "tools/bench_frames.h"
#include "wire/client.h"

namespace quorate::tools {
namespace {

constexpr size_t kReceiveBytes = 64 * 1024;
constexpr size_t kReplyHeaderBytes = 16;
constexpr time_t kCallSeconds = 30;

std::unexpected<Error> io_error(const char* what) {
  return fail(Fault::Io, fmt::format("{}: {}", what, std::strerror(errno)));
}

void set_up(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const timeval patience{.tv_sec = kCallSeconds, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

Result<int> connect_to(const Endpoint& server) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  const int status = getaddrinfo(server.host.c_str(), server.port.c_str(), &wanted, &raw);
  if (status != 0) return fail(Fault::Invalid, fmt::format("{}: {}", server.host, gai_strerror(status)));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> found(raw, &freeaddrinfo);
  for (const addrinfo* at = raw; at != nullptr; at = at->ai_next) {
    const int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, 0);
    if (fd < 0) continue;
    if (connect(fd, at->ai_addr, at->ai_addrlen) == 0) {
      set_up(fd);
      return fd;
    }
    close(fd);
  }
  return fail(Fault::Closed, fmt::format("{}:{}: {}", server.host, server.port, std::strerror(errno)));
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  const size_t bracket = text.rfind(']');
  const size_t colon = text.rfind(':');
  const bool has_port = colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  std::string_view host = has_port ? text.substr(0, colon) : text;
  const std::string_view port = has_port ? text.substr(colon + 1) : "2181";
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty() || port.empty()) return fail(Fault::Invalid, fmt::format("'{}' is not host:port", text));
  if (!bracketed && host.find(':') != std::string_view::npos) {
    return fail(Fault::Invalid, fmt::format("'{}' is not host:port; write an IPv6 address as [::1]:2181", text));
  }
  return Endpoint{std::string(host), std::string(port)};
}

void allow_open_files(uint32_t wanted) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

Result<std::vector<Endpoint>> parse_endpoints(std::string_view servers) {
  std::vector<Endpoint> endpoints;
  while (true) {
    const size_t comma = servers.find(',');
    auto endpoint = parse_endpoint(servers.substr(0, comma));
    if (!endpoint) return std::unexpected(endpoint.error());
    endpoints.push_back(*std::move(endpoint));
    if (comma == std::string_view::npos) return endpoints;
    servers.remove_prefix(comma + 1);
  }
}

Result<bool> next_reply(std::string_view bytes, size_t& offset, LinkReply& reply) {
  const std::string_view rest = bytes.substr(offset);
  if (rest.size() < 4) return false;
  const uint32_t length = wire::load_be32(rest.data());
  if (length < kReplyHeaderBytes || length > INT32_MAX) {
    return fail(Fault::Corrupt, fmt::format("a reply of {} bytes", length));
  }
  if (rest.size() - 4 < length) return false;
  reply.xid = static_cast<int32_t>(wire::load_be32(rest.data() + 4));
  reply.err = static_cast<int32_t>(wire::load_be32(rest.data() + 16));
  reply.body = rest.substr(4 + kReplyHeaderBytes, length - kReplyHeaderBytes);
  offset += 4 + length;
  return true;
}

BenchLink::BenchLink(BenchLink&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      timeout_ms_(other.timeout_ms_),
      calls_(other.calls_),
      in_(std::move(other.in_)),
      out_(std::move(other.out_)) {}

BenchLink::~BenchLink() {
  if (fd_ >= 0) close(fd_);
}

Result<BenchLink> BenchLink::open(const Endpoint& server, int32_t timeout_ms) {
  const auto fd = connect_to(server);
  if (!fd) return std::unexpected(fd.error());
  BenchLink link(*fd);
  const auto done = link.handshake(timeout_ms);
  if (!done) return std::unexpected(done.error());
  return link;
}

// Spec: client 2.1.
Result<void> BenchLink::handshake(int32_t timeout_ms) {
  if (auto sent = send_all(connect_frame(timeout_ms)); !sent) return sent;
  const auto frame_bytes = await_frame();
  if (!frame_bytes) return std::unexpected(frame_bytes.error());
  wire::Decoder in(in_.view().substr(4, *frame_bytes - 4));
  wire::ConnectResponse response;
  if (!wire::decode(in, response)) return fail(Fault::Corrupt, "the answer to a new session is cut short");
  if (response.time_out <= 0) return fail(Fault::Closed, "the server refused a new session");
  timeout_ms_ = response.time_out;
  in_.release();
  return {};
}

Result<void> BenchLink::send_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return io_error("send");
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return {};
}

Result<size_t> BenchLink::await_frame() {
  while (true) {
    const std::string_view bytes = in_.view();
    if (bytes.size() >= 4 && bytes.size() - 4 >= wire::load_be32(bytes.data())) {
      return size_t{4} + wire::load_be32(bytes.data());
    }
    const auto got = receive();
    if (!got) return std::unexpected(got.error());
    if (*got == 0) return fail(Fault::Io, fmt::format("no answer within {} s", kCallSeconds));
  }
}

Result<LinkReply> BenchLink::call(std::string frame) {
  patch_xid(frame.data(), ++calls_);
  return exchange(frame, calls_);
}

Result<void> BenchLink::ping() {
  const auto reply = exchange(ping_frame(), wire::kPingXid);
  in_.release();
  if (!reply) return std::unexpected(reply.error());
  return {};
}

Result<LinkReply> BenchLink::exchange(std::string_view frame, int32_t xid) {
  in_.clear();
  if (auto sent = send_all(frame); !sent) return std::unexpected(sent.error());
  LinkReply reply;
  for (size_t offset = 0;;) {
    const auto whole = next_reply(in_.view(), offset, reply);
    if (!whole) return std::unexpected(whole.error());
    if (*whole && reply.xid == xid) return reply;
    if (*whole) continue;
    const auto got = receive();
    if (!got) return std::unexpected(got.error());
    if (*got == 0) return fail(Fault::Io, fmt::format("no answer within {} s", kCallSeconds));
  }
}

void BenchLink::set_nonblocking() {
  in_.clear();
  fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) | O_NONBLOCK);
}

Result<size_t> BenchLink::receive() {
  const size_t before = in_.size();
  char* at = in_.grow(kReceiveBytes);
  ssize_t got;
  do got = recv(fd_, at, kReceiveBytes, 0);
  while (got < 0 && errno == EINTR);
  const int error = errno;
  in_.truncate(before + static_cast<size_t>(std::max<ssize_t>(got, 0)));
  if (got > 0) return static_cast<size_t>(got);
  if (got < 0 && error == EAGAIN) return size_t{0};
  if (got == 0 || error == ECONNRESET) return fail(Fault::Closed, "the server closed the connection");
  errno = error;
  return io_error("recv");
}

Result<bool> BenchLink::flush() {
  if (out_.empty()) return true;
  const ssize_t sent = send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (sent < 0) return fail(Fault::Closed, fmt::format("send: {}", std::strerror(errno)));
  out_.drop_front(static_cast<size_t>(sent));
  return out_.empty();
}

void BenchLink::begin_close() {
  fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) & ~O_NONBLOCK);
  (void)send_all(close_frame());
}

void BenchLink::wait_closed() {
  for (auto got = receive(); got && *got > 0; got = receive()) in_.clear();
  close(std::exchange(fd_, -1));
}

Result<std::vector<BenchLink>> open_links(const std::vector<Endpoint>& servers, uint32_t count, int32_t timeout_ms) {
  allow_open_files(count + 64);
  std::vector<BenchLink> links;
  links.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    auto link = BenchLink::open(servers[i % servers.size()], timeout_ms);
    if (!link) return std::unexpected(link.error());
    links.push_back(*std::move(link));
  }
  return links;
}

void close_links(std::vector<BenchLink>& links) {
  for (BenchLink& link : links) link.begin_close();
  for (BenchLink& link : links) link.wait_closed();
  links.clear();
}

}  // namespace quorate::tools
