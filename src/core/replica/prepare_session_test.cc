#include "base/planted.h"
#include "core/replica/prepare_state.h"
#include "core/replica/prepare_testing.h"

namespace quorate::replica {
namespace {

using namespace prepare_testing;
using wire::Code;
using wire::Op;

std::vector<std::string> paths_of(const Made& made) {
  std::vector<std::string> paths;
  const std::string body = made.body();
  wire::Decoder in(body);
  wire::CloseSessionTxn txn;
  EXPECT_TRUE(wire::decode(in, txn));
  EXPECT_EQ(in.rest().size(), 12u);
  txn.paths_to_delete.each([&](const wire::StringItem& item) { paths.emplace_back(item.text); });
  return paths;
}

// Spec: client 8.5: applied + creations in flight - deletions in flight.
TEST(PrepareSession, CloseListsWhatTheSessionWillOwn) {
  World world;
  constexpr World::Asker bob{kBob, nullptr, Origin::Client, 7};
  world.must(Op::Create, create("/p"));
  world.must(Op::Create, create("/p/applied", 1));
  world.must(Op::Create, create("/deleted", 1));
  world.must(Op::Create, create("/handed-over", 1));
  world.must(Op::Create, create("/changed", 1));
  world.code(Op::Delete, path_version("/deleted"));
  world.code(Op::Delete, path_version("/handed-over"));
  world.code(Op::Create, create("/handed-over", 1), bob);
  world.code(Op::SetData, set_data("/changed", "x"));
  world.code(Op::Create, create("/a-new", 1));
  world.code(Op::Create, create("/p/new-", 3));
  world.code(Op::Create, create("/short-lived", 1));
  world.code(Op::Delete, path_version("/short-lived"));
  world.code(Op::Create, create("/bobs", 1), bob);
  world.code(Op::Create, create("/persistent"));

  const Made& made = world.ask(Op::CloseSession, "");
  EXPECT_EQ(made.prepared.txn_type, Op::CloseSession);
  EXPECT_EQ(made.header().cxid, 7);
  const std::vector<std::string> expected = {"/a-new", "/changed", "/p/applied", "/p/new-0000000001"};
  EXPECT_EQ(paths_of(made), expected);

  // Gone at once for whoever comes behind: the parent is empty.
  EXPECT_EQ(world.code(Op::Delete, path_version("/p"), bob), Code::Ok);
  EXPECT_EQ(world.code(Op::Create, create("/changed"), bob), Code::Ok);
  world.apply();
  EXPECT_EQ(world.tree.find("/p"), tree::kNoNode);
  EXPECT_TRUE(world.tree.ephemerals_of(kAlice).empty());
  EXPECT_EQ(world.tree.ephemerals_of(kBob), (std::vector<std::string>{"/bobs", "/handed-over"}));
}

TEST(PrepareSession, ClosingIsMarkedAtOnceAndAsksNothing) {
  World world;
  EXPECT_EQ(world.code(Op::CloseSession, "ignored"), Code::Ok);
  EXPECT_EQ(world.table.state(kAlice), session::Touch::Closing);
  EXPECT_EQ(world.code(Op::CloseSession, ""), Code::Ok) << "expiry may come twice";
  EXPECT_EQ(world.code(Op::CloseSession, "", {SessionId{99}, nullptr, Origin::Server, 0}), Code::Ok);
  EXPECT_TRUE(paths_of(world.in_flight.back()).empty());
  EXPECT_EQ(world.in_flight.back().header().client_id, SessionId{99});
  world.apply();
}

// Spec: disk 2.3 rule 4: header and digest alone; the digest is of the tree without the ephemerals all the same.
TEST(PrepareSession, WithoutListTheDigestStillCountsTheDeletions) {
  World world(with([](ReplicaSettings& s) { s.close_session_txn = false; }));
  const uint64_t empty = world.tree.digest();
  world.must(Op::Create, create("/e", 1));
  world.code(Op::Create, create("/f", 1));
  EXPECT_EQ(world.ask(Op::CloseSession, "").payload.size(), 44u);
  world.apply();
  EXPECT_EQ(world.tree.find("/e"), tree::kNoNode);
  EXPECT_NE(world.tree.digest(), empty) << "the root remembers";
}

// Known-faults 4306: a txn that no log's reader takes would keep every server from starting.
TEST(PrepareSession, AListTooLongForReadersIsLeftOut) {
  for (const size_t more : {0, 1}) {
    World world(with([](ReplicaSettings& s) { s.max_frame_bytes = 2000; }));
    const size_t most = 4000 - kTxnOverhead;  // frame, and as much again
    world.must(Op::Create, create("/" + std::string(1799, 'a'), 1));
    world.must(Op::Create, create("/" + std::string(most - 1804 - 5 + more, 'b'), 1));
    const Made& made = world.ask(Op::CloseSession, "");
    EXPECT_EQ(made.payload.size(), more == 0 ? 44 + 4 + most : 44U);
    world.apply();
    EXPECT_TRUE(world.tree.ephemerals_of(kAlice).empty());
  }
}

TEST(PrepareSession, CreateCarriesTheTimeout) {
  World world;
  const std::string timeout("\0\0\x75\x30", 4);
  const Made& made = world.ask(Op::CreateSession, timeout, {SessionId{5}, nullptr, Origin::Server, 0});
  EXPECT_EQ(made.prepared.txn_type, Op::CreateSession);
  EXPECT_EQ(made.body().substr(0, 4), timeout);
  EXPECT_EQ(made.payload.size(), 48u);
  world.apply();
  EXPECT_EQ(world.sessions.all().at(SessionId{5}), 30000);
}

// The client may have heard of its session from a learner that has applied it before us.
TEST(PrepareSession, ASessionIsKnownBeforeItIsApplied) {
  World world;
  constexpr World::Asker fresh{SessionId{5}, nullptr, Origin::Client, 1};
  EXPECT_EQ(world.code(Op::Create, create("/early"), fresh), Code::UnknownSession);
  world.ask(Op::CreateSession, std::string_view("\0\0\x75\x30", 4), {SessionId{5}, nullptr, Origin::Server, 0});
  EXPECT_EQ(world.code(Op::Create, create("/ephemeral", 1), fresh), Code::Ok);
  EXPECT_EQ(world.code(Op::CloseSession, "", fresh), Code::Ok);
  EXPECT_EQ(world.code(Op::Create, create("/late"), fresh), Code::SessionExpired);
  world.apply();
  EXPECT_EQ(world.tree.find("/ephemeral"), tree::kNoNode);
}

// Spec: client 8.4: -12 is a standalone server's word.
TEST(PrepareSession, InAnEnsembleAnUnknownSessionHasExpired) {
  ReplicaSettings settings;
  settings.in_ensemble = true;
  World world(settings);
  EXPECT_EQ(world.code(Op::Create, create("/x"), {SessionId{99}, nullptr, Origin::Client, 1}), Code::SessionExpired);
}

#ifdef QUORATE_PLANTED
TEST(PrepareSession, ThePlantedFaultForgetsWhatIsInFlight) {
  World world;
  world.must(Op::Create, create("/applied", 1));
  world.code(Op::Create, create("/in-flight", 1));
  planted_fault = Planted::EphemeralKept;
  EXPECT_EQ(paths_of(world.ask(Op::CloseSession, "")), std::vector<std::string>{"/applied"});
  planted_fault = Planted::None;
}
#endif

}  // namespace
}  // namespace quorate::replica
