#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shell/net/election_port.h"
#include "shell/net/stream_testing.h"

/// For tests of the election port: one port, and the other servers' ends of its connections.
namespace quorate::net {

inline wire::QuorumConfig config_of(std::string_view text) {
  auto config = wire::parse_quorum_config(text);
  EXPECT_TRUE(config) << text;
  return std::move(*config);
}

/// Voters 1 to `voters`, at h1:3801, h2:3802 and so on; the last of `observers` more are observers.
inline std::string ensemble(int voters, int observers = 0) {
  std::string text;
  for (int sid = 1; sid <= voters + observers; ++sid) {
    text += fmt::format("server.{0}=h{0}:{1}:{2}:{3}\n", sid, 2800 + sid, 3800 + sid,
                        sid <= voters ? "participant" : "observer");
  }
  return text + "version=0";
}

inline std::string hello_of(int64_t sid, std::vector<wire::HostPort> addresses) {
  ByteBuffer out;
  wire::append_hello(out, {ServerId{sid}, std::move(addresses)});
  return std::string(out.view());
}
inline std::string hello_of(int64_t sid) {
  return hello_of(sid, {{fmt::format("h{}", sid), int32_t(3800 + sid % 1000)}});
}

inline wire::Notification vote_for(int64_t leader, int64_t round = 1) {
  wire::Notification notification;
  notification.leader = leader;
  notification.round = round;
  notification.config = "";
  return notification;
}

/// As it stands on the wire.
inline std::string message_of(wire::Notification notification, std::string_view config) {
  notification.config = config;
  ByteBuffer out;
  wire::append_notification(out, notification);
  return std::string(out.view());
}

/// A connection as the other side holds it.
struct Far {
  ElectionLinkId id;
  std::shared_ptr<Line> line;
};

struct PortBench {
  explicit PortBench(int64_t self, std::string config = ensemble(3))
      : text(std::move(config)), port({.self = ServerId{self}, .own = {}}, config_of(text)) {}

  std::string text;
  ElectionPort port;
  Millis now{1000};
  ElectionPortOutput seen;  ///< All that it said so far.

  void collect() {
    ElectionPortOutput more = port.take();
    const auto move_all = [](auto& from, auto& to) {
      to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
    };
    move_all(more.dials, seen.dials);
    move_all(more.heard, seen.heard);
    move_all(more.reach, seen.reach);
    move_all(more.closed, seen.closed);
    move_all(more.lines, seen.lines);
  }
  std::shared_ptr<Line> line() { return std::make_shared<Line>(); }

  Far accept(std::string_view bytes, size_t piece = SIZE_MAX) {
    Far far{.id = {}, .line = line()};
    far.line->piece = piece;
    far.id = port.accepted(std::make_unique<LineStream>(far.line), "/10.0.0.9:4711", now);
    say(far, bytes);
    return far;
  }
  /// The dialer's answer to the last dial.
  Far dial_lands(size_t window = SIZE_MAX) {
    Far far{.id = {}, .line = line()};
    far.line->window = window;
    const auto id = port.dialed(last_dial().id, std::make_unique<LineStream>(far.line), now);
    if (id) far.id = *id;
    collect();
    return far;
  }
  void dial_fails(bool refused) {
    port.dial_failed(last_dial().id, refused, "connection refused", now);
    collect();
  }
  Dial last_dial() {
    collect();
    EXPECT_FALSE(seen.dials.empty());
    return seen.dials.empty() ? Dial{} : seen.dials.back();
  }
  /// Connected with `sid` in the direction that the tie break keeps.
  Far connect(int64_t sid, int64_t self) {
    if (sid > self) return accept(hello_of(sid));
    accept(hello_of(sid));
    return dial_lands();
  }

  void say(Far& far, std::string_view bytes) {
    far.line->incoming += bytes;
    while (far.line->readable()) port.on_readable(far.id, now);
    collect();
  }
  void hang_up(Far& far) {
    far.line->ended = true;
    say(far, "");
  }
  void open_window(Far& far, size_t bytes) {
    far.line->window = bytes;
    if (far.line->writable_wanted) port.on_writable(far.id, now);
    collect();
  }
  void send(int64_t to, const wire::Notification& notification) {
    port.send(ServerId{to}, notification, now);
    collect();
  }
  void pass(int64_t ms) {
    now = now + Millis{ms};
    port.on_time(now);
    collect();
  }

  std::string wire_of(const wire::Notification& notification) const { return message_of(notification, text); }
  std::string last_line() const { return seen.lines.empty() ? "" : seen.lines.back().text; }
  /// "1:Open 2:Refused"
  std::string reaches() const {
    static constexpr const char* kNames[] = {"Unknown", "Open", "Refused"};
    std::string all;
    for (const ReachChange& change : seen.reach) {
      all += fmt::format("{}{}:{}", all.empty() ? "" : " ", change.sid.value, kNames[static_cast<int>(change.reach)]);
    }
    return all;
  }
};

inline std::string read_golden(const std::string& name) {
  std::ifstream file(QUORATE_GOLDEN "/quorum/" + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace quorate::net
