#include "shell/server/from_config.h"

#include <gtest/gtest.h>

namespace quorate::server {
namespace {

template <class Edit>
node::NodeSettings settings_of(Edit&& edit) {
  config::Settings settings = config::default_settings();
  settings.storage.data_dir = "/d";
  settings.storage.log_dir = "/l";
  edit(settings);
  return node_settings(settings, {1, 2});
}

node::NodeSettings settings_of() {
  return settings_of([](config::Settings&) {});
}

// docs/decisions/0002: Apache's defaults are no bounds, what an operator sets is.
TEST(FromConfig, DefaultsDoNotBoundSnapshots) {
  EXPECT_EQ(settings_of().snapshot.snap_count, 0);
  EXPECT_EQ(settings_of().snapshot.size_limit_bytes, 0);
  const auto set = settings_of([](config::Settings& s) {
    s.storage.snap_count = 500;
    s.storage.snap_size_limit_kb = 20;
  });
  EXPECT_EQ(set.snapshot.snap_count, 500);
  EXPECT_EQ(set.snapshot.size_limit_bytes, 20 * 1024);
  const auto none = settings_of([](config::Settings& s) { s.storage.snap_size_limit_kb = -1; });
  EXPECT_EQ(none.snapshot.size_limit_bytes, 0);
}

TEST(FromConfig, Directories) {
  const auto settings = settings_of();
  EXPECT_EQ(settings.recovery.data_directory, "/d");
  EXPECT_EQ(settings.recovery.data_log_directory, "/l");
  EXPECT_EQ(settings.recovery.snapshot_directory, "/d/version-2");
  EXPECT_EQ(settings.recovery.log_directory, "/l/version-2");
  EXPECT_EQ(settings.log.directory, "/l/version-2");
  EXPECT_EQ(settings.conf.data_directory, "/d/version-2");
  EXPECT_EQ(settings.conf.log_directory, "/l/version-2");
}

// DESIGN, "Log": never more than 4 MiB of zeros ahead.
TEST(FromConfig, ZerosAheadOfTheLog) {
  constexpr std::pair<int64_t, uint64_t> kCases[] = {
      {65536, 4 << 20}, {4096, 4 << 20}, {4095, 4095 << 10}, {0, 0}, {-1, 0}};
  for (const auto& [kilobytes, bytes] : kCases) {
    const auto settings = settings_of([kb = kilobytes](config::Settings& s) { s.storage.preallocate_kb = kb; });
    EXPECT_EQ(settings.log.preallocate_bytes, bytes) << kilobytes;
  }
}

TEST(FromConfig, SizesAndTimes) {
  const auto settings = settings_of([](config::Settings& s) {
    s.storage.log_size_limit_kb = 3;
    s.storage.purge_interval_hours = 24;
    s.storage.purge_retain = 5;
    s.storage.sync_warning = Millis{7};
    s.storage.force_sync = false;
    s.client_port.max_per_address = 11;
    s.client_port.max_connections = 12;
    s.client_port.sessionless_timeout = Millis{13};
  });
  EXPECT_EQ(settings.log.size_limit_bytes, 3U << 10);
  EXPECT_EQ(settings.purge.interval, Millis{86400000});
  EXPECT_EQ(settings.purge.retain, 5);
  EXPECT_EQ(settings.sync_warning, Millis{7});
  EXPECT_FALSE(settings.log.force_sync);
  EXPECT_EQ(settings.links.max_per_address, 11);
  EXPECT_EQ(settings.conf.max_client_connections, 11);
  EXPECT_EQ(settings.links.max_total, 12);
  EXPECT_EQ(settings.links.sessionless_timeout, Millis{13});
  const auto off = settings_of([](config::Settings& s) {
    s.storage.log_size_limit_kb = -1;
    s.storage.purge_interval_hours = -1;
  });
  EXPECT_EQ(off.log.size_limit_bytes, 0U);
  EXPECT_EQ(off.purge.interval, Millis{0});
}

TEST(FromConfig, OnlyMembersHaveAnEnsemble) {
  const auto with_voters = [](int voters) {
    return settings_of([=](config::Settings& s) {
      s.ensemble.my_id = 2;
      for (int sid = 1; sid <= voters; ++sid) s.ensemble.config.members.push_back({.sid = sid, .addresses = {{}}});
    });
  };
  EXPECT_FALSE(with_voters(0).ensemble);
  EXPECT_FALSE(with_voters(1).ensemble);
  EXPECT_EQ(with_voters(1).conf.server_id, 0);
  ASSERT_TRUE(with_voters(3).ensemble);
  EXPECT_EQ(with_voters(3).ensemble->my_id, 2);
  EXPECT_EQ(with_voters(3).conf.server_id, 2);
}

// What a reader of records takes: jute.maxbuffer and its slack.
TEST(FromConfig, LongestRecord) {
  const auto longest = [](int32_t limit, int32_t slack) {
    return settings_of([=](config::Settings& s) {
             s.replica.max_frame_bytes = limit;
             s.client_port.record_slack_bytes = slack;
           })
        .recovery.max_buffer_bytes;
  };
  EXPECT_EQ(longest(1048575, -1), 2U * 1048575);
  EXPECT_EQ(longest(1048575, 1024), 1048575U + 1024);
  EXPECT_EQ(longest(INT32_MAX, -1), static_cast<size_t>(INT32_MAX));
}

TEST(FromConfig, Compression) {
  constexpr std::pair<const char*, storage::Compression> kCases[] = {
      {"", storage::Compression::None}, {"gz", storage::Compression::Gzip}, {"snappy", storage::Compression::Snappy}};
  for (const auto& [name, expected] : kCases) {
    const auto settings = settings_of([text = name](config::Settings& s) { s.storage.compression = text; });
    EXPECT_EQ(settings.snapshot.compression, expected) << name;
  }
}

TEST(FromConfig, TreeOptionsAndWords) {
  const auto settings = settings_of([](config::Settings& s) {
    s.replica.extended_types = true;
    s.replica.digest = false;
    s.admin.words = {"ruok"};
    s.read_only_word = true;
    s.client_port.port = 0;
  });
  EXPECT_TRUE(settings.recovery.tree_options.extended_types);
  EXPECT_FALSE(settings.recovery.tree_options.emulate_353_ttl);
  EXPECT_FALSE(settings.recovery.check_digest);
  EXPECT_EQ(settings.words.whitelist, std::vector<std::string>{"ruok"});
  EXPECT_TRUE(settings.words.read_only_word);
  EXPECT_EQ(settings.conf.client_port, -1);
  EXPECT_EQ(settings.recovery.hash_key.k0, 1U);
  EXPECT_TRUE(settings.version.compatible.starts_with("3.9.5-"));
}

}  // namespace
}  // namespace quorate::server
