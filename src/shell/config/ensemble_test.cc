#include "shell/config/ensemble.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "shell/config/load.h"

namespace quorate::config {
namespace {

constexpr const char* kStatic = "dataDir=/d\ntickTime=2000\ninitLimit=10\nsyncLimit=5\n";
constexpr const char* kThree = "server.1=a:2888:3888;2181\nserver.2=b:2888:3888;2181\nserver.3=c:2888:3888;2181\n";

using Files = std::map<std::string, std::string>;

LoadOutcome load_with(const std::string& text, const Files& files) {
  const FileReader read = [&](const std::string& path) -> Result<std::string> {
    const auto found = files.find(path);
    if (found == files.end()) return fail(Fault::NotFound, path + ": No such file or directory");
    if (found->second == "unreadable") return fail(Fault::Io, path + ": Permission denied");
    return found->second;
  };
  return load({"zoo.cfg", text, "", read});
}

std::string texts(const LoadOutcome& outcome) {
  std::string text;
  for (const ConfigError& error : outcome.errors) text += to_text(error) + "\n";
  return text;
}

bool logged(const LoadOutcome& outcome, std::string_view part) {
  for (const LogLine& line : outcome.lines) {
    if (line.text.find(part) != std::string::npos) return true;
  }
  return false;
}

TEST(Ensemble, AllItsSettings) {
  const LoadOutcome outcome = load_with(
      std::string(kStatic) + kThree + "server.4=[::4]:2888:3888:observer\nserver.5=e:1:2|f:3:4\n" +
          "group.1=1:2\ngroup.2=3:5\nweight.2=0\nversion=1f\nmultiAddress.enabled=true\nconnectToLearnerMasterLimit="
          "7\nquorumListenOnAllIPs=true\nsyncEnabled=false\nlocalSessionsEnabled=true\nlocalSessionsUpgradingEnabled="
          "true\nleaderServes=no\ncnxTimeout="
          "51\nquorumCnxnTimeoutMs=52\nelectionPortBindRetry=0\nfastleader.minNotificationInterval=53\nfastleader."
          "maxNotificationInterval=54\nleader.maxTimeToWaitForEpoch=55\nmaxConcurrentSnapSyncs=56\nleader."
          "maxConcurrentDiffSyncs=57\nleader.ackLoggingFrequency=58\nleaderConnectDelayDuringRetryMs="
          "59\nforceSnapshotSync=true\nobserver.reconnectDelayMs=61\nobserver.election.DelayMs=62\nobserverMaster."
          "sizeLimit=63\ntcpKeepAlive=true\nsnapshotSizeFactor=-0.5\ncommitLogCount=600\nmultiAddress."
          "reachabilityCheckTimeoutMs=64\nmultiAddress.reachabilityCheckEnabled=false\n",
      {{"/d/myid", "2\n"}});
  EXPECT_EQ(texts(outcome), "");
  EXPECT_EQ(outcome.exit_code, 0);
  const Settings& s = outcome.settings;
  const EnsembleSettings& e = s.ensemble;
  EXPECT_EQ(wire::to_text(e.config),
            "server.1=a:2888:3888:participant;0.0.0.0:2181\nserver.2=b:2888:3888:participant;0.0.0.0:2181\nserver.3=c:"
            "2888:3888:participant;0.0.0.0:2181\nserver.4=[::4]:2888:3888:observer\nserver.5=e:1:2|f:3:4:"
            "participant\ngroup.1=1:2\ngroup.2=3:5\nweight.1=1\nweight.2=0\nweight.3=1\nweight.5=1\nversion=1f");
  EXPECT_TRUE(e.distributed());
  EXPECT_EQ(e.my_id, 2);
  ASSERT_NE(e.me(), nullptr);
  EXPECT_EQ(e.me()->addresses[0].host, "b");
  EXPECT_EQ(e.role, wire::Role::Participant);
  EXPECT_EQ(s.replica.server_id, 2);
  EXPECT_EQ(s.replica.tick, Millis{2000});
  EXPECT_EQ(s.client_port.port, 2181);
  EXPECT_EQ(s.client_port.address, "");
  EXPECT_EQ(e.init_limit, 10);
  EXPECT_EQ(e.sync_limit, 5);
  EXPECT_EQ(e.connect_limit, 7);
  EXPECT_EQ(e.election_algorithm, 3);
  EXPECT_TRUE(e.listen_on_all);
  EXPECT_FALSE(e.sync_enabled);
  EXPECT_TRUE(e.local_sessions);
  EXPECT_TRUE(e.local_sessions_upgrading);
  EXPECT_FALSE(e.leader_serves);
  EXPECT_EQ(e.election_connect_timeout, Millis{51});
  EXPECT_EQ(e.election_read_timeout, Millis{52});
  EXPECT_EQ(e.election_bind_retries, 0);
  EXPECT_EQ(e.min_notification_interval, Millis{53});
  EXPECT_EQ(e.max_notification_interval, Millis{54});
  EXPECT_EQ(e.epoch_patience, Millis{55});
  EXPECT_EQ(e.max_snap_syncs, 56);
  EXPECT_EQ(e.max_diff_syncs, 57);
  EXPECT_EQ(e.ack_sampling, 58);
  EXPECT_EQ(e.leader_connect_delay, Millis{59});
  EXPECT_TRUE(e.force_snapshot_sync);
  EXPECT_EQ(e.observer_reconnect_delay, Millis{61});
  EXPECT_EQ(e.observer_election_delay, Millis{62});
  EXPECT_EQ(e.observer_master_bytes, 63);
  EXPECT_TRUE(e.election_keep_alive);
  EXPECT_EQ(e.snapshot_size_factor, -0.5);
  EXPECT_EQ(e.commit_log_count, 600);
  EXPECT_EQ(e.reachability_timeout, Millis{64});
  EXPECT_FALSE(e.check_reachability);
}

TEST(Ensemble, WhatIsUnsetFollowsFromTheLimits) {
  const LoadOutcome outcome =
      load_with(std::string(kStatic) + kThree +
                    "observerMasterPort=-1\nelectionPortBindRetry=-1\nleader.maxConcurrentSnapSyncs=0\n",
                {{"/d/myid", "1"}});
  const EnsembleSettings& e = outcome.settings.ensemble;
  EXPECT_EQ(e.connect_limit, 10);
  EXPECT_EQ(e.election_read_timeout, Millis{10000});
  EXPECT_EQ(e.observer_master_port, 0);
  EXPECT_EQ(e.election_bind_retries, 3);
  EXPECT_EQ(e.max_snap_syncs, 10);
  EXPECT_TRUE(logged(outcome, "electionPortBindRetry: -1 is out of range, the default is used"));
}

TEST(Ensemble, DistributedNeedsVotersAndMoreThanOneUnlessAskedFor) {
  const auto distributed = [](const std::string& text) {
    return load_with(kStatic + text, {}).settings.ensemble.distributed();
  };
  EXPECT_FALSE(distributed(""));
  EXPECT_FALSE(distributed("server.1=a:1:2\n"));
  EXPECT_FALSE(distributed("server.1=a:1:2\nserver.2=b:1:2:observer\n"));
  EXPECT_TRUE(distributed("server.1=a:1:2\nstandaloneEnabled=false\n"));
  EXPECT_TRUE(distributed("server.1=a:1:2\nserver.2=b:1:2\n"));
}

// A server that only ignored them would belong to another ensemble than the others, or starve observers.
TEST(Ensemble, WhatIsMissingIsRefused) {
  constexpr std::pair<const char*, const char*> kCases[] = {
      {"reconfigEnabled=true\n", "changing the members while running is not available in this version"},
      {"observerMasterPort=2191\n", "followers that feed observers are not available in this version"},
      {"sslQuorum=true\n", "TLS between servers is not available in this version"},
      {"quorum.auth.enableSasl=true\n", "SASL between servers is not available in this version"},
  };
  for (const auto& [line, message] : kCases) {
    SCOPED_TRACE(line);
    const LoadOutcome outcome = load_with(std::string(kStatic) + kThree + line, {{"/d/myid", "1"}});
    ASSERT_EQ(outcome.errors.size(), 1u) << texts(outcome);
    EXPECT_EQ(outcome.errors[0].message, message);
    EXPECT_EQ(outcome.errors[0].line, 8);
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_EQ(texts(load_with(std::string("dataDir=/d\n") + line, {})), "");  // standalone it has no meaning
  }
}

TEST(Ensemble, WhatItIsSafeWithoutIsIgnoredAloud) {
  for (const char* line : {"leaderServes=no\n", "syncEnabled=false\n"}) {
    const LoadOutcome outcome = load_with(std::string(kStatic) + kThree + line, {{"/d/myid", "1"}});
    EXPECT_EQ(texts(outcome), "");
    const std::string key(line, std::string_view(line).find('='));
    EXPECT_TRUE(logged(outcome, "config: key " + key + " accepted and ignored: "));
    EXPECT_FALSE(logged(load_with(std::string("dataDir=/d\n") + line, {}), "accepted and ignored"));
  }
}

// Spec: operations 1.2, 1.8.
TEST(MyId, WhatIsWrongSaysWhatToDo) {
  struct Case {
    const char* extra;
    const char* myid;
    const char* error;
  };
  const Case cases[] = {
      {"", nullptr,
       "/d/myid: myid file is missing (want this server's id in its first line, one of 1, 2, 3: echo 1 > /d/myid)\n"},
      {"", "abc\n",
       "/d/myid: serverid abc is not a number (want this server's id in its first line, one of 1, 2, 3: echo 1 > "
       "/d/myid)\n"},
      {"", "",
       "/d/myid: serverid null is not a number (want this server's id in its first line, one of 1, 2, 3: echo 1 > "
       "/d/myid)\n"},
      {"", "\n1\n",
       "/d/myid: serverid  is not a number (want this server's id in its first line, one of 1, 2, 3: echo 1 > "
       "/d/myid)\n"},
      {"", "unreadable", "/d/myid: myid file cannot be read (/d/myid: Permission denied)\n"},
      {"", "9\n",
       "/d/myid: My id 9 not in the peer list (add a line server.9=..., or: want this server's id in its first line, "
       "one of 1, 2, 3: echo 1 > /d/myid)\n"},
      {"server.0=z:1:2\n", "0",
       "/d/myid: serverid 0 is out of range (want a number from 1 to 255, the same as in this server's line: "
       "server.<id>=...)\n"},
      {"server.256=z:1:2\n", "256",
       "/d/myid: serverid 256 is out of range (want a number from 1 to 255, the same as in this server's line: "
       "server.<id>=...)\n"},
      {"server.255=z:1:2\n", "255", ""},
      {"extendedTypesEnabled=true\nserver.254=z:1:2\n", "254", ""},
      {"extendedTypesEnabled=true\nserver.255=z:1:2\n", "1",
       "zoo.cfg: server.255: id 255 is too large for extendedTypesEnabled (want an id of at most 254)\n"},
      {"extendedTypesEnabled=true\nemulate353TTLNodes=true\nserver.128=z:1:2\n", "1",
       "zoo.cfg: server.128: id 128 is too large for extendedTypesEnabled (want an id of at most 127)\n"},
      {"", " 2 \r\nmore", ""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.error);
    Files files;
    if (c.myid != nullptr) files["/d/myid"] = c.myid;
    EXPECT_EQ(texts(load_with(std::string(kStatic) + kThree + c.extra, files)), c.error);
  }
}

// Apache reads the list first and finds itself missing later.
TEST(MyId, AForeignIdHasAnExitCodeOfItsOwn) {
  const LoadOutcome outcome = load_with(std::string(kStatic) + kThree, {{"/d/myid", "9"}});
  for (const ConfigError& error : outcome.errors) {
    EXPECT_EQ(error.exit_code, error.message == "My id 9 not in the peer list" ? 1 : 2) << to_text(error);
  }
}

TEST(MyId, AStandaloneServerNeedsNone) {
  const std::string one = "dataDir=/d\nserver.1=a:1:2;10.0.0.1:2182\n";
  const LoadOutcome without = load_with(one, {});
  EXPECT_EQ(texts(without), "");
  EXPECT_EQ(without.settings.client_port.port, 0);
  EXPECT_EQ(without.settings.replica.server_id, 1);
  // As in Apache the one line then names the port, too.
  const LoadOutcome with = load_with(one, {{"/d/myid", "1"}});
  EXPECT_EQ(texts(with), "");
  EXPECT_EQ(with.settings.client_port.port, 2182);
  EXPECT_EQ(with.settings.client_port.address, "10.0.0.1");
  EXPECT_EQ(texts(load_with("dataDir=/d\n", {{"/d/myid", "700"}})), "");
  EXPECT_EQ(texts(load_with("dataDir=/d\n", {{"/d/myid", "x"}})),
            "/d/myid: serverid x is not a number (want one whole number in its first line)\n");
}

TEST(Members, ErrorsThatOnlySeveralLinesMake) {
  struct Case {
    const char* text;
    const char* error;
  };
  const Case cases[] = {
      {"server.1=a:1:2\nserver.01=b:1:2\n", "server 1 has another line already"},
      {"server.1=a:1:2\nserver.2=b:1:2\ngroup.1=1:2:3\n", "server 3 is not a member"},
      {"server.1=a:1:2\nserver.2=b:1:2\ngroup=1:2\n", "For input string: \"group\""},
      {"server.1=a:1:2\nserver.2=b:1:2\nweight1=1\n", "For input string: \"weight1\""},
      {"server.1=a:1:2\nserver.2=b:1:2\ngroup.1=1:2\nweight.1=-1\n", "weight -1 is out of range"},
      {"server.1=a:1:2\nversion=z\n", "For input string: \"z\""},
      {"server.1=a:1:2\nserver.2=b:3:1|a:7:1\nmultiAddress.enabled=true\n", "a:1 is also an address of server.1"},
      {"server.1=a:1:2\nserver.2=b:1:2\nsslQuorum=true\n", "TLS between servers is not available in this version"},
      {"server.1=a:1:2\nserver.2=b:1:2\nquorum.auth.enableSasl=true\n",
       "SASL between servers is not available in this version"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.text);
    const LoadOutcome outcome = load_with(std::string(kStatic) + c.text, {{"/d/myid", "1"}});
    EXPECT_NE(texts(outcome).find(c.error), std::string::npos) << texts(outcome);
    EXPECT_EQ(outcome.exit_code, 2);
  }
}

// Rule C2: a wrong line elsewhere does not hide what is wrong with the members.
TEST(Members, OtherErrorsDoNotHideTheirs) {
  const std::string text = texts(load_with("dataDir=/d\ntickTime=abc\nserver.1=a:1:2\nserver.2=b:1:2\n", {}));
  for (const char* part : {"tickTime=abc", "initLimit is not set", "syncLimit is not set", "myid file is missing"}) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }
}

TEST(Members, ThereIsALargestNumberOfVoters) {
  std::string text = kStatic;
  for (int sid = 1; sid <= 64; ++sid) text += fmt::format("server.{}=h{}:1:2\n", sid, sid);
  text += "server.70=o:1:2:observer\n";
  EXPECT_EQ(texts(load_with(text, {{"/d/myid", "1"}})), "");
  EXPECT_EQ(texts(load_with(text + "server.65=h65:1:2\n", {{"/d/myid", "1"}})),
            "zoo.cfg: server: 65 voting members are named (want at most 64; more servers can be observers)\n");
}

TEST(Members, TheListDecidesTheRole) {
  const std::string text = std::string(kStatic) + kThree + "server.4=d:1:2:observer\n";
  const LoadOutcome observer = load_with(text + "peerType=observer\n", {{"/d/myid", "4"}});
  EXPECT_EQ(observer.settings.ensemble.role, wire::Role::Observer);
  EXPECT_FALSE(logged(observer, "Peer type"));
  const LoadOutcome voter = load_with(text + "peerType=observer\n", {{"/d/myid", "1"}});
  EXPECT_EQ(voter.settings.ensemble.role, wire::Role::Participant);
  EXPECT_TRUE(logged(
      voter,
      "Peer type from servers list (PARTICIPANT) doesn't match peerType (OBSERVER). Defaulting to servers list."));
}

TEST(Members, TwoClientAddressesMustAgree) {
  struct Case {
    const char* own;
    const char* listed;
    const char* address;  ///< Null: they contradict each other.
    int32_t port;
  };
  const Case cases[] = {
      {"clientPort=2181\n", "2181", "", 2181},
      {"clientPort=2181\n", "10.0.0.1:2181", "10.0.0.1", 2181},
      {"clientPort=2181\nclientPortAddress=0.0.0.0\n", "10.0.0.1:2181", "10.0.0.1", 2181},
      {"clientPort=2181\nclientPortAddress=zk1\n", "10.0.0.1:2181", "10.0.0.1", 2181},
      {"clientPort=2181\nclientPortAddress=10.0.0.1\n", "10.0.0.1:2181", "10.0.0.1", 2181},
      {"clientPort=2181\n", "2182", nullptr, 0},
      {"clientPort=2181\nclientPortAddress=10.0.0.2\n", "10.0.0.1:2181", nullptr, 0},
      {"clientPort=2181\nclientPortAddress=127.0.0.1\n", "2181", nullptr, 0},
      {"", "2182", "", 2182},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(fmt::format("{} {}", c.own, c.listed));
    const std::string text = fmt::format("{}{}server.1=a:1:2;{}\nserver.2=b:1:2\n", kStatic, c.own, c.listed);
    const LoadOutcome outcome = load_with(text, {{"/d/myid", "1"}});
    if (c.address == nullptr) {
      EXPECT_NE(texts(outcome).find("client address for this server (id = 1) in static config file is "),
                std::string::npos);
      continue;
    }
    EXPECT_EQ(texts(outcome), "");
    EXPECT_EQ(outcome.settings.client_port.address, c.address);
    EXPECT_EQ(outcome.settings.client_port.port, c.port);
  }
}

// Spec: operations 1.5.
TEST(DynamicFile, HoldsTheMembers) {
  const std::string text = std::string(kStatic) + "dynamicConfigFile=/c/zoo.cfg.dynamic.10000000a\n";
  const Files files = {{"/d/myid", "3"},
                       {"/c/zoo.cfg.dynamic.10000000a", kThree},
                       {"zoo.cfg.dynamic.next", std::string(kThree) + "server.4=d:1:2\nversion=10000000a"}};
  const LoadOutcome outcome = load_with(text, files);
  EXPECT_EQ(texts(outcome), "");
  const EnsembleSettings& e = outcome.settings.ensemble;
  EXPECT_EQ(e.config.version, 0x10000000a);
  EXPECT_EQ(e.config.voters(), 3u);
  EXPECT_EQ(e.my_id, 3);
  ASSERT_TRUE(e.last_seen);
  EXPECT_EQ(e.last_seen->version, 0x10000000a);
  EXPECT_EQ(e.last_seen->voters(), 4u);
}

TEST(DynamicFile, AChangeThatIsNotFinishedIsRefused) {
  const LoadOutcome outcome = load_with(std::string(kStatic) + "dynamicConfigFile=/c/zoo.cfg.dynamic.10000000a\n",
                                        {{"/d/myid", "3"},
                                         {"/c/zoo.cfg.dynamic.10000000a", kThree},
                                         {"zoo.cfg.dynamic.next", std::string(kThree) + "version=10000000b"}});
  ASSERT_EQ(outcome.errors.size(), 1u) << texts(outcome);
  EXPECT_TRUE(outcome.errors[0].message.starts_with("zoo.cfg.dynamic.next holds members that were proposed"));
}

TEST(DynamicFile, ANameWithoutAVersion) {
  for (const char* name : {"/c/dynamic", "/c.d/members", "zoo.cfg.dynamic", "/c/x.-1", "x."}) {
    SCOPED_TRACE(name);
    const LoadOutcome outcome = load_with(fmt::format("{}dynamicConfigFile={}\n", kStatic, name),
                                          {{"/d/myid", "3"}, {name, kThree}, {"zoo.cfg.dynamic.next", "x=1"}});
    EXPECT_EQ(texts(outcome), "");
    EXPECT_EQ(outcome.settings.ensemble.config.version, 0);
    EXPECT_FALSE(outcome.settings.ensemble.last_seen);
    EXPECT_TRUE(logged(outcome, "zoo.cfg.dynamic.next is left out: x=1: Unrecognised parameter: x"));
  }
}

TEST(DynamicFile, WhatIsWrongWithIt) {
  struct Case {
    const char* extra;
    const char* dynamic;
    const char* error;
  };
  const Case cases[] = {
      {"", nullptr,
       "zoo.cfg:5: dynamicConfigFile=/c/dyn: Error processing /c/dyn (/c/dyn: No such file or directory)\n"},
      {"", "unreadable", "zoo.cfg:5: dynamicConfigFile=/c/dyn: Error processing /c/dyn (/c/dyn: Permission denied)\n"},
      {"", "server.1=a:1:2\nversion=1\n",
       "/c/dyn:2: version=1: dynamic file shouldn't have version inside (remove the line: the file's name ends with "
       "it)\n"},
      {"", "\nclientPort=1\n",
       "/c/dyn:2: clientPort=1: Unrecognised parameter: clientPort (want server, group and weight lines alone; others "
       "belong into zoo.cfg)\n"},
      {"", "server.1=a:1:2\\u1",
       "/c/dyn:1: Error processing /c/dyn (a \\u in this line is not followed by four hexadecimal digits)\n"},
      {"", "server.1=a:1\n",
       "/c/dyn:1: server.1=a:1: a:1 does not have the form server_config or server_config;client_config where "
       "server_config is the pipe separated list of host:port:port or host:port:port:type and client_config is port or "
       "host:port (want host:quorumPort:electionPort[:participant|observer][;[host:]clientPort])\n"},
      {"", "server.1=a:1:2\nserver.2=b:1:2\n\ngroup.1=1\n",
       "/c/dyn:2: server.2=b:1:2: Server 2is not in a group (want each voter in one group, and only members in "
       "groups)\n"},
      {"server.2=b:1:2\n", kThree,
       "zoo.cfg:6: server.2=b:1:2: parameter: server.2 must be in a separate dynamic config file (move the line to the "
       "file that dynamicConfigFile names)\n"},
      {"version=7\n", kThree, ""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.error);
    Files files = {{"/d/myid", "1"}};
    if (c.dynamic != nullptr) files["/c/dyn"] = c.dynamic;
    EXPECT_EQ(texts(load_with(std::string(kStatic) + "dynamicConfigFile=/c/dyn\n" + c.extra, files)), c.error);
  }
}

}  // namespace
}  // namespace quorate::config
