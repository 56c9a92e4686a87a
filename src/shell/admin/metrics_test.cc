#include "shell/admin/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "shell/admin/admin_testing.h"
#include "shell/admin/words.h"

namespace quorate::admin {
namespace {

constexpr size_t kOwn = 3;  // zk_quorate_*, of a member.

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string mntr(FakeServer& server) { return answer_word("mntr", server.view()).text; }

bool has_line(const std::string& text, const std::string& line) {
  return text.find("\n" + line + "\n") != std::string::npos;
}

TEST(Mntr, BeginsAsApaches) {
  FakeServer server;
  server.put_to_use();
  server.stats.packets_received = server.stats.packets_sent = 39;
  server.around.open_files = 42;
  server.around.most_files = 20000;
  const std::string head = golden("use.mntr-head");
  ASSERT_FALSE(head.empty());
  EXPECT_EQ(mntr(server).substr(0, head.size()), head);
}

// Spec: operations 4.3: 3.9.5 has 3.8.0's names and nine more; Quorate keeps one that older dashboards look for.
TEST(Mntr, HasAllNames) {
  FakeServer server;
  std::set<std::string> names;
  for (const std::string& line : lines_of(mntr(server))) {
    EXPECT_TRUE(names.insert(line.substr(0, line.find('\t'))).second) << line;
  }
  std::set<std::string> expected = {"zk_snapshot_error_count", "zk_snapshot_rate_limited_count",
                                    "zk_restore_error_count",  "zk_restore_rate_limited_count",
                                    "zk_avg_restore_time",     "zk_min_restore_time",
                                    "zk_max_restore_time",     "zk_cnt_restore_time",
                                    "zk_sum_restore_time",     "zk_fsync_threshold_exceed_count"};
  for (const std::string& name : lines_of(golden("fresh.mntr-names"))) expected.insert(name);
  EXPECT_EQ(names, expected);
  EXPECT_EQ(names.size(), 495u);
}

TEST(Metrics, CountersAndSummariesReachTheirLines) {
  FakeServer server;
  server.metrics.counter<"snap_count">() += 3;
  server.stats.commit_count = 7;
  for (const int ms : {0, 2, 3, 7, 1, 4}) server.metrics.summary<"fsynctime">().add(ms);
  server.stats.node_created_watch_count.add(5);
  server.metrics.keyed("a", "read_per_namespace").add(72);
  server.metrics.keyed("a", "read_per_namespace").add(75);
  const std::string text = mntr(server);
  for (const char* line :
       {"zk_snap_count\t3", "zk_commit_count\t7", "zk_avg_fsynctime\t2.8333", "zk_min_fsynctime\t0",
        "zk_max_fsynctime\t7", "zk_cnt_fsynctime\t6", "zk_sum_fsynctime\t17", "zk_max_node_created_watch_count\t5",
        "zk_avg_a_read_per_namespace\t73.5", "zk_sum_a_read_per_namespace\t147", "zk_avg_election_time\t0.0"}) {
    EXPECT_TRUE(has_line(text, line)) << line;
  }
  server.metrics.reset();
  EXPECT_TRUE(has_line(mntr(server), "zk_snap_count\t0"));
  EXPECT_EQ(mntr(server).find("read_per_namespace"), std::string::npos);
}

// As Apache 3.8.0 answered with these quotas, but for the last one: text that is none makes it break off.
TEST(Mntr, QuotasByNamespace) {
  FakeServer server;
  const std::pair<const char*, const char*> nodes[] = {{"/a", "x"},   {"/a/c", "abc"}, {"/m", ""}, {"/m/x", ""},
                                                       {"/m/y", "x"}, {"/n", "x"},     {"/z", ""}};
  for (const auto& [path, data] : nodes) server.tree.insert({.path = path, .data = data, .stat = {}});
  const auto quota = [&](const std::string& path, const char* limits) {
    const std::string at = "/zookeeper/quota" + path;
    for (size_t end = at.find('/', 17); end != std::string::npos; end = at.find('/', end + 1)) {
      if (server.tree.find(at.substr(0, end)) == tree::kNoNode) {
        server.tree.insert({.path = at.substr(0, end), .data = "", .stat = {}});
      }
    }
    server.tree.insert({.path = at, .data = "", .stat = {}});
    server.tree.insert({.path = at + "/zookeeper_limits", .data = limits, .stat = {}});
    server.tree.insert({.path = at + "/zookeeper_stats", .data = "count=0,bytes=0", .stat = {}});
  };
  quota("/a", "count=5,bytes=100;byteHardLimit=200;countHardLimit=10");
  quota("/m/x", "count=9,bytes=30");
  quota("/m/y", "count=1,bytes=2");
  quota("/n", "count=-1,bytes=-1;byteHardLimit=55;countHardLimit=-1");
  quota("/z", "garbage");
  const std::string text = mntr(server);
  for (const char* line : {"zk_a_quota_bytes_limit_per_namespace\t200", "zk_m_quota_bytes_limit_per_namespace\t32",
                           "zk_n_quota_bytes_limit_per_namespace\t55", "zk_a_quota_count_usage_per_namespace\t2",
                           "zk_m_quota_count_usage_per_namespace\t2", "zk_a_quota_count_limit_per_namespace\t10",
                           "zk_m_quota_count_limit_per_namespace\t10", "zk_n_quota_count_limit_per_namespace\t-1",
                           "zk_a_quota_bytes_usage_per_namespace\t4", "zk_z_quota_count_limit_per_namespace\t-1"}) {
    EXPECT_TRUE(has_line(text, line)) << line;
  }
}

std::vector<std::string> names_of(const std::string& text) {
  std::vector<std::string> names;
  for (const std::string& line : lines_of(text)) names.push_back(line.substr(3, line.find('\t') - 3));
  return names;
}

// Spec: operations 2.4, mntr; 4.3: how many lines there are, with fsync_threshold_exceed_count as one more.
TEST(Mntr, OfALeader) {
  FakeServer server;
  server.stats.proposal_size = {.last = 96, .min = 36, .max = 97};
  MemberView member;
  member.config =
      wire::parse_quorum_config("server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\nserver.4=d:1:2:observer").value();
  member.peer_state = "leading - broadcast";
  member.leader = LeaderView{.learners = 3,
                             .synced_followers = 2,
                             .synced_non_voting_followers = 4,
                             .synced_observers = 1,
                             .pending_syncs = 5,
                             .since = server.now.monotonic - Millis{10977}};
  ServerView view = server.view();
  view.mode = Mode::Leader;
  view.member = &member;
  const std::string text = answer_word("mntr", view).text;
  const std::vector<std::string> expected = {"version",
                                             "server_state",
                                             "peer_state",
                                             "ephemerals_count",
                                             "num_alive_connections",
                                             "avg_latency",
                                             "min_proposal_size",
                                             "outstanding_requests",
                                             "znode_count",
                                             "global_sessions",
                                             "non_mtls_remote_conn_count",
                                             "last_client_response_size",
                                             "packets_sent",
                                             "packets_received",
                                             "max_proposal_size",
                                             "max_client_response_size",
                                             "synced_followers",
                                             "connection_drop_probability",
                                             "watch_count",
                                             "synced_non_voting_followers",
                                             "synced_observers",
                                             "auth_failed_count",
                                             "min_latency",
                                             "max_file_descriptor_count",
                                             "approximate_data_size",
                                             "open_file_descriptor_count",
                                             "last_proposal_size",
                                             "pending_syncs",
                                             "leader_uptime",
                                             "local_sessions",
                                             "uptime",
                                             "max_latency",
                                             "outstanding_tls_handshake",
                                             "learners",
                                             "min_client_response_size",
                                             "non_mtls_local_conn_count",
                                             "quorum_size"};
  auto names = names_of(text);
  EXPECT_EQ(names.size(), 505u + 1 + kOwn);
  names.resize(expected.size());
  EXPECT_EQ(names, expected);
  for (const char* line :
       {"zk_server_state\tleader", "zk_peer_state\tleading - broadcast", "zk_learners\t3", "zk_synced_followers\t2",
        "zk_synced_non_voting_followers\t4", "zk_synced_observers\t1", "zk_pending_syncs\t5", "zk_leader_uptime\t10977",
        "zk_quorum_size\t3", "zk_last_proposal_size\t96", "zk_min_proposal_size\t36", "zk_max_proposal_size\t97"}) {
    EXPECT_TRUE(has_line(text, line)) << line;
  }
}

TEST(Mntr, OfLearners) {
  FakeServer server;
  MemberView member;
  member.config = wire::parse_quorum_config("server.1=a:1:2\nserver.2=b:1:2").value();
  member.peer_state = "following - synchronization - snap";
  member.synced_observers = 7;
  ServerView view = server.view();
  view.member = &member;
  view.mode = Mode::Follower;
  const std::string follower = answer_word("mntr", view).text;
  // Spec: operations 4.3 counts two lines more than standalone, and has one for observers that a follower feeds.
  EXPECT_EQ(names_of(follower).size(), 494u + 1 + 3 + kOwn);
  EXPECT_TRUE(has_line(follower, "zk_peer_state\tfollowing - synchronization - snap"));
  EXPECT_TRUE(has_line(follower, "zk_synced_observers\t7"));
  EXPECT_TRUE(has_line(follower, "zk_quorum_size\t2"));
  member.synced_observers.reset();
  member.observer_master_id = 2;
  view.mode = Mode::Observer;
  const std::string observer = answer_word("mntr", view).text;
  EXPECT_EQ(names_of(observer).size(), 497u + 1 + kOwn);
  EXPECT_TRUE(has_line(observer, "zk_observer_master_id\t2"));
}

TEST(Metrics, SampledSummariesByServer) {
  FakeServer server;
  for (const int ms : {3, 5}) server.metrics.keyed_sampled("1", "ack_latency").add(ms);
  const std::string text = mntr(server);
  EXPECT_TRUE(has_line(text, "zk_avg_1_ack_latency\t4.0"));
  EXPECT_TRUE(has_line(text, "zk_p50_1_ack_latency\t4"));
  EXPECT_TRUE(has_line(text, "zk_p999_1_ack_latency\t5"));
}

// The numbers are a client's.
TEST(Mntr, HugeQuotasStayAtTheLargestNumber) {
  FakeServer server;
  for (const char* path : {"/zookeeper/quota/a", "/zookeeper/quota/a/b", "/zookeeper/quota/a/c"}) {
    server.tree.insert({.path = path, .data = "", .stat = {}});
    server.tree.insert(
        {.path = std::string(path) + "/zookeeper_limits", .data = "count=9223372036854775807", .stat = {}});
  }
  EXPECT_TRUE(has_line(mntr(server), "zk_a_quota_count_limit_per_namespace\t9223372036854775807"));
}

TEST(Metrics, PercentilesOfFewValues) {
  SampledSummary summary;
  EXPECT_EQ(SortedSample(summary).percentile(0.5), 0);
  for (int ms = 1; ms <= 100; ++ms) summary.add(101 - ms);
  EXPECT_EQ(SortedSample(summary).percentile(0.5), 51);
  EXPECT_EQ(SortedSample(summary).percentile(0.95), 96);
  EXPECT_EQ(SortedSample(summary).percentile(0.99), 100);
  EXPECT_EQ(SortedSample(summary).percentile(0.001), 1);
}

// The naive twin knows all values; the sample must be near it, and the same in every run.
TEST(Metrics, SampleOfManyValuesIsUniform) {
  SampledSummary first;
  SampledSummary second;
  for (int ms = 0; ms < 200000; ++ms) {
    first.add(ms);
    second.add(ms);
  }
  EXPECT_EQ(first.samples.size(), SampledSummary::kMostSamples);
  EXPECT_EQ(first.samples, second.samples);
  for (const double share : {0.5, 0.95, 0.99}) {
    EXPECT_NEAR(static_cast<double>(SortedSample(first).percentile(share)), share * 200000, 5000) << share;
  }
  EXPECT_EQ(first.count, 200000);
  EXPECT_EQ(first.max, 199999);
}

}  // namespace
}  // namespace quorate::admin
