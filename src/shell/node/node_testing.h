#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/replica/replica_testing.h"
#include "shell/node/node.h"
#include "shell/storage/fake_disk.h"

/// What the tests of this room share: a node over a disk in memory and streams in memory, in rounds as shell/server
/// runs them, with the log's and the background's work done when the test says so.
namespace quorate::node::testing {

using replica::testing::Bytes;
using replica::testing::connect_request;
using replica::testing::frames_in;
using replica::testing::path_watch;
using replica::testing::request;
using wire::Code;
using wire::Op;
namespace ask = replica::prepare_testing;

inline std::string framed(const std::string& bytes) { return Bytes().text(bytes); }

/// One connection as the client's side and the kernel between see it.
struct Wire {
  std::string to_server;
  std::string to_client;
  size_t piece = SIZE_MAX;   ///< Bytes that one receive gets at most.
  size_t window = SIZE_MAX;  ///< Bytes that can still be sent.
  bool hung_up = false;      ///< The client has ended its side.
  bool was_reset = false;
  bool closed = false;  ///< By the server; `client` is dead then.
  bool want_readable = true;
  bool want_writable = false;
  size_t receives = 0;
  Client* client = nullptr;
};

class MemoryStream final : public env::Stream {
 public:
  explicit MemoryStream(Wire& wire) : wire_(wire) {}
  ~MemoryStream() override { wire_.closed = true; }
  Result<size_t> receive(std::span<char> into) override {
    ++wire_.receives;
    const size_t count = std::min({into.size(), wire_.to_server.size(), wire_.piece});
    if (count == 0 && wire_.hung_up) return fail(Fault::Closed, "the client closed the connection");
    std::copy_n(wire_.to_server.data(), count, into.data());
    wire_.to_server.erase(0, count);
    return count;
  }
  Result<size_t> send(std::string_view bytes) override {
    const size_t count = std::min(bytes.size(), wire_.window);
    if (wire_.window != SIZE_MAX) wire_.window -= count;
    wire_.to_client += bytes.substr(0, count);
    return count;
  }
  void want_writable(bool wanted) override { wire_.want_writable = wanted; }
  void want_readable(bool wanted) override { wire_.want_readable = wanted; }
  void reset() override { wire_.was_reset = true; }

 private:
  Wire& wire_;
};

struct TestClock final : env::Clock {
  Now now() const override { return {Millis{ms}, 1795159393679 + ms}; }
  int64_t micros() const override { return ms * 1000 + extra_micros; }
  int64_t ms = 0;
  int64_t extra_micros = 0;
};

inline NodeSettings test_settings() {
  NodeSettings settings;
  settings.recovery.data_directory = settings.recovery.data_log_directory = "/data";
  settings.recovery.snapshot_directory = settings.recovery.log_directory = "/data/version-2";
  settings.log.directory = "/data/version-2";
  settings.log.preallocate_bytes = 0;
  settings.snapshot.snap_count = 0;
  settings.words.whitelist = {"ruok", "stmk", "gtmk", "srst", "stat", "dump"};
  return settings;
}

template <class Edit>
NodeSettings with(Edit&& edit) {
  NodeSettings settings = test_settings();
  edit(settings);
  return settings;
}

class Rig {
  std::deque<Wire> wires_;  // Outlive the node's streams.

 public:
  explicit Rig(NodeSettings settings = test_settings()) : settings_(std::move(settings)) { boot(); }

  /// Starts, or starts again after a crash: what was written is still there, all connections are gone.
  void boot() {
    node.reset();
    auto booted = Node::boot({disk, clock}, settings_, lines);
    ASSERT_TRUE(booted.has_value()) << booted.error().detail;
    node = std::move(*booted);
  }
  Wire& connect(const std::string& ip = "10.0.0.1") {
    Wire& wire = wires_.emplace_back();
    wire.client = node->accept(std::make_unique<MemoryStream>(wire), {ip, "/" + ip + ":5000", false});
    return wire;
  }
  /// With a session.
  Wire& join(int32_t timeout_ms = 10000) {
    Wire& wire = connect();
    send(wire, connect_request({.timeout_ms = timeout_ms}));
    run();
    EXPECT_EQ(wire.to_client.size(), 41U);
    wire.to_client.clear();
    return wire;
  }
  void send(Wire& wire, const std::string& bytes) { wire.to_server += framed(bytes); }
  void send(Wire& wire, int32_t xid, Op op, const std::string& body = "") { send(wire, request(xid, op, body)); }
  std::vector<replica::testing::Reply> replies(Wire& wire) {
    replica::testing::Peer peer;
    peer.received = std::exchange(wire.to_client, {});
    return peer.replies();
  }

  /// The loop's part of a round.
  void round() {
    node->set_now();
    for (Wire& wire : wires_) {
      const bool arrived = !wire.to_server.empty() || wire.hung_up;
      if (!wire.closed && wire.want_readable && arrived) node->on_readable(*wire.client);
      if (!wire.closed && wire.want_writable && wire.window > 0) node->on_writable(*wire.client);
    }
    if (node->now().monotonic >= node->next_tick()) node->on_tick();
    node->flush();
    for (LogLine& line : node->take_lines()) lines.push_back(std::move(line));
  }
  /// One piece of work on disk each. False: there was none.
  bool work() {
    const bool logged = node->begin_log();
    if (logged) {
      node->log().perform();
      node->on_log_done();
    }
    const bool moved = node->begin_background();
    if (moved) {
      node->background().perform();
      node->on_background_done();
    }
    return logged || moved || node->walking();
  }
  /// Until everything that can be done now is done.
  void run() {
    do {
      round();
    } while (work() || has_input());
    round();
  }
  void run_at(int64_t ms) {
    clock.ms = ms;
    run();
  }
  void must(Wire& wire, Op op, const std::string& body) {
    send(wire, 77, op, body);
    run();
    const auto all = replies(wire);
    ASSERT_FALSE(all.empty());
    EXPECT_EQ(all.back().code, Code::Ok);
  }

  bool said(std::string_view text) const {
    return std::ranges::any_of(lines, [text](const LogLine& line) { return line.text.contains(text); });
  }
  std::vector<std::string> files(std::string_view prefix) const {
    std::vector<std::string> names;
    for (const auto& [path, bytes] : disk.files) {
      const std::string name = path.substr(path.rfind('/') + 1);
      if (name.starts_with(prefix)) names.push_back(name);
    }
    return names;
  }
  tree::Tree& tree() { return node->replica().tree(); }

  storage::FakeDisk disk;
  TestClock clock;
  std::vector<LogLine> lines;
  std::unique_ptr<Node> node;

 private:
  bool has_input() const {
    return std::ranges::any_of(
        wires_, [](const Wire& wire) { return !wire.closed && wire.want_readable && !wire.to_server.empty(); });
  }

  NodeSettings settings_;
};

}  // namespace quorate::node::testing
