#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "shell/env/stream.h"
#include "sim/agenda.h"
#include "sim/rng.h"

/// The network of a world of several hosts, with the manners of TCP: listening, dialing, ordered bytes both ways in a
/// bounded window; and everything that goes wrong between hosts. Each pair of hosts has two directed links. Chance
/// comes from the seed, time from the agenda, and all calls to users come out of the agenda, never out of a call of
/// theirs. The fabric outlives its streams. Spec: known-faults 9.1.
namespace quorate::sim {

using HostId = uint32_t;

struct Address {
  HostId host = 0;
  uint16_t port = 0;
  friend auto operator<=>(const Address&, const Address&) = default;
};

/// Of one directed link. Pieces of one connection keep their order, whatever they draw.
struct LinkQuality {
  int64_t delay_us = 100;
  int64_t jitter_us = 100;        ///< At most, on top of the delay.
  uint32_t hiccup_one_in = 0;     ///< One in so many pieces is held up; 0: none is.
  int64_t hiccup_us = 300'000;    ///< For at most so long.
  int64_t bytes_per_second = 0;   ///< For all connections together; 0: without a bound.
  size_t window_bytes = 1 << 16;  ///< Of one connection: sent, and not known to be read.
  uint32_t chop_percent = 20;     ///< Of the sends that arrive in several pieces.
  friend bool operator==(const LinkQuality&, const LinkQuality&) = default;
};

class SimStream : public env::Stream {
 public:
  using Callback = std::function<void()>;
  /// What to call, again and again, while there is something to be received (or the peer has gone), and while there is
  /// room to send and that is wanted. Destroying the stream closes the connection and ends the calls.
  virtual void watch(Callback readable, Callback writable) = 0;
  /// Such a call is due, or would be if somebody watched.
  virtual bool readable() const = 0;
  virtual bool writable() const = 0;
  /// For so long what was sent may stay unconfirmed before the connection breaks at this end. 0: as long as the
  /// system's own retries take, which each connection draws.
  virtual void set_user_timeout(Millis timeout) = 0;
  virtual HostId peer() const = 0;
  /// The connection's, the same for both ends.
  virtual uint32_t number() const = 0;
};
using SimStreamPtr = std::unique_ptr<SimStream>;

enum class DialFailure : uint8_t { Refused, NoAnswer };
using Dialed = std::function<void(std::expected<SimStreamPtr, DialFailure>)>;
using Accepted = std::function<void(SimStreamPtr)>;

/// Which ends of a lost connection are told. The others notice when they send.
enum class SeenBy : uint8_t { Both, First, Second, Nobody };

class Fabric {
 public:
  struct Connection;

  Fabric(Agenda& agenda, Rng& rng, Trace& trace) : agenda_(agenda), rng_(rng), trace_(trace) {}
  ~Fabric();

  // The net as it is built.
  HostId add_host(std::string name);
  HostId host_count() const { return static_cast<HostId>(hosts_.size()); }
  const std::string& name_of(HostId host) const { return hosts_[host].name; }
  /// "10.0.0.1" is the first host's.
  static std::string ip_of(HostId host);
  std::optional<HostId> find(std::string_view ip) const;
  void set_quality(HostId from, HostId to, const LinkQuality& quality);
  const LinkQuality& quality(HostId from, HostId to) { return link(from, to).quality; }

  // What a process does on its host.
  /// False: somebody listens there already.
  bool listen(Address address, Accepted accepted);
  void stop_listening(Address address);
  /// `dialed` is called once, at the latest when patience ends; never after the process has ended. Returns the
  /// connection's number.
  uint32_t dial(HostId from, Address to, int64_t patience_us, Dialed dialed);
  /// Nobody waits for that call any more.
  void forget_dial(uint32_t number);
  /// Once the host's process runs: now, or when a pause is over, in the order asked for.
  void when_running(HostId host, Agenda::Act act);

  // What goes wrong.
  /// Bytes and attempts to connect stay away. They come when the link is whole again, as kernels repeat them; a
  /// connection whose bytes stay unconfirmed for too long breaks at its sender.
  void set_cut(HostId from, HostId to, bool cut);
  bool is_cut(HostId from, HostId to) { return link(from, to).cut; }
  /// Loses all connections of two hosts: a prefix of what is under way still arrives. `First` is the end at `one`.
  void reset_connections(HostId one, HostId other, SeenBy seen_by);
  /// A stopped process: its kernel goes on taking bytes and connections, but it learns of nothing before resume().
  void pause(HostId host);
  void resume(HostId host);
  bool is_paused(HostId host) const { return hosts_[host].paused; }
  /// Call these before the process's own objects are destroyed, so that nothing depends on the order of that. The
  /// kernel closes what was open; the next process may listen at once.
  void end_process(HostId host);
  /// Nobody is told; until power_on() the host is silent, after that it knows nothing of its connections.
  void lose_power(HostId host);
  void power_on(HostId host);
  bool is_off(HostId host) const { return hosts_[host].off; }

  /// Ends of streams that processes of the host hold.
  size_t open_ends(HostId host) const;

 private:
  enum class Kind : uint8_t { Dial, Open, Data, End, Reset, Tear };
  enum class Phase : uint8_t {
    Not,      ///< An end that is not yet there.
    Dialing,  ///< Its process waits for the connection.
    Open,
    Broken,  ///< By a reset, or by giving up: what has arrived can be read, no more.
    Gone,    ///< Closed here; or the process, or the machine, has gone.
  };
  class Handle;
  using ConnectionPtr = std::shared_ptr<Connection>;
  struct Piece;
  struct Pipe;
  struct End;
  struct Host {
    std::string name;
    bool paused = false;
    bool off = false;
    uint32_t life = 0;                 ///< Which process it runs.
    std::vector<Agenda::Act> waiting;  ///< For the end of the pause.
  };
  struct Link {
    LinkQuality quality;
    bool cut = false;
    int64_t busy_until = 0;
  };
  /// One end of a connection: 0 dialed, 1 was dialed.
  struct Place {
    ConnectionPtr connection;
    size_t side = 0;
    End& end() const;
    End& other_end() const;
    Pipe& out() const;
    Pipe& in() const;
    Place other() const { return {connection, 1 - side}; }
  };

  // fabric.cc
  Link& link(HostId from, HostId to) { return links_[{from, to}]; }
  Link& link_from(const Place& place);
  void soon(HostId host, Agenda::Act act);
  void drop_process(HostId host);
  void resume_traffic(HostId from, HostId to);
  std::vector<Place> places_on(HostId host);
  void say(const Place& place, std::string_view what) const;

  // fabric_bytes.cc: from one end to the other.
  Result<size_t> send(const Place& from, std::string_view bytes);
  Result<size_t> receive(const Place& at, std::span<char> into);
  void launch(const Place& from, Kind kind, std::string bytes = {});
  void arm(const Place& from);
  void hasten(const Place& from);
  void fly(const Place& from);
  int64_t arrival(const Place& from, size_t bytes);
  bool is_blocked(const Place& from);
  bool is_unanswered(const Place& from);
  void get_stuck(const Place& from);
  void start_giving_up(const Place& from);
  void give_up(const Place& from);
  void recover(const Place& from);
  void arrive_confirmation(const Place& from, size_t count);
  void keep_prefix(Pipe& pipe);

  // fabric_ends.cc: what arrives there, and how they close.
  void deliver(const Place& to, const Piece& piece);
  void arrive_dial(const Place& to);
  void arrive_open(const Place& to);
  void arrive_data(const Place& to, std::string_view bytes);
  void arrive_reset(const Place& to);
  void answer_reset(const Place& place);
  void hand_over(const Place& to);
  void fail_dial(const Place& place, DialFailure failure);
  void tear(const Place& place, bool told);
  void break_end(const Place& place);
  void close(const Place& place, bool with_reset);
  void be_gone(const Place& place);
  bool readable(const Place& place) const;
  bool writable(const Place& place);
  void notify(const Place& place);
  void call(const Place& place);
  void forget_if_over(const ConnectionPtr& connection);

  Agenda& agenda_;
  Rng& rng_;
  Trace& trace_;
  uint32_t next_number_ = 1;
  std::vector<Host> hosts_;
  std::map<std::pair<HostId, HostId>, Link> links_;
  std::map<Address, Accepted> listeners_;
  std::map<uint32_t, ConnectionPtr> connections_;
};

}  // namespace quorate::sim
