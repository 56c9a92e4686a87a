#include <gtest/gtest.h>

#include "shell/node/node_testing.h"

namespace quorate::node::testing {
namespace {

std::string mask(int64_t value) { return Bytes().i64(value); }

// Spec: operations 2.1: answered and closed; what follows the word is not read.
TEST(Words, AreAnsweredAndClose) {
  Rig rig;
  for (const std::string_view bytes : {"ruok", "ruok\n", "ruokruok"}) {
    Wire& wire = rig.connect();
    wire.to_server = bytes;
    rig.run();
    EXPECT_EQ(wire.to_client, "imok");
    EXPECT_TRUE(wire.closed);
  }
  EXPECT_EQ(rig.node->client_count(), 0U);
  EXPECT_EQ(rig.node->replica().stats().packets_received, 3);
  EXPECT_EQ(rig.node->replica().stats().packets_sent, 3);
  EXPECT_TRUE(rig.said("Processing ruok command from /10.0.0.1:5000"));
}

TEST(Words, CutInPieces) {
  Rig rig;
  Wire& wire = rig.connect();
  wire.piece = 1;
  wire.to_server = "ruok";
  rig.run();
  EXPECT_EQ(wire.to_client, "imok");
  Wire& half = rig.connect();
  half.to_server = "ru";
  rig.run();
  EXPECT_FALSE(half.closed);
  EXPECT_EQ(half.to_client, "");
  half.to_server = "ok";
  rig.run();
  EXPECT_EQ(half.to_client, "imok");
}

// stmk has an argument of eight bytes.
TEST(Words, WithAnArgumentWaitForIt) {
  Rig rig;
  Wire& whole = rig.connect();
  whole.to_server = "stmk" + mask(5);
  rig.run();
  EXPECT_EQ(whole.to_client, "5");
  Wire& pieces = rig.connect();
  pieces.piece = 3;
  pieces.to_server = "stmk" + mask(1234).substr(0, 7);
  rig.run();
  EXPECT_FALSE(pieces.closed);
  EXPECT_TRUE(pieces.want_readable);
  pieces.to_server = mask(1234).substr(7);
  rig.run();
  EXPECT_EQ(pieces.to_client, "1234");
  Wire& shown = rig.connect();
  shown.to_server = "gtmk";
  rig.run();
  EXPECT_EQ(shown.to_client, "1234");
}

// Spec: operations 2.2.
TEST(Words, OutsideOfTheWhitelist) {
  Rig rig;
  Wire& refused = rig.connect();
  refused.to_server = "envi";
  rig.run();
  EXPECT_EQ(refused.to_client, "envi is not executed because it is not in the whitelist.\n");
  EXPECT_TRUE(refused.closed);
  Wire& always = rig.connect();
  always.to_server = "srvr";
  rig.run();
  EXPECT_TRUE(always.to_client.starts_with("Zookeeper version: "));
}

TEST(Words, ThatAreNone) {
  Rig rig;
  Wire& wire = rig.connect();
  wire.to_server = "orst";
  rig.run();
  EXPECT_EQ(wire.to_client, "");
  EXPECT_TRUE(wire.closed);
  EXPECT_TRUE(rig.said("with advertised length of 1869771636 is"));
}

// Spec: client 1.3: after the handshake they are lengths.
TEST(Words, BehindTheHandshakeAreLengths) {
  Rig rig;
  Wire& wire = rig.join();
  wire.to_server = "ruok";
  rig.run();
  EXPECT_EQ(wire.to_client, "");
  EXPECT_TRUE(wire.closed);
}

// Spec: operations 2.1 rule 3: netcat ends its side before the answer.
TEST(Words, HalfClosedConnectionsGetTheirAnswer) {
  Rig rig;
  Wire& wire = rig.connect();
  wire.to_server = "ruok";
  wire.hung_up = true;
  rig.run();
  EXPECT_EQ(wire.to_client, "imok");
}

// While a long answer is being taken, the end of the client's side is no reason to be called.
TEST(Words, LongAnswersWaitForTheReader) {
  Rig rig;
  for (int i = 0; i < 20; ++i) rig.join();
  Wire& wire = rig.connect();
  wire.window = 10;
  wire.to_server = "stat";
  wire.hung_up = true;
  rig.run();
  EXPECT_FALSE(wire.closed);
  EXPECT_FALSE(wire.want_readable);
  EXPECT_TRUE(wire.want_writable);
  EXPECT_EQ(wire.to_client.size(), 10U);
  wire.window = SIZE_MAX;
  rig.run();
  EXPECT_TRUE(wire.closed);
  EXPECT_TRUE(wire.to_client.starts_with("Zookeeper version: "));
  EXPECT_TRUE(wire.to_client.contains("Mode: standalone\n"));
}

TEST(Words, WhoseReaderNeverComesAreDropped) {
  Rig rig;
  Wire& wire = rig.connect();
  wire.window = 0;
  wire.to_server = "stat";
  rig.run();
  EXPECT_FALSE(wire.closed);
  rig.run_at(11000);
  EXPECT_TRUE(wire.closed);
}

TEST(Words, CountAsConnections) {
  Rig rig(with([](NodeSettings& s) { s.links.max_per_address = 1; }));
  rig.connect();
  EXPECT_TRUE(rig.connect().was_reset);
}

TEST(Words, SrstStartsTheCountersAfresh) {
  Rig rig;
  rig.join();
  Wire& wire = rig.connect();
  wire.to_server = "srst";
  rig.run();
  EXPECT_EQ(wire.to_client, "Server stats reset.\n");
  EXPECT_EQ(rig.node->replica().stats().packets_received, 0);
}

// What a start finds in its own log counts like what comes later.
TEST(Words, MntrCountsTheDigestsThatDifferedAtTheStart) {
  Rig rig(with([](NodeSettings& s) { s.words.whitelist = {"*"}; }));
  rig.tree().insert({.path = "/ghost", .data = "x"});
  rig.must(rig.join(), Op::Create, replica::testing::ask::create("/a"));
  const auto shown = [&rig] {
    Wire& wire = rig.connect();
    wire.to_server = "mntr";
    rig.run();
    return wire.to_client;
  };
  EXPECT_TRUE(shown().contains("zk_digest_mismatches_count\t0\n"));
  rig.boot();
  EXPECT_TRUE(rig.said("First digest mismatch on txn 0x1"));
  EXPECT_TRUE(shown().contains("zk_digest_mismatches_count\t2\n")) << shown();
}

TEST(Words, AskForSurroundingsOnlyWhenTheyShowThem) {
  Rig rig(with([](NodeSettings& s) { s.words.whitelist = {"*"}; }));
  int asked = 0;
  rig.node->set_surroundings([&asked] {
    ++asked;
    return admin::Surroundings{};
  });
  for (const std::string_view word : {"ruok", "srvr", "envi"}) {
    Wire& wire = rig.connect();
    wire.to_server = word;
    rig.run();
    EXPECT_TRUE(wire.closed);
  }
  EXPECT_EQ(asked, 1);
}

}  // namespace
}  // namespace quorate::node::testing
