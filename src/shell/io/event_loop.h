#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "shell/io/dial.h"
#include "shell/io/tcp_stream.h"

/// The one event loop: sockets, signals, and calls posted by other threads. Boost Asio waits for readiness; what is
/// received and sent goes straight between the link's buffers and the kernel. All but post() on the loop's thread; all
/// callbacks come from run(), never from within the call that asked for them. Streams, listeners and tasks may be
/// destroyed in any callback, and before or after the loop, which calls nobody once it has gone.
/// Source of the choice: DESIGN, section 2, "Event loop".
namespace quorate::io {

struct ListenSettings {
  /// Empty: every interface, both families. Of a name's addresses, the first that this machine has, IPv4 before IPv6.
  std::string address;
  uint16_t port = 0;  ///< 0: any free one.
  int backlog = -1;   ///< -1: the system's limit.
  /// Of a name: what look_up() found for it. Empty: the name is looked up on the spot.
  std::vector<std::string> numbers{};
  SocketSettings accepted{};
};

/// A listening socket. Destroying it closes it; connections that were not yet taken are reset, the others go on, and
/// the port can be bound again at once.
class Listener {
 public:
  using Accepted = std::function<void(std::unique_ptr<TcpStream>)>;
  using Refused = std::function<void(const std::string& why)>;

  virtual ~Listener() = default;
  virtual uint16_t port() const = 0;
  /// Starts taking connections; until then they wait in the kernel. `refused` is told when the system gives none (no
  /// file descriptor is left, say): they wait, it is tried again, and told again only after one could be taken.
  /// Requires: called once.
  virtual void accept(Accepted accepted, Refused refused) = 0;
};

/// Gives a host's addresses as text, or why it has none. Called on other threads, several at a time.
using Lookup = std::function<Result<std::vector<std::string>>(const std::string& host)>;
/// Is the host an address already, IPv4 or IPv6 without brackets?
bool is_number(const std::string& host);
/// The system's own: files, DNS, whatever it is told to ask; IPv4 addresses first, as Java has them. Nothing is kept.
Result<std::vector<std::string>> look_up_by_system(const std::string& host);

class EventLoop {
 public:
  using Found = std::function<void(Result<std::vector<std::string>>)>;

  explicit EventLoop(Lookup lookup = look_up_by_system);
  /// Requires: not within run(). Waits for nothing: a lookup still under way ends unheard, on a thread of its own.
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Binds and listens, at any time. A name is looked up on the spot, which may take long: in a loop that serves,
  /// look_up() comes first. Errors: Invalid for an address that cannot be resolved, Io for one that cannot be bound.
  [[nodiscard]] Result<std::unique_ptr<Listener>> listen(const ListenSettings& settings);
  /// Connects to the first of the addresses that lets us; `done` is called once. Names are looked up anew, each on a
  /// thread of its own; only a lookup of the same name that is still under way is shared, so that a name server which
  /// is slower than the deadline is heard by the next dial.
  [[nodiscard]] std::unique_ptr<Task> dial(DialRequest request, Dialed done);
  /// Errors: Invalid for a host without addresses, Io when the system cannot tell or did not within `deadline`.
  [[nodiscard]] std::unique_ptr<Task> look_up(const std::string& host, Millis deadline, Found done);

  /// SIGTERM and SIGINT.
  void on_stop_signal(std::function<void()> call);
  /// From any thread: runs `call` on the loop.
  void post(std::function<void()> call);

  /// Waits for at most `wait`, then runs everything that is ready. False: nothing was.
  bool run(Millis wait);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quorate::io
