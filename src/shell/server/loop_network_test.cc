#include "shell/server/loop_network.h"

#include <gtest/gtest.h>

#include <optional>

#include "shell/io/loop_testing.h"

namespace quorate::server {
namespace {

using io::Dialer;
using io::EventLoop;
using io::rounds;
using io::until;

constexpr Millis kLong{10000};

/// A port that nobody has at this moment.
uint16_t free_port() {
  EventLoop loop;
  return loop.listen({.address = "127.0.0.1"}).value()->port();
}

env::PeerDial to(uint16_t port) { return {{{"127.0.0.1", port}}, false, kLong}; }

struct Answer {
  env::Network::Dialed done() {
    return [this](auto got) { result.emplace(std::move(got)); };
  }
  std::optional<std::expected<std::unique_ptr<env::PeerStream>, env::PeerDialFailure>> result;
};

/// A network that listens on loopback and keeps what comes.
struct Party {
  explicit Party(io::Lookup lookup = io::look_up_by_system) : loop(std::move(lookup)), network(loop, {}) {}
  Result<void> listen(const std::string& host, uint16_t port) {
    auto listening = network.listen({host, port}, [this](auto stream) { streams.push_back(std::move(stream)); });
    if (!listening) return std::unexpected(listening.error());
    listener = std::move(*listening);
    return {};
  }

  EventLoop loop;
  LoopNetwork network;
  std::unique_ptr<env::NetworkTask> listener;
  std::vector<std::unique_ptr<env::PeerStream>> streams;
};

std::string receive_all(env::PeerStream& stream) {
  char bytes[1024];
  std::string all;
  for (auto count = stream.receive(bytes); count && *count > 0; count = stream.receive(bytes))
    all.append(bytes, *count);
  return all;
}

TEST(LoopNetwork, TwoServersTalk) {
  Party party;
  const uint16_t port = free_port();
  ASSERT_TRUE(party.listen("127.0.0.1", port));
  Answer answer;
  const auto dial = party.network.dial(to(port), answer.done());
  EXPECT_FALSE(answer.result);  // never from within the call
  ASSERT_TRUE(until(party.loop, [&] { return answer.result && party.streams.size() == 1; }));
  ASSERT_TRUE(*answer.result);
  env::PeerStream& dialed = ***answer.result;
  env::PeerStream& accepted = *party.streams.front();
  EXPECT_EQ(dialed.peer_text(), "/127.0.0.1:" + std::to_string(port));
  EXPECT_TRUE(accepted.peer_text().starts_with("/127.0.0.1:"));

  std::string at_accepted, at_dialed;
  accepted.watch([&] { at_accepted += receive_all(accepted); }, [] {});
  dialed.watch([&] { at_dialed += receive_all(dialed); }, [] {});
  EXPECT_EQ(dialed.send("question").value(), 8U);
  ASSERT_TRUE(until(party.loop, [&] { return at_accepted == "question"; }));
  EXPECT_EQ(accepted.send("answer").value(), 6U);
  EXPECT_TRUE(until(party.loop, [&] { return at_dialed == "answer"; }));

  bool gone = false;
  dialed.watch([&] { gone = true, dialed.want_readable(false); }, [] {});
  party.streams.clear();
  ASSERT_TRUE(until(party.loop, [&] { return gone; }));
  char byte[1];
  EXPECT_EQ(dialed.receive(byte).error().fault, Fault::Closed);
}

TEST(LoopNetwork, NobodyListens) {
  Party party;
  Answer answer;
  const auto dial = party.network.dial(to(free_port()), answer.done());
  ASSERT_TRUE(until(party.loop, [&] { return answer.result.has_value(); }));
  ASSERT_FALSE(*answer.result);
  EXPECT_TRUE(answer.result->error().refused);
  EXPECT_TRUE(answer.result->error().detail.starts_with("127.0.0.1:")) << answer.result->error().detail;
}

TEST(LoopNetwork, ADialThatIsDroppedIsNotAnswered) {
  Party party;
  const uint16_t port = free_port();
  ASSERT_TRUE(party.listen("127.0.0.1", port));
  Answer answer;
  auto dial = party.network.dial(to(port), answer.done());
  dial.reset();
  rounds(party.loop);
  EXPECT_FALSE(answer.result);
}

TEST(LoopNetwork, AListenerGivesItsPortBack) {
  Party party;
  const uint16_t port = free_port();
  ASSERT_TRUE(party.listen("127.0.0.1", port));
  EXPECT_EQ(Party().listen("127.0.0.1", port).error().fault, Fault::Io);
  party.listener.reset();
  Dialer dialer;
  EXPECT_FALSE(dialer.dial(port));
  EXPECT_TRUE(party.listen("127.0.0.1", port));
}

// Whoever is asked for a name while serving would hold up all clients.
TEST(LoopNetwork, ListeningLooksUpNothing) {
  Party party([](const std::string&) -> Result<std::vector<std::string>> {
    ADD_FAILURE() << "looked up";
    return fail(Fault::Invalid, "");
  });
  const auto answer = [](const std::string& host) -> Result<std::vector<std::string>> {
    EXPECT_EQ(host, "me");
    return std::vector<std::string>{"192.0.2.1", "127.0.0.1"};  // the first is none of this machine's
  };
  party.network.prepare_listener("me", answer);
  const uint16_t port = free_port();
  ASSERT_TRUE(party.listen("me", port));
  Dialer dialer;
  EXPECT_TRUE(dialer.dial(port));
}

TEST(LoopNetwork, ANameWithoutAddressIsLookedUpAgain) {
  Party party(
      [](const std::string&) -> Result<std::vector<std::string>> { return std::vector<std::string>{"127.0.0.1"}; });
  party.network.prepare_listener(
      "late", [](const std::string&) -> Result<std::vector<std::string>> { return fail(Fault::Io, "no answer"); });
  const uint16_t port = free_port();
  const auto first = party.listen("late", port);
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().fault, Fault::Invalid);
  EXPECT_EQ(first.error().detail, "cannot resolve late: no address is known yet");
  EXPECT_TRUE(until(party.loop, [&] { return party.listen("late", port).has_value(); }));
}

}  // namespace
}  // namespace quorate::server
