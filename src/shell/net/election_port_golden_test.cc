#include "shell/net/election_port_testing.h"

// Goal: a port says to Apache's servers, byte for byte, what they said to each other, and hears what they heard.
// Method: recorded connections (e01 to e06). Each side is played by a port, once with the recorded bytes of the other.
namespace quorate::net {
namespace {

struct Recorded {
  const char* name;
  int64_t dialer;
  int64_t acceptor;
  bool v2 = false;
};

constexpr Recorded kRecorded[] = {
    {"e01-first-election-sid2-to-sid1", 2, 1}, {"e02-join-running-sid3-to-leader2", 3, 2},
    {"e03-observer-sid4-to-leader2", 4, 2},    {"e04-lost-challenge-sid1-to-sid2", 1, 2},
    {"e05-rejoin-sid2-to-follower1", 2, 1},    {"e06-v2-handshake-sid3-to-sid1", 3, 1, true},
};

struct Said {
  wire::Notification notification;
  std::string config;
};

std::vector<Said> messages_in(std::string_view bytes) {
  std::vector<Said> all;
  std::string_view message;
  while (!bytes.empty()) {
    const auto cut = wire::cut_message(bytes, message);
    Said said;
    if (cut.cut != wire::Cut::Whole || !wire::decode_notification(message, said.notification)) {
      ADD_FAILURE() << "not a message";
      break;
    }
    said.config = said.notification.config;
    all.push_back(std::move(said));
    bytes.remove_prefix(cut.bytes);
  }
  return all;
}

std::string hello_in(std::string_view stream) {
  wire::ElectionHello hello;
  const auto cut = wire::cut_hello(stream, hello);
  EXPECT_EQ(cut.cut, wire::Cut::Whole);
  return std::string(stream.substr(0, cut.bytes));
}

void expect_heard(const std::vector<Heard>& heard, const std::vector<Said>& said, int64_t from) {
  ASSERT_EQ(heard.size(), said.size());
  for (size_t i = 0; i < said.size(); ++i) {
    const wire::Notification& a = heard[i].notification;
    const wire::Notification& b = said[i].notification;
    EXPECT_EQ(heard[i].from, ServerId{from});
    EXPECT_EQ(std::tie(a.state, a.leader, a.zxid, a.round, a.peer_epoch, a.version),
              std::tie(b.state, b.leader, b.zxid, b.round, b.peer_epoch, b.version));
    EXPECT_EQ(heard[i].config, said[i].config);
  }
}

/// The server with all that the recorded one knew when it spoke first.
struct Player {
  Player(int64_t self, std::vector<Said> messages, bool v2, const std::string& spare_config)
      : said(std::move(messages)),
        first_config(said.empty() ? spare_config : said[0].config),
        port({.self = ServerId{self}, .own = {}, .several_addresses = v2}, config_of(first_config)) {}

  /// The rest of what the recorded one said, in its order.
  void say_all(int64_t to) {
    for (const Said& one : said) {
      port.set_configs(config_of(one.config), nullptr);
      port.send(ServerId{to}, one.notification, Millis{0});
    }
  }

  std::vector<Said> said;
  std::string first_config;
  ElectionPort port;
};

/// Apache prints crossed pairs when two addresses have one host (quorum 6.1), so that its text and its hello differ.
bool same_hello(const Recorded& recorded) { return !recorded.v2; }

TEST(ElectionPortGolden, DialsAsRecorded) {
  for (const Recorded& recorded : kRecorded) {
    SCOPED_TRACE(recorded.name);
    const std::string dialer = read_golden(std::string(recorded.name) + ".dialer.bin");
    const std::string acceptor = read_golden(std::string(recorded.name) + ".acceptor.bin");
    const std::string hello = hello_in(dialer);
    Player player(recorded.dialer, messages_in(std::string_view(dialer).substr(hello.size())), recorded.v2,
                  messages_in(read_golden("e01-first-election-sid2-to-sid1.dialer.bin").substr(35))[0].config);
    player.port.connect_all(Millis{0});
    auto line = std::make_shared<Line>();
    for (const Dial& dial : player.port.take().dials) {
      if (dial.sid != ServerId{recorded.acceptor}) continue;
      const auto id = player.port.dialed(dial.id, std::make_unique<LineStream>(line), Millis{0});
      EXPECT_EQ(id.has_value(), recorded.dialer > recorded.acceptor);
      player.say_all(recorded.acceptor);
      line->incoming = acceptor;
      line->piece = 1;
      while (line->readable()) player.port.on_readable(*id, Millis{0});
    }
    EXPECT_EQ(line->writes[0], hello.size());
    if (same_hello(recorded)) {
      EXPECT_EQ(line->outgoing, dialer);
    }
    EXPECT_EQ(line->outgoing.size(), dialer.size());
    EXPECT_EQ(line->outgoing.substr(hello.size()), dialer.substr(hello.size()));
    EXPECT_EQ(line->gone, recorded.dialer < recorded.acceptor);
    expect_heard(player.port.take().heard, messages_in(acceptor), recorded.acceptor);
  }
}

TEST(ElectionPortGolden, AcceptsAsRecorded) {
  for (const Recorded& recorded : kRecorded) {
    for (const size_t piece : {size_t{1}, size_t{37}, SIZE_MAX}) {
      SCOPED_TRACE(recorded.name);
      const std::string dialer = read_golden(std::string(recorded.name) + ".dialer.bin");
      const std::string acceptor = read_golden(std::string(recorded.name) + ".acceptor.bin");
      Player player(recorded.acceptor, messages_in(acceptor), recorded.v2,
                    messages_in(read_golden("e01-first-election-sid2-to-sid1.dialer.bin").substr(35))[0].config);
      auto line = std::make_shared<Line>();
      line->incoming = dialer;
      line->piece = piece;
      const auto id = player.port.accepted(std::make_unique<LineStream>(line), "/127.0.0.1:5", Millis{0});
      while (line->readable()) player.port.on_readable(id, Millis{0});
      player.say_all(recorded.dialer);
      EXPECT_EQ(line->outgoing, acceptor);
      ElectionPortOutput out = player.port.take();
      if (recorded.dialer > recorded.acceptor) {
        expect_heard(out.heard, messages_in(dialer.substr(hello_in(dialer).size())), recorded.dialer);
        EXPECT_FALSE(line->gone);
      } else {
        EXPECT_TRUE(line->gone);
        ASSERT_EQ(out.dials.size(), 1u);
        EXPECT_EQ(out.dials[0].addresses, (std::vector<wire::HostPort>{{"127.0.0.1", 25381}}));
      }
    }
  }
}

}  // namespace
}  // namespace quorate::net
