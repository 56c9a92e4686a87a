#include "tools/bench_process.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace quorate::tools {
namespace {

TEST(BenchProcess, StatWithOddName) {
  const auto ticks = parse_stat("42 (a) b (c)) S 1 42 42 0 -1 4194560 100 200 0 0 1234 567 8 9 20 0 3 0 99 1000 50\n");
  ASSERT_TRUE(ticks.has_value());
  EXPECT_EQ(ticks->user, 1234);
  EXPECT_EQ(ticks->system, 567);
}

TEST(BenchProcess, StatCutShort) {
  for (const char* text : {"", "42 (x", "42 (x) S 1 2 3", "42 (x) S 1 42 42 0 -1 4194560 100 200 0 0 1234"}) {
    EXPECT_FALSE(parse_stat(text).has_value()) << text;
  }
}

TEST(BenchProcess, FieldsOfStatus) {
  const char* text = "Name:\tjava\nVmRSS:\t  2048 kB\nvoluntary_ctxt_switches:\t17\nnonvoluntary_ctxt_switches:\t3\n";
  EXPECT_EQ(parse_field(text, "VmRSS:"), 2048);
  EXPECT_EQ(parse_field(text, "voluntary_ctxt_switches:"), 17);
  EXPECT_EQ(parse_field(text, "nonvoluntary_ctxt_switches:"), 3);
  EXPECT_EQ(parse_field(text, "Name:"), std::nullopt);
  EXPECT_EQ(parse_field(text, "Absent:"), std::nullopt);
}

TEST(BenchProcess, OwnProcessIsReadable) {
  const auto memory = read_memory({getpid(), getpid()});
  ASSERT_TRUE(memory.has_value()) << memory.error().detail;
  EXPECT_GT(memory->resident_kb, 1000);
  EXPECT_GT(memory->anonymous_kb, 0);
  const auto activity = read_activity({getpid()});
  ASSERT_TRUE(activity.has_value()) << activity.error().detail;
  EXPECT_GT(activity->voluntary_switches + activity->involuntary_switches, 0);
  EXPECT_FALSE(read_memory({-1}).has_value());
}

}  // namespace
}  // namespace quorate::tools
