#include "wire/election.h"

#include <fmt/format.h>

#include "wire/quorum_config.h"
#include "wire/stream_testing.h"

// Goal: what Apache's servers say on the election port is read as an independent decoder did, however it arrives, and
// written as the same bytes; what breaks the layout ends the connection or is skipped, as the spec says.
// Method: recorded streams, the annotated bytes of the spec, and bytes made by hand.
namespace quorate::wire {
namespace {

std::string row_of(const ElectionHello& hello) {
  std::string addresses;
  for (const HostPort& address : hello.addresses) {
    addresses += fmt::format("{}{}:{}", addresses.empty() ? "" : "|", address.host, address.port);
  }
  return fmt::format("INIT version={} sid={} {}", hello.addresses.size() > 1 ? -65535 : -65536, hello.sid.value,
                     addresses);
}

std::string row_of(const Notification& said) {
  const auto config = parse_quorum_config(said.config);
  EXPECT_TRUE(config);
  return fmt::format(
      "NOTIFICATION state={} leader={} zxid={:#x} electionEpoch={:#x} peerEpoch={:#x} v={} cfg={}B ver={:x}",
      said.state, said.leader, static_cast<uint64_t>(said.zxid.value), static_cast<uint64_t>(said.round),
      static_cast<uint64_t>(said.peer_epoch), said.version, said.config.size(), config->version);
}

/// Length and message.
std::string written(const Notification& notification) {
  ByteBuffer out;
  append_notification(out, notification);
  return std::string(out.view());
}

std::string written(const ElectionHello& hello) {
  ByteBuffer out;
  append_hello(out, hello);
  return std::string(out.view());
}

PacketCut cut_golden_hello(std::string_view arrived, std::string& text) {
  ElectionHello hello;
  PacketCut cut = cut_hello(arrived, hello);
  if (cut.cut != Cut::Whole) return cut;
  text = row_of(hello);
  EXPECT_EQ(to_hex(written(hello)), to_hex(arrived.substr(0, cut.bytes)));
  return cut;
}

PacketCut cut_golden_message(std::string_view arrived, std::string& text) {
  std::string_view message;
  PacketCut cut = cut_message(arrived, message);
  if (cut.cut != Cut::Whole) return cut;
  const ExactBytes alone(message);
  Notification notification;
  EXPECT_TRUE(decode_notification(alone.view(), notification));
  text = row_of(notification);
  EXPECT_EQ(to_hex(written(notification)), to_hex(arrived.substr(0, cut.bytes)));
  return cut;
}

class GoldenElection : public testing::TestWithParam<GoldenStream> {};

TEST_P(GoldenElection, ReadsTheSameInAnyPieces) {
  const bool dialer = GetParam().name.ends_with(".dialer");
  expect_golden_messages(GetParam(), [dialer] {
    return [dialer](size_t begin, std::string_view arrived, std::string& text) {
      return dialer && begin == 0 ? cut_golden_hello(arrived, text) : cut_golden_message(arrived, text);
    };
  });
}

INSTANTIATE_TEST_SUITE_P(All, GoldenElection, testing::ValuesIn(golden_streams('e')), golden_stream_name);

// The lost challenge has no answer, so that there are eleven directions, not twelve.
TEST(GoldenElectionTable, HoldsBothDirections) {
  const std::vector<GoldenStream> streams = golden_streams('e');
  EXPECT_EQ(streams.size(), 11u);
  EXPECT_EQ(read_stream("e04-lost-challenge-sid1-to-sid2.acceptor"), "");
}

std::string bytes_of(std::string hex) {
  std::erase_if(hex, [](char c) { return c == ' ' || c == '|'; });
  return from_hex(hex);
}

const std::string kV1 = "ffffffffffff0000";
const std::string kV2 = "ffffffffffff0001";
const std::string kSid = "0000000000000003";

std::string hello_bytes(const std::string& version, std::string_view addresses) {
  return from_hex(version + kSid + fmt::format("{:08x}", addresses.size())) + std::string(addresses);
}

// Spec: quorum 9.1.
TEST(Hello, AnnotatedBytes) {
  struct Case {
    std::string hex;
    ElectionHello hello;
  };
  const Case cases[] = {
      {"ffffffffffff0000 | 0000000000000002 | 0000000f | 3132372e302e302e313a3235333832",
       {ServerId{2}, {{"127.0.0.1", 25382}}}},
      {"ffffffffffff0001 | 0000000000000003 | 0000001f"
       "| 3132372e302e302e313a32353339337c3132372e302e302e313a3235333833",
       {ServerId{3}, {{"127.0.0.1", 25393}, {"127.0.0.1", 25383}}}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.hex);
    const ExactBytes bytes(bytes_of(c.hex));
    ElectionHello hello;
    const PacketCut cut = cut_hello(bytes.view(), hello);
    ASSERT_EQ(cut.cut, Cut::Whole) << cut.why;
    EXPECT_EQ(cut.bytes, bytes.view().size());
    EXPECT_EQ(hello.sid, c.hello.sid);
    EXPECT_EQ(hello.addresses, c.hello.addresses);
    EXPECT_EQ(to_hex(written(c.hello)), to_hex(bytes.view()));
  }
}

// Spec: quorum 1.1. Either version may hold any number of addresses, and whatever follows is not touched.
TEST(Hello, AcceptedShapes) {
  struct Case {
    std::string bytes;
    std::vector<HostPort> addresses;
  };
  const Case cases[] = {
      {from_hex(kSid), {}},
      {hello_bytes(kV1, "a:1"), {{"a", 1}}},
      {hello_bytes(kV1, "a:1|b:2"), {{"a", 1}, {"b", 2}}},
      {hello_bytes(kV2, "a:1"), {{"a", 1}}},
      {hello_bytes(kV2, "a:1|b:2|c:3"), {{"a", 1}, {"b", 2}, {"c", 3}}},
      {hello_bytes(kV1, "[2001:db8::1]:3888"), {{"2001:db8::1", 3888}}},
      {hello_bytes(kV2, "[fe80::1%eth0]:3888|b-1.x_y:65535"), {{"fe80::1%eth0", 3888}, {"b-1.x_y", 65535}}},
      {hello_bytes(kV1, "[a]:1"), {{"a", 1}}},
      {hello_bytes(kV1, "m\xc3\xbcller:0"), {{"m\xc3\xbcller", 0}}},
      {hello_bytes(kV1, "0.0.0.0:3888"), {}},
      {hello_bytes(kV1, "[::]:3888"), {}},
      {hello_bytes(kV1, "[0:0:0:0:0:0:0:0]:3888"), {}},
      {hello_bytes(kV2, "0.0.0.0:3888|b:2|[::0]:3"), {{"b", 2}}},
      {hello_bytes(kV1, "10.0.0.0:3888"), {{"10.0.0.0", 3888}}},
      {hello_bytes(kV1, std::string(2046, 'h') + ":1"), {{std::string(2046, 'h'), 1}}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.bytes);
    const ExactBytes bytes(c.bytes + "more");
    ElectionHello hello{ServerId{9}, {{"before", 1}}};
    for (size_t size = 0; size < c.bytes.size(); ++size) {
      const PacketCut part = cut_hello(ExactBytes(bytes.view().substr(0, size)).view(), hello);
      ASSERT_EQ(part.cut, Cut::Incomplete) << size;
      ASSERT_TRUE(part.needed > size && part.needed <= c.bytes.size()) << size;
    }
    EXPECT_EQ(hello.sid, ServerId{9});
    const PacketCut cut = cut_hello(bytes.view(), hello);
    EXPECT_EQ(cut.cut, Cut::Whole) << cut.why;
    EXPECT_EQ(cut.bytes, c.bytes.size());
    EXPECT_EQ(hello.sid, ServerId{3});
    EXPECT_EQ(hello.addresses, c.addresses);
  }
}

// A sid is what the first long says when it is not negative, however large.
TEST(Hello, BareSids) {
  for (const int64_t sid : {int64_t{0}, int64_t{1}, INT64_MAX}) {
    char bytes[8];
    store_be64(bytes, static_cast<uint64_t>(sid));
    ElectionHello hello;
    EXPECT_EQ(cut_hello({bytes, 8}, hello).bytes, 8u);
    EXPECT_EQ(hello.sid.value, sid);
  }
}

// Spec: quorum 1.1. Each is refused with its last byte here, and not before.
TEST(Hello, MalformedIsRefusedAsEarlyAsCanBe) {
  const std::string form = "the election addresses do not have the form host:port|host:port";
  struct Case {
    std::string bytes;
    std::string why;
  };
  const auto length = [](const char* hex) { return from_hex(kV1 + kSid + hex); };
  const Case cases[] = {
      {from_hex("ffffffffffff0002"), "-65534 is no version of the election protocol"},
      {from_hex("fffffffffffeffff"), "-65537 is no version of the election protocol"},
      {from_hex("ffffffffffffffff"), "-1 is no version of the election protocol"},
      {from_hex("8000000000000000"), "-9223372036854775808 is no version of the election protocol"},
      {length("00000000"), "address length 0 is not within 1 and 2048"},
      {length("ffffffff"), "address length -1 is not within 1 and 2048"},
      {length("80000000"), "address length -2147483648 is not within 1 and 2048"},
      {length("00000801"), "address length 2049 is not within 1 and 2048"},
      {hello_bytes(kV1, "a"), form},
      {hello_bytes(kV1, ":1"), form},
      {hello_bytes(kV1, "a:"), form},
      {hello_bytes(kV1, "a:x"), form},
      {hello_bytes(kV1, "a:1x"), form},
      {hello_bytes(kV1, "a: 1"), form},
      {hello_bytes(kV1, "a:-1"), form},
      {hello_bytes(kV1, "a:65536"), form},
      {hello_bytes(kV1, "a:99999999999999999999"), form},
      {hello_bytes(kV1, "a:1:2"), form},
      {hello_bytes(kV1, "::1:3888"), form},
      {hello_bytes(kV1, "[::1]3888"), form},
      {hello_bytes(kV1, "[::1:3888"), form},
      {hello_bytes(kV1, "[]:3888"), form},
      {hello_bytes(kV1, "a b:1"), form},
      {hello_bytes(kV1, "a\n:1"), form},
      {hello_bytes(kV1, std::string("a\0:1", 4)), form},
      {hello_bytes(kV2, "|"), form},
      {hello_bytes(kV2, "a:1|"), form},
      {hello_bytes(kV2, "|a:1"), form},
      {hello_bytes(kV2, "a:1||b:2"), form},
      {hello_bytes(kV2, "a:1|b"), form},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(to_hex(c.bytes));
    const ExactBytes bytes(c.bytes);
    ElectionHello hello;
    for (size_t size = 0; size < c.bytes.size(); ++size) {
      ASSERT_EQ(cut_hello(ExactBytes(bytes.view().substr(0, size)).view(), hello).cut, Cut::Incomplete);
    }
    const PacketCut cut = cut_hello(bytes.view(), hello);
    EXPECT_EQ(cut.cut, Cut::Malformed);
    EXPECT_EQ(cut.why, c.why);
    EXPECT_EQ(cut_hello(c.bytes + "more", hello).why, c.why);
  }
}

TEST(Hello, IsWrittenWithBracketsAndWithinItsRoom) {
  const auto text = [](std::vector<HostPort> addresses) {
    return written(ElectionHello{ServerId{3}, std::move(addresses)});
  };
  EXPECT_EQ(text({{"::1", 3888}}), hello_bytes(kV1, "[::1]:3888"));
  EXPECT_EQ(text({{"a", 1}, {"fe80::1%eth0", 2}}), hello_bytes(kV2, "a:1|[fe80::1%eth0]:2"));
  const HostPort long_one{std::string(1020, 'h'), 10};
  const std::string once = std::string(1020, 'h') + ":10";
  EXPECT_EQ(text({long_one, long_one, long_one}), hello_bytes(kV2, once + "|" + once));
  const HostPort longest{std::string(2044, 'h'), 10};
  EXPECT_EQ(text({longest, long_one}), hello_bytes(kV1, longest.host + ":10"));
}

// Spec: quorum 1.3.
TEST(CutMessage, LengthsWithinTheirRange) {
  struct Case {
    const char* hex;
    const char* why;
  };
  const Case malformed[] = {
      {"00000000", "message length 0 is not within 1 and 524288"},
      {"ffffffff", "message length -1 is not within 1 and 524288"},
      {"80000000", "message length -2147483648 is not within 1 and 524288"},
      {"00080001", "message length 524289 is not within 1 and 524288"},
      {"7fffffff", "message length 2147483647 is not within 1 and 524288"},
  };
  for (const Case& c : malformed) {
    std::string_view message;
    const PacketCut cut = cut_message(from_hex(c.hex), message);
    EXPECT_EQ(cut.cut, Cut::Malformed);
    EXPECT_EQ(cut.why, c.why);
  }
  for (const size_t length : {size_t{1}, size_t{28}, size_t{524288}}) {
    const std::string bytes = from_hex(fmt::format("{:08x}", length)) + std::string(length, 'm');
    std::string_view message;
    EXPECT_EQ(cut_message(std::string_view(bytes).substr(0, 3), message).needed, 5u);
    const PacketCut part = cut_message(std::string_view(bytes).substr(0, bytes.size() - 1), message);
    EXPECT_EQ(part.cut, Cut::Incomplete);
    EXPECT_EQ(part.needed, bytes.size());
    EXPECT_TRUE(is_absent(message));
    const PacketCut cut = cut_message(bytes + "more", message);
    EXPECT_EQ(cut.cut, Cut::Whole);
    EXPECT_EQ(cut.bytes, bytes.size());
    EXPECT_EQ(message.size(), length);
  }
}

const std::string kVote = "00000001 | 0000000000000002 | 0000000500000007 | 0000000000000003 ";
const std::string kPeerEpoch = "0000000000000006 ";

std::string text_of_notification(std::string_view message) {
  const ExactBytes bytes(message);
  Notification said;
  said.state = 77;
  if (!decode_notification(bytes.view(), said)) return said.state == 77 ? "skipped" : "skipped, but changed";
  return fmt::format("{} {} {:x} {} {} v{} {}", said.state, said.leader, said.zxid.value, said.round, said.peer_epoch,
                     said.version, text_of(said.config));
}

// Spec: quorum 2.1.
TEST(Notification, ShapesThatAreInUse) {
  struct Case {
    const char* why;
    std::string hex;
    const char* text;
  };
  const Case cases[] = {
      {"28 bytes: the epoch is the zxid's", kVote, "1 2 500000007 3 5 v0 null"},
      {"40 bytes: version 0 whatever they say", kVote + kPeerEpoch + "00000001", "1 2 500000007 3 6 v0 null"},
      {"40 bytes: no config is looked for", kVote + kPeerEpoch + "00000002", "1 2 500000007 3 6 v0 null"},
      {"44 bytes, an empty config", kVote + kPeerEpoch + "00000002 00000000", "1 2 500000007 3 6 v2 \"\""},
      {"a config", kVote + kPeerEpoch + "00000002 00000003 616263", "1 2 500000007 3 6 v2 \"abc\""},
      {"bytes behind it", kVote + kPeerEpoch + "00000002 00000003 616263 6465", "1 2 500000007 3 6 v2 \"abc\""},
      {"a later version", kVote + kPeerEpoch + "00000003 00000003 616263 6465", "1 2 500000007 3 6 v3 \"abc\""},
      {"version 1 has no config", kVote + kPeerEpoch + "00000001 00000003 616263", "1 2 500000007 3 6 v1 null"},
      {"version 1, one byte behind", kVote + kPeerEpoch + "00000001 ff", "1 2 500000007 3 6 v1 null"},
      {"a negative version", kVote + kPeerEpoch + "ffffffff 00000003", "1 2 500000007 3 6 v-1 null"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    EXPECT_EQ(text_of_notification(bytes_of(c.hex)), c.text);
  }
}

// States and votes are not judged here: that needs to know who asks. Spec: quorum 2.1.
TEST(Notification, ExtremesPass) {
  EXPECT_EQ(text_of_notification(bytes_of("7fffffff | 8000000000000000 | 8000000000000000 | ffffffffffffffff")),
            "2147483647 -9223372036854775808 -8000000000000000 -1 -2147483648 v0 null");
}

// Spec: quorum 2.1. The connection lives on.
TEST(Notification, BrokenOnesAreSkipped) {
  const std::string head = kVote + kPeerEpoch + "00000002 ";
  struct Case {
    const char* why;
    std::string hex;
  };
  const Case cases[] = {
      {"negative config length", head + "ffffffff"},  {"smallest config length", head + "80000000"},
      {"config length above all", head + "7fffffff"}, {"config cut short", head + "00000004 616263"},
      {"config length cut short", head + "000000"},   {"version cut short", kVote + kPeerEpoch + "000000"},
      {"36 bytes: no version", kVote + kPeerEpoch},   {"peer epoch cut short", kVote + "00"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    EXPECT_EQ(text_of_notification(bytes_of(c.hex)), "skipped");
  }
  const std::string vote = bytes_of(kVote);
  for (size_t size = 0; size < vote.size(); ++size) EXPECT_EQ(text_of_notification(vote.substr(0, size)), "skipped");
}

// Spec: quorum 9.1.
TEST(Notification, AnnotatedBytes) {
  const std::string config =
      "server.1=127.0.0.1:25281:25381:participant;127.0.0.1:25181\n"
      "server.2=127.0.0.1:25282:25382:participant;127.0.0.1:25182\n"
      "server.3=127.0.0.1:25283:25383:participant;127.0.0.1:25183\n"
      "server.4=127.0.0.1:25284:25384:observer;127.0.0.1:25184\nversion=0";
  Notification notification;
  notification.leader = 2;
  notification.round = 1;
  notification.config = config;
  EXPECT_EQ(to_hex(written(notification)),
            to_hex(bytes_of("0000011e | 00000000 | 0000000000000002 | 0000000000000000 | 0000000000000001"
                            "| 0000000000000000 | 00000002 | 000000f2") +
                   config));
}

}  // namespace
}  // namespace quorate::wire
