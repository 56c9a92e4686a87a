#include "shell/config/load.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "shell/config/java_text.h"

namespace quorate::config {
namespace {

constexpr const char* kBase = "dataDir=/d\nclientPort=2181\n";

LoadOutcome load_text(const std::string& text, std::string_view flags = "") { return load({"zoo.cfg", text, flags}); }

bool logged(const LoadOutcome& outcome, std::string_view part, Level level) {
  for (const LogLine& line : outcome.lines) {
    if (line.level == level && line.text.find(part) != std::string::npos) return true;
  }
  return false;
}

std::string all_text(const LoadOutcome& outcome) {
  std::string text;
  for (const ConfigError& error : outcome.errors) text += to_text(error) + "\n";
  for (const LogLine& line : outcome.lines) text += line.text + "\n";
  return text;
}

// Rule C1: the rows of operations 1.2 that a parser can meet.
TEST(Load, WrongConfigurationsEndWithApachesWords) {
  struct Case {
    const char* text;
    const char* message;
  };
  const Case cases[] = {
      {"clientPort=1\n", "dataDir is not set"},
      {"dataDir=/d\ntickTime=0\n", "tickTime is not set"},
      {"dataDir=/d\ntickTime=abc\n", "For input string: \"abc\""},
      {"dataDir=/d\ntickTime=\n", "For input string: \"\""},
      {"dataDir=/d\ntickTime=-5\n", "minSessionTimeout must not be larger than maxSessionTimeout"},
      {"dataDir=/d\ntickTime=-5\nminSessionTimeout=1\nmaxSessionTimeout=2\n", "tickTime is negative"},
      {"dataDir=/d\ntickTime=2000 # comment\n", "For input string: \"2000 # comment\""},
      {"dataDir=/d\ntickTime=2147483647\n", "tickTime 2147483647 is out of range"},
      {"dataDir=/d\nclientPortAddress=::1\n", "clientPortAddress is set but clientPort is not set"},
      {"dataDir=/d\nsecureClientPortAddress=::1\n", "secureClientPortAddress is set but secureClientPort is not set"},
      {"dataDir=/d\nsecureClientPort=2281\n", "TLS is not available in this version"},
      {"dataDir=/d\nclientPort=70000\n", "port out of range:70000"},
      {"dataDir=/d\nelectionAlg=2\n", "Invalid electionAlg value. Only 3 is supported."},
      {"dataDir=/d\npeerType=boss\n", "Unrecognised peertype: boss"},
      {"dataDir=/d\nminSessionTimeout=9\nmaxSessionTimeout=8\n",
       "minSessionTimeout must not be larger than maxSessionTimeout"},
      {"dataDir=/d\nmetricsProvider.className=a.B\n", "metrics provider class was not found"},
      {"dataDir=/d\nstandaloneEnabled=maybe\n",
       "Invalid option maybe for standaloneEnabled. Choose 'true' or 'false.'"},
      {"dataDir=/d\nsslQuorum=yes\n", "Invalid option yes for sslQuorum. Choose 'true' or 'false.'"},
      {"dataDir=/d\nserver.1=h:1\n", "h:1 does not have the form server_config"},
      {"dataDir=/d\nserver.x=h:1:2\n", "For input string: \"x\""},
      {"dataDir=/d\nserver.1=h:5:5\n",
       "Client and election port must be different! Please update the configuration file on server.1"},
      {"dataDir=/d\nserver.1=a:1:2|b:1:2\n",
       "Multiple address feature is disabled, but multiple addresses were specified for sid 1"},
      {"dataDir=/d\nserver.1=a:1:2\nserver.2=b:1:2:observer\n", "Observers w/o quorum is an invalid configuration"},
      {"dataDir=/d\nserver.2=b:1:2:observer\n", "Observers w/o participants is an invalid configuration"},
      {"dataDir=/d\nstandaloneEnabled=false\n", "standaloneEnabled = false then number of participants should be >0"},
      {"dataDir=/d\nserver.1=a:1:2\nserver.2=b:1:2\nsyncLimit=5\n", "initLimit is not set"},
      {"dataDir=/d\nserver.1=a:1:2\nserver.2=b:1:2\ninitLimit=5\n", "syncLimit is not set"},
      {"dataDir=/d\nserver.1=a:1:2\nserver.2=b:1:2\ninitLimit=5\nsyncLimit=2\nreconfigEnabled=true\n",
       "changing the members while running is not available in this version"},
      {"dataDir=/d\nserver.1=a:1:2\nserver.2=a:3:1\ninitLimit=5\nsyncLimit=2\n", "a:1 is also an address of server.1"},
      {"dataDir=/d\nserver.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\ngroup.1=1:2\ninitLimit=5\nsyncLimit=2\n",
       "Server 3is not in a group"},
      {"dataDir=/d\nserver.1=a:1:2\nserver.2=b:1:2\nweight.1=2\ninitLimit=5\nsyncLimit=2\n",
       "Server 1is not in a group"},
      {"dataDir=/d\nserver.1=a:1:2\nserver.2=b:1:2\ngroup.1=1:2\ngroup.2=2\ninitLimit=5\nsyncLimit=2\n",
       "Server 2is in multiple groups"},
      {"dataDir=/d\ndynamicConfigFile=/x\nserver.2=b:1:2\n",
       "parameter: server.2 must be in a separate dynamic config file"},
      {"dataDir=/d\nquorum.auth.serverRequireSasl=true\n",
       "quorum.auth.enableSasl is disabled, so cannot enable quorum.auth.serverRequireSasl"},
      {"dataDir=/d\nquorum.auth.enableSasl=true\nquorum.auth.serverRequireSasl=true\n",
       "quorum.auth.learnerRequireSasl is disabled, so cannot enable quorum.auth.serverRequireSasl"},
      {"dataDir=/d\nenforce.auth.enabled=true\n",
       "zookeeper.enforce.auth.enabled is true zookeeper.enforce.auth.schemes must be  configured."},
      {"dataDir=/d\nenforce.auth.enabled=true\nenforce.auth.schemes=digest,foo\n",
       "Authentication scheme foo is not available."},
      {"dataDir=/d\nDigestAuthenticationProvider.digestAlg=SHA-0\n",
       "don't support this ACL digest algorithm: SHA-0 in the current environment"},
      {"dataDir=/d\nsnapshot.floorInKb=-1\n", "snapshot.floorInKb: -1 is out of range (want 0 to "},
      {"dataDir=/d\nauthProvider.1=org.example.Own\n", "Problems loading org.example.Own"},
      {"dataDir=/d\naudit.impl.class=org.example.Own\n", "org.example.Own is not available"},
      {"dataDir=/d\nadmin.rateLimiterIntervalInMS=x\n", "For input string: \"x\""},
      {"dataDir=/d\nx=\\u12\n", "Error processing zoo.cfg"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.text);
    const LoadOutcome outcome = load_text(c.text);
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_NE(all_text(outcome).find(c.message), std::string::npos) << all_text(outcome);
  }
}

// Rule C2.
TEST(Load, AllErrorsAreReportedWithTheirLines) {
  const LoadOutcome outcome = load_text("tickTime=abc\n\nclientPort=x\ndataDir=/d\nstandaloneEnabled=7\n");
  ASSERT_EQ(outcome.errors.size(), 3u) << all_text(outcome);
  EXPECT_EQ(to_text(outcome.errors[0]),
            "zoo.cfg:1: tickTime=abc: For input string: \"abc\" (want a whole number, in ms)");
  EXPECT_EQ(to_text(outcome.errors[1]), "zoo.cfg:3: clientPort=x: For input string: \"x\" (want a whole number)");
  EXPECT_EQ(to_text(outcome.errors[2]),
            "zoo.cfg:5: standaloneEnabled=7: Invalid option 7 for standaloneEnabled. Choose 'true' or 'false.' (want "
            "true or false)");
}

TEST(Load, AMissingFileAndWrongArguments) {
  const LoadOutcome missing = unreadable_file("a.cfg", {Fault::NotFound, "no such file"});
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_EQ(missing.errors[0].message, "a.cfg file is missing");
  const LoadOutcome directory = unreadable_file("a", {Fault::Io, "a: Is a directory"});
  EXPECT_EQ(directory.exit_code, 2);
  EXPECT_EQ(to_text(directory.errors[0]), "a: Error processing a (a: Is a directory)");
  const std::string_view one[] = {"2181"};
  EXPECT_EQ(load_arguments(one, "").exit_code, 2);
  EXPECT_EQ(load_arguments(one, "").errors[0].message, "Invalid arguments, exiting abnormally");
}

TEST(Load, ApachesDefaults) {
  const Settings s = load_text(kBase).settings;
  EXPECT_EQ(s.replica.tick, Millis{3000});
  EXPECT_EQ(s.replica.timeouts.min_ms, 6000);
  EXPECT_EQ(s.replica.timeouts.max_ms, 60000);
  EXPECT_EQ(s.storage.log_dir, "/d");
  EXPECT_EQ(s.client_port.max_per_address, 60);
  EXPECT_EQ(s.client_port.record_slack_bytes, 1048575);
  EXPECT_EQ(s.storage.max_queue_poll, Millis{0});
  EXPECT_TRUE(s.admin.words.empty());
  EXPECT_TRUE(s.admin.enabled);
}

TEST(Load, ValuesReachTheirSettings) {
  const LoadOutcome outcome = load_text(
      "dataDir=/d\ndataLogDir=/l\nclientPort=2182\nclientPortAddress=127.0.0.1\ntickTime=500\nminSessionTimeout=1000\n"
      "maxSessionTimeout=600000\nmaxClientCnxns=0\nadmin.enableServer=false\n4lw.commands.whitelist= ruok, mntr ,\n"
      "extendedTypesEnabled=TRUE\npreAllocSize=1024\nDigestAuthenticationProvider.superDigest=super:abc\n"
      "skipACL=yes\nforceSync=no\nsnapCount=0x10\nflushDelay=9\njute.maxbuffer=4096\nconnection_throttle_tokens=5\n"
      "connection_throttle_drop_increase=0.5\nenforce.auth.schemes=digest\nreadonlymode.enabled=True\n"
      "snapshot.compression.method=gz\nfsync.warningthresholdms=20\n");
  ASSERT_EQ(outcome.exit_code, 0) << all_text(outcome);
  const Settings& s = outcome.settings;
  EXPECT_EQ(s.storage.log_dir, "/l");
  EXPECT_EQ(s.client_port.port, 2182);
  EXPECT_EQ(s.client_port.address, "127.0.0.1");
  EXPECT_EQ(s.replica.tick, Millis{500});
  EXPECT_EQ(s.replica.timeouts.min_ms, 1000);
  EXPECT_EQ(s.replica.timeouts.max_ms, 600000);
  EXPECT_EQ(s.client_port.max_per_address, 0);
  EXPECT_FALSE(s.admin.enabled);
  EXPECT_EQ(s.admin.words, (std::vector<std::string>{"ruok", "mntr"}));
  EXPECT_TRUE(s.replica.extended_types);
  EXPECT_EQ(s.storage.preallocate_kb, 1024);
  EXPECT_EQ(s.auth.super_digest, "super:abc");
  EXPECT_TRUE(s.auth.skip_acl);
  EXPECT_FALSE(s.storage.force_sync);
  EXPECT_EQ(s.storage.snap_count, 16);
  EXPECT_EQ(s.storage.max_queue_poll, Millis{3});
  EXPECT_EQ(s.replica.max_frame_bytes, 4096);
  EXPECT_EQ(s.replica.connection_throttle.tokens, 5);
  EXPECT_EQ(s.replica.connection_throttle.drop_increase, 0.5);
  EXPECT_TRUE(s.read_only_mode);
  EXPECT_FALSE(s.read_only_word);
  EXPECT_EQ(s.storage.compression, "gz");
  EXPECT_EQ(s.storage.sync_warning, Millis{20});
}

TEST(Load, OptionsWeighLessThanTheFile) {
  const LoadOutcome outcome = load_text(
      std::string(kBase) + "snapCount=7\n",
      "-Xmx1g -Dzookeeper.snapCount=9 -Dzookeeper.maxBatchSize=11 -Djute.maxbuffer=5000 -Dfsync.warningthresholdms=3 "
      "\"-Dznode.container.checkIntervalMs=77\" -DtickTime=5 -Dzookeeper.tickTime=5");
  EXPECT_EQ(outcome.settings.storage.snap_count, 7);
  EXPECT_EQ(outcome.settings.storage.max_batch, 11);
  EXPECT_EQ(outcome.settings.replica.max_frame_bytes, 5000);
  EXPECT_EQ(outcome.settings.storage.sync_warning, Millis{3});
  EXPECT_EQ(outcome.settings.replica.cleaner.check_interval, Millis{77});
  EXPECT_EQ(outcome.settings.replica.tick, Millis{3000});
  EXPECT_TRUE(logged(outcome, "JVM flags without effect here: -Xmx1g", Level::Info));
}

TEST(Load, OptionsOfTheWrongNameAreTold) {
  const LoadOutcome outcome =
      load_text(kBase,
                "-DsnapCount=9 -Dzookeeper.tickTime=5 -Dserver.1=a:1:2 -Dzookeeper.jute.maxbuffer=7 -Dfile.encoding=x "
                "-Dzookeeper.snapCount=8 -Djute.maxbuffer=5000 -Dfsync.warningthresholdms=3 -Dzookeeper.own=1");
  for (const char* text : {"option -DsnapCount has no effect: write -Dzookeeper.snapCount",
                           "option -Dzookeeper.tickTime has no effect: tickTime is read from the file alone",
                           "option -Dserver.1 has no effect: server.1 is read from the file alone",
                           "option -Dzookeeper.jute.maxbuffer has no effect: write -Djute.maxbuffer"}) {
    EXPECT_TRUE(logged(outcome, text, Level::Warn)) << text;
  }
  EXPECT_EQ(std::ranges::count_if(outcome.lines, [](const LogLine& line) { return line.text.contains("option -D"); }),
            4);
}

TEST(Load, AFlagMayHoldAnything) {
  for (const char* value : {"a b", "it's", "\"", "'\"' x\t", ""}) {
    const LoadOutcome outcome = load_text(kBase, "-Dx=1 " + jvm_flag(std::string("metricsProvider.x=1")) + " " +
                                                     jvm_flag(fmt::format("zookeeper.enforce.auth.schemes={}", value)));
    const Settings& s = outcome.settings;
    EXPECT_EQ(s.auth.enforce_schemes, parse_list(value)) << value;
  }
}

TEST(Load, WhatHasNoEffectIsSaid) {
  const LoadOutcome outcome =
      load_text(std::string(kBase) +
                "zookeeper.snapCount=5\nconnectionMaxTokens=4\nnoSuchKey=1\nclientport=9\n"
                "nio.directBufferBytes=1\nznode.container.maxPerMinute=3\ndataDir=rel\n"
                "autopurge.snapRetainCount=1\nsnapCount=1\naudit.enable=true\nmaxBatchSize=z\n");
  EXPECT_EQ(outcome.exit_code, 0) << all_text(outcome);
  EXPECT_TRUE(logged(outcome, "key zookeeper.snapCount (line 3) has no effect", Level::Warn));
  EXPECT_TRUE(logged(outcome, "write snapCount", Level::Warn));
  EXPECT_EQ(outcome.settings.replica.connection_throttle.tokens, 4);
  EXPECT_TRUE(logged(outcome, "connectionMaxTokens (line 4) is taken as connection_throttle_tokens", Level::Info));
  EXPECT_TRUE(logged(outcome, "config: key noSuchKey accepted and ignored: unknown key", Level::Info));
  EXPECT_TRUE(
      logged(outcome, "clientport accepted and ignored: unknown key; clientPort is meant, perhaps", Level::Info));
  EXPECT_TRUE(
      logged(outcome, "config: key nio.directBufferBytes accepted and ignored: one network engine", Level::Info));
  EXPECT_TRUE(logged(outcome, "znode.container.maxPerMinute (line 8) has no effect", Level::Warn));
  EXPECT_EQ(outcome.settings.replica.cleaner.max_per_minute, 10000);
  EXPECT_TRUE(logged(outcome, "dataDir stands in lines 1 and 9: the later one counts", Level::Warn));
  EXPECT_TRUE(logged(outcome, "rel is relative. Prepend ./ to indicate that you're sure!", Level::Warn));
  EXPECT_TRUE(logged(outcome, "Invalid autopurge.snapRetainCount: 1. Defaulting to 3", Level::Warn));
  EXPECT_EQ(outcome.settings.storage.purge_retain, 3);
  EXPECT_TRUE(logged(outcome, "SnapCount should be 2 or more. Now, snapCount is reset to 2", Level::Warn));
  EXPECT_EQ(outcome.settings.storage.snap_count, 2);
  EXPECT_TRUE(logged(outcome, "audit.enable accepted and ignored: not available in this version", Level::Warn));
  EXPECT_EQ(outcome.settings.storage.max_batch, 1000);
  ASSERT_EQ(outcome.settings.extra.size(), 2u);
  EXPECT_EQ(outcome.settings.extra[1].name, "zookeeper.noSuchKey");
  EXPECT_TRUE(logged(outcome, "running in standalone mode", Level::Warn));
}

TEST(Load, WhatIsTheCaseAnywayNeedsNoLine) {
  const LoadOutcome outcome =
      load_text(std::string(kBase) + "audit.enable=false\nlocalSessionsEnabled=False\nnio.directBufferBytes=65536\n");
  EXPECT_EQ(all_text(outcome).find("accepted and ignored"), std::string::npos) << all_text(outcome);
}

TEST(Load, WhatNobodyReadsIsSaid) {
  for (const char* line :
       {"metricsProvider.className=org.apache.zookeeper.metrics.impl.NullMetricsProvider",
        "metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider",
        "request_stale_connection_check=false"}) {
    const LoadOutcome outcome = load_text(fmt::format("{}{}\n", kBase, line));
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_TRUE(logged(outcome, "accepted and ignored", Level::Warn)) << line;
  }
}

TEST(Load, AnAliasBesideItsKeyHasNoEffect) {
  const LoadOutcome outcome = load_text(std::string(kBase) + "connectionMaxTokens=4\nconnection_throttle_tokens=9\n");
  EXPECT_EQ(outcome.settings.replica.connection_throttle.tokens, 9);
  EXPECT_FALSE(logged(outcome, "is taken as", Level::Info));
  EXPECT_TRUE(logged(outcome,
                     "connectionMaxTokens (line 3) has no effect: connection_throttle_tokens (line 4) is what it "
                     "stands for",
                     Level::Warn));
}

// What is multiplied or added later must not overflow there.
TEST(Load, HugeNumbersMeanTheDefault) {
  for (const char* key : {"snapSizeLimitInKb", "txnLogSizeLimitInKb", "preAllocSize", "flushDelay",
                          "nio.sessionlessCnxnTimeout", "throttled_op_wait_time"}) {
    SCOPED_TRACE(key);
    for (const char* value : {"9223372036854775807", "-9223372036854775808"}) {
      const LoadOutcome outcome = load_text(fmt::format("{}{}={}\n", kBase, key, value));
      EXPECT_EQ(outcome.exit_code, 0);
      EXPECT_TRUE(logged(outcome, value, Level::Warn));
      const LoadOutcome plain = load_text(kBase);
      EXPECT_EQ(outcome.settings.storage, plain.settings.storage);
      EXPECT_EQ(outcome.settings.client_port, plain.settings.client_port);
      EXPECT_EQ(outcome.settings.replica.request_throttle.throttled_op_wait_time, Millis{0});
    }
  }
}

// Spec: operations 1.7, "Storage": a wrong factor never stops a start.
TEST(Load, SnapshotSizeFactorIsLenient) {
  for (const char* value : {"abc", "1.5", "nan"}) {
    const LoadOutcome outcome = load_text(fmt::format("{}snapshotSizeFactor={}\n", kBase, value));
    EXPECT_EQ(outcome.exit_code, 0) << all_text(outcome);
    EXPECT_TRUE(logged(outcome, value, Level::Warn)) << value;
  }
}

TEST(Load, OneServerLineIsIgnored) {
  const LoadOutcome outcome = load_text(std::string(kBase) + "server.1=a:1:2\n");
  EXPECT_EQ(outcome.exit_code, 0) << all_text(outcome);
  EXPECT_TRUE(logged(outcome, "Invalid configuration, only one server specified (ignoring)", Level::Error));
}

// Trap 1.4.7: Quorate takes it from the file, too.
TEST(Load, SeveralAddressesWhenAllowed) {
  const std::string text = std::string(kBase) + "server.1=a:1:2|b:1:2\n";
  EXPECT_EQ(load_text(text + "multiAddress.enabled=true\n").exit_code, 0);
  EXPECT_EQ(load_text(text, "-Dzookeeper.multiAddress.enabled=true").exit_code, 0);
}

// Rule C6.
TEST(Load, SecretsAreNeverShown) {
  const LoadOutcome outcome =
      load_text(std::string(kBase) +
                    "ssl.keyStore.password=hunter2\nmyPassword=hunter2\nuser_bob=hunter2\n"
                    "DigestAuthenticationProvider.superDigest=hunter2\nzookeeper.superPassword=hunter2\n"
                    "SASLAuthenticationProvider.superPassword=hunter2\ntickTime=x\n"
                    "ssl.trustStore.passwordPath=hunter2\n",
                "-Dzookeeper.ssl.trustStore.password=hunter2 -Dpassword=hunter2 --password=hunter2");
  EXPECT_EQ(all_text(outcome).find("hunter2"), std::string::npos) << all_text(outcome);
}

TEST(Load, ArgumentForm) {
  const std::string_view arguments[] = {"2182", "/d", "1000", "5"};
  const LoadOutcome all = load_arguments(arguments, "");
  EXPECT_EQ(all.exit_code, 0) << all_text(all);
  EXPECT_EQ(all.settings.client_port.port, 2182);
  EXPECT_EQ(all.settings.storage.data_dir, "/d");
  EXPECT_EQ(all.settings.replica.tick, Millis{1000});
  EXPECT_EQ(all.settings.client_port.max_per_address, 5);
  const LoadOutcome two = load_arguments(std::span(arguments).first(2), "");
  EXPECT_EQ(two.settings.replica.tick, Millis{3000});
  const std::string_view wrong[] = {"x", "/d"};
  EXPECT_EQ(to_text(load_arguments(wrong, "").errors.at(0)),
            "arguments: clientPort=x: For input string: \"x\" (want a whole number)");
}

TEST(Load, WithoutAFile) {
  const Settings s = default_settings();
  EXPECT_EQ(s.client_port.port, 2181);
  EXPECT_EQ(s.client_port.address, "127.0.0.1");
  EXPECT_EQ(s.storage.data_dir, "./data");
  EXPECT_EQ(s.replica.tick, Millis{2000});
  EXPECT_EQ(s.replica.timeouts.max_ms, 40000);
  EXPECT_EQ(s.admin.words, std::vector<std::string>{"*"});
  EXPECT_TRUE(s.replica.extended_types);
}

}  // namespace
}  // namespace quorate::config
