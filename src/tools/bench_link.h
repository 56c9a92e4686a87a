#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_buffer.h"
#include "base/result.h"

/// One connection with a session of its own. Opened and prepared with blocking calls; under load its owner reads and
/// sends when epoll says so. Not shared between threads.
namespace quorate::tools {

struct Endpoint {
  std::string host;
  std::string port;
};

/// "a:2181,b:2181" or "[::1]:2181"; a missing port is 2181. Errors: Invalid.
Result<std::vector<Endpoint>> parse_endpoints(std::string_view servers);

/// A reply with its header read.
struct LinkReply {
  int32_t xid = 0;
  int32_t err = 0;
  std::string_view body;
};

/// Takes the first frame from `bytes` at `offset` and moves `offset` past it. False: not all of it is there yet.
/// Errors: Corrupt for a frame too short to be a reply.
Result<bool> next_reply(std::string_view bytes, size_t& offset, LinkReply& reply);

class BenchLink {
 public:
  /// Connects and opens a session. Errors: Closed when refused, Io, Invalid for a host without address.
  static Result<BenchLink> open(const Endpoint& server, int32_t timeout_ms);
  BenchLink(BenchLink&& other) noexcept;
  BenchLink& operator=(BenchLink&&) = delete;
  ~BenchLink();

  int fd() const { return fd_; }
  int32_t timeout_ms() const { return timeout_ms_; }  ///< As the server granted it.

  /// Sends one frame and waits for its reply, whose body lives until the next use of the link.
  Result<LinkReply> call(std::string frame);

  /// One ping and its reply, which always has the ping's own xid. Spec: client 3.1.
  Result<void> ping();

  void set_nonblocking();
  /// One recv of what is there. Returns the bytes received. Errors: Closed, Io.
  Result<size_t> receive();
  std::string_view received() const { return in_.view(); }
  void consume(size_t n) { in_.drop_front(n); }
  /// One send of all that is in out(). True when nothing is left. Errors: Closed, Io.
  Result<bool> flush();
  ByteBuffer& out() { return out_; }

  /// Sends closeSession without waiting; wait_closed() reads until the server hangs up, so that many can be closed
  /// by one group commit.
  void begin_close();
  void wait_closed();

 private:
  explicit BenchLink(int fd) : fd_(fd) {}
  Result<void> handshake(int32_t timeout_ms);
  Result<void> send_all(std::string_view bytes);
  /// Blocks until a whole frame is at the front of in_; returns its length with the prefix.
  Result<size_t> await_frame();
  /// Sends and waits for the reply with this xid; what comes before it is dropped.
  Result<LinkReply> exchange(std::string_view frame, int32_t xid);

  int fd_ = -1;
  int32_t timeout_ms_ = 0;
  int32_t calls_ = 0;
  ByteBuffer in_;
  ByteBuffer out_;
};

/// Opens `count` links, round the servers. Raises the limit of open files where that is allowed.
Result<std::vector<BenchLink>> open_links(const std::vector<Endpoint>& servers, uint32_t count, int32_t timeout_ms);
/// Ends all sessions in order.
void close_links(std::vector<BenchLink>& links);

}  // namespace quorate::tools
