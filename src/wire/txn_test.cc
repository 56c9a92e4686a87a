#include "wire/txn.h"

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

using Expect = void (*)(Decoder&, const Json&);

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

std::string golden_payload(const std::string& file) {
  size_t offset = 0;
  const std::string record = read_golden("txn/" + file);
  return std::string(next_payload(record, offset));
}

void expect_part(Decoder& in, const Json& part) {
  SCOPED_TRACE(part.dump());
  const auto record = kRecords.find(part["record"]);
  ASSERT_NE(record, kRecords.end());
  record->second(in, part["fields"]);
}

void expect_all(std::string_view payload, const Json& parts) {
  const ExactBytes bytes(payload);
  Decoder in(bytes.view());
  for (const Json& part : parts) expect_part(in, part);
  EXPECT_TRUE(in.ok());
  EXPECT_TRUE(in.ended());
}

class GoldenTxn : public testing::TestWithParam<GoldenFile> {};

TEST_P(GoldenTxn, ReadsAndWritesTheSame) {
  const std::string record = GetParam().bytes();
  size_t offset = 0;
  expect_all(next_payload(record, offset), GetParam().parts());
  EXPECT_EQ(offset, record.size());
}

INSTANTIATE_TEST_SUITE_P(All, GoldenTxn, testing::ValuesIn(golden_files("txn")), golden_name);

void expect_inner(const GoldenFile& golden) {
  SCOPED_TRACE(golden.name());
  const std::string payload = golden_payload(golden.name());
  Decoder in(payload);
  TxnHeader header;
  MultiTxn multi;
  ASSERT_TRUE(decode(in, header));
  ASSERT_TRUE(decode(in, multi));
  const Json& inner = golden.entry["inner"];
  size_t at = 0;
  multi.parts.each([&](const TxnPart& part) { expect_all(part.data, Json::array({inner.at(at++)})); });
  EXPECT_EQ(at, inner.size());
}

TEST(GoldenTxnIndex, PartsOfAMultiAreRecordsOfTheirOwn) {
  int multis = 0;
  for (const GoldenFile& golden : golden_files("txn")) {
    if (!golden.entry.contains("inner")) continue;
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
    types.insert(golden.parts()[0]["fields"]["type"].get<int32_t>());
    for (const Json& part : golden.entry.value("inner", Json::array())) inner.insert(part["record"]);
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
  const ExactBytes payload(golden_payload("create-v0.bin"));
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
