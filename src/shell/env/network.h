#pragma once
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "shell/env/stream.h"

/// The network between servers as a node sees it: dialing and listening. The event loop (shell/server) and the
/// simulated fabric (sim) implement it. Used on the loop thread only; no call blocks, and all callbacks come from the
/// loop, never from within the call that asked for them.
namespace quorate::env {

/// A connection between servers. Destroying it closes it; that may be in a call of its own.
class PeerStream : public Stream {
 public:
  using Callback = std::function<void()>;
  /// What to call when bytes have arrived (or the peer has gone) and when there is room to send again, see
  /// want_readable() and want_writable(). May be called again, also from within such a call.
  virtual void watch(Callback readable, Callback writable) = 0;
  /// The other side as a log line names it: "/10.0.0.7:41234".
  virtual std::string peer_text() const = 0;
};

struct HostPort {
  std::string host;  ///< A name or a number, IPv6 without brackets. Of a listener, empty: every interface.
  uint16_t port = 0;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};

struct PeerDial {
  std::vector<HostPort> addresses;  ///< At least one; names are resolved anew.
  bool parallel = false;            ///< All at once; else one after the other.
  Millis patience;                  ///< For all of it.
};

struct PeerDialFailure {
  bool refused = false;  ///< By every address: nobody listens there.
  std::string detail;    ///< Every address, and what came of it.
};

/// Something under way, or a listener. Destroying it ends it: nothing is called any more.
class NetworkTask {
 public:
  virtual ~NetworkTask() = default;
};

class Network {
 public:
  using Dialed = std::function<void(std::expected<std::unique_ptr<PeerStream>, PeerDialFailure>)>;
  using Accepted = std::function<void(std::unique_ptr<PeerStream>)>;

  virtual ~Network() = default;
  /// `done` is called once, at the latest when patience ends.
  [[nodiscard]] virtual std::unique_ptr<NetworkTask> dial(PeerDial request, Dialed done) = 0;
  /// Errors: Invalid for an address that cannot be resolved, Io for one that cannot be bound.
  [[nodiscard]] virtual Result<std::unique_ptr<NetworkTask>> listen(const HostPort& address, Accepted accepted) = 0;
};

}  // namespace quorate::env
