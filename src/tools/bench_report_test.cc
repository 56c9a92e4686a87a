#include "tools/bench_report.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace quorate::tools {
namespace {

BenchReport finished_run() {
  BenchReport report;
  report.options.mode_name = "set";
  report.options.root = "/\xFF";
  report.load.writes.record(100'000);
  report.load.writes.record(100'000);
  report.load.replies = 4;
  report.load.elapsed_ns = 2'000'000'000;
  report.load.errors[-4] = 2;
  report.own_cpu_us = 8;
  report.server = ProcessActivity{.user_us = 10, .system_us = 2};
  return report;
}

TEST(BenchReport, FiguresAnOperation) {
  const BenchReport report = finished_run();
  EXPECT_EQ(per_second(report), 2);
  EXPECT_EQ(per_reply(report, 12), 3);
  EXPECT_EQ(per_second({}), 0);
  EXPECT_EQ(per_reply({}, 12), 0);
}

TEST(BenchReport, FailsWithErrorsOrWithoutAnswers) {
  EXPECT_TRUE(finished_run().failed());
  BenchReport silent;
  EXPECT_FALSE(silent.failed());
  silent.load.unanswered = 1;
  EXPECT_TRUE(silent.failed());
}

TEST(BenchReport, JsonHasTheFigures) {
  const std::string path = testing::TempDir() + "bench_report_test.json";
  ASSERT_TRUE(write_json(finished_run(), path));
  std::ifstream file(path);
  const auto json = nlohmann::json::parse(file);
  EXPECT_EQ(json["mode"], "set");
  EXPECT_EQ(json["options"]["root"], "/\xEF\xBF\xBD");
  EXPECT_EQ(json["per_second"], 2.0);
  EXPECT_EQ(json["latency_us"]["write"]["count"], 2);
  EXPECT_EQ(json["latency_us"]["write"]["p50"], 100.0);
  EXPECT_EQ(json["latency_us"]["read"]["count"], 0);
  EXPECT_EQ(json["errors"]["-4"], 2);
  EXPECT_EQ(json["generator"]["cpu_us_per_op"], 2.0);
  EXPECT_EQ(json["server"]["cpu_us_per_op"], 3.0);
  EXPECT_FALSE(json["server"].contains("memory_before"));
  std::remove(path.c_str());
}

TEST(BenchReport, AFileThatCannotBeWrittenSaysWhy) {
  const auto written = write_json(finished_run(), "/nonexistent/figures.json");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().detail, "/nonexistent/figures.json: No such file or directory");
}

}  // namespace
}  // namespace quorate::tools
