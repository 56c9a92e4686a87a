#include "wire/quorum.h"

#include <fmt/format.h>

#include "wire/stream_testing.h"

// Goal: what Apache's servers say on the quorum port is cut and read as an independent decoder did, however it arrives,
// and written as the same bytes; what is malformed is refused as soon as it can be.
// Method: recorded streams of every kind of conversation, the annotated bytes of the spec, and bytes made by hand.
namespace quorate::wire {

static std::string text_of(const AuthItem& item) { return text_of(item.scheme) + ":" + text_of(item.id); }

namespace {

constexpr size_t kLimit = 2097150;

std::string kind_name(PacketType kind) {
  constexpr const char* kNames[] = {"REQUEST",
                                    "PROPOSAL",
                                    "ACK",
                                    "COMMIT",
                                    "PING",
                                    "REVALIDATE",
                                    "SYNC",
                                    "INFORM",
                                    "COMMITANDACTIVATE",
                                    "NEWLEADER",
                                    "FOLLOWERINFO",
                                    "UPTODATE",
                                    "DIFF",
                                    "TRUNC",
                                    "SNAP",
                                    "OBSERVERINFO",
                                    "LEADERINFO",
                                    "ACKEPOCH",
                                    "INFORMANDACTIVATE"};
  const auto at = static_cast<size_t>(kind) - 1;
  return at < std::size(kNames) ? kNames[at] : fmt::format("{}", static_cast<int32_t>(kind));
}

std::string row_of(const QuorumPacket& packet) {
  std::string row = fmt::format("{} zxid={:#x}", kind_name(packet.kind()), static_cast<uint64_t>(packet.zxid.value));
  if (!is_absent(packet.data)) row += fmt::format(" data={}B", packet.data.size());
  if (!packet.auth.absent()) row += fmt::format(" auth={}", packet.auth.size());
  return row;
}

/// Reads as a connection does; the tree behind SNAP is stepped over as the table says.
class PacketReader {
 public:
  explicit PacketReader(const GoldenStream& golden) : golden_(golden) {}

  PacketCut operator()(size_t begin, std::string_view arrived, std::string& text) {
    const GoldenMessage& expected = golden_.message_at(begin);
    if (expected.text.starts_with("SNAPSTREAM")) return step_over(expected, arrived, text);
    QuorumPacket packet;
    cut_ = cut_packet(arrived, kLimit, packet, cut_);
    if (cut_.cut == Cut::Whole) {
      text = row_of(packet);
      EXPECT_EQ(to_hex(encoded(packet)), to_hex(arrived.substr(0, cut_.bytes)));
    }
    return cut_;
  }

 private:
  static PacketCut step_over(const GoldenMessage& tree, std::string_view arrived, std::string& text) {
    const size_t bytes = tree.end - tree.begin;
    if (arrived.size() < bytes) return PacketCut::incomplete(bytes);
    text = tree.text;
    return PacketCut::whole(bytes);
  }

  const GoldenStream& golden_;
  PacketCut cut_;
};

class GoldenQuorum : public testing::TestWithParam<GoldenStream> {};

TEST_P(GoldenQuorum, ReadsTheSameInAnyPieces) {
  expect_golden_messages(GetParam(), [] { return PacketReader(GetParam()); });
}

INSTANTIATE_TEST_SUITE_P(All, GoldenQuorum, testing::ValuesIn(golden_streams('q')), golden_stream_name);

TEST(GoldenQuorumTable, HoldsEveryKindAndDirection) {
  std::string missing;
  size_t messages = 0;
  const std::vector<GoldenStream> streams = golden_streams('q');
  EXPECT_EQ(streams.size(), 26u);
  for (int32_t type = 1; type <= 19; ++type) {
    const std::string kind = kind_name(static_cast<PacketType>(type));
    const auto holds = [&](const GoldenStream& stream) {
      return std::ranges::any_of(stream.messages, [&](const auto& m) { return m.text.starts_with(kind + " "); });
    };
    if (std::ranges::none_of(streams, holds)) missing += kind + " ";
  }
  for (const GoldenStream& stream : streams) messages += stream.messages.size();
  EXPECT_EQ(missing, "");
  EXPECT_EQ(messages, 633u);
}

/// Hex digits, with blanks and bars for the eye.
std::string bytes_of(std::string hex) {
  std::erase_if(hex, [](char c) { return c == ' ' || c == '|'; });
  return from_hex(hex);
}

QuorumPacket packet_of(std::string_view bytes) {
  QuorumPacket packet;
  const PacketCut cut = cut_packet(bytes, kLimit, packet);
  EXPECT_EQ(cut.cut, Cut::Whole) << cut.why;
  EXPECT_EQ(cut.bytes, bytes.size());
  return packet;
}

// Spec: quorum 9.2 to 9.6.
TEST(QuorumPacket, AnnotatedBytes) {
  struct Case {
    const char* hex;
    PacketType kind;
    int64_t zxid;
    std::string data_hex;  ///< "null" for null.
  };
  const Case cases[] = {
      {"0000000b | 0000000000000000 | 00000014 | 0000000000000001 00010000 0000000000000000 | ffffffff",
       PacketType::FollowerInfo, 0, "0000000000000001000100000000000000000000"},
      {"00000011 | 0000000100000000 | 00000004 | 00010000 | ffffffff", PacketType::LeaderInfo, 0x100000000, "00010000"},
      {"00000012 | 0000000000000000 | 00000004 | 00000000 | ffffffff", PacketType::AckEpoch, 0, "00000000"},
      {"00000012 | 0000000100000011 | 00000004 | ffffffff | ffffffff", PacketType::AckEpoch, 0x100000011, "ffffffff"},
      {"0000000d | 0000000000000000 | ffffffff | ffffffff", PacketType::Diff, 0, "null"},
      {"00000003 | 0000000100000000 | ffffffff | ffffffff", PacketType::Ack, 0x100000000, "null"},
      {"0000000c | ffffffffffffffff | ffffffff | ffffffff", PacketType::UpToDate, -1, "null"},
      {"00000003 | 0000000100000002 | ffffffff | ffffffff", PacketType::Ack, 0x100000002, "null"},
      {"00000004 | 0000000100000002 | ffffffff | ffffffff", PacketType::Commit, 0x100000002, "null"},
      {"00000005 | 000000010000000c | ffffffff | ffffffff", PacketType::Ping, 0x10000000c, "null"},
      {"00000005 | 000000010000000c | 0000000c | 01000009c6610000 00002710 | ffffffff", PacketType::Ping, 0x10000000c,
       "01000009c661000000002710"},
      {"00000005 | 000000010000000c | 00000000 | ffffffff", PacketType::Ping, 0x10000000c, ""},
      {"00000006 | ffffffffffffffff | 0000000c | 01000009c6610000 00002710 | ffffffff", PacketType::Revalidate, -1,
       "01000009c661000000002710"},
      {"00000006 | ffffffffffffffff | 00000009 | 01000009c6610000 01 | ffffffff", PacketType::Revalidate, -1,
       "01000009c661000001"},
      {"00000007 | 0000000000000000 | ffffffff | ffffffff", PacketType::Sync, 0, "null"},
      {"00000009 | 0000000200000004 | 00000008 | 0000000000000003 | ffffffff", PacketType::CommitAndActivate,
       0x200000004, "0000000000000003"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.hex);
    const ExactBytes bytes(bytes_of(c.hex));
    const QuorumPacket packet = packet_of(bytes.view());
    EXPECT_EQ(packet.kind(), c.kind);
    EXPECT_EQ(packet.zxid, Zxid{c.zxid});
    EXPECT_EQ(is_absent(packet.data) ? "null" : to_hex(packet.data), c.data_hex);
    EXPECT_TRUE(packet.auth.absent());
    ByteBuffer out;
    append_packet(out, c.kind, Zxid{c.zxid}, packet.data);
    EXPECT_EQ(to_hex(out.view()), to_hex(bytes.view()));
  }
}

// Spec: quorum 9.3, 9.5.
TEST(QuorumPacket, AnnotatedRequests) {
  const std::string create =
      "00000001 | ffffffffffffffff | 0000003e | 01000009c6610000 00000001 00000001 | 00000002 2f61 | 00000005 "
      "68656c6c6f"
      "| 00000001 0000001f 00000005 776f726c64 00000006 616e796f6e65 | 00000000"
      "| 00000001 00000002 6970 00000009 3132372e302e302e31";
  const std::string sync =
      "00000001 | ffffffffffffffff | 00000016 | 01000009c6610000 00000008 00000009 | 00000002 2f61"
      "| 00000001 00000002 6970 00000009 3132372e302e302e31";
  struct Case {
    const std::string& hex;
    const char* header;
    size_t record_bytes;
  };
  for (const Case& c : {Case{create, R"({"sessionId":72057636020879360,"cxid":1,"type":1})", 46},
                        Case{sync, R"({"sessionId":72057636020879360,"cxid":8,"type":9})", 6}}) {
    SCOPED_TRACE(c.hex);
    const ExactBytes bytes(bytes_of(c.hex));
    const QuorumPacket packet = packet_of(bytes.view());
    EXPECT_EQ(packet.kind(), PacketType::Request);
    EXPECT_EQ(packet.zxid, Zxid{-1});
    Decoder in(packet.data);
    expect_record<ForwardedHeader>(in, c.header);
    EXPECT_EQ(in.rest().size(), c.record_bytes);
    std::string identities;
    packet.auth.each([&](const AuthItem& item) { identities += text_of(item); });
    EXPECT_EQ(identities, R"("ip":"127.0.0.1")");
    EXPECT_EQ(to_hex(encoded(packet)), to_hex(bytes.view()));
  }
}

// Spec: quorum 9.3: a txn with its digest.
TEST(QuorumPacket, AnnotatedProposal) {
  const ExactBytes bytes(
      bytes_of("00000002 | 0000000100000002 | 0000005b"
               "| 01000009c6610000 00000001 0000000100000002 000001a1f7d4161b 00000001 | 00000002 2f61"
               "| 00000005 68656c6c6f | 00000001 0000001f 00000005 776f726c64 00000006 616e796f6e65 | 00 | 00000001"
               "| 00000002 0000000210668839 | ffffffff"));
  const QuorumPacket packet = packet_of(bytes.view());
  EXPECT_EQ(packet.kind(), PacketType::Proposal);
  Decoder in(packet.data);
  expect_record<TxnHeader>(
      in, R"({"clientId":72057636020879360,"cxid":1,"zxid":4294967298,"time":1795159234075,"type":1})");
  expect_record<CreateTxn>(in, R"({"path":"/a","data":"hello","acl":[{"perms":31,"scheme":"world","id":"anyone"}],)"
                               R"("ephemeral":false,"parentCVersion":1})");
  expect_record<TxnDigest>(in, R"({"version":2,"treeDigest":8865089593})");
  EXPECT_TRUE(in.ended());
}

// Spec: quorum 9.7. What follows is no packet.
TEST(QuorumPacket, TheTreeBehindSnapIsLeft) {
  const ExactBytes bytes(bytes_of("0000000f | 0000000100000000 | ffffffff | ffffffff") + std::string(100, '\xfe'));
  QuorumPacket packet;
  const PacketCut cut = cut_packet(bytes.view(), kLimit, packet);
  EXPECT_EQ(cut.cut, Cut::Whole);
  EXPECT_EQ(cut.bytes, kSmallestPacketBytes);
  EXPECT_EQ(packet.kind(), PacketType::Snap);
  EXPECT_EQ(packet.zxid, Zxid{0x100000000});
}

// Spec: quorum 4.1, 4.4, 9.4, 9.5.
TEST(QuorumRecords, DataOfPacketsWithALayout) {
  const auto expect = [](const char* hex, auto record, const char* text) {
    const ExactBytes bytes(from_hex(hex));
    Decoder in(bytes.view());
    expect_record<decltype(record)>(in, text);
    EXPECT_TRUE(in.ended());
    expect_every_cut_fails<decltype(record)>(bytes.view());
  };
  expect("0000000000000001000100000000000200000007", LearnerInfo{},
         R"({"serverid":1,"protocolVersion":65536,"configVersion":8589934599})");
  expect("01000009c661000000000000fffffff6", ForwardedHeader{},
         R"({"sessionId":72057636020879360,"cxid":0,"type":-10})");
  expect("01000009c661000000002710", SessionTimeout{}, R"({"sessionId":72057636020879360,"timeout":10000})");
  expect("01000009c661000001", Revalidated{}, R"({"sessionId":72057636020879360,"valid":true})");
  expect("01000009c661000000", Revalidated{}, R"({"sessionId":72057636020879360,"valid":false})");
}

// Spec: quorum 3.1, "Accepted shapes".
TEST(LearnerInfo, ShorterShapesAreRead) {
  struct Case {
    size_t bytes;
    bool read;
    const char* text;
  };
  const std::string full = from_hex("000000000000000700010000000000020000000499");
  const Case cases[] = {
      {0, false, R"({"serverid":5,"protocolVersion":6,"configVersion":7})"},
      {7, false, R"({"serverid":5,"protocolVersion":6,"configVersion":7})"},
      {8, true, R"({"serverid":7,"protocolVersion":0,"configVersion":0})"},
      {11, true, R"({"serverid":7,"protocolVersion":0,"configVersion":0})"},
      {12, true, R"({"serverid":7,"protocolVersion":65536,"configVersion":0})"},
      {19, true, R"({"serverid":7,"protocolVersion":65536,"configVersion":0})"},
      {20, true, R"({"serverid":7,"protocolVersion":65536,"configVersion":8589934596})"},
      {21, true, R"({"serverid":7,"protocolVersion":65536,"configVersion":8589934596})"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.bytes);
    const ExactBytes data(full.substr(0, c.bytes));
    LearnerInfo info{5, 6, 7};
    EXPECT_EQ(decode_learner_info(data.view(), info), c.read);
    EXPECT_EQ(record_text(info), c.text);
  }
  LearnerInfo info;
  EXPECT_FALSE(decode_learner_info(kAbsent, info));
}

// Spec: quorum 0, 3.1. Each is refused with its last byte here, and not before.
TEST(CutPacket, MalformedIsRefusedBeforeItsBytesCome) {
  const std::string head = "00000002 0000000100000002 ";
  const std::string one_identity = head + "ffffffff | 00000001 ";
  struct Case {
    std::string hex;
    const char* why;
  };
  const Case cases[] = {
      {head + "fffffffe", "data length -2 is not within -1 and 100"},
      {head + "80000000", "data length -2147483648 is not within -1 and 100"},
      {head + "00000065", "data length 101 is not within -1 and 100"},
      {head + "7fffffff", "data length 2147483647 is not within -1 and 100"},
      {head + "ffffffff fffffffe", "a packet with -2 identities"},
      {head + "00000001 61 80000000", "a packet with -2147483648 identities"},
      {head + "ffffffff 00800001", "a packet with 8388609 identities"},
      {head + "ffffffff 7fffffff", "a packet with 2147483647 identities"},
      {one_identity + "fffffffe", "length -2 of an identity is not within -1 and 100"},
      {one_identity + "00000065", "length 101 of an identity is not within -1 and 100"},
      {one_identity + "00000002 6970 fffffffe", "length -2 of an identity is not within -1 and 100"},
      {one_identity + "ffffffff 7fffffff", "length 2147483647 of an identity is not within -1 and 100"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.hex);
    const ExactBytes bytes(bytes_of(c.hex));
    QuorumPacket packet{77, {}, {}, {}};
    PacketCut cut;
    for (size_t size = 0; size < bytes.view().size(); ++size) {
      cut = cut_packet(bytes.view().substr(0, size), 100, packet, cut);
      ASSERT_EQ(cut.cut, Cut::Incomplete);
    }
    EXPECT_EQ(cut_packet(bytes.view(), 100, packet, cut).why, c.why);
    cut = cut_packet(bytes.view(), 100, packet);
    EXPECT_EQ(cut.cut, Cut::Malformed);
    EXPECT_EQ(cut.why, c.why);
    EXPECT_EQ(packet.type, 77);
  }
}

TEST(CutPacket, LimitsAreWithinTheLimit) {
  QuorumPacket packet{static_cast<int32_t>(PacketType::Request), Zxid{-1}, "0123456789", {}};
  const std::string auth = bytes_of("00000002 | 0000000a") + "0123456789" + bytes_of("ffffffff 00000000 ffffffff");
  packet.auth = AuthVector::trusted(auth);
  const ExactBytes bytes(encoded(packet));
  QuorumPacket back;
  EXPECT_EQ(cut_packet(bytes.view(), 9, back).cut, Cut::Malformed);
  EXPECT_EQ(cut_packet(bytes.view(), 10, back).bytes, bytes.view().size());
  EXPECT_EQ(encoded(back), bytes.view());
  std::string identities;
  back.auth.each([&](const AuthItem& item) { identities += text_of(item) + " "; });
  EXPECT_EQ(identities, R"("0123456789":null "":null )");
}

// A packet may not take all memory, even when each of its strings may be large.
TEST(CutPacket, IdentitiesTogetherAreBounded) {
  constexpr size_t kPlenty = size_t{1} << 31;
  const std::string head = bytes_of("00000001 ffffffffffffffff ffffffff 00000001 ");
  QuorumPacket packet;
  const PacketCut most = cut_packet(head + from_hex("03fffff4"), kPlenty, packet);
  EXPECT_EQ(most.cut, Cut::Incomplete);
  EXPECT_EQ(most.needed, 16 + kMaxAuthBytes);
  const PacketCut more = cut_packet(head + from_hex("03fffff5"), kPlenty, packet);
  EXPECT_EQ(more.cut, Cut::Malformed);
  EXPECT_EQ(more.why, "identities of more than 67108864 bytes");
}

TEST(CutPacket, UnknownTypesPass) {
  EXPECT_EQ(packet_of(bytes_of("7fffffff 0000000000000001 00000000 00000000")).type, INT32_MAX);
  EXPECT_EQ(packet_of(bytes_of("ffffffff 0000000000000001 ffffffff ffffffff")).type, -1);
}

std::string large_packet(size_t data_bytes, int32_t identities) {
  ByteBuffer out;
  Encoder encoder(out);
  encoder.i32(1);
  encoder.i64(-1);
  encoder.view(std::string(data_bytes, 'd'));
  encoder.i32(identities);
  for (int32_t i = 0; i < identities; ++i) {
    encoder.view("");
    encoder.view("i");
  }
  return std::string(out.view());
}

// Goal: what it costs to wait for a large packet does not grow with the square of its size.
// Method: a million calls for one packet; a walk from its beginning in each would take hours.
TEST(CutPacket, LargePacketsByteByByte) {
  for (const std::string& bytes : {large_packet(1'000'000, 0), large_packet(10, 100'000)}) {
    QuorumPacket packet;
    PacketCut cut;
    for (size_t size = 0; size < bytes.size(); ++size) {
      cut = cut_packet(std::string_view(bytes).substr(0, size), kLimit, packet, cut);
      ASSERT_EQ(cut.cut, Cut::Incomplete);
      ASSERT_TRUE(cut.needed > size && cut.needed <= bytes.size());
    }
    cut = cut_packet(bytes, kLimit, packet, cut);
    EXPECT_EQ(cut.cut, Cut::Whole);
    EXPECT_EQ(cut.bytes, bytes.size());
  }
}

// Who waits for what is needed asks three times for a packet without identities.
TEST(CutPacket, NeededLeadsToTheEnd) {
  const std::string bytes = large_packet(1'000'000, 0);
  QuorumPacket packet;
  std::vector<size_t> sizes{0};
  PacketCut cut = cut_packet({}, kLimit, packet);
  for (; cut.cut == Cut::Incomplete; cut = cut_packet(bytes.substr(0, sizes.back()), kLimit, packet, cut)) {
    sizes.push_back(cut.needed);
  }
  EXPECT_EQ(cut.cut, Cut::Whole);
  EXPECT_EQ(sizes, (std::vector<size_t>{0, 20, bytes.size()}));
}

// What was said of an earlier packet does no harm to the next.
TEST(CutPacket, GoesOnFromWhole) {
  const std::string bytes = large_packet(0, 3) + large_packet(5, 2);
  QuorumPacket packet;
  const PacketCut part = cut_packet(std::string_view(bytes).substr(0, 40), kLimit, packet);
  EXPECT_EQ(part.cut, Cut::Incomplete);
  const PacketCut first = cut_packet(bytes, kLimit, packet, part);
  ASSERT_EQ(first.cut, Cut::Whole);
  EXPECT_EQ(packet.auth.size(), 3);
  const PacketCut second = cut_packet(std::string_view(bytes).substr(first.bytes), kLimit, packet, first);
  ASSERT_EQ(second.cut, Cut::Whole);
  EXPECT_EQ(first.bytes + second.bytes, bytes.size());
  EXPECT_EQ(packet.data, "ddddd");
  EXPECT_EQ(packet.auth.size(), 2);
}

}  // namespace
}  // namespace quorate::wire
