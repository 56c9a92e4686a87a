#include "base/planted.h"
#include "core/replica/prepare_state.h"
#include "core/replica/prepare_testing.h"

namespace quorate::replica {
namespace {

using namespace prepare_testing;
using wire::Code;
using wire::Op;

struct LoggedPart {
  Op op;
  std::string body;
  friend bool operator==(const LoggedPart&, const LoggedPart&) = default;
};

std::vector<LoggedPart> parts_of(const Made& made) {
  std::vector<LoggedPart> parts;
  const std::string body = made.body();
  wire::Decoder in(body);
  wire::MultiTxn txn;
  EXPECT_TRUE(wire::decode(in, txn));
  EXPECT_EQ(in.rest().size(), 12u) << "a digest follows";
  txn.parts.each(
      [&](const wire::TxnPart& part) { parts.push_back({static_cast<Op>(part.type), std::string(part.data)}); });
  return parts;
}

LoggedPart error_part(Code code) {
  return {Op::Error, bytes_of([&](wire::Encoder& out) { out.i32(static_cast<int32_t>(code)); })};
}

std::string create_txn(std::string_view path, bool ephemeral, int32_t parent_cversion) {
  return bytes_of([&](wire::Encoder& out) {
    out.view(path);
    out.view("d");
    out.raw(kOpen);
    out.boolean(ephemeral);
    out.i32(parent_cversion);
  });
}

std::string container_txn(std::string_view path, int32_t parent_cversion) {
  return bytes_of([&](wire::Encoder& out) {
    out.view(path);
    out.view("d");
    out.raw(kOpen);
    out.i32(parent_cversion);
  });
}

// Spec: client 6.3 rule 1; disk 0.1 (CheckVersionTxn holds the version plus one).
TEST(PrepareMulti, PartsSeeThoseBeforeThem) {
  World world;
  const Made& made = world.ask(Op::Multi, multi({{Op::Create, create("/m")},
                                                 {Op::Create, create("/m/s-", 3)},
                                                 {Op::SetData, set_data("/m", "1", 0)},
                                                 {Op::Check, path_version("/m", 1)},
                                                 {Op::Create2, create("/m/s-", 2)},
                                                 {Op::Delete, path_version("/m/s-0000000000", 0)},
                                                 {Op::CreateContainer, create("/c", 4)}}));
  EXPECT_EQ(made.prepared.code, Code::Ok);
  EXPECT_EQ(made.prepared.txn_type, Op::Multi);
  EXPECT_EQ(made.prepared.create2_parts, std::vector<uint16_t>{4});
  const std::vector<LoggedPart> expected = {{Op::Create, create_txn("/m", false, 1)},
                                            {Op::Create, create_txn("/m/s-0000000000", true, 1)},
                                            {Op::SetData, set_data("/m", "1", 1)},
                                            {Op::Check, path_version("/m", 2)},
                                            {Op::Create, create_txn("/m/s-0000000001", false, 2)},
                                            {Op::Delete, path_only("/m/s-0000000000")},
                                            {Op::CreateContainer, container_txn("/c", 2)}};
  EXPECT_EQ(parts_of(made), expected);
  world.apply();
}

// Spec: client 6.3 rules 2 to 4; disk 2.3.
TEST(PrepareMulti, AFailureIsLoggedAndLeavesNothingBehind) {
  World world;
  world.must(Op::Create, create("/m"));
  world.code(Op::SetData, set_data("/m", "in flight"));
  const uint64_t digest = world.preparer.pending_digest();
  const size_t pending = world.preparer.pending_paths();

  const Made& made = world.ask(Op::Multi, multi({{Op::Create2, create("/m/s-", 3)},
                                                 {Op::SetData, set_data("/m", "x", 1)},
                                                 {Op::Create, create("/new")},
                                                 {Op::Delete, path_version("/new")},
                                                 {Op::Check, path_version("/m", 7)},
                                                 {Op::Create, create("/later")},
                                                 {Op::SetData, set_data("/none", "")}}));
  EXPECT_EQ(made.prepared.code, Code::Ok) << "the header of its reply says 0";
  EXPECT_EQ(made.prepared.txn_type, Op::Multi);
  EXPECT_TRUE(made.prepared.create2_parts.empty());
  const std::vector<LoggedPart> expected = {{Op::Create, create_txn("/m/s-0000000000", true, 1)},
                                            {Op::SetData, set_data("/m", "x", 2)},
                                            {Op::Create, create_txn("/new", false, 2)},
                                            {Op::Delete, path_only("/new")},
                                            error_part(Code::BadVersion),
                                            error_part(Code::RuntimeInconsistency),
                                            error_part(Code::RuntimeInconsistency)};
  EXPECT_EQ(parts_of(made), expected);
  EXPECT_EQ(world.preparer.pending_digest(), digest);
  EXPECT_EQ(world.preparer.pending_paths(), pending);

  // ZOOKEEPER-1624: the counter of the parent went back too.
  EXPECT_EQ(world.ask(Op::Create, create("/m/s-", 2)).body().substr(4, 15), "/m/s-0000000000");
  EXPECT_EQ(world.code(Op::SetData, set_data("/m", "x", 1)), Code::Ok);
  EXPECT_EQ(world.code(Op::Check, path_version("/new")), Code::Unimplemented);
  world.code(Op::CloseSession, "");
  world.apply();
  EXPECT_EQ(world.preparer.pending_paths(), 0u);
  EXPECT_EQ(world.tree.child_count(world.tree.find("/m")), 1);
}

// The same state three ways: untouched before, pending from an earlier txn, and changed twice by the multi itself.
TEST(PrepareMulti, RollbackRestoresEveryKindOfEntry) {
  World world;
  const std::string read_only = acl(wire::kPermRead, "world", "anyone");
  world.must(Op::Create, create("/applied"));
  world.code(Op::Create, create("/pending", 1));
  world.code(Op::Create, create("/gone"));
  world.code(Op::Delete, path_version("/gone"));
  world.code(Op::Create, create("/listed"));
  world.code(Op::SetAcl, set_acl("/listed", read_only));
  const uint64_t digest = world.preparer.pending_digest();
  world.ask(Op::Multi, multi({{Op::SetData, set_data("/applied", "1")},
                              {Op::SetData, set_data("/applied", "2")},
                              {Op::Delete, path_version("/applied")},
                              {Op::Delete, path_version("/pending")},
                              {Op::Create, create("/gone")},
                              {Op::Delete, path_version("/listed")},
                              {Op::Create, create("/listed")},
                              {Op::SetData, set_data("/listed", "open now")},
                              {Op::Check, path_version("/none")}}));
  EXPECT_EQ(world.preparer.pending_digest(), digest);
  EXPECT_EQ(world.code(Op::SetData, set_data("/listed", "")), Code::NoAuth);
  EXPECT_EQ(world.code(Op::Delete, path_version("/gone")), Code::NoNode);
  EXPECT_EQ(world.code(Op::SetData, set_data("/applied", "1", 0)), Code::Ok);
  EXPECT_EQ(world.code(Op::SetData, set_data("/pending", "1", 0)), Code::Ok);
  const Made& close = world.ask(Op::CloseSession, "");
  EXPECT_EQ(close.body().substr(0, 16), std::string("\0\0\0\1\0\0\0\x08/pending", 16));
  world.apply();
  EXPECT_EQ(world.preparer.pending_paths(), 0u);
}

// Spec: client 6.1, 6.4. The codes of parts are those of 3.9.
TEST(PrepareMulti, WhatSpoilsTheWholeRequest) {
  const Part fine = {Op::Create, create("/fine")};
  const std::string done = multi({});
  struct Row {
    const char* why;
    std::string body;
  };
  const Row rows[] = {
      {"nothing at all", ""},
      {"no end", multi({fine}).substr(0, multi({fine}).size() - 1)},
      {"part cut short", multi({{Op::Delete, std::string("\0\0\0\x09", 4)}})},
      {"a read", multi({{Op::GetData, path_only("/") + std::string(1, '\0')}})},
      {"setACL", multi({{Op::SetAcl, set_acl("/", kOpen)}})},
      {"deleteContainer", multi({{Op::DeleteContainer, path_only("/fine")}})},
      {"an end that is not done", std::string("\xff\xff\xff\xff\0\xff\xff\xff\xff", 9) + done},
      {"null path of a delete", multi({fine, {Op::Delete, path_version(wire::kAbsent)}})},
      {"null path of a setData", multi({fine, {Op::SetData, set_data(wire::kAbsent, "")}})},
      {"null list", multi({fine, {Op::Create, create({.path = "/x", .acl = kNoAcl})}})},
      {"flags", multi({fine, {Op::Create2, create("/x", 7)}})},
      {"flags of a TTL node", multi({fine, {Op::CreateContainer, create("/x", 5)}})},
      {"null id", multi({fine, {Op::Create, create({.path = "/x", .acl = acl(31, "digest", wire::kAbsent)})}})},
  };
  for (const Row& row : rows) {
    World world;
    const Made& made = world.ask(Op::Multi, row.body);
    EXPECT_EQ(made.prepared.code, Code::MarshallingError) << row.why;
    EXPECT_EQ(made.prepared.txn_type, Op::Error) << row.why;
    EXPECT_EQ(made.body(), "\xff\xff\xff\xfb") << row.why;
    EXPECT_EQ(world.preparer.pending_paths(), 0u) << row.why;
  }
}

// Spec: disk 0: header and digest count, too, for a reader of the log.
TEST(PrepareMulti, ATxnThatNoReaderTakesIsRefused) {
  for (const size_t more : {0, 1}) {
    World world(with([](ReplicaSettings& s) { s.max_frame_bytes = 2000; }));
    const std::string data(4000 - kTxnOverhead - 25 + more, 'x');
    const Made& made = world.ask(Op::Multi, multi({{Op::SetData, set_data("/", data)}}));
    EXPECT_EQ(made.prepared.code, more == 0 ? Code::Ok : Code::MarshallingError);
    EXPECT_EQ(world.preparer.pending_paths(), more == 0 ? 1U : 0U);
    world.apply();
  }
}

// Spec: client 6.4: type and flags together say which create it is.
TEST(PrepareMulti, WhichCreateAPartIs) {
  struct Row {
    Op op;
    std::string body;
    Op logged;
    Code code;  ///< Of the part.
    bool create2;
  };
  const Row rows[] = {
      {Op::Create, create("/x", 1), Op::Create, Code::Ok, false},
      {Op::Create, create("/x", 4), Op::CreateContainer, Code::Ok, false},
      {Op::Create2, create("/x", 0), Op::Create, Code::Ok, true},
      {Op::Create2, create("/x", 4), Op::CreateContainer, Code::Ok, false},
      {Op::CreateContainer, create("/x", 0), Op::CreateContainer, Code::Ok, false},
      {Op::CreateTtl, create_ttl("/x", 5, 9), Op::CreateTtl, Code::Ok, false},
      {Op::CreateTtl, create_ttl("/x", 5, -1), Op::Error, Code::BadArguments, false},
      {Op::CreateTtl, create_ttl("/x", 1, 9), Op::Create, Code::Ok, false},
      {Op::CreateTtl, create_ttl("/x", 0, -1), Op::Create, Code::Ok, false},
      {Op::CreateTtl, create_ttl("/x", 4, -1), Op::CreateContainer, Code::Ok, false},
      {Op::CreateTtl, create_ttl("/x", 9, -1), Op::Error, Code::BadArguments, false},
      {Op::Create, create({.path = "/x", .acl = kEmptyAcl}), Op::Error, Code::InvalidAcl, false},
  };
  for (size_t i = 0; i < std::size(rows); ++i) {
    World world(with([](ReplicaSettings& s) { s.extended_types = true; }));
    const Row& row = rows[i];
    const Made made = world.ask(Op::Multi, multi({{row.op, row.body}}));
    const std::vector<LoggedPart> parts = parts_of(made);
    ASSERT_EQ(parts.size(), 1u) << i;
    EXPECT_EQ(parts[0].op, row.logged) << i;
    if (row.code != Code::Ok) {
      EXPECT_EQ(parts[0], error_part(row.code)) << i;
    }
    EXPECT_EQ(made.prepared.create2_parts.size(), row.create2 ? 1u : 0u) << i;
    world.apply();
  }
}

// A create in the mode of a createTTL is met only when its turn comes.
TEST(PrepareMulti, AnEarlierRefusalHidesAWrongTtlMode) {
  World world;
  const Made& made = world.ask(Op::Multi, multi({{Op::Check, path_version("/none")}, {Op::Create, create("/x", 5)}}));
  const std::vector<LoggedPart> expected = {error_part(Code::NoNode), error_part(Code::RuntimeInconsistency)};
  EXPECT_EQ(parts_of(made), expected);
}

// Spec: client 4.6.
TEST(PrepareMulti, CheckOrder) {
  World world;
  world.must(Op::Create, create({.path = "/closed", .acl = acl(wire::kPermWrite, "world", "anyone")}));
  struct Row {
    const char* why;
    std::string path;
    int32_t version;
    Code code;
    SessionId session = kAlice;
  };
  const Row rows[] = {{"session", "/a/", 5, Code::UnknownSession, SessionId{99}},
                      {"path", "/none/", 5, Code::BadArguments},
                      {"missing", "/none", 5, Code::NoNode},
                      {"permission", "/closed", 5, Code::NoAuth},
                      {"version", "/", 5, Code::BadVersion}};
  for (const Row& row : rows) {
    const World::Asker asker{row.session, nullptr, Origin::Client, 7};
    const Made& made = world.ask(Op::Multi, multi({{Op::Check, path_version(row.path, row.version)}}), asker);
    EXPECT_EQ(parts_of(made), std::vector<LoggedPart>{error_part(row.code)}) << row.why;
  }
}

#ifdef QUORATE_PLANTED
// ZOOKEEPER-1624, put back in.
TEST(PrepareMulti, ThePlantedFaultKeepsTheCounter) {
  World world;
  planted_fault = Planted::BadRollback;
  world.ask(Op::Multi, multi({{Op::Create, create("/s-", 2)}, {Op::Check, path_version("/none")}}));
  planted_fault = Planted::None;
  EXPECT_EQ(world.ask(Op::Create, create("/s-", 2)).body().substr(4, 13), "/s-0000000001");
}
#endif

// Spec: client 6.1: legal, and for anyone.
TEST(PrepareMulti, EmptySucceeds) {
  World world;
  const Made& made = world.ask(Op::Multi, multi({}), {SessionId{99}, nullptr, Origin::Client, 7});
  EXPECT_EQ(made.prepared.code, Code::Ok);
  EXPECT_EQ(made.body().substr(0, 4), std::string(4, '\0'));
  EXPECT_TRUE(parts_of(made).empty());
  world.apply();
}

}  // namespace
}  // namespace quorate::replica
