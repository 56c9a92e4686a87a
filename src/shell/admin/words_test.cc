#include "shell/admin/words.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "shell/admin/admin_testing.h"

namespace quorate::admin {
namespace {

std::string ask(FakeServer& server, std::string_view word) { return answer_word(word, server.view()).text; }

// Apache's own bytes. Spec: operations 2.4.
TEST(Words, AFreshServer) {
  FakeServer server;
  server.asking = &server.connect(1, "/127.0.0.1:39140");
  server.stats.packets_received = 1;
  EXPECT_EQ(ask(server, "srvr"), golden("fresh.srvr"));
  EXPECT_EQ(ask(server, "cons"), golden("fresh.cons"));
  EXPECT_EQ(ask(server, "wchs"), golden("fresh.wchs"));
  EXPECT_EQ(ask(server, "wchc"), golden("fresh.wchc"));
  EXPECT_EQ(ask(server, "wchp"), "\n");
  EXPECT_EQ(ask(server, "hash"), "");
}

TEST(Words, AServerInUse) {
  FakeServer server;
  server.put_to_use();
  server.stats.packets_received = server.stats.packets_sent = 32;
  EXPECT_EQ(ask(server, "srvr"), golden("use.srvr"));
  EXPECT_EQ(ask(server, "cons"), golden("use.cons"));
  EXPECT_EQ(ask(server, "wchs"), golden("use.wchs"));
  EXPECT_EQ(ask(server, "wchc"), golden("use.wchc"));
  EXPECT_EQ(ask(server, "wchp"), golden("use.wchp"));
  server.around.data_directory_bytes = server.around.log_directory_bytes = 1049049;
  EXPECT_EQ(ask(server, "conf"), golden("use.conf"));
  EXPECT_EQ(ask(server, "dirs"), golden("use.dirs"));
}

TEST(Words, StatListsTheClients) {
  FakeServer server;
  server.put_to_use();
  server.stats.packets_received = server.stats.packets_sent = 33;
  std::swap(server.connections[1], server.connections[2]);
  server.connections[1]->remote_text = "/127.0.0.1:39306";
  EXPECT_EQ(ask(server, "stat"), golden("use.stat"));
}

TEST(Words, DumpHasBucketsOfSessionsAndConnections) {
  FakeServer server;
  server.put_to_use();
  server.connections[2]->remote_text = "/127.0.0.1:39326";
  EXPECT_EQ(ask(server, "dump"), golden("use.dump"));
}

TEST(Words, DumpOfAFreshServer) {
  FakeServer server;
  server.set_time(2142400);
  server.asking = &server.connect(1, "/127.0.0.1:39160");
  EXPECT_EQ(ask(server, "dump"), golden("fresh.dump"));
}

TEST(Words, HashShowsDigests) {
  FakeServer server;
  ServerView view = server.view();
  view.digests = {{Zxid{0x80}, 283184127972}};
  EXPECT_EQ(answer_word("hash", view).text, golden("many.hash"));
}

TEST(Words, EnviHasApachesNamesAndOurVersion) {
  FakeServer server;
  server.around.memory_free_mb = 138;
  std::string names;
  std::istringstream lines(ask(server, "envi"));
  for (std::string line; std::getline(lines, line);) names += line.substr(0, line.find('=')) + "\n";
  EXPECT_EQ(names, golden("fresh.envi-names") + "quorate.version\n");
  EXPECT_NE(ask(server, "envi").find("\nos.memory.free=138MB\n"), std::string::npos);
}

TEST(Words, ShortAnswers) {
  FakeServer server;
  EXPECT_EQ(ask(server, "ruok"), "imok");
  EXPECT_EQ(ask(server, "isro"), "rw");
  EXPECT_EQ(ask(server, "gtmk"), "306");
  EXPECT_EQ(ask(server, "ruok\n"), "imok");
  EXPECT_EQ(ask(server, "\xFF\xF4\xFF\xFD"), "");
}

TEST(Words, EffectsAreNamed) {
  FakeServer server;
  EXPECT_EQ(ask(server, "crst"), golden("many.crst"));
  EXPECT_EQ(ask(server, "srst"), golden("many.srst"));
  EXPECT_EQ(answer_word("crst", server.view()).effect, Effect::ResetConnections);
  EXPECT_EQ(answer_word("srst", server.view()).effect, Effect::ResetServer);
  const Answer mask = answer_word(std::string_view("stmk\0\0\0\0\0\0\1\66", 12), server.view());
  EXPECT_EQ(mask.text, "310");
  EXPECT_EQ(mask.effect, Effect::SetTraceMask);
  EXPECT_EQ(mask.trace_mask, 310);
  EXPECT_EQ(answer_word("stmk", server.view()).effect, Effect::None);
}

TEST(Words, CrstForgetsAllButTheBeginning) {
  FakeServer server;
  server.put_to_use();
  reset_stats(*server.connections[0]);
  const std::string line = ask(server, "cons").substr(0, ask(server, "cons").find('\n'));
  EXPECT_EQ(line,
            " /127.0.0.1:39258[1](queued=0,recved=0,sent=0,sid=0x10000201c880001,lop=NA,est=1795168108271,to=20000,"
            "lzxid=0xffffffffffffffff,lresp=0,llat=0,minlat=0,avglat=0,maxlat=0)");
}

// Spec: operations 2.1 item 1.
TEST(Words, OtherOpeningsAreLengths) {
  EXPECT_EQ(word_length("ruok"), 4u);
  EXPECT_EQ(word_length("stmk"), 12u);
  EXPECT_EQ(word_length("\xFF\xF4\xFF\xFD"), 4u);
  for (const char* other : {"orst", "obsr", "lead", "RUOK", "ruo"}) EXPECT_EQ(word_length(other), 0u) << other;
  EXPECT_EQ(word_length(std::string_view("\0\0\0\x2d", 4)), 0u);
}

// Spec: operations 2.2.
TEST(Words, Whitelist) {
  FakeServer server;
  server.rules.whitelist = {"ruok"};
  EXPECT_EQ(ask(server, "ruok"), "imok");
  EXPECT_EQ(ask(server, "srvr").substr(0, 19), "Zookeeper version: ");
  EXPECT_EQ(ask(server, "isro"), "isro is not executed because it is not in the whitelist.\n");
  EXPECT_EQ(ask(server, "\xFF\xF4\xFF\xFD"), "telnet close is not executed because it is not in the whitelist.\n");
  EXPECT_EQ(answer_word("srst", server.view()).effect, Effect::None);
  server.rules.read_only_word = true;
  EXPECT_EQ(ask(server, "isro"), "rw");
}

// Spec: operations 2.3.
TEST(Words, WhileNotServing) {
  FakeServer server;
  ServerView view = server.view();
  view.serving = false;
  const std::string sentence = "This ZooKeeper instance is not currently serving requests";
  for (const Word& word : words()) {
    SCOPED_TRACE(word.name);
    const std::string text = answer_word(std::string(word.bytes) + std::string(8, '\0'), view).text;
    if (word.name == "ruok") {
      EXPECT_EQ(text, "imok");
    } else if (word.name == "isro") {
      EXPECT_EQ(text, "null");
    } else if (word.name == "gtmk") {
      EXPECT_EQ(text, "306");
    } else if (word.name == "stmk") {
      EXPECT_EQ(text, "0");
    } else if (word.name == "envi") {
      EXPECT_EQ(text.substr(0, 13), "Environment:\n");
    } else if (word.name == "hash") {
      EXPECT_EQ(text, sentence);
    } else if (word.name == "telnet close") {
      EXPECT_EQ(text, "");
    } else {
      EXPECT_EQ(text, sentence + "\n");
    }
  }
}

TEST(Words, LeaderAndReadOnly) {
  FakeServer server;
  ServerView view = server.view();
  view.mode = Mode::Leader;
  EXPECT_TRUE(answer_word("srvr", view)
                  .text.ends_with("Mode: leader\nNode count: 5\nProposal sizes last/min/max: "
                                  "-1/-1/-1\n"));
  view.mode = Mode::ReadOnly;
  EXPECT_NE(answer_word("srvr", view).text.find("\nREAD-ONLY mode; serving only read-only clients\nLatency"),
            std::string::npos);
  EXPECT_EQ(answer_word("isro", view).text, "ro");
}

MemberView member_view() {
  MemberView member;
  member.init_limit = 10;
  member.sync_limit = 5;
  member.config = wire::parse_quorum_config(
                      "server.1=zoo1:2888:3888|zoo1b:2889:3889;2181\nserver.2=zoo2:2888:3888:observer\n"
                      "version=100000003")
                      .value();
  member.peer_state = "leading - broadcast";
  return member;
}

// Spec: operations 2.4, conf.
TEST(Words, ConfOfAMember) {
  FakeServer server;
  const MemberView member = member_view();
  ServerView view = server.view();
  view.member = &member;
  server.conf.server_id = 1;
  const std::string limits = "serverId=1\ninitLimit=10\nsyncLimit=5\nelectionAlg=3\n";
  const std::string list =
      "membership: \nserver.1=zoo1:2888:3888|zoo1b:2889:3889:participant;0.0.0.0:2181\n"
      "server.2=zoo2:2888:3888:observer\nversion=100000003";
  const std::string one = answer_word("conf", view).text;
  EXPECT_TRUE(one.ends_with(limits + "electionPort=3888|3889\nquorumPort=2888|2889\npeerType=0\n" + list)) << one;
  view.mode = Mode::ReadOnly;
  EXPECT_TRUE(answer_word("conf", view).text.ends_with("\npeerType=0\n"));
  MemberView removed = member_view();
  removed.role = wire::Role::Observer;
  removed.config = wire::parse_quorum_config("server.2=zoo2:2888:3888").value();
  view.mode = Mode::Observer;
  view.member = &removed;
  EXPECT_TRUE(answer_word("conf", view)
                  .text.ends_with("electionPort=-1\nquorumPort=-1\npeerType=1\nmembership: \n"
                                  "server.2=zoo2:2888:3888:participant\nversion=0"));
}

// Spec: operations 2.4, dump.
TEST(Words, LearnersDumpSessionsWithTheirTimeouts) {
  FakeServer server;
  server.put_to_use();
  ServerView view = server.view();
  for (const Mode mode : {Mode::Follower, Mode::Observer}) {
    view.mode = mode;
    EXPECT_TRUE(answer_word("dump", view)
                    .text.starts_with("SessionTracker dump:\nGlobal Sessions(2):\n0x10000201c880000\t30000ms\n"
                                      "0x10000201c880001\t20000ms\nephemeral nodes dump:\n"));
  }
}

// Spec: operations 2.4, dump; client 8.7.
TEST(Words, LocalSessionsComeFirst) {
  FakeServer server;
  server.put_to_use();
  server.local_sessions.add(SessionId{0x77}, 10000, Millis{2142598});
  ServerView view = server.view();
  view.mode = Mode::Follower;
  const std::string text = answer_word("dump", view).text;
  EXPECT_TRUE(text.starts_with("SessionTracker dump:\nLocal Session Sets (1)/(1):\n1 expire at ")) << text;
  EXPECT_TRUE(text.contains(":\n\t0x77\nGlobal Sessions(2):\n"));
  EXPECT_TRUE(answer_word("mntr", view).text.contains("zk_local_sessions\t1\n"));
}

TEST(Words, AServerInDoubtSaysSo) {
  FakeServer server;
  MemberView member = member_view();
  ServerView view = server.view();
  view.member = &member;
  view.serving = false;
  const std::string sentence = "This ZooKeeper instance is not currently serving requests\n";
  EXPECT_EQ(answer_word("ruok", view).text, "imok");
  EXPECT_EQ(answer_word("mntr", view).text, sentence);
  member.in_doubt = true;
  member.set_aside = 2;
  const std::string doubt = answer_word("ruok", view).text;
  EXPECT_TRUE(doubt.starts_with("in doubt: ") && doubt.ends_with("SNAP) from a leader\n")) << doubt;
  EXPECT_EQ(std::ranges::count(doubt, '\n'), 1);
  EXPECT_EQ(answer_word("mntr", view).text,
            sentence + "zk_quorate_in_doubt\t1\nzk_quorate_foreign_digests\t0\nzk_quorate_set_aside\t2\n");
  EXPECT_EQ(answer_word("srvr", view).text, sentence);
}

TEST(Words, AMemberShowsWhatItsSelfCheckFound) {
  FakeServer server;
  MemberView member = member_view();
  ServerView view = server.view();
  EXPECT_FALSE(answer_word("mntr", view).text.contains("zk_quorate_"));
  view.member = &member;
  member.set_aside = 1;
  member.foreign_digests = true;
  server.stats.digest_mismatches_count = 3;
  const std::string text = answer_word("mntr", view).text;
  EXPECT_TRUE(text.ends_with("zk_quorate_in_doubt\t0\nzk_quorate_foreign_digests\t1\nzk_quorate_set_aside\t1\n"))
      << text;
  EXPECT_TRUE(text.contains("zk_digest_mismatches_count\t3\n"));
  EXPECT_EQ(answer_word("ruok", view).text, "imok");
}

TEST(Words, OurVersionLine) {
  const Version version = make_version("293c895a8d966a3ecb92872be4a1daf87d725da2", "2026-02-11 20:15", "0.1.0");
  EXPECT_EQ(version.compatible, "3.9.5-293c895a8d966a3ecb92872be4a1daf87d725da2, built on 2026-02-11 20:15 UTC");
}

}  // namespace
}  // namespace quorate::admin
