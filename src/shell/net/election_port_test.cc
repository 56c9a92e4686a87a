#include "shell/net/election_port.h"

#include "shell/net/election_port_testing.h"

// Goal: who comes in, who keeps the connection, and what ends one, row by row of quorum 1.1 to 1.3 and 1.5.
// Method: one port, and the bytes of the other servers in all kinds of pieces.
namespace quorate::net {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

TEST(ElectionPort, KeepsWhatAServerWithALargerIdDials) {
  PortBench bench(2);
  Far far = bench.accept(hello_of(3) + bench.wire_of(vote_for(3)));
  EXPECT_FALSE(far.line->gone);
  EXPECT_EQ(bench.reaches(), "3:Open");
  ASSERT_EQ(bench.seen.heard.size(), 1u);
  EXPECT_EQ(bench.seen.heard[0].from, ServerId{3});
  EXPECT_EQ(bench.seen.heard[0].notification.leader, 3);
  EXPECT_EQ(bench.seen.heard[0].config, bench.text);
  EXPECT_TRUE(wire::is_absent(bench.seen.heard[0].notification.config));
  EXPECT_EQ(far.line->outgoing, "");  // the acceptor says nothing about the hello
}

TEST(ElectionPort, ReplacesAnOlderConnectionOfTheSameServer) {
  PortBench bench(2);
  bench.send(3, vote_for(2));
  bench.dial_fails(true);
  Far old = bench.accept(hello_of(3));
  Far young = bench.accept(hello_of(3));
  EXPECT_TRUE(old.line->gone);
  EXPECT_FALSE(young.line->gone);
  EXPECT_EQ(bench.seen.closed, std::vector{old.id});
  EXPECT_EQ(young.line->outgoing, bench.wire_of(vote_for(2)));
  // To the election it was open all the time.
  EXPECT_EQ(bench.reaches(), "3:Refused 3:Open");
  bench.say(young, bench.wire_of(vote_for(3)));
  EXPECT_EQ(bench.seen.heard.size(), 1u);
}

TEST(ElectionPort, CallsASmallerIdBackWhereItSaysItIs) {
  PortBench bench(2);
  Far challenge = bench.accept(hello_of(1, {{"elsewhere", 77}}));
  EXPECT_TRUE(challenge.line->gone);
  const Dial dial = bench.last_dial();
  EXPECT_EQ(dial.sid, ServerId{1});
  EXPECT_EQ(dial.addresses, (std::vector<wire::HostPort>{{"elsewhere", 77}, {"h1", 3801}}));
  EXPECT_EQ(dial.give_up_at, bench.now + Millis{10000});
  EXPECT_EQ(bench.reaches(), "");
  Far kept = bench.dial_lands();
  EXPECT_EQ(kept.line->outgoing, hello_of(2));
  EXPECT_EQ(kept.line->writes.front(), hello_of(2).size());
  EXPECT_EQ(bench.reaches(), "1:Open");
}

TEST(ElectionPort, ASmallerIdEndsTheConnectionThatItHas) {
  PortBench bench(2);
  Far first = bench.connect(1, 2);
  bench.accept(hello_of(1));
  EXPECT_TRUE(first.line->gone);
  Far second = bench.dial_lands();
  EXPECT_FALSE(second.line->gone);
  EXPECT_EQ(bench.reaches(), "1:Open 1:Unknown 1:Open");
}

// One dial at a time: a challenge that comes during one is answered by it, or right after it.
TEST(ElectionPort, AChallengeDuringADialIsNotForgotten) {
  PortBench bench(2);
  bench.send(1, vote_for(2));
  ASSERT_EQ(bench.seen.dials.size(), 1u);
  bench.accept(hello_of(1, {{"moved", 5}}));
  EXPECT_EQ(bench.seen.dials.size(), 1u);
  bench.dial_fails(false);
  ASSERT_EQ(bench.seen.dials.size(), 2u);
  EXPECT_EQ(bench.last_dial().addresses.front(), (wire::HostPort{"moved", 5}));
  EXPECT_EQ(bench.dial_lands().line->outgoing, hello_of(2) + bench.wire_of(vote_for(2)));
}

TEST(ElectionPort, AsksALargerIdToCallBack) {
  PortBench bench(2);
  bench.send(3, vote_for(2));
  Far challenge = bench.dial_lands();
  EXPECT_TRUE(challenge.line->gone);
  EXPECT_EQ(challenge.line->outgoing, hello_of(2));
  EXPECT_EQ(challenge.line->writes.size(), 1u);
  EXPECT_EQ(bench.reaches(), "");
  EXPECT_TRUE(bench.port.undelivered());
  Far kept = bench.accept(hello_of(3));
  EXPECT_EQ(kept.line->outgoing, bench.wire_of(vote_for(2)));
  EXPECT_FALSE(bench.port.undelivered());
}

// The larger id has called while we dialed: our hello would end its connection.
TEST(ElectionPort, ADialThatCameTooLateSaysNothing) {
  PortBench bench(2);
  bench.send(3, vote_for(2));
  Far kept = bench.accept(hello_of(3));
  Far late = bench.dial_lands();
  EXPECT_TRUE(late.line->gone);
  EXPECT_EQ(late.line->outgoing, "");
  EXPECT_FALSE(kept.line->gone);
  EXPECT_EQ(bench.reaches(), "3:Open");
}

TEST(ElectionPort, AChallengeStillLeavingEndsWhenTheCallComes) {
  PortBench bench(2);
  bench.send(3, vote_for(2));
  Far challenge = bench.dial_lands(10);
  EXPECT_FALSE(challenge.line->gone);
  EXPECT_TRUE(challenge.line->writable_wanted);
  Far kept = bench.accept(hello_of(3));
  EXPECT_TRUE(challenge.line->gone);
  EXPECT_EQ(kept.line->outgoing, bench.wire_of(vote_for(2)));
}

TEST(ElectionPort, AHelloThatLeavesInPiecesIsFinished) {
  for (const int64_t peer : {1, 3}) {
    PortBench bench(2);
    bench.send(peer, vote_for(2));
    Far far = bench.dial_lands(10);
    bench.open_window(far, 3);
    bench.say(far, "");
    EXPECT_EQ(far.line->outgoing, hello_of(2).substr(0, 13));
    bench.open_window(far, SIZE_MAX);
    EXPECT_EQ(far.line->outgoing, hello_of(2) + (peer == 1 ? bench.wire_of(vote_for(2)) : ""));
    EXPECT_EQ(far.line->gone, peer == 3);
  }
}

TEST(ElectionPort, ClosesWhatCannotBeAnotherServer) {
  struct Case {
    const char* why;
    std::string bytes;
    const char* line;
  };
  const Case cases[] = {
      {"our own id", hello_of(2),
       "Closing the connection of /10.0.0.9:4711: it has our own id 2; either two servers have the same myid, or a "
       "configuration gives our address to another server"},
      {"anonymous observer", hello_of(INT64_MAX),
       "Closing the connection of /10.0.0.9:4711: 9223372036854775807 is the id of no server"},
      {"negative id", hello_of(-5), "Closing the connection of /10.0.0.9:4711: -5 is the id of no server"},
      {"unknown version", "\xff\xff\xff\xff\xff\xff\x00\x02"s,
       "Closing the connection of /10.0.0.9:4711: -65534 is no version of the election protocol"},
      {"SASL first", "\x5f\x24\x35\x01\x35\x01\xed\xcc"s,
       "Closing the connection of /10.0.0.9:4711: it begins SASL authentication, which is not available between "
       "servers here; set quorum.auth.learnerRequireSasl=false and quorum.auth.serverRequireSasl=false on all servers"},
      {"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01"s,
       "Closing the connection of /10.0.0.9:4711: it begins TLS, which is not available between servers here; set "
       "sslQuorum=false on all servers"},
      {"address too long", hello_of(3).substr(0, 16) + "\x00\x00\x08\x01"s,
       "Closing the connection of /10.0.0.9:4711: address length 2049 is not within 1 and 2048"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    PortBench bench(2);
    Far far = bench.accept(c.bytes);
    EXPECT_TRUE(far.line->gone);
    EXPECT_EQ(bench.last_line(), c.line);
    EXPECT_EQ(bench.seen.lines.size(), 1u);
    EXPECT_EQ(bench.reaches(), "");
    EXPECT_TRUE(bench.seen.dials.empty());
    EXPECT_EQ(bench.port.links(), 0u);
  }
}

TEST(ElectionPort, ClosesAnOpenConnectionForBytesThatAreNoMessages) {
  const std::pair<std::string, const char*> cases[] = {
      {"\x00\x08\x00\x01\x00\x00\x00\x00"s, "message length 524289 is not within 1 and 524288"},
      {"\x00\x00\x00\x00\x00\x00\x00\x00"s, "message length 0 is not within 1 and 524288"},
      {"GET / HTTP/1.1\r\n", "message length 1195725856 is not within 1 and 524288"},
  };
  for (const auto& [bytes, why] : cases) {
    PortBench bench(2);
    Far far = bench.accept(hello_of(3));
    bench.say(far, bytes);
    EXPECT_TRUE(far.line->gone);
    EXPECT_EQ(bench.last_line(), fmt::format("Closing the connection of server 3 at /10.0.0.9:4711: {}", why));
    EXPECT_EQ(bench.reaches(), "3:Open 3:Unknown");
  }
}

// Spec: quorum 1.7.
TEST(ElectionPort, RefusesSaslBehindAHello) {
  for (const size_t piece : {size_t{1}, SIZE_MAX}) {
    PortBench bench(2);
    Far far = bench.accept(hello_of(3) + "\x5f\x24\x35\x01\x35\x01\xed\xcc\x00"s, piece);
    EXPECT_TRUE(far.line->gone);
    EXPECT_EQ(bench.last_line(),
              "Closing the connection of server 3 at /10.0.0.9:4711: it begins SASL authentication, which is not "
              "available between servers here; set quorum.auth.learnerRequireSasl=false and "
              "quorum.auth.serverRequireSasl=false on all servers");
  }
  // A server that asks to be called is called: it may accept without.
  PortBench bench(2);
  bench.accept(hello_of(1) + "\x5f\x24\x35\x01\x35\x01\xed\xcc\x00"s);
  EXPECT_EQ(bench.seen.dials.size(), 1u);
}

// Rule 6. The connection lives on; a state that nobody knows is the election's to judge.
TEST(ElectionPort, SkipsMessagesThatCannotBeRead) {
  PortBench bench(2);
  Far far = bench.accept(hello_of(3));
  bench.say(far, "\x00\x00\x00\x01\x07"s);
  bench.say(far, "\x00\x00\x00\x24"s + std::string(36, '\x01'));
  wire::Notification strange = vote_for(3);
  strange.state = 7;
  bench.say(far, bench.wire_of(strange));
  ASSERT_EQ(bench.seen.heard.size(), 1u);
  EXPECT_EQ(bench.seen.heard[0].notification.state, 7);
  EXPECT_FALSE(far.line->gone);
}

TEST(ElectionPort, OldShapesHaveNoConfig) {
  PortBench bench(2);
  Far far = bench.accept("\x00\x00\x00\x00\x00\x00\x00\x03"s);  // the bare sid of before 3.5
  EXPECT_EQ(bench.reaches(), "3:Open");
  bench.say(far, "\x00\x00\x00\x1c"s + std::string(28, '\x00') + "\x00\x00\x00\x28"s + std::string(40, '\x01'));
  ASSERT_EQ(bench.seen.heard.size(), 2u);
  EXPECT_EQ(bench.seen.heard[0].config, std::nullopt);
  EXPECT_EQ(bench.seen.heard[1].config, std::nullopt);
}

TEST(ElectionPort, ABareIdIsCalledBackAsConfigured) {
  PortBench bench(2);
  bench.accept("\x00\x00\x00\x00\x00\x00\x00\x01"s);
  EXPECT_EQ(bench.last_dial().addresses, (std::vector<wire::HostPort>{{"h1", 3801}}));
}

// Rule 2. Hello and messages, byte by byte and in other pieces, give what they give in one.
TEST(ElectionPort, PiecesDoNotMatter) {
  const std::string messages = PortBench(2).wire_of(vote_for(3)) + PortBench(2).wire_of(vote_for(2, 9));
  const std::string hellos[] = {hello_of(3), hello_of(3, {{"a", 1}, {"::1", 2}}), "\0\0\0\0\0\0\0\3"s};
  for (const std::string& hello : hellos) {
    for (const size_t piece : {1, 2, 3, 7, 19, 20, 21, 64}) {
      PortBench bench(2);
      Far far = bench.accept(hello + messages, piece);
      EXPECT_FALSE(far.line->gone);
      ASSERT_EQ(bench.seen.heard.size(), 2u) << "pieces of " << piece;
      EXPECT_EQ(bench.seen.heard[1].notification.round, 9);
    }
  }
  for (const size_t piece : {1, 2, 5, 33}) {
    PortBench bench(2);
    EXPECT_TRUE(bench.accept(hello_of(1), piece).line->gone);
    EXPECT_EQ(bench.seen.dials.size(), 1u);
  }
}

TEST(ElectionPort, ALargeMessagePasses) {
  PortBench bench(2);
  const std::string config(wire::kMaxNotificationBytes - 44, 'x');
  Far far = bench.accept(hello_of(3) + message_of(vote_for(3), config) + bench.wire_of(vote_for(1)), 1000);
  ASSERT_EQ(bench.seen.heard.size(), 2u);
  EXPECT_EQ(bench.seen.heard[0].config, config);
  EXPECT_EQ(bench.seen.heard[1].notification.leader, 1);
}

TEST(ElectionPort, WhoDoesNotSayItsHelloInTimeIsClosed) {
  PortBench bench(2);
  Far silent = bench.accept("");
  bench.pass(5000);
  Far slow = bench.accept(hello_of(3).substr(0, 12));
  EXPECT_EQ(bench.port.next_time(), Millis{11000});
  bench.pass(4999);
  EXPECT_FALSE(silent.line->gone);
  bench.pass(1);
  EXPECT_TRUE(silent.line->gone);
  EXPECT_EQ(bench.last_line(), "Closing the connection of /10.0.0.9:4711: 0 bytes of its hello came in 10000 ms");
  bench.pass(5000);
  EXPECT_TRUE(slow.line->gone);
  EXPECT_EQ(bench.last_line(), "Closing the connection of /10.0.0.9:4711: 12 bytes of its hello came in 10000 ms");
  // Behind the hello silence is welcome.
  Far open = bench.accept(hello_of(3));
  bench.pass(1'000'000);
  EXPECT_FALSE(open.line->gone);
  EXPECT_EQ(bench.port.next_time(), Millis{INT64_MAX});
}

TEST(ElectionPort, WhoDoesNotTakeOurHelloIsClosed) {
  for (const int64_t peer : {1, 3}) {
    PortBench bench(2);
    bench.send(peer, vote_for(2));
    Far far = bench.dial_lands(10);
    bench.pass(9999);
    EXPECT_FALSE(far.line->gone);
    bench.pass(1);
    EXPECT_TRUE(far.line->gone);
    EXPECT_EQ(bench.last_line(),
              fmt::format("Connection broken with server {}: it did not take our hello in 10000 ms", peer));
  }
}

TEST(ElectionPort, HalfOpenConnectionsAreBounded) {
  PortBench bench(2);
  std::vector<Far> silent;
  for (size_t i = 0; i < 3 * kMostHalfOpen; ++i) silent.push_back(bench.accept("\xff"s));
  EXPECT_EQ(bench.port.links(), kMostHalfOpen);
  EXPECT_EQ(bench.seen.lines.size(), 1u);  // not one for each
  EXPECT_EQ(bench.last_line(),
            "Closing the connection of /10.0.0.9:4711: 128 connections have not said who they are, and this is the "
            "oldest");
  EXPECT_TRUE(silent[2 * kMostHalfOpen - 1].line->gone);
  EXPECT_FALSE(silent[2 * kMostHalfOpen].line->gone);
  Far server = bench.accept(hello_of(3));
  EXPECT_EQ(bench.reaches(), "3:Open");
  EXPECT_FALSE(server.line->gone);
  bench.pass(10000);
  EXPECT_EQ(bench.port.links(), 1u);
}

TEST(ElectionPort, WhoHasLeftOrSpokenIsNotHalfOpen) {
  PortBench bench(2);
  for (size_t i = 0; i < 2 * kMostHalfOpen; ++i) {
    Far gone = bench.accept("\xff"s);
    bench.hang_up(gone);
    bench.accept(hello_of(3));
  }
  Far silent = bench.accept("");
  for (size_t i = 1; i < kMostHalfOpen; ++i) bench.accept("");
  EXPECT_FALSE(silent.line->gone);
  bench.accept("");
  EXPECT_TRUE(silent.line->gone);
}

TEST(ElectionPort, StrangersAreBounded) {
  PortBench bench(2);
  std::vector<Far> strangers;
  for (size_t i = 0; i < kMostStrangers; ++i)
    strangers.push_back(bench.accept(hello_of(100 + static_cast<int64_t>(i))));
  EXPECT_EQ(bench.port.links(), kMostStrangers);
  Far refused = bench.accept(hello_of(500));
  EXPECT_TRUE(refused.line->gone);
  EXPECT_EQ(bench.last_line(),
            "Closing the connection of /10.0.0.9:4711: it is server 500, and 64 servers that are in no configuration "
            "are connected already");
  // Members do not count, and who has left gives way.
  EXPECT_FALSE(bench.accept(hello_of(3)).line->gone);
  bench.hang_up(strangers[7]);
  EXPECT_FALSE(bench.accept(hello_of(500)).line->gone);
}

TEST(ElectionPort, AStrangerIsHeardAndAnswered) {
  PortBench bench(5, ensemble(5));
  Far larger = bench.accept(hello_of(9) + bench.wire_of(vote_for(9)));
  EXPECT_EQ(bench.seen.heard.size(), 1u);
  EXPECT_EQ(bench.last_line(), "Connected with server 9 at /10.0.0.9:4711, which no configuration names");
  bench.send(9, vote_for(5));
  EXPECT_EQ(larger.line->outgoing, bench.wire_of(vote_for(5)));
  EXPECT_FALSE(bench.port.undelivered());  // only voters count

  PortBench other(9, ensemble(3) + "\nserver.9=h9:2809:3809:participant");
  other.accept(hello_of(7, {{"joiner", 1}}));
  EXPECT_EQ(other.last_dial().addresses, (std::vector<wire::HostPort>{{"joiner", 1}}));
  Far called = other.dial_lands();
  EXPECT_EQ(called.line->outgoing, hello_of(9));
  other.accept("\0\0\0\0\0\0\0\6"s);
  EXPECT_EQ(other.last_line(), "Cannot call server 6 back: no configuration names it, and its hello has no address");
  other.send(55, vote_for(9));
  EXPECT_EQ(other.last_line(),
            "There is nothing to send to server 55: it is in no configuration and has no connection");
}

TEST(ElectionPort, TriesOnlyAFewAddressesOfAHello) {
  PortBench bench(2);
  std::vector<wire::HostPort> many;
  for (int i = 0; i < 50; ++i) many.push_back({"x", 100 + i});
  bench.accept(hello_of(1, many));
  EXPECT_EQ(bench.last_dial().addresses.size(), 5u);
  EXPECT_EQ(bench.last_dial().addresses.back(), (wire::HostPort{"h1", 3801}));
}

TEST(ElectionPort, NamesItselfAsTheConfigurationDoes) {
  const std::string text = "server.1=a:1:11|b:2:12:participant\nserver.2=[::1]:3:13|c:4:14:participant\nversion=0";
  const wire::QuorumConfig config = config_of(text);
  struct Case {
    const char* why;
    ElectionPortSettings settings;
    std::string hello;
  };
  const Case cases[] = {
      {"one address, V1", {.self = ServerId{2}, .own = {}}, hello_of(2, {{"::1", 13}})},
      {"all of them, V2",
       {.self = ServerId{2}, .own = {}, .several_addresses = true},
       hello_of(2, {{"::1", 13}, {"c", 14}})},
      {"a joiner", {.self = ServerId{9}, .own = {{"me", 99}}}, hello_of(9, {{"me", 99}})},
      {"a joiner that does not know", {.self = ServerId{9}, .own = {}}, hello_of(9, {{"0.0.0.0", 0}})},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    ElectionPort port(c.settings, config);
    port.send(ServerId{1}, vote_for(2), Millis{0});
    const auto dials = port.take().dials;
    ASSERT_EQ(dials.size(), 1u);
    EXPECT_EQ(dials[0].addresses, (std::vector<wire::HostPort>{{"a", 11}, {"b", 12}}));
    auto line = std::make_shared<Line>();
    port.dialed(dials[0].id, std::make_unique<LineStream>(line), Millis{0});
    EXPECT_EQ(line->outgoing.substr(0, c.hello.size()), c.hello);
    EXPECT_EQ(line->writes[0], c.hello.size());
  }
}

TEST(ElectionPort, DialsByBothConfigurationsAndSendsTheCommitted) {
  PortBench bench(3);
  const std::string committed = "server.1=old:1:11:participant\nserver.3=h3:2803:3803:participant\nversion=1";
  const std::string proposed =
      "server.1=new:1:12:participant\nserver.2=two:1:13:participant\nserver.3=h3:2803:3803:participant\nversion=2";
  const auto last_seen = config_of(proposed);
  bench.port.set_configs(config_of(committed), &last_seen);
  bench.send(1, vote_for(3));
  EXPECT_EQ(bench.last_dial().addresses, (std::vector<wire::HostPort>{{"old", 11}, {"new", 12}}));
  EXPECT_EQ(bench.dial_lands().line->outgoing, hello_of(3) + message_of(vote_for(3), committed));
  bench.send(2, vote_for(3));
  EXPECT_EQ(bench.last_dial().addresses, (std::vector<wire::HostPort>{{"two", 13}}));
  EXPECT_TRUE(bench.port.undelivered());
  bench.dial_fails(true);
  // Out of both, it is forgotten.
  bench.port.set_configs(config_of(committed), nullptr);
  EXPECT_FALSE(bench.port.undelivered());
  bench.send(2, vote_for(3));
  EXPECT_EQ(bench.last_line(), "There is nothing to send to server 2: it is in no configuration and has no connection");
}

}  // namespace
}  // namespace quorate::net
