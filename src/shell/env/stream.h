#pragma once
#include <cstddef>
#include <span>
#include <string_view>

#include "base/result.h"

/// A connected, non-blocking byte stream: a client's socket or its simulated twin. Used on the loop thread only.
namespace quorate::env {

class Stream {
 public:
  virtual ~Stream() = default;

  /// Receives what is there, at most into.size() bytes. 0: nothing now. Fault::Closed: the peer has ended its side.
  virtual Result<size_t> receive(std::span<char> into) = 0;
  /// Sends as many of the bytes as fit now and returns how many; 0 when the peer's window is full.
  virtual Result<size_t> send(std::string_view bytes) = 0;
  /// Asks for a call when bytes can be sent again (true), or no longer (false).
  virtual void want_writable(bool wanted) = 0;
  /// Asks for calls when bytes arrive (true, as it is at the start), or no longer (back-pressure).
  virtual void want_readable(bool wanted) = 0;
  /// Closes at once with a reset: the answer to a connection over a limit (client 12).
  virtual void reset() = 0;
};

}  // namespace quorate::env
