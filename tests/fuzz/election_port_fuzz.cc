#include <map>
#include <string>
#include <vector>

#include "base/check.h"
#include "input.h"
#include "memory_stream.h"
#include "shell/net/election_port.h"

/// The election port of server 3 of 5. The first byte says what follows. A whole connection: its bytes give the same in
/// one and in pieces, and a piece behind its length gives the pieces. Or steps: connections come, speak, stall and go,
/// dials succeed or fail, time passes, messages leave; then all go, and nothing stays. Whatever is said, the port runs
/// on with bounded connections, one dial a server, and sends nothing but hellos and messages.
/// A step is a byte: 3 bits what, 5 bits which or how.
namespace quorate::fuzz {
namespace {

using net::ElectionLinkId;
using net::ElectionPort;
using net::ElectionPortOutput;

constexpr int64_t kSelf = 3;
constexpr size_t kMembers = 5;
// Of a hello four, of the configuration one.
constexpr size_t kMostTries = 5;

wire::QuorumConfig config() {
  wire::QuorumConfig config;
  for (int64_t sid = 1; sid <= static_cast<int64_t>(kMembers); ++sid) {
    config.members.push_back({.sid = sid, .addresses = {{"h", 2800, 3800}}});
  }
  config.members.back().role = wire::Role::Observer;
  return config;
}

ElectionPort make_port() { return ElectionPort({.self = ServerId{kSelf}, .own = {}}, config()); }

/// What came of one connection, as text.
std::string outcome(std::string_view stream, std::string_view pieces) {
  ElectionPort port = make_port();
  auto wire = std::make_shared<Wire>();
  const ElectionLinkId id = port.accepted(std::make_unique<MemoryStream>(wire), "/peer", Millis{0});
  for (size_t at = 0, piece = 0; at < stream.size() && !wire->server_gone;) {
    const size_t length = pieces.empty() ? stream.size() : 1 + static_cast<uint8_t>(pieces[piece++ % pieces.size()]);
    wire->to_server += stream.substr(at, length);
    at += length;
    while (!wire->server_gone && !wire->to_server.empty()) port.on_readable(id, Millis{0});
  }
  std::string text = wire->server_gone ? "gone" : "open";
  const ElectionPortOutput out = port.take();
  for (const net::Heard& heard : out.heard) {
    text += "\n" + std::to_string(heard.from.value) + " " + std::to_string(heard.notification.round) + " " +
            heard.config.value_or("none");
  }
  for (const net::Dial& dial : out.dials) text += "\ndial " + std::to_string(dial.sid.value);
  for (const LogLine& line : out.lines) text += "\n" + line.text;
  return text;
}

class World {
 public:
  explicit World(Input input) : input_(input) {}

  void run() {
    while (!input_.empty()) {
      const uint8_t step = input_.byte();
      act(step & 7, step >> 3);
      collect();
    }
    end();
  }

 private:
  struct Connection {
    ElectionLinkId id;
    std::shared_ptr<Wire> wire;
    bool dialed = false;
  };

  void act(int what, uint8_t how) {
    switch (what) {
      case 0:
        return accept();
      case 1:
        return speak(how);
      case 2:
        return hang_up(how);
      case 3:
        return answer_dial(how);
      case 4:
        return pass(Millis{int64_t{1} << (how % 16)});
      case 5:
        return send(how);
      case 6:
        return set_window(how);
      default:
        return turn(how);
    }
  }

  void accept() {
    auto wire = std::make_shared<Wire>();
    const ElectionLinkId id = port_.accepted(std::make_unique<MemoryStream>(wire), "/peer", now_);
    connections_.push_back({id, wire, false});
  }

  Connection* pick(uint8_t how) {
    return connections_.empty() ? nullptr : &connections_[connections_.size() - 1 - how % connections_.size()];
  }

  void speak(uint8_t how) {
    const std::string_view bytes = input_.piece();
    Connection* to = pick(how);
    if (to == nullptr) return;
    to->wire->to_server += bytes;
    read(*to);
  }

  void read(Connection& from) {
    while (!from.wire->server_gone && !from.wire->to_server.empty()) port_.on_readable(from.id, now_);
    if (from.wire->client_gone) port_.on_readable(from.id, now_);
  }

  void hang_up(uint8_t how) {
    Connection* at = pick(how);
    if (at == nullptr) return;
    at->wire->client_gone = true;
    read(*at);
    QUORATE_CHECK(at->wire->server_gone);
  }

  void answer_dial(uint8_t how) {
    if (dials_.empty()) return;
    const auto [sid, dial] = *dials_.begin();
    dials_.erase(dials_.begin());
    if (how < 8) return port_.dial_failed(dial.id, how % 2 == 0, "refused", now_);
    auto wire = std::make_shared<Wire>();
    if (how >= 16) wire->window = how;
    const auto id = port_.dialed(dial.id, std::make_unique<MemoryStream>(wire), now_);
    QUORATE_CHECK(id.has_value() != wire->server_gone);
    connections_.push_back({id.value_or(ElectionLinkId{}), wire, true});
  }

  void pass(Millis time) {
    now_ = now_ + time;
    port_.on_time(now_);
    QUORATE_CHECK(port_.next_time() > now_);
  }

  void send(uint8_t how) {
    const int64_t to = how < 24 ? 1 + how % 5 : input_.byte();
    wire::Notification notification;
    notification.round = ++round_;
    if (to != kSelf) port_.send(ServerId{to}, notification, now_);
  }

  void set_window(uint8_t how) {
    Connection* at = pick(how);
    if (at == nullptr) return;
    at->wire->window = input_.byte();
    if (at->wire->writable_wanted && !at->wire->server_gone) port_.on_writable(at->id, now_);
  }

  void turn(uint8_t how) {
    if (how < 8) port_.connect_all(now_);
    if (how >= 8 && how < 24) port_.set_looking(how < 16, now_);
    if (how >= 24) port_.set_configs(config(), nullptr);
  }

  void collect() {
    ElectionPortOutput out = port_.take();
    for (net::Dial& dial : out.dials) {
      QUORATE_CHECK(!dial.addresses.empty() && dial.addresses.size() <= kMostTries);
      const auto [at, first] = dials_.try_emplace(dial.sid, dial);
      // One at a time: the earlier has been given up.
      if (!first) QUORATE_CHECK(at->second.give_up_at <= now_);
      at->second = std::move(dial);
    }
    for (const net::ReachChange& change : out.reach) {
      QUORATE_CHECK(std::exchange(reach_[change.sid], change.reach) != change.reach);
    }
    std::erase_if(connections_, [](const Connection& connection) {
      check_said(connection);
      return connection.wire->server_gone;
    });
    QUORATE_CHECK(port_.links() == connections_.size());
    QUORATE_CHECK(port_.links() <= net::kMostHalfOpen + net::kMostStrangers + kMembers);
  }

  /// Whole messages behind a hello, where we dialed; the last one may still be leaving.
  static void check_said(const Connection& connection) {
    std::string_view said = connection.wire->to_client;
    wire::ElectionHello hello;
    wire::PacketCut cut;
    if (connection.dialed && !said.empty()) {
      cut = wire::cut_hello(said, hello);
      if (cut.cut == wire::Cut::Incomplete) return;
      QUORATE_CHECK(cut.cut == wire::Cut::Whole && hello.sid == ServerId{kSelf});
      said.remove_prefix(cut.bytes);
    }
    int64_t round = 0;
    std::string_view message;
    while ((cut = wire::cut_message(said, message)).cut == wire::Cut::Whole) {
      wire::Notification notification;
      QUORATE_CHECK(wire::decode_notification(message, notification) && notification.round > round);
      round = notification.round;
      said.remove_prefix(cut.bytes);
    }
    QUORATE_CHECK(cut.cut == wire::Cut::Incomplete);
  }

  void end() {
    port_.set_looking(false, now_);
    for (Connection& connection : connections_) {
      connection.wire->client_gone = true;
      if (!connection.wire->server_gone) port_.on_readable(connection.id, now_);
    }
    // What was dialed meanwhile is given up; a hello that was to be answered may be dialed once more.
    for (int i = 0; i < 2; ++i) pass(Millis{60'000});
    collect();
    QUORATE_CHECK(port_.links() == 0 && port_.next_time() == Millis{INT64_MAX});
    for (const auto& [sid, reach] : reach_) QUORATE_CHECK(reach != net::Reach::Open);
  }

  Input input_;
  ElectionPort port_ = make_port();
  Millis now_{1};
  int64_t round_ = 0;
  std::vector<Connection> connections_;
  std::map<ServerId, net::Dial> dials_;
  std::map<ServerId, net::Reach> reach_;
};

}  // namespace
}  // namespace quorate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate;
  constexpr size_t kMostBytes = 8192;  // what was said is checked anew after each step
  fuzz::Input input(data, std::min(size, kMostBytes));
  if (input.byte() % 2 == 1) {
    fuzz::World(input).run();
    return 0;
  }
  const std::string_view pieces = input.piece();
  const std::string whole = fuzz::outcome(input.rest(), "");
  QUORATE_CHECK(fuzz::outcome(input.rest(), pieces.empty() ? std::string_view("\0", 1) : pieces) == whole);
  return 0;
}
