#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "base/ids.h"
#include "shell/env/stream.h"

/// A connected socket, accepted or dialed, and what is asked of it. Used on the loop's thread.
namespace quorate::io {

struct SocketName {
  std::string ip;    ///< As Java prints it, without brackets or zone.
  std::string text;  ///< "/127.0.0.1:39328", "/[0:0:0:0:0:0:0:1]:39328"
};

/// TCP_NODELAY is always on.
struct SocketSettings {
  bool keep_alive = false;
  /// TCP_USER_TIMEOUT: how long the peer's kernel may leave what was sent unacknowledged before the connection is
  /// broken. 0: as long as the system's own retries take.
  Millis user_timeout{0};
};

/// Destroying it shuts the connection down and closes it; that may be in a call of its own, and after the loop's end.
class TcpStream : public env::Stream {
 public:
  using Callback = std::function<void()>;
  /// What to call when bytes have arrived (or the peer has gone) and when there is room to send again. May be called
  /// again, also from within such a call: whoever knows what the connection is for takes it over.
  virtual void watch(Callback readable, Callback writable) = 0;
  /// As in SocketSettings, while the connection is open.
  virtual void set_user_timeout(Millis timeout) = 0;

  virtual SocketName peer_name() const = 0;
  virtual SocketName local_name() const = 0;  ///< Empty once closed.
};

}  // namespace quorate::io
