#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "shell/node/lan_testing.h"
#include "shell/node/node_testing.h"

/// An ensemble of nodes over a network, disks and a clock in memory, for tests of this room.
namespace quorate::node::testing {

class Servers {
 public:
  explicit Servers(int count, std::function<void(NodeSettings&)> edit = {}) : edit_(std::move(edit)) {
    for (int id = 1; id <= count; ++id) {
      config_ += "server." + std::to_string(id) + "=h" + std::to_string(id) + ":2888:3888\n";
      servers_[id];
    }
    for (auto& [id, server] : servers_) start(id);
  }
  ~Servers() {
    for (auto& [id, server] : servers_) server.node.reset();
  }

  struct Server {
    storage::FakeDisk disk;
    std::unique_ptr<Lan::Host> network;
    std::unique_ptr<Node> node;
    std::vector<std::string> lines;
    std::deque<Wire> wires;
  };
  Server& at(int id) { return servers_.at(id); }
  Node& node(int id) { return *at(id).node; }
  bool runs(int id) { return at(id).node != nullptr; }

  void start(int id) {
    const auto started = try_start(id);
    ASSERT_TRUE(started.has_value()) << started.error().detail;
  }
  Result<void> try_start(int id) {
    Server& server = at(id);
    NodeSettings settings = test_settings();
    settings.replica.tick = Millis{200};
    settings.replica.server_id = id;
    settings.ensemble.emplace();
    settings.ensemble->my_id = id;
    settings.ensemble->config = wire::parse_quorum_config(config_ + "version=0").value();
    settings.ensemble->init_limit = 10;
    settings.ensemble->sync_limit = 5;
    settings.words.whitelist = {"*"};
    if (edit_) edit_(settings);
    server.network = std::make_unique<Lan::Host>(lan, "h" + std::to_string(id));
    std::vector<LogLine> lines;
    auto booted = Node::boot({server.disk, clock, server.network.get()}, settings, lines);
    if (!booted) return std::unexpected(booted.error());
    server.node = std::move(*booted);
    return {};
  }
  /// Kill -9; what was written is still there.
  void stop(int id) {
    at(id).node.reset();
    at(id).wires.clear();
  }

  /// Everything that can happen at this time.
  void settle() {
    // What the last servers send is seen by the net in the next turn only.
    for (int round = 0, idle = 0; idle < 2; ++round) {
      ASSERT_LT(round, 100000) << "they do not come to rest";
      bool did = lan.turn();
      for (auto& [id, server] : servers_) did |= server.node && this->round(server);
      idle = did ? 0 : idle + 1;
    }
  }
  void advance(int64_t ms) {
    for (const int64_t end = clock.ms + ms; clock.ms < end; clock.ms += 10) settle();
    settle();
  }
  /// Until somebody leads and all that run serve. Nobody: 0.
  int lead(int64_t within_ms = 5000) {
    for (const int64_t end = clock.ms + within_ms; clock.ms < end; clock.ms += 10) {
      settle();
      if (all_serve()) return leader();
    }
    return 0;
  }
  bool all_serve() {
    return std::ranges::all_of(
        servers_, [](auto& entry) { return entry.second.node == nullptr || entry.second.node->member()->serving(); });
  }
  int leader() {
    for (auto& [id, server] : servers_) {
      if (server.node && server.node->member()->lead() != nullptr) return id;
    }
    return 0;
  }
  /// One that runs and follows.
  int follower() {
    for (auto& [id, server] : servers_) {
      if (server.node && server.node->member()->follow() != nullptr) return id;
    }
    return 0;
  }

  Wire& join(int id, int32_t timeout_ms = 20000) {
    Wire& wire = connect(id);
    send(wire, connect_request({.timeout_ms = timeout_ms}));
    settle();
    EXPECT_EQ(wire.to_client.size(), 41U);
    wire.to_client.clear();
    return wire;
  }
  Wire& connect(int id) {
    Wire& wire = at(id).wires.emplace_back();
    wire.client = node(id).accept(std::make_unique<MemoryStream>(wire), {"10.0.0.9", "/10.0.0.9:5000", false});
    return wire;
  }
  void send(Wire& wire, const std::string& bytes) { wire.to_server += framed(bytes); }
  void must(Wire& wire, Op op, const std::string& body) {
    send(wire, request(77, op, body));
    settle();
    const auto all = replies(wire);
    ASSERT_FALSE(all.empty());
    EXPECT_EQ(all.back().code, Code::Ok);
  }
  std::vector<replica::testing::Reply> replies(Wire& wire) {
    replica::testing::Peer peer;
    peer.received = std::exchange(wire.to_client, {});
    return peer.replies();
  }
  std::string word(int id, const std::string& word) {
    Wire& wire = connect(id);
    wire.to_server = word;
    settle();
    return wire.to_client;
  }
  bool said(int id, std::string_view text) {
    return std::ranges::any_of(at(id).lines, [text](const std::string& line) { return line.contains(text); });
  }
  bool has(int id, const std::string& path) { return node(id).replica().tree().find(path) != tree::kNoNode; }
  uint64_t digest(int id) { return node(id).replica().tree().digest(); }
  void expect_equal() {
    std::set<uint64_t> digests;
    for (auto& [id, server] : servers_) {
      if (server.node) digests.insert(digest(id));
    }
    EXPECT_EQ(digests.size(), 1U);
  }

  TestClock clock;
  Lan lan;

 private:
  bool round(Server& server) {
    Node& node = *server.node;
    node.set_now();
    bool did = false;
    for (Wire& wire : server.wires) {
      if (wire.closed || !wire.want_readable || (wire.to_server.empty() && !wire.hung_up)) continue;
      node.on_readable(*wire.client);
      did = true;
    }
    if (node.now().monotonic >= node.next_tick()) node.on_tick();
    node.flush();
    for (LogLine& line : node.take_lines()) server.lines.push_back(std::move(line.text));
    return work(node) || did;
  }
  bool work(Node& node) {
    bool did = node.walking();
    if (node.begin_log()) {
      node.log().perform();
      node.on_log_done();
      did = true;
    }
    if (node.begin_background()) {
      node.background().perform();
      node.on_background_done();
      did = true;
    }
    if (node.begin_history()) {
      node.history().perform();
      node.on_history_done();
      did = true;
    }
    return did;
  }

  std::function<void(NodeSettings&)> edit_;
  std::string config_;
  std::map<int, Server> servers_;
};

}  // namespace quorate::node::testing
