#include "wire/record.h"

#include <array>
#include <deque>
#include <limits>
#include <random>
#include <string>

#include "wire/client.h"
#include "wire/record_testing.h"
#include "wire/stat.h"

// Goal: every record encodes and decodes to itself, and a cut one is refused without a look behind its end.
// Method: random values by the record's own walk, so that a new record costs one line in the list below.
namespace quorate::wire {
namespace {

using Random = std::mt19937_64;

/// Fills records with random values, edges often; keeps the bytes that their views point to.
struct RandomField {
  Random& random;
  std::deque<std::string>& bytes;

  bool one_in(uint64_t n) const { return random() % n == 0; }

  template <class Number>
  void number(Number& value) const {
    constexpr std::array<Number, 5> edges = {0, 1, -1, std::numeric_limits<Number>::min(),
                                             std::numeric_limits<Number>::max()};
    value = one_in(2) ? edges[random() % edges.size()] : static_cast<Number>(random());
  }
  std::string_view text() const {
    if (one_in(8)) return kAbsent;
    std::string made(one_in(8) ? 0 : random() % 40, '\0');
    for (char& c : made) c = static_cast<char>(random());
    return bytes.emplace_back(std::move(made));
  }
  void write_item(Encoder& out, const StringItem&) const { out.view(text()); }
  void write_item(Encoder& out, const AclItem&) const {
    out.i32(static_cast<int32_t>(random()));
    out.view(text());
    out.view(text());
  }
  void write_item(Encoder& out, const TxnPart&) const {
    out.i32(static_cast<int32_t>(random()));
    out.view(text());
  }

  void operator()(const char*, bool& value) const { value = one_in(2); }
  void operator()(const char*, int32_t& value) const { number(value); }
  void operator()(const char*, int64_t& value) const { number(value); }
  void operator()(const char*, std::string_view& value) const { value = text(); }
  void operator()(const char*, SessionId& value) const { number(value.value); }
  void operator()(const char*, Zxid& value) const { number(value.value); }
  template <class Item>
  void operator()(const char*, VectorView<Item>& value) const {
    ByteBuffer raw;
    Encoder out(raw);
    const int32_t count = static_cast<int32_t>(random() % 5) - 1;
    out.i32(count);
    for (int32_t i = 0; i < count; ++i) write_item(out, Item());
    value = VectorView<Item>::trusted(bytes.emplace_back(raw.view()));
  }
};

template <class Record>
class EveryRecord : public testing::Test {};

using AllRecords =
    testing::Types<RequestHeader, ReplyHeader, ConnectRequest, ConnectResponse, CreateRequest, CreateTtlRequest,
                   PathRequest, PathWatchRequest, PathVersionRequest, SetDataRequest, SetAclRequest, WatcherTypeRequest,
                   AddWatchRequest, SetWatchesRequest, SetWatches2Request, AuthRequest, ReconfigRequest, MultiHeader,
                   WatcherEvent, Stat, StatPersisted, TxnHeader, TxnDigest, CreateTxnV0, CreateTxn, CreateTtlTxn,
                   CreateContainerTxn, DeleteTxn, SetDataTxn, CheckVersionTxn, SetAclTxn, CreateSessionTxn,
                   CloseSessionTxn, ErrorTxn, MultiTxn>;
TYPED_TEST_SUITE(EveryRecord, AllRecords);

TYPED_TEST(EveryRecord, ReadsWhatItWrote) {
  Random random(20);
  for (int round = 0; round < 200; ++round) {
    std::deque<std::string> bytes;
    TypeParam record;
    TypeParam::walk(record, RandomField{random, bytes});
    const ExactBytes exact(encoded(record));
    Decoder in(exact.view());
    expect_record<TypeParam>(in, record_text(record));
    EXPECT_TRUE(in.ended());
    if (this->HasFailure()) return;
  }
}

TYPED_TEST(EveryRecord, RefusesToBeCut) {
  Random random(21);
  for (int round = 0; round < 20; ++round) {
    std::deque<std::string> bytes;
    TypeParam record;
    TypeParam::walk(record, RandomField{random, bytes});
    expect_every_cut_fails<TypeParam>(encoded(record));
    if (this->HasFailure()) return;
  }
}

// Whatever the bytes, decoding ends, stays inside, and what it accepts means the same when it is written and read
// again.
TYPED_TEST(EveryRecord, SurvivesChangedBytes) {
  Random random(22);
  for (int round = 0; round < 200; ++round) {
    std::deque<std::string> bytes;
    TypeParam record;
    TypeParam::walk(record, RandomField{random, bytes});
    std::string changed = encoded(record);
    for (uint64_t i = random() % 4; i > 0; --i) changed[random() % changed.size()] = static_cast<char>(random());
    const ExactBytes exact(changed);
    Decoder in(exact.view());
    TypeParam read;
    if (!decode(in, read)) continue;
    const ExactBytes again(encoded(read));
    Decoder back(again.view());
    expect_record<TypeParam>(back, record_text(read));
    EXPECT_TRUE(back.ended());
    if (this->HasFailure()) return;
  }
}

TYPED_TEST(EveryRecord, LeavesWhatFollows) {
  const std::string bytes = encoded(TypeParam()) + "rest";
  Decoder in(bytes);
  TypeParam record;
  EXPECT_TRUE(decode(in, record));
  EXPECT_EQ(in.rest(), "rest");
}

/// The bytes of absent strings and vectors, of empty ones, and of impossible lengths, at each field that has a length.
struct LengthsAt {
  Encoder& out;
  int32_t length;  ///< Written where a length or count is due.
  void operator()(const char*, bool) const { out.boolean(false); }
  void operator()(const char*, int32_t) const { out.i32(7); }
  void operator()(const char*, int64_t) const { out.i64(7); }
  void operator()(const char*, SessionId) const { out.i64(7); }
  void operator()(const char*, Zxid) const { out.i64(7); }
  void operator()(const char*, std::string_view) const { out.i32(length); }
  template <class Item>
  void operator()(const char*, const VectorView<Item>&) const {
    out.i32(length);
  }
};

struct FieldCounter {
  int& texts;
  int& vectors;
  void operator()(const char*, auto&) const {}
  void operator()(const char*, std::string_view&) const { ++texts; }
  template <class Item>
  void operator()(const char*, VectorView<Item>&) const {
    ++vectors;
  }
};

template <class Record>
std::string with_lengths(int32_t length) {
  ByteBuffer bytes;
  Encoder out(bytes);
  Record record;
  Record::walk(record, LengthsAt{out, length});
  return std::string(bytes.view());
}

TYPED_TEST(EveryRecord, KeepsAbsentAndEmptyApart) {
  for (const int32_t length : {-1, 0}) {
    const ExactBytes bytes(with_lengths<TypeParam>(length));
    Decoder in(bytes.view());
    TypeParam record;
    ASSERT_TRUE(decode(in, record));
    EXPECT_TRUE(in.ended());
    EXPECT_EQ(to_hex(encoded(record)), to_hex(bytes.view()));
  }
}

// Compat: a negative count other than -1 is an empty vector; a negative length is an error. Spec: client 1.1.
TYPED_TEST(EveryRecord, RefusesImpossibleLengths) {
  TypeParam record;
  int texts = 0;
  int vectors = 0;
  TypeParam::walk(record, FieldCounter{texts, vectors});
  for (const int32_t length : {-2, INT32_MIN, INT32_MAX}) {
    const ExactBytes bytes(with_lengths<TypeParam>(length));
    Decoder in(bytes.view());
    const bool refused = texts > 0 || (vectors > 0 && length > 0);
    EXPECT_EQ(decode(in, record), !refused) << length;
  }
}

}  // namespace
}  // namespace quorate::wire
