#pragma once
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "shell/admin/server_view.h"

/// A server made of the real tables, in the states that the answers under tests/golden/words were captured in.
namespace quorate::admin {

inline std::string golden(const std::string& name) {
  std::ifstream file(std::string(QUORATE_GOLDEN) + "/words/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Of the captured server: what its clock on the wall was ahead of its monotonic one.
constexpr int64_t kWallAhead = 1795165965780;
constexpr SessionId kC{0x10000201c880000};
constexpr SessionId kD{0x10000201c880001};

class FakeServer {
 public:
  FakeServer() {
    conf.client_port = 59297;
    conf.tick_ms = 2000;
    conf.timeouts = {4000, 40000};
    conf.data_directory = conf.log_directory = "/data/version-2";
    rules.whitelist = {"*"};
    set_time(2142640);
  }

  void set_time(int64_t monotonic) { now = {Millis{monotonic}, monotonic + kWallAhead}; }

  replica::Connection& connect(uint64_t id, const std::string& address, SessionId session = {}) {
    connections.push_back(std::make_unique<replica::Connection>());
    replica::Connection& connection = *connections.back();
    connection.id = {id};
    connection.remote_text = address;
    connection.session = session;
    connection.phase = session.value == 0 ? replica::Phase::New : replica::Phase::Live;
    connection.stats.received = 1;
    connection.stats.established_wall_ms = now.wall_ms;
    return connection;
  }

  ServerView view() {
    ServerView v{.tree = tree,
                 .sessions = sessions,
                 .session_list = session_list,
                 .local_sessions = local_sessions,
                 .watches = watches,
                 .stats = stats,
                 .metrics = metrics,
                 .conf = conf,
                 .rules = rules,
                 .version = version,
                 .connections = {},
                 .asking = asking,
                 .now = now,
                 .started = {Millis{now.monotonic.value - 38217}, 0},
                 .digests = {},
                 .around = around};
    for (const auto& connection : connections) v.connections.push_back(connection.get());
    return v;
  }

  /// The state of use.*: sessions, nodes, watches; the connections d, c and the asking one.
  void put_to_use();

  tree::Tree tree{tree::HashKey{1, 2}};
  session::SessionTable sessions{Millis{2000}};
  tree::SessionList session_list;
  session::SessionTable local_sessions{Millis{2000}};
  tree::WatchTables watches;
  replica::ServerStats stats;
  Metrics metrics;
  ConfView conf;
  WordRules rules;
  Version version{"3.8.0-${mvngit.commit.id}, built on 2024-12-29 17:54 UTC", "0.1.0"};
  std::vector<std::unique_ptr<replica::Connection>> connections;
  const replica::Connection* asking = nullptr;
  Surroundings around;
  Now now;

 private:
  void add_node(const char* path, const char* data, SessionId owner = {}) {
    wire::StatPersisted stat;
    stat.ephemeral_owner = owner.value;
    tree.insert({.path = path, .data = data, .stat = stat});
  }
  void fill_tree();
  void fill_watches(replica::Connection& c, replica::Connection& d);
};

inline void FakeServer::fill_tree() {
  add_node("/a", "hello");
  add_node("/a/e1", "", kC);
  add_node("/e2", "x", kD);
  add_node("/e3", "x", kD);
  tree.set_last_zxid({6});
}

inline void FakeServer::fill_watches(replica::Connection& c, replica::Connection& d) {
  using enum tree::WatchTable;
  c.watcher = watches.open(c.id);
  d.watcher = watches.open(d.id);
  watches.add(*c.watcher, Data, "/a", tree::kStandard);
  watches.add(*c.watcher, Data, "/e2", tree::kStandard);
  watches.add(*d.watcher, Data, "/nope", tree::kStandard);
  watches.add(*d.watcher, Child, "/a", tree::kStandard);
  watches.add(*d.watcher, Data, "/a", tree::kRecursive);
}

inline void FakeServer::put_to_use() {
  fill_tree();
  replica::Connection& d = connect(2, "/127.0.0.1:39258", kD);
  replica::Connection& c = connect(1, "/127.0.0.1:39246", kC);
  asking = &connect(3, "/127.0.0.1:39310");
  fill_watches(c, d);
  sessions.add(kD, 20000, Millis{2142598});
  sessions.add(kC, 30000, Millis{2142599});
  session_list.add(kD, 20000);
  session_list.add(kC, 30000);
  d.timeout_ms = 20000;
  c.timeout_ms = 30000;
  // Apache's smallest latency of a connection stays 0 until crst; here it is what it is.
  d.stats = {.received = 6,
             .sent = 6,
             .established_wall_ms = 1795168108271,
             .last_op = wire::Op::AddWatch,
             .last_cxid = 5,
             .last_zxid = {6},
             .last_response = Millis{2142598},
             .latency_count = 6,
             .latency_sum = 62,
             .latency_last = 5,
             .latency_min = 0,
             .latency_max = 51};
  c.stats = {.received = 6,
             .sent = 6,
             .established_wall_ms = 1795168108219,
             .last_op = wire::Op::Ping,
             .last_cxid = 4,
             .last_zxid = {6},
             .last_response = Millis{2142599},
             .latency_count = 6,
             .latency_sum = 51,
             .latency_last = 1,
             .latency_min = 0,
             .latency_max = 30};
  stats.latency = {.count = 12, .sum = 113, .min = 0, .max = 51};
  stats.response_size = {.last = 16, .min = 16, .max = 94};
}

}  // namespace quorate::admin
