#include "tools/bench_frames.h"

#include <gtest/gtest.h>

#include "tools/bench_in_flight.h"
#include "tools/bench_link.h"
#include "tools/bench_workload.h"
#include "wire/client.h"

namespace quorate::tools {
namespace {

using namespace std::literals;

/// The one frame in `out`, cut into header and record.
template <class Record>
Record only_request(const ByteBuffer& out, wire::RequestHeader& header) {
  wire::Decoder in(out.view());
  EXPECT_EQ(static_cast<size_t>(in.i32()), out.size() - 4);
  Record record;
  EXPECT_TRUE(wire::decode(in, header));
  EXPECT_TRUE(wire::decode(in, record));
  EXPECT_TRUE(in.ended());
  return record;
}

// Spec: client 3.3. Bytes written by hand from the table.
TEST(BenchFrames, GetDataBytes) {
  ByteBuffer out;
  append_frame(out, get_frame("/a"), 0x01020304);
  EXPECT_EQ(out.view(), "\0\0\0\x0f\1\2\3\4\0\0\0\4\0\0\0\2/a\0"sv);
}

// Spec: client 2.1: 45 bytes with a password of 16.
TEST(BenchFrames, ConnectRequestHas45Bytes) {
  const std::string frame = connect_frame(30000);
  EXPECT_EQ(frame.size(), 4u + 45u);
  EXPECT_EQ(wire::load_be32(frame.data()), 45u);
  EXPECT_EQ(wire::load_be32(frame.data() + 16), 30000u);
}

TEST(BenchWorkload, SetCarriesPathValueAndAnyVersion) {
  BenchOptions options{.mode = BenchMode::Set, .root = "/zkload", .keys = 3, .value_bytes = 40};
  ByteBuffer out;
  EXPECT_EQ(key_workload(options)->append(0, 9, out), Sent::Write);
  wire::RequestHeader header;
  const auto set = only_request<wire::SetDataRequest>(out, header);
  EXPECT_EQ(header.xid, 9);
  EXPECT_TRUE(set.path.starts_with("/zkload/k"));
  EXPECT_EQ(set.data, std::string(40, 'v'));
  EXPECT_EQ(set.version, -1);
}

TEST(BenchWorkload, MixKeepsItsShare) {
  BenchOptions options{.mode = BenchMode::Mix, .root = "/zkload", .keys = 10, .value_bytes = 0, .read_percent = 90};
  const auto workload = key_workload(options);
  int reads = 0;
  for (int i = 0; i < 20000; ++i) {
    ByteBuffer out;
    if (workload->append(0, i, out) == Sent::Read) ++reads;
  }
  EXPECT_NEAR(reads, 18000, 200);
}

TEST(BenchWorkload, CreatesCountUnderTheirOwnParent) {
  BenchOptions options{.mode = BenchMode::Create, .root = "/zkload", .value_bytes = 5};
  const auto workload = create_workload(options, {0, 41});
  const char* wanted[] = {"/zkload/c00001/n0000000041", "/zkload/c00001/n0000000042"};
  for (const char* path : wanted) {
    ByteBuffer out;
    EXPECT_EQ(workload->append(1, 1, out), Sent::Write);
    wire::RequestHeader header;
    const auto create = only_request<wire::CreateRequest>(out, header);
    EXPECT_EQ(create.path, path);
    EXPECT_EQ(create.data, "vvvvv");
    EXPECT_EQ(create.acl.size(), 1);
  }
}

TEST(BenchWorkload, FillSpreadsOverDirectoriesAndEnds) {
  BenchOptions options{.mode = BenchMode::Fill, .root = "/zkfill", .value_bytes = 100, .fill = 3, .fan_out = 2};
  const auto workload = fill_workload(options);
  for (const char* path : {"/zkfill/d00000/n0000000000", "/zkfill/d00000/n0000000001", "/zkfill/d00001/n0000000002"}) {
    ByteBuffer out;
    EXPECT_EQ(workload->append(0, 1, out), Sent::Write);
    wire::RequestHeader header;
    EXPECT_EQ(only_request<wire::CreateRequest>(out, header).path, path);
  }
  ByteBuffer out;
  EXPECT_EQ(workload->append(0, 1, out), Sent::Nothing);
  EXPECT_TRUE(out.empty());
}

TEST(BenchLink, Endpoints) {
  const auto both = parse_endpoints("a:1,[::1]:22");
  ASSERT_TRUE(both.has_value());
  EXPECT_EQ(both->at(0).host, "a");
  EXPECT_EQ(both->at(1).host, "::1");
  EXPECT_EQ(both->at(1).port, "22");
  EXPECT_EQ(parse_endpoints("plain")->at(0).port, "2181");
  for (const char* bad : {"", ":1", "a:", "a:1,", "::1", "fe80::1:2181", "[]:1"})
    EXPECT_FALSE(parse_endpoints(bad).has_value()) << bad;
}

TEST(BenchLink, RepliesAreTakenWholeOnly) {
  const std::string frame("\0\0\0\x12\0\0\0\7\0\0\0\0\0\0\0\5\xff\xff\xff\x9bxy", 22);
  const std::string two = frame + frame;
  for (size_t cut = 0; cut < frame.size(); ++cut) {
    size_t offset = 0;
    LinkReply reply;
    EXPECT_FALSE(*next_reply(std::string_view(two).substr(0, cut), offset, reply));
    EXPECT_EQ(offset, 0u);
  }
  size_t offset = 0;
  LinkReply reply;
  EXPECT_TRUE(*next_reply(two, offset, reply));
  EXPECT_TRUE(*next_reply(two, offset, reply));
  EXPECT_EQ(reply.xid, 7);
  EXPECT_EQ(reply.err, -101);
  EXPECT_EQ(reply.body, "xy");
  EXPECT_FALSE(*next_reply(two, offset, reply));
  offset = 0;
  EXPECT_FALSE(next_reply("\0\0\0\x0f"sv, offset, reply).has_value());
}

TEST(BenchInFlight, OldestFirstAndBounded) {
  BenchInFlight waiting(3);
  for (int64_t i = 0; i < 100; ++i) {
    while (!waiting.full()) waiting.push({static_cast<int64_t>(waiting.next_xid()), Sent::Read});
    EXPECT_EQ(waiting.size(), 3u);
    const int32_t expected = waiting.expected_xid();
    EXPECT_EQ(expected, i + 1);
    EXPECT_EQ(waiting.pop().start_ns, expected);
  }
}

}  // namespace
}  // namespace quorate::tools
