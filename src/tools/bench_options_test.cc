#include "tools/bench_options.h"

#include <gtest/gtest.h>

namespace quorate::tools {
namespace {

std::expected<BenchOptions, int> parse(std::vector<std::string> words) {
  words.insert(words.begin(), "bench");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  return parse_bench_options(static_cast<int>(argv.size()), argv.data());
}

TEST(BenchOptions, WhatAModeImplies) {
  struct Case {
    std::vector<std::string> words;
    BenchMode mode;
    const char* name;
    const char* root;
    uint32_t value_bytes;
  };
  const Case cases[] = {
      {{"get"}, BenchMode::Get, "get", "/zkload", 1024},
      {{"mix", "--value-size", "7", "--root", "/a/b"}, BenchMode::Mix, "mix", "/a/b", 7},
      {{"create"}, BenchMode::Create, "create", "/zkload", 100},
      {{"create", "--value-size", "1024"}, BenchMode::Create, "create", "/zkload", 1024},
      {{"--fill", "5000"}, BenchMode::Fill, "fill", "/zkfill", 100},
      {{"--loopback-rtt"}, BenchMode::LoopbackRtt, "loopback-rtt", "/zkload", 1024},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const auto options = parse(c.words);
    ASSERT_TRUE(options);
    EXPECT_EQ(options->mode, c.mode);
    EXPECT_EQ(options->mode_name, c.name);
    EXPECT_EQ(options->root, c.root);
    EXPECT_EQ(options->value_bytes, c.value_bytes);
  }
}

TEST(BenchOptions, WrongUsageIsTwoAndHelpIsNothing) {
  const std::vector<std::string> wrong[] = {{},
                                            {"fly"},
                                            {"get", "--fill", "5"},
                                            {"--fill", "5", "--loopback-rtt"},
                                            {"get", "-c", "0"},
                                            {"get", "--root", "k"},
                                            {"get", "--root", "/"},
                                            {"get", "--root", "/a/"},
                                            {"get", "--seconds", "0"},
                                            {"get", "--rate", "-1"},
                                            {"get", "--pid", "x"},
                                            {"get", "extra"}};
  for (const auto& words : wrong) {
    const auto options = parse(words);
    ASSERT_FALSE(options) << (words.empty() ? "" : words.front());
    EXPECT_EQ(options.error(), 2);
  }
  EXPECT_EQ(parse({"--help"}).error(), 0);
}

TEST(BenchOptions, ValuesReachTheirPlaces) {
  const auto options = parse({"get", "-s", "a:1,b:2", "-c", "3", "--inflight", "4", "--no-prepare", "--pid", "5,6",
                              "-n", "7", "--rate", "8.5", "--warmup", "0", "--json", "-"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->servers, "a:1,b:2");
  EXPECT_EQ(options->connections, 3u);
  EXPECT_EQ(options->in_flight, 4u);
  EXPECT_FALSE(options->prepare);
  EXPECT_EQ(options->pids, (std::vector<int>{5, 6}));
  EXPECT_EQ(options->operations, 7u);
  EXPECT_EQ(options->rate, 8.5);
  EXPECT_EQ(options->warmup_seconds, 0);
  EXPECT_EQ(options->json_path, "-");
}

}  // namespace
}  // namespace quorate::tools
