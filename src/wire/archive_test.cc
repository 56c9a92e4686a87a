#include "wire/archive.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "wire/record_testing.h"
#include "wire/vectors.h"

namespace quorate::wire {
namespace {

TEST(Encoder, WritesBigEndian) {
  ByteBuffer bytes;
  Encoder out(bytes);
  out.byte(-2);
  out.boolean(true);
  out.boolean(false);
  out.i32(0x01020304);
  out.i64(INT64_MIN + 5);
  out.view("ab");
  out.raw("cd");
  EXPECT_EQ(to_hex(bytes.view()),
            "fe"
            "01"
            "00"
            "01020304"
            "8000000000000005"
            "000000026162"
            "6364");
}

TEST(Decoder, ReadsBigEndian) {
  const ExactBytes bytes(from_hex("fe010080000001fffffffffffffffe00000003616263ff"));
  Decoder in(bytes.view());
  EXPECT_EQ(in.byte(), -2);
  EXPECT_TRUE(in.boolean());
  EXPECT_FALSE(in.boolean());
  EXPECT_EQ(in.i32(), INT32_MIN + 1);
  EXPECT_EQ(in.i64(), -2);
  EXPECT_EQ(in.view(), "abc");
  EXPECT_EQ(in.rest(), "\xff");
  EXPECT_FALSE(in.ended());
  EXPECT_EQ(in.byte(), -1);
  EXPECT_TRUE(in.ended());
  EXPECT_TRUE(in.ok());
}

// Spec: disk 0. Any byte but 0 is true.
TEST(Decoder, ReadsEveryOtherByteAsTrue) {
  for (int value = 0; value < 256; ++value) {
    const char byte = static_cast<char>(value);
    Decoder in({&byte, 1});
    EXPECT_EQ(in.boolean(), value != 0) << value;
  }
}

TEST(Decoder, KeepsAbsentAndEmptyApart) {
  ByteBuffer bytes;
  Encoder out(bytes);
  out.view(kAbsent);
  out.view("");
  EXPECT_EQ(to_hex(bytes.view()), "ffffffff00000000");
  const ExactBytes exact(bytes.view());
  Decoder in(exact.view());
  EXPECT_TRUE(is_absent(in.view()));
  const std::string_view empty = in.view();
  EXPECT_FALSE(is_absent(empty));
  EXPECT_TRUE(empty.empty());
  EXPECT_TRUE(in.ok());
  EXPECT_TRUE(in.ended());
}

TEST(Decoder, RefusesImpossibleLengths) {
  for (const int32_t length : {-2, -3, INT32_MIN, 5, INT32_MAX}) {
    ByteBuffer bytes;
    Encoder out(bytes);
    out.i32(length);
    out.raw("four");
    const ExactBytes exact(bytes.view());
    Decoder in(exact.view());
    EXPECT_TRUE(is_absent(in.view())) << length;
    EXPECT_FALSE(in.ok()) << length;
    EXPECT_TRUE(in.ended()) << length;
  }
}

TEST(Decoder, GivesZerosOnceItHasFailed) {
  const ExactBytes bytes(from_hex("01020304050607"));
  Decoder in(bytes.view());
  EXPECT_EQ(in.i64(), 0);
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.byte(), 0);
  EXPECT_FALSE(in.boolean());
  EXPECT_EQ(in.i32(), 0);
  EXPECT_EQ(in.i64(), 0);
  EXPECT_TRUE(is_absent(in.view()));
  EXPECT_TRUE(in.rest().empty());
}

TEST(Decoder, ReadsNothingFromNothing) {
  Decoder in({});
  EXPECT_TRUE(in.ok());
  EXPECT_TRUE(in.ended());
  EXPECT_EQ(in.byte(), 0);
  EXPECT_FALSE(in.ok());
}

std::string vector_bytes(int32_t count, const std::string& items) {
  ByteBuffer bytes;
  Encoder out(bytes);
  out.i32(count);
  out.raw(items);
  return std::string(bytes.view());
}

const std::string kOneAcl = from_hex("0000001f00000005776f726c6400000006616e796f6e65");

// Spec: client 1.1.
TEST(VectorView, CountsBelowZeroAreAbsentOrEmptyAndKeptAsSent) {
  struct Case {
    int32_t count;
    bool absent;
  };
  for (const Case& c : {Case{-1, true}, Case{0, false}, Case{-2, false}, Case{INT32_MIN, false}}) {
    SCOPED_TRACE(c.count);
    const ExactBytes bytes(vector_bytes(c.count, ""));
    Decoder in(bytes.view());
    const AclVector vector = AclVector::take(in);
    EXPECT_TRUE(in.ok());
    EXPECT_TRUE(in.ended());
    EXPECT_EQ(vector.absent(), c.absent);
    EXPECT_EQ(vector.size(), 0);
    EXPECT_EQ(to_hex(vector.raw()), to_hex(bytes.view()));
    vector.each([](const AclItem&) { ADD_FAILURE() << "an item of none"; });
  }
}

TEST(VectorView, IsAbsentUnlessTold) {
  EXPECT_TRUE(StringVector().absent());
  EXPECT_EQ(to_hex(StringVector().raw()), "ffffffff");
}

TEST(VectorView, LeavesWhatFollows) {
  const ExactBytes bytes(vector_bytes(2, kOneAcl + kOneAcl) + "rest");
  Decoder in(bytes.view());
  const AclVector vector = AclVector::take(in);
  EXPECT_EQ(in.rest(), "rest");
  int items = 0;
  vector.each([&](const AclItem& item) {
    EXPECT_EQ(item.perms, 31);
    EXPECT_EQ(item.scheme, "world");
    EXPECT_EQ(item.id, "anyone");
    ++items;
  });
  EXPECT_EQ(items, 2);
}

// A count says nothing about the bytes that are there; what is short reads as an absent vector.
TEST(VectorView, RefusesMoreItemsThanBytes) {
  for (const int32_t count : {2, 1000, INT32_MAX}) {
    const ExactBytes bytes(vector_bytes(count, kOneAcl));
    Decoder in(bytes.view());
    const AclVector vector = AclVector::take(in);
    EXPECT_FALSE(in.ok()) << count;
    EXPECT_TRUE(vector.absent()) << count;
    EXPECT_EQ(vector.size(), 0) << count;
  }
}

TEST(VectorView, RefusesItemsWithImpossibleLengths) {
  for (const int32_t length : {-2, INT32_MIN, INT32_MAX}) {
    ByteBuffer bytes;
    Encoder out(bytes);
    out.i32(2);
    out.view("fine");
    out.i32(length);
    const ExactBytes exact(bytes.view());
    Decoder in(exact.view());
    StringVector::take(in);
    EXPECT_FALSE(in.ok()) << length;
  }
}

TEST(VectorView, TrustsItsOwnBytes) {
  const std::string raw = vector_bytes(1, kOneAcl);
  const AclVector vector = AclVector::trusted(raw);
  EXPECT_EQ(vector.size(), 1);
  EXPECT_EQ(vector.raw(), raw);
}

}  // namespace
}  // namespace quorate::wire
