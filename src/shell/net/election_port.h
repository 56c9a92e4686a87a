#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/log_line.h"
#include "shell/env/stream.h"
#include "shell/net/election_link.h"
#include "wire/election.h"
#include "wire/quorum_config.h"

/// The connections of the election port: one to each other server, kept by the tie break of their ids; one message to
/// each that waits for its connection, the newest. It lives as long as the server and works in every state. Without
/// sockets, threads or a clock: who listens, resolves and dials is told what to do by take(), and tells what came of
/// it. A stream may be destroyed inside any call, also inside the one that its own readiness caused. Loop thread.
///
/// What strangers can cost is bounded: kMostHalfOpen connections that have not said who they are, where the oldest
/// gives way to the newest; and kMostStrangers servers that are in no configuration, where one more is refused. Spec:
/// quorum 1.1 to 1.5, rules 1 to 9.
namespace quorate::net {

constexpr size_t kMostHalfOpen = 128;
constexpr size_t kMostStrangers = 64;

struct ElectionPortSettings {
  ServerId self;
  std::vector<wire::HostPort> own;  ///< Our addresses, for as long as no configuration names us.
  bool several_addresses = false;   ///< multiAddress.enabled: our hello names all our addresses, not the first only.
  Millis connect_timeout{5000};     ///< cnxTimeout, for each address of a dial
  Millis hello_timeout{10000};      ///< quorumCnxnTimeoutMs, else tickTime * syncLimit
};

/// One try to connect to a server; never reused.
using DialId = Id<struct DialIdTag, uint64_t>;

/// Wanted: try the addresses one after the other, names resolved anew. Answered by dialed() or dial_failed(), at most
/// once and by `give_up_at`; a later answer is ignored.
struct Dial {
  DialId id;
  ServerId sid;
  std::vector<wire::HostPort> addresses;  ///< At least one.
  Millis give_up_at;
};

/// A notification that came in. Its config is null; the text is beside it.
struct Heard {
  ServerId from;
  wire::Notification notification;
  std::optional<std::string> config;  ///< None: the sender is too old to send one.
};

/// What is known of a server's port; as zab::Reach. Each change is reported; Unknown is where all begin.
enum class Reach : uint8_t {
  Unknown,  ///< Never tried, a try is under way or came to nothing, or it is to call back.
  Open,
  Refused,  ///< No connection, and the last dial was refused: nobody listens there.
};

struct ReachChange {
  ServerId sid;
  Reach reach;
  friend bool operator==(const ReachChange&, const ReachChange&) = default;
};

struct ElectionPortOutput {
  std::vector<Dial> dials;
  std::vector<Heard> heard;
  std::vector<ReachChange> reach;
  std::vector<ElectionLinkId> closed;  ///< Their streams are gone.
  std::vector<LogLine> lines;
};

class ElectionPort {
 public:
  /// `last_seen`: the proposed configuration, if there is one. Requires: `committed` has voters (rule 7).
  ElectionPort(ElectionPortSettings settings, const wire::QuorumConfig& committed,
               const wire::QuorumConfig* last_seen = nullptr);
  ~ElectionPort();

  // Inputs. Ids of connections that are closed are ignored.
  void set_configs(const wire::QuorumConfig& committed, const wire::QuorumConfig* last_seen);
  /// While the server looks for a leader, voters that cannot be reached are dialed again and again.
  void set_looking(bool looking, Millis now);
  /// `peer`: as a line shall name it.
  ElectionLinkId accepted(std::unique_ptr<env::Stream> stream, std::string peer, Millis now);
  /// None: nothing more is to be said there, the stream is gone.
  std::optional<ElectionLinkId> dialed(DialId dial, std::unique_ptr<env::Stream> stream, Millis now);
  /// `refused`: every address was, so that nobody listens there.
  void dial_failed(DialId dial, bool refused, const std::string& why, Millis now);
  void on_readable(ElectionLinkId id, Millis now);
  void on_writable(ElectionLinkId id, Millis now);
  void on_time(Millis now);
  Millis next_time() const;

  /// Replaces what `to` has not taken yet. Its config is left out; version and text of the committed one are sent.
  /// Requires: not to ourselves.
  void send(ServerId to, const wire::Notification& notification, Millis now);
  /// Dials every voter without a connection, and whom else a message waits for.
  void connect_all(Millis now);

  /// Some voter has not taken its last message.
  bool undelivered() const;
  Reach reach(ServerId sid) const;
  size_t links() const { return links_.size(); }
  /// Outputs since the last call.
  ElectionPortOutput take();

 private:
  using Stage = ElectionLink::Stage;
  using Addresses = std::vector<wire::HostPort>;

  struct Flight {
    DialId id;
    Millis give_up_at;
  };

  /// Another server, as long as it is in a configuration or worth remembering.
  struct Peer {
    Addresses addresses;  ///< The configuration's.
    bool member = false;  ///< Of a configuration.
    bool voter = false;
    Addresses callback;                       ///< Of its hello, for the next dial only.
    bool call_back = false;                   ///< It asked for a call while a dial was under way.
    std::optional<ElectionLinkId> link;       ///< Open.
    std::optional<ElectionLinkId> challenge;  ///< Our hello is leaving.
    std::optional<Flight> flight;
    std::optional<wire::Notification> message;  ///< The newest; kept for the next connection when it was sent.
    bool unsent = false;
    Reach reach = Reach::Unknown;
    Millis pause = kFirstPause;  ///< Before the next dial that nobody asked for.
    std::optional<Millis> redial_at;
    int hurries = 0;      ///< Since we began to look it was dialed so often without that pause.
    bool failed = false;  ///< The last dial did, and a line said so.

    bool idle() const { return !link && !challenge && !flight; }
  };
  using Peers = std::map<ServerId, Peer>;

  static constexpr Millis kFirstPause{200};
  static constexpr Millis kLongestPause{2000};
  /// A lost connection may be the last that is heard of a server, and its port says whether it is; but a process that
  /// dies may accept once more. Who is not the one to call leaves the other so much time first.
  static constexpr Millis kHurriedPause{20};
  static constexpr int kMostHurries = 3;
  /// A server that is to call back gets so much time at least: another challenge would end the call under way.
  static constexpr Millis kCallbackPause{1000};

  // election_port.cc
  void learn(const wire::QuorumConfig& config);
  Peer* find(ServerId sid);
  Peers::iterator in_flight(DialId dial);
  void dial(ServerId sid, Peer& peer, Millis now);
  void fail_dial(ServerId sid, Peer& peer, bool refused, const std::string& why, Millis now);
  void schedule(ServerId sid, Peer& peer, Millis least, Millis now);
  void hurry(ServerId sid, Peer& peer, Millis now);
  void set_reach(ServerId sid, Peer& peer, Reach reach);
  bool undelivered(const Peer& peer) const;
  void say(Level level, std::string text);

  // election_port_links.cc
  ElectionLink& keep(std::unique_ptr<env::Stream> stream, std::string peer, Millis now);
  void make_room(Millis now);
  void take_hello(ElectionLinkId id, Millis now);
  void admit(ElectionLinkId id, const wire::ElectionHello& hello, Millis now);
  void answer_challenge(ElectionLinkId id, const wire::ElectionHello& hello, Millis now);
  Peer* make_peer(ServerId sid);
  void open(ElectionLinkId id, ServerId sid, Peer& peer);
  void take_messages(ElectionLinkId id, Millis now);
  void hear(ServerId from, std::string_view message);
  void pump(ElectionLinkId id, Millis now);
  void on_lost(ElectionLinkId id, const std::string& why, Millis now);
  void refuse(ElectionLinkId id, const std::string& why, Millis now);
  void close(ElectionLinkId id);
  void on_deadline(ElectionLinkId id, Millis now);

  ElectionPortSettings settings_;
  std::string config_text_;  ///< Of the committed configuration.
  Addresses own_;
  bool looking_ = false;
  Peers peers_;
  std::map<ElectionLinkId, ElectionLink> links_;  ///< Ids rise: the oldest is the first.
  size_t half_open_ = 0;                          ///< So many of them await a hello.
  uint64_t last_link_ = 0;
  uint64_t last_dial_ = 0;
  bool crowded_ = false;  ///< A line said that there are too many.
  ElectionPortOutput output_;
};

}  // namespace quorate::net
