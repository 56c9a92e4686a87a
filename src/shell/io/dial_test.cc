#include "shell/io/dial.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "shell/io/loop_testing.h"

namespace quorate::io {
namespace {

constexpr Millis kLong{10000};
using Addresses = std::vector<std::string>;

/// A port that is taken, so that nobody else gets it, but on which nobody listens.
class Silent {
 public:
  explicit Silent(in_addr_t address = INADDR_LOOPBACK) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(address);
    EXPECT_EQ(::bind(socket_.number(), reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
  }
  uint16_t port() const { return socket_.port(); }

 protected:
  Dialer socket_;
};

/// A listener whose backlog is full: the kernel drops whoever else comes, who hears nothing.
class Full : public Silent {
 public:
  Full() {
    EXPECT_EQ(::listen(socket_.number(), 0), 0);
    EXPECT_TRUE(first_.dial(port()));
  }

 private:
  Dialer first_;
};

/// A lookup that is answered when the test says so. Its threads may outlive the test.
class Answers {
 public:
  Lookup lookup() {
    return [shared = shared_](const std::string& host) -> Result<Addresses> {
      std::unique_lock lock(shared->mutex);
      ++shared->asked;
      shared->changed.notify_all();
      shared->changed.wait(lock, [&] { return shared->open; });
      if (host == "nobody") return fail(Fault::Invalid, "cannot resolve nobody: it is a test");
      return shared->addresses;
    };
  }
  void give(Addresses addresses) {
    const std::lock_guard lock(shared_->mutex);
    shared_->addresses = std::move(addresses);
    shared_->open = true;
    shared_->changed.notify_all();
  }
  void await_question() {
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait(lock, [&] { return shared_->asked > 0; });
  }
  int asked() {
    const std::lock_guard lock(shared_->mutex);
    return shared_->asked;
  }

 private:
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    bool open = false;
    int asked = 0;
    Addresses addresses;
  };
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

/// A dial, what it gave, and how often.
struct Call {
  void start(EventLoop& loop, DialRequest request) {
    task = loop.dial(std::move(request), [this, shared = kept](DialResult given) {
      ++calls;
      result = std::move(given);
    });
    EXPECT_EQ(calls, 0);
  }
  /// "connected", or the kind of failure.
  std::string outcome(EventLoop& loop, DialRequest request) {
    start(loop, std::move(request));
    EXPECT_TRUE(until(loop, [&] { return calls > 0; }));
    rounds(loop);
    EXPECT_EQ(calls, 1);
    if (result && *result) return "connected";
    if (!result) return "none";
    const char* const names[] = {"refused", "failed", "deadline"};
    return names[static_cast<int>(result->error().fault)];
  }
  const std::string& detail() const { return result->error().detail; }

  std::unique_ptr<Task> task;
  std::optional<DialResult> result;
  int calls = 0;
  std::shared_ptr<int> kept = std::make_shared<int>();  ///< Shared with the callback for as long as that is kept.
};

TEST(Dial, BytesGoBothWays) {
  Listening server;
  Call call;
  ASSERT_EQ(call.outcome(server.loop, {.addresses = {{"127.0.0.1", server.port}}, .deadline = kLong}), "connected");
  ASSERT_TRUE(until(server.loop, [&] { return server.streams.size() == 1; }));
  TcpStream& ours = **call.result.value();
  TcpStream& theirs = *server.streams[0];
  EXPECT_EQ(ours.peer_name().text, fmt::format("/127.0.0.1:{}", server.port));
  EXPECT_EQ(ours.peer_name().ip, "127.0.0.1");
  EXPECT_EQ(ours.local_name().text, theirs.peer_name().text);
  EXPECT_EQ(theirs.local_name().text, ours.peer_name().text);
  std::string got, answer;
  theirs.watch([&] { got += receive_all(theirs); }, [] {});
  ours.watch([&] { answer += receive_all(ours); }, [] {});
  EXPECT_EQ(ours.send("hello"), 5U);
  EXPECT_EQ(theirs.send("welcome"), 7U);
  EXPECT_TRUE(until(server.loop, [&] { return got == "hello" && answer == "welcome"; }));
  ours.reset();
  EXPECT_EQ(ours.local_name().text, "");
  EXPECT_EQ(ours.peer_name().text, theirs.local_name().text);
}

TEST(Dial, Ipv6) {
  Listening server;
  Call call;
  const std::string outcome = call.outcome(server.loop, {.addresses = {{"::1", server.port}}, .deadline = kLong});
  if (!has_ipv6_loopback()) {
    EXPECT_EQ(outcome, "failed");  // whether anybody listens there cannot be known
    return;
  }
  ASSERT_EQ(outcome, "connected");
  EXPECT_EQ((**call.result)->peer_name().text, fmt::format("/[0:0:0:0:0:0:0:1]:{}", server.port));
}

TEST(Dial, NamesOfThisMachine) {
  Listening server;
  for (const bool parallel : {false, true}) {
    Call call, silent;
    EXPECT_EQ(call.outcome(
                  server.loop,
                  {.addresses = {{"localhost", server.port}}, .parallel = parallel, .deadline = kLong, .socket = {}}),
              "connected");
    const Silent nobody(INADDR_ANY);
    EXPECT_EQ(silent.outcome(
                  server.loop,
                  {.addresses = {{"localhost", nobody.port()}}, .parallel = parallel, .deadline = kLong, .socket = {}}),
              "refused");
    EXPECT_TRUE(silent.detail().find(fmt::format("localhost/127.0.0.1:{}: Connection refused", nobody.port())) !=
                std::string::npos)
        << silent.detail();
  }
}

// 224.0.0.1 and ff0e::1 are groups: the kernel has no way to connect to them.
TEST(Dial, OutcomesOfSeveralAddresses) {
  struct Case {
    const char* why;
    Addresses addresses;
    const char* outcome;
  };
  const Case cases[] = {
      {"one that listens", {"127.0.0.1"}, "connected"},
      {"the second listens", {"127.0.0.2", "127.0.0.1"}, "connected"},
      {"the last listens", {"127.0.0.2", "ff0e::1", "224.0.0.1", "127.0.0.1"}, "connected"},
      {"nobody listens", {"127.0.0.2"}, "refused"},
      {"nobody listens on either", {"127.0.0.2", "127.0.0.3"}, "refused"},
      {"one cannot be asked", {"127.0.0.2", "224.0.0.1"}, "failed"},
      {"one cannot be asked, the other way round", {"224.0.0.1", "127.0.0.2"}, "failed"},
      {"no way to the other family", {"127.0.0.2", "ff0e::1"}, "refused"},
      {"no way to either family", {"224.0.0.1", "ff0e::1"}, "failed"},
      {"no way to the only family", {"ff0e::1"}, "failed"},
      {"what is no address", {"nonsense"}, "failed"},
      {"a name without addresses", {}, "failed"},
  };
  for (const Case& c : cases) {
    for (const bool parallel : {false, true}) {
      SCOPED_TRACE(fmt::format("{}, {}", c.why, parallel ? "in parallel" : "in order"));
      Answers names;
      Listening server({.address = "127.0.0.1"}, names.lookup());
      names.give(c.addresses);
      Call call;
      EXPECT_EQ(call.outcome(server.loop, {{{"peer", server.port}}, parallel, kLong, {}}), c.outcome);
    }
  }
}

// The same where the addresses are given one by one: then each counts, whatever its family.
TEST(Dial, EachAddressThatIsGivenCounts) {
  Answers names;
  Listening server({.address = "127.0.0.1"}, names.lookup());
  names.give({"127.0.0.1"});
  const uint16_t port = server.port;
  struct Case {
    const char* why;
    std::vector<HostPort> addresses;
    const char* outcome;
  };
  const Case cases[] = {
      {"refused and no such name", {{"127.0.0.2", port}, {"nobody", port}}, "failed"},
      {"refused and no way", {{"127.0.0.2", port}, {"ff0e::1", port}}, "failed"},
      {"refused twice", {{"127.0.0.2", port}, {"127.0.0.3", port}}, "refused"},
      {"no such name, then one that listens", {{"nobody", port}, {"peer", port}}, "connected"},
      {"nothing", {}, "failed"},
  };
  for (const Case& c : cases) {
    for (const bool parallel : {false, true}) {
      SCOPED_TRACE(c.why);
      Call call;
      EXPECT_EQ(call.outcome(server.loop, {c.addresses, parallel, kLong, {}}), c.outcome);
    }
  }
}

TEST(Dial, ANameThatDoesNotResolve) {
  EventLoop loop;
  Call call;
  EXPECT_EQ(call.outcome(loop, {.addresses = {{"no such host", 1}}, .deadline = kLong}), "failed");
  EXPECT_TRUE(call.detail().starts_with("no such host:1: cannot resolve no such host: ")) << call.detail();
}

TEST(Dial, Deadline) {
  Full full;
  EventLoop loop;
  for (const bool parallel : {false, true}) {
    Call call;
    EXPECT_EQ(call.outcome(loop, {{{"127.0.0.1", full.port()}}, parallel, Millis{30}, {}}), "deadline");
    EXPECT_EQ(call.detail(), fmt::format("not within 30 ms: 127.0.0.1:{}: no answer", full.port()));
  }
}

// One refused, of the other nothing is known: that is no refusal.
TEST(Dial, DeadlineAfterARefusal) {
  Full full;
  const Silent silent;
  EventLoop loop;
  Call call;
  const DialRequest request{{{"127.0.0.1", silent.port()}, {"127.0.0.1", full.port()}}, false, Millis{30}, {}};
  EXPECT_EQ(call.outcome(loop, request), "deadline");
  EXPECT_EQ(call.detail(), fmt::format("not within 30 ms: 127.0.0.1:{}: Connection refused; 127.0.0.1:{}: no answer",
                                       silent.port(), full.port()));
}

TEST(Dial, DeadlineOfALookup) {
  Answers never;
  EventLoop loop(never.lookup());
  Call call;
  EXPECT_EQ(call.outcome(loop, {{{"peer", 1}}, false, Millis{30}, {}}), "deadline");
  EXPECT_EQ(call.detail(), "not within 30 ms: peer:1: no answer");
}

TEST(Dial, OneThatDoesNotAnswerHoldsUpNobody) {
  Full full;
  Answers never;
  Listening server({}, never.lookup());
  for (const bool parallel : {false, true}) {
    for (const HostPort& mute : {HostPort{"127.0.0.1", full.port()}, HostPort{"peer", server.port}}) {
      // So many that the first one's share of the time is short.
      DialRequest request{{mute}, parallel, kLong, {}};
      request.addresses.resize(100, {"127.0.0.1", server.port});
      Call call;
      EXPECT_EQ(call.outcome(server.loop, request), "connected");
    }
  }
}

// Names are asked for anew with every dial; while one is under way there is no second.
TEST(Dial, LookupsAreSharedWhileUnderWay) {
  Answers names;
  Listening server({.address = "127.0.0.1"}, names.lookup());
  const DialRequest request{{{"peer", server.port}}, false, kLong, {}};
  Call first, second, third;
  first.start(server.loop, request);
  second.start(server.loop, request);
  rounds(server.loop);
  names.give({"127.0.0.1"});
  EXPECT_TRUE(until(server.loop, [&] { return first.calls == 1 && second.calls == 1; }));
  EXPECT_EQ(names.asked(), 1);
  names.give({"127.0.0.2"});
  EXPECT_EQ(third.outcome(server.loop, request), "refused");
  EXPECT_EQ(names.asked(), 2);
}

enum class Stage { Asked, LookingUp, Connecting, Connected, InItsCall, Over };

/// Brings a dial to the stage. `mute` does not answer, `port` listens.
void bring(Stage stage, Call& call, Listening& server, uint16_t mute) {
  const bool name = stage == Stage::LookingUp;
  const uint16_t port = stage == Stage::Connecting ? mute : server.port;
  const DialRequest request{{{name ? "peer" : "127.0.0.1", port}, {"127.0.0.1", mute}}, true, kLong, {}};
  if (stage == Stage::InItsCall) {
    call.task = server.loop.dial(request, [&call](const DialResult&) { call.task.reset(), ++call.calls; });
    EXPECT_TRUE(until(server.loop, [&] { return call.calls == 1; }));
    return;
  }
  if (stage == Stage::Connected) {
    // Both connect in one round, and the first one's call cancels the second, whose own is due next.
    bool cancelled = false;
    const auto first = server.loop.dial(request, [&](const DialResult&) { call.task.reset(), cancelled = true; });
    call.start(server.loop, request);
    EXPECT_TRUE(until(server.loop, [&] { return cancelled; }));
    return;
  }
  call.start(server.loop, request);
  if (stage == Stage::LookingUp || stage == Stage::Connecting) rounds(server.loop);
  if (stage == Stage::Over) {
    EXPECT_TRUE(until(server.loop, [&] { return call.calls == 1; }));
  }
}

constexpr Stage kStages[] = {Stage::Asked,     Stage::LookingUp, Stage::Connecting,
                             Stage::Connected, Stage::InItsCall, Stage::Over};

TEST(Dial, CancelledAtEveryStage) {
  for (const Stage stage : kStages) {
    SCOPED_TRACE(static_cast<int>(stage));
    Full full;
    Answers names;
    Listening server({.address = "127.0.0.1"}, names.lookup());
    Call call, next;
    bring(stage, call, server, full.port());
    const int calls = call.calls;
    call.task.reset();
    EXPECT_EQ(call.kept.use_count(), 1);  // what the callback held is free at once
    names.give({"127.0.0.1"});
    EXPECT_EQ(next.outcome(server.loop, {{{"peer", server.port}}, false, kLong, {}}), "connected");
    EXPECT_EQ(call.calls, calls);
  }
}

// The task first, or the loop first.
TEST(Dial, TheLoopEndsAtEveryStage) {
  for (const Stage stage : kStages) {
    for (const bool task_first : {true, false}) {
      SCOPED_TRACE(static_cast<int>(stage));
      Full full;
      Answers names;
      auto server = std::make_unique<Listening>(ListenSettings{.address = "127.0.0.1"}, names.lookup());
      Call call;
      bring(stage, call, *server, full.port());
      const int calls = call.calls;
      if (task_first) call.task.reset();
      server.reset();
      names.give({"127.0.0.1"});
      call.task.reset();
      EXPECT_EQ(call.kept.use_count(), 1);
      EXPECT_EQ(call.calls, calls);
    }
  }
}

TEST(Dial, TheLoopsEndWaitsForNoLookup) {
  Answers never;
  Call call;
  {
    EventLoop loop(never.lookup());
    call.start(loop, {{{"peer", 1}}, false, kLong, {}});
    loop.run(kLong);
    never.await_question();
  }
  EXPECT_EQ(call.calls, 0);
  never.give({"127.0.0.1"});  // nobody hears it
}

/// The descriptor of a connection, found by its port on our side.
int descriptor_of(const TcpStream& stream) {
  for (int number = 3; number < 1024; ++number) {
    sockaddr_in own{};
    socklen_t size = sizeof own;
    if (::getsockname(number, reinterpret_cast<sockaddr*>(&own), &size) != 0 || own.sin_family != AF_INET) continue;
    const sockaddr_in local = own;
    size = sizeof own;
    if (::getpeername(number, reinterpret_cast<sockaddr*>(&own), &size) != 0) continue;
    const bool same = stream.local_name().text == fmt::format("/127.0.0.1:{}", ntohs(local.sin_port)) &&
                      stream.peer_name().text == fmt::format("/127.0.0.1:{}", ntohs(own.sin_port));
    if (same) return number;
  }
  return -1;
}

struct Options {
  int no_delay = 0, keep_alive = 0, user_timeout = 0;
  friend bool operator==(const Options&, const Options&) = default;
};

Options options_of(const TcpStream& stream) {
  const int number = descriptor_of(stream);
  const auto read = [number](int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    EXPECT_EQ(::getsockopt(number, level, name, &value, &size), 0);
    return value;
  };
  EXPECT_NE(::fcntl(number, F_GETFL) & O_NONBLOCK, 0);
  return {read(IPPROTO_TCP, TCP_NODELAY), read(SOL_SOCKET, SO_KEEPALIVE), read(IPPROTO_TCP, TCP_USER_TIMEOUT)};
}

TEST(Dial, SocketSettings) {
  const SocketSettings settings[] = {{}, {.keep_alive = true}, {.user_timeout = Millis{4000}}};
  const Options expected[] = {{1, 0, 0}, {1, 1, 0}, {1, 0, 4000}};
  for (int i = 0; i < 3; ++i) {
    Listening server({.address = "127.0.0.1", .accepted = settings[i]});
    Call call;
    ASSERT_EQ(call.outcome(server.loop, {{{"127.0.0.1", server.port}}, false, kLong, settings[i]}), "connected");
    ASSERT_TRUE(until(server.loop, [&] { return server.streams.size() == 1; }));
    TcpStream& dialed = **call.result.value();
    EXPECT_EQ(options_of(dialed), expected[i]);
    EXPECT_EQ(options_of(*server.streams[0]), expected[i]);
    dialed.set_user_timeout(Millis{9000});
    EXPECT_EQ(options_of(dialed).user_timeout, 9000);
  }
}

struct Heard {
  EventLoop::Found hear() {
    return [this](Result<Addresses> given) { ++calls, result = std::move(given); };
  }
  std::optional<Result<Addresses>> result;
  int calls = 0;
};

TEST(LookUp, OutcomesAndCancel) {
  Answers names;
  EventLoop loop(names.lookup());
  Heard late, cancelled, nobody, found;
  const auto first = loop.look_up("peer", Millis{10}, late.hear());
  auto second = loop.look_up("peer", kLong, cancelled.hear());
  EXPECT_TRUE(until(loop, [&] { return late.calls == 1; }));
  EXPECT_EQ(late.result->error().fault, Fault::Io);
  EXPECT_EQ(late.result->error().detail, "cannot resolve peer: no answer within 10 ms");
  second.reset();
  names.give({"127.0.0.1", "::1"});
  const auto third = loop.look_up("nobody", kLong, nobody.hear());
  const auto fourth = loop.look_up("peer", kLong, found.hear());
  EXPECT_EQ(nobody.calls + found.calls, 0);
  EXPECT_TRUE(until(loop, [&] { return nobody.calls == 1 && found.calls == 1; }));
  EXPECT_EQ(nobody.result->error().fault, Fault::Invalid);
  EXPECT_EQ(found.result->value(), (Addresses{"127.0.0.1", "::1"}));
  rounds(loop);
  EXPECT_EQ(late.calls + cancelled.calls + nobody.calls + found.calls, 3);
}

TEST(LookUp, BySystem) {
  EXPECT_EQ(look_up_by_system("127.0.0.1").value(), Addresses{"127.0.0.1"});
  EXPECT_EQ(look_up_by_system("localhost").value().front(), "127.0.0.1");
  EXPECT_EQ(look_up_by_system("no such host").error().fault, Fault::Invalid);
}

}  // namespace
}  // namespace quorate::io
