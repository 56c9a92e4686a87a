#include "shell/net/peer_link.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "shell/net/stream_testing.h"
#include "wire/archive.h"

// Goal: packets come out as they were sent, however they arrive and however slowly they are taken; bytes leave in their
// order whatever the window; what goes wrong is named; no burst costs more than in proportion to its size.
// Method: a stream in memory. Spec: quorum 0, 3.1, 3.6; known-faults 4074.
namespace quorate::net {
namespace {

using namespace std::string_literals;

constexpr size_t kMaxData = 1 << 20;

struct LinkBench {
  std::shared_ptr<Line> line = std::make_shared<Line>();
  PeerLink link{std::make_unique<LineStream>(line), {.max_data_bytes = kMaxData, .send_limit = Millis{10000}}};

  /// All that comes out until nothing more does, each as "type:zxid:data".
  std::vector<std::string> drain() {
    std::vector<std::string> packets;
    wire::QuorumPacket packet;
    for (;;) {
      while (link.next(packet) == PeerInbound::Packet) packets.push_back(text_of(packet));
      link.settle();
      const auto received = link.receive();
      if (!received || *received == 0) return packets;
    }
  }
  static std::string text_of(const wire::QuorumPacket& packet) {
    const std::string data = wire::is_absent(packet.data) ? "null" : std::string(packet.data);
    return std::to_string(packet.type) + ":" + std::to_string(packet.zxid.value) + ":" + data;
  }
};

std::string packet_of(wire::PacketType type, int64_t zxid, std::string_view data = wire::kAbsent) {
  ByteBuffer out;
  wire::append_packet(out, type, Zxid{zxid}, data);
  return std::string(out.view());
}

TEST(PeerLink, CutsPacketsWhateverThePiecesAre) {
  const std::string large(300'000, 'x');
  for (const size_t piece : {1, 2, 7, 19, 20, 21, 1000, 1 << 20}) {
    LinkBench bench;
    bench.line->piece = piece;
    bench.line->incoming = packet_of(wire::PacketType::Ack, 1) + packet_of(wire::PacketType::Proposal, 2, large) +
                           packet_of(wire::PacketType::Ping, 3, "") + packet_of(wire::PacketType::Commit, 4);
    EXPECT_EQ(bench.drain(), (std::vector<std::string>{"3:1:null", "2:2:" + large, "5:3:", "4:4:null"}));
  }
}

TEST(PeerLink, PacketsStayValidUntilTheNextReceive) {
  LinkBench bench;
  bench.line->incoming =
      packet_of(wire::PacketType::Proposal, 1, "one") + packet_of(wire::PacketType::Proposal, 2, "two");
  ASSERT_TRUE(bench.link.receive());
  wire::QuorumPacket one;
  wire::QuorumPacket two;
  EXPECT_EQ(bench.link.next(one), PeerInbound::Packet);
  EXPECT_EQ(bench.link.next(two), PeerInbound::Packet);
  EXPECT_EQ(one.data, "one");
  EXPECT_EQ(two.data, "two");
}

// A consumer that takes no packets makes the other side wait, and memory does not grow.
TEST(PeerLink, ReceivesNothingWhilePacketsAreLeft) {
  LinkBench bench;
  for (int i = 0; i < 100'000; ++i) bench.line->incoming += packet_of(wire::PacketType::Ack, i);
  bench.link.want_readable(false);
  EXPECT_FALSE(bench.line->readable_wanted);
  ASSERT_TRUE(bench.link.receive());
  const size_t taken = bench.line->taken;
  EXPECT_LE(taken, 64u << 10);
  wire::QuorumPacket packet;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(*bench.link.receive(), 0u);
    EXPECT_EQ(bench.link.next(packet), PeerInbound::Packet);
  }
  EXPECT_EQ(bench.line->taken, taken);
  bench.link.want_readable(true);
  EXPECT_TRUE(bench.line->readable_wanted);
  EXPECT_EQ(bench.drain().size(), 100'000u - 10);
}

TEST(PeerLink, NamesWhatItCannotRead) {
  struct Case {
    const char* why;
    std::string bytes;
    const char* reason;
  };
  const Case cases[] = {
      {"too much data", packet_of(wire::PacketType::Ack, 1).substr(0, 12) + "\x00\x10\x00\x01\xff\xff\xff\xff"s,
       "data length 1048577 is not within -1 and 1048576"},
      {"negative", packet_of(wire::PacketType::Ack, 1).substr(0, 12) + "\xff\xff\xff\xfe\xff\xff\xff\xff"s,
       "data length -2 is not within -1 and 1048576"},
      {"SASL", "\x5f\x24\x35\x01\x35\x01\xed\xcc"s,
       "it begins SASL authentication, which is not available between servers here; set "
       "quorum.auth.learnerRequireSasl=false and quorum.auth.serverRequireSasl=false on all servers"},
      {"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01"s,
       "it begins TLS, which is not available between servers here; set sslQuorum=false on all servers"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    for (const size_t piece : {size_t{1}, SIZE_MAX}) {
      LinkBench bench;
      bench.line->piece = piece;
      bench.line->incoming = c.bytes;
      EXPECT_TRUE(bench.drain().empty());
      EXPECT_EQ(bench.link.reason(), c.reason);
      wire::QuorumPacket packet;
      EXPECT_EQ(bench.link.next(packet), PeerInbound::Bad);
      EXPECT_EQ(bench.link.receive().error().detail, c.reason);
      ByteBuffer out;
      out.append("x");
      EXPECT_FALSE(bench.link.send(out, Millis{0}));
    }
  }
}

// Behind the first packet the same bytes are a packet like others.
TEST(PeerLink, OnlyTheOpeningIsTakenForAnotherProtocol) {
  LinkBench bench;
  bench.line->incoming = packet_of(wire::PacketType::Ack, 1) + "\x5f\x24\x35\x01\x35\x01\xed\xcc\x00\x00\x00\x00"s +
                         "\xff\xff\xff\xff\xff\xff\xff\xff"s;
  EXPECT_EQ(bench.drain().size(), 2u);
}

TEST(PeerLink, SaysWhyItEnded) {
  LinkBench whole;
  whole.line->incoming = packet_of(wire::PacketType::Ack, 1);
  whole.line->ended = true;
  EXPECT_EQ(whole.drain().size(), 1u);
  EXPECT_EQ(whole.link.reason(), "the other side closed the connection");
  LinkBench within;
  within.line->incoming = packet_of(wire::PacketType::Ack, 1) + packet_of(wire::PacketType::Ack, 2).substr(0, 7);
  within.line->ended = true;
  EXPECT_EQ(within.drain().size(), 1u);
  EXPECT_EQ(within.link.reason(), "the other side closed the connection, within a packet of which 7 bytes had come");
  LinkBench sending;
  sending.line->ended = true;
  ByteBuffer out;
  out.append("x");
  EXPECT_FALSE(sending.link.send(out, Millis{0}));
  EXPECT_EQ(sending.link.reason(), "Broken pipe");
}

// Spec: quorum 3.6. What lies behind SNAP is handed out, what is not used comes again, and packets go on behind it.
TEST(PeerLink, HandsRawBytesOutBetweenPackets) {
  const std::string tree = "sessions, acls and nodes up to BenWasHere";
  for (const size_t piece : {1, 3, 25, 1000}) {
    LinkBench bench;
    bench.line->piece = piece;
    bench.line->incoming =
        packet_of(wire::PacketType::Snap, 9) + tree + packet_of(wire::PacketType::NewLeader, 10, "c");
    wire::QuorumPacket packet;
    while (bench.link.next(packet) == PeerInbound::None) ASSERT_TRUE(bench.link.receive());
    EXPECT_EQ(packet.kind(), wire::PacketType::Snap);
    bench.link.begin_raw();
    std::string read;
    while (read.size() < tree.size()) {
      const std::string_view there = bench.link.raw_bytes();
      // Five at a time, like a reader that wants whole records.
      const size_t used = std::min(there.size() / 5 * 5, tree.size() - read.size());
      const bool last = tree.size() - read.size() < 5;
      const size_t take = last ? std::min(there.size(), tree.size() - read.size()) : used;
      read += there.substr(0, take);
      bench.link.use_raw(take);
      if (take == 0) {
        ASSERT_TRUE(bench.link.receive());
      }
    }
    EXPECT_EQ(read, tree);
    bench.link.end_raw();
    EXPECT_EQ(bench.drain(), (std::vector<std::string>{"10:10:c"}));
  }
}

TEST(PeerLink, ARawPieceThatNobodyUsesIsBounded) {
  LinkBench bench;
  bench.line->incoming.assign(16 << 20, 'x');
  bench.link.begin_raw();
  Result<size_t> received = 0;
  while (received) received = bench.link.receive();
  EXPECT_EQ(received.error().fault, Fault::Corrupt);
  EXPECT_LE(bench.line->taken, kMaxData + (1 << 20) + (64 << 10));
  EXPECT_NE(bench.link.reason().find("bytes of the tree make no whole piece"), std::string::npos);
}

TEST(PeerLink, SendsInOrderWhateverTheWindow) {
  LinkBench bench;
  std::mt19937 random(7);
  ByteBuffer out;
  std::string all;
  bench.line->window = 0;
  for (int step = 0; step < 3000; ++step) {
    const std::string more(random() % 200, static_cast<char>('a' + step % 26));
    all += more;
    out.append(more);
    bench.line->window = random() % 220;
    const auto emptied = bench.link.send(out, Millis{step});
    ASSERT_TRUE(emptied);
    EXPECT_EQ(*emptied, bench.line->outgoing.size() == all.size());
    EXPECT_EQ(bench.link.unsent(out), all.size() - bench.line->outgoing.size());
    EXPECT_LE(out.size(), bench.link.unsent(out) + bench.link.unsent(out) / 4);
    EXPECT_EQ(bench.line->writable_wanted, !*emptied);
  }
  bench.line->window = SIZE_MAX;
  EXPECT_TRUE(*bench.link.send(out, Millis{0}));
  EXPECT_EQ(bench.line->outgoing, all);
  EXPECT_TRUE(out.empty());
}

// known-faults 4074: the limit is for bytes that wait without any of them leaving.
TEST(PeerLink, ClosesWhenNothingLeavesForTooLong) {
  LinkBench bench;
  bench.line->window = 3;
  ByteBuffer out;
  EXPECT_EQ(bench.link.next_time(), Millis{INT64_MAX});
  out.append("abcdefgh");
  EXPECT_FALSE(*bench.link.send(out, Millis{1000}));
  EXPECT_EQ(bench.link.next_time(), Millis{11000});
  out.append("ijkl");
  EXPECT_FALSE(*bench.link.send(out, Millis{5000}));  // trying is no progress
  EXPECT_EQ(bench.link.next_time(), Millis{11000});
  EXPECT_TRUE(bench.link.on_time(Millis{10999}));
  bench.line->window = 1;
  EXPECT_FALSE(*bench.link.send(out, Millis{10999}));
  EXPECT_TRUE(bench.link.on_time(Millis{20998}));
  const auto late = bench.link.on_time(Millis{20999});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().fault, Fault::Closed);
  EXPECT_EQ(bench.link.reason(), "for 10000 ms the other side took nothing of what waits for it");
}

TEST(PeerLink, TheLimitBeginsWhenBytesBeginToWait) {
  LinkBench bench;
  ByteBuffer out;
  out.append("abc");
  EXPECT_TRUE(*bench.link.send(out, Millis{0}));
  EXPECT_TRUE(bench.link.on_time(Millis{1'000'000}));
  bench.line->window = 0;
  out.append("d");
  EXPECT_FALSE(*bench.link.send(out, Millis{1'000'000}));
  EXPECT_EQ(bench.link.next_time(), Millis{1'010'000});
}

// 32 MiB each way through 64 KiB: if every piece moved all the rest, it would be thousands of times as much.
TEST(PeerLink, BurstsCostInProportion) {
  LinkBench in;
  const std::string packet = packet_of(wire::PacketType::Proposal, 5, std::string(1000, 'p'));
  const size_t count = (32u << 20) / packet.size();
  for (size_t i = 0; i < count; ++i) in.line->incoming += packet;
  EXPECT_EQ(in.drain().size(), count);

  LinkBench out;
  ByteBuffer waiting;
  waiting.append(in.line->incoming);
  for (bool emptied = false; !emptied;) {
    out.line->window = 64 << 10;
    emptied = *out.link.send(waiting, Millis{0});
  }
  EXPECT_EQ(out.line->outgoing, in.line->incoming);
}

}  // namespace
}  // namespace quorate::net
