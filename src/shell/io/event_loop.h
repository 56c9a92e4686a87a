#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "shell/env/stream.h"

/// The one event loop: sockets, signals, and calls posted by other threads. Boost Asio waits for readiness; what is
/// received and sent goes straight between the link's buffers and the kernel. All but post() on the loop's thread.
/// Source of the choice: DESIGN, section 2, "Event loop".
namespace quorate::io {

/// A connected socket. Destroying it shuts the connection down and closes it.
class TcpStream : public env::Stream {
 public:
  using Callback = std::function<void()>;
  /// What to call when bytes have arrived (or the peer has gone) and when there is room to send again.
  virtual void watch(Callback readable, Callback writable) = 0;
};

struct PeerName {
  std::string ip;    ///< As Java prints it, without brackets or zone.
  std::string text;  ///< "/127.0.0.1:39328", "/[0:0:0:0:0:0:0:1]:39328"
};

struct ListenSettings {
  std::string address;  ///< Empty: every interface, both families.
  uint16_t port = 0;    ///< 0: any free one.
  int backlog = -1;     ///< -1: the system's limit.
  bool keep_alive = false;
};

class EventLoop {
 public:
  using Accepted = std::function<void(std::unique_ptr<TcpStream>, PeerName)>;
  using Refused = std::function<void(const std::string& why)>;

  EventLoop();
  ~EventLoop();

  /// Binds and listens; connections wait in the kernel until accept() is called. Returns the port. Errors: Invalid
  /// for an address that cannot be resolved, Io for one that cannot be bound.
  Result<uint16_t> listen(const ListenSettings& settings);
  /// Starts taking connections on every listening socket. `refused` is told when the system has no room for more (no
  /// file descriptor, say); they wait in the kernel, and it is told again only after one could be taken.
  void accept(Accepted accepted, Refused refused);
  void stop_accepting();
  /// SIGTERM and SIGINT.
  void on_stop_signal(std::function<void()> call);
  /// From any thread: runs `call` on the loop.
  void post(std::function<void()> call);

  /// Waits for at most `wait`, then runs everything that is ready. False: nothing was.
  bool run(Millis wait);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace quorate::io
