#include "shell/admin/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "shell/admin/admin_testing.h"
#include "shell/admin/words.h"

namespace quorate::admin {
namespace {

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
