#include "wire/txn.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "wire/codes.h"
#include "wire/log_record.h"
#include "wire/record_testing.h"

// Goal: records that Apache's servers logged read as an independent decoder read them, and we write the same bytes.
// Method: each record of tests/golden/txn is taken apart into the txn records that its index names.
namespace quorate::wire {
namespace {

using Expect = void (*)(Decoder&, const std::string&);

const std::map<std::string, Expect> kRecords = {
    {"TxnHeader", expect_record<TxnHeader>},
    {"TxnDigest", expect_record<TxnDigest>},
    {"CreateTxnV0", expect_record<CreateTxnV0>},
    {"CreateTxn", expect_record<CreateTxn>},
    {"CreateTtlTxn", expect_record<CreateTtlTxn>},
    {"CreateContainerTxn", expect_record<CreateContainerTxn>},
    {"DeleteTxn", expect_record<DeleteTxn>},
    {"SetDataTxn", expect_record<SetDataTxn>},
    {"CheckVersionTxn", expect_record<CheckVersionTxn>},
    {"SetAclTxn", expect_record<SetAclTxn>},
    {"CreateSessionTxn", expect_record<CreateSessionTxn>},
    {"CloseSessionTxn", expect_record<CloseSessionTxn>},
    {"ErrorTxn", expect_record<ErrorTxn>},
    {"MultiTxn", expect_record<MultiTxn>},
};

void expect_all(std::string_view payload, const std::vector<GoldenPart>& parts) {
  const ExactBytes bytes(payload);
  Decoder in(bytes.view());
  for (const GoldenPart& part : parts) {
    SCOPED_TRACE(part.record + part.fields);
    const auto record = kRecords.find(part.record);
    ASSERT_NE(record, kRecords.end());
    record->second(in, part.fields);
  }
  EXPECT_TRUE(in.ok());
  EXPECT_TRUE(in.ended());
}

class GoldenTxn : public testing::TestWithParam<GoldenFile> {};

TEST_P(GoldenTxn, ReadsAndWritesTheSame) {
  const std::string& record = GetParam().bytes;
  size_t offset = 0;
  expect_all(next_payload(record, offset), GetParam().parts);
  EXPECT_EQ(offset, record.size());
}

INSTANTIATE_TEST_SUITE_P(All, GoldenTxn, testing::ValuesIn(golden_files("txn")), golden_name);

void expect_inner(const GoldenFile& golden) {
  SCOPED_TRACE(golden.name);
  size_t offset = 0;
  Decoder in(next_payload(golden.bytes, offset));
  TxnHeader header;
  MultiTxn multi;
  ASSERT_TRUE(decode(in, header));
  ASSERT_TRUE(decode(in, multi));
  size_t at = 0;
  multi.parts.each([&](const TxnPart& part) { expect_all(part.data, {golden.inner.at(at++)}); });
  EXPECT_EQ(at, golden.inner.size());
}

TEST(GoldenTxnIndex, PartsOfAMultiAreRecordsOfTheirOwn) {
  int multis = 0;
  for (const GoldenFile& golden : golden_files("txn")) {
    if (golden.inner.empty()) continue;
    expect_inner(golden);
    ++multis;
  }
  EXPECT_EQ(multis, 3);
}

// Every type that may stand in a log, spec: disk 0.2; check stands in a multi only.
TEST(GoldenTxnIndex, HoldsEveryType) {
  std::set<int32_t> types;
  std::set<std::string> inner;
  for (const GoldenFile& golden : golden_files("txn")) {
    size_t offset = 0;
    Decoder in(next_payload(golden.bytes, offset));
    TxnHeader header;
    ASSERT_TRUE(decode(in, header));
    types.insert(header.type);
    for (const GoldenPart& part : golden.inner) inner.insert(part.record);
  }
  for (const Op op :
       {Op::CreateSession, Op::CloseSession, Op::Error, Op::Create, Op::Create2, Op::CreateContainer, Op::CreateTtl,
        Op::Delete, Op::DeleteContainer, Op::SetData, Op::Reconfig, Op::SetAcl, Op::Multi}) {
    EXPECT_TRUE(types.contains(static_cast<int32_t>(op))) << "type " << static_cast<int32_t>(op);
  }
  EXPECT_EQ(inner, (std::set<std::string>{"CheckVersionTxn", "CreateContainerTxn", "CreateTtlTxn", "CreateTxn",
                                          "DeleteTxn", "ErrorTxn", "SetDataTxn"}));
}

// Spec: disk 2.3. A reader tries CreateTxn first and falls back when it is cut short.
TEST(CreateTxnV0, IsNoCreateTxn) {
  const std::vector<GoldenFile> files = golden_files("txn");
  const auto golden = std::ranges::find(files, "create-v0.bin", &GoldenFile::name);
  ASSERT_NE(golden, files.end());
  size_t offset = 0;
  const ExactBytes payload(next_payload(golden->bytes, offset));
  Decoder in(payload.view());
  TxnHeader header;
  ASSERT_TRUE(decode(in, header));
  Decoder again = in;
  CreateTxn create;
  EXPECT_FALSE(decode(in, create));
  CreateTxnV0 old;
  EXPECT_TRUE(decode(again, old));
  EXPECT_TRUE(again.ended());
  EXPECT_EQ(old.path, "/plain");
}

}  // namespace
}  // namespace quorate::wire
