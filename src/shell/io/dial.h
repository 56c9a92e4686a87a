#pragma once
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "shell/io/tcp_stream.h"

/// What to connect to, and what came of it: the words of EventLoop::dial().
namespace quorate::io {

struct HostPort {
  std::string host;  ///< A name or a number, IPv6 without brackets.
  uint16_t port = 0;
};

struct DialRequest {
  std::vector<HostPort> addresses;
  /// All at once. Else in order: the next one begins when one before it has failed, or has had its share of the time
  /// that is left; those before it go on, and may still be the first to connect. A name's addresses count one by one.
  bool parallel = false;
  Millis deadline;  ///< For all of it, the looking up of names included.
  SocketSettings socket{};
};

enum class DialFault : uint8_t {
  /// Every address refused the connection: nobody listens there (or a firewall says so in its name). Addresses of a
  /// name that also has some of the other family do not count when this machine has no way to their family.
  Refused,
  Failed,    ///< Nothing is left to try, and at least one failed in another way: no such name, no route, ...
  Deadline,  ///< Not connected in time.
};

struct DialFailure {
  DialFault fault = DialFault::Failed;
  std::string detail;  ///< Every address, and what came of it.
};

using DialResult = std::expected<std::unique_ptr<TcpStream>, DialFailure>;
using Dialed = std::function<void(DialResult)>;

/// Something under way. Destroying it ends it: what it would have called is dropped at once and never called. That may
/// be at any time, also in that very call, and after the loop's end.
class Task {
 public:
  virtual ~Task() = default;
};

}  // namespace quorate::io
