#include <random>

#include "core/replica/prepare_testing.h"

// Goal: it makes no difference when txns are applied.
// Method: the same random requests go to a world that applies each txn at once and to one that applies them late, some
// at a time. Each txn must come out the same, byte for byte (codes, versions, suffixes, lists, digests), and fit the
// tree that it is applied to.
namespace quorate::replica {
namespace {

using namespace prepare_testing;
using wire::Op;

class Requests {
 public:
  explicit Requests(uint32_t seed) : random_(seed) {}

  int upto(int n) { return static_cast<int>(random_() % static_cast<uint32_t>(n)); }

  std::string path() {
    static const char* const kPaths[] = {
        "/a",    "/b",      "/c",     "/a/x", "/a/y", "/b/x",       "/b/x/deep",
        "/c/e1", "/c/e2/x", "/a/./x", "/",    "/e",   "/zookeeper", "/zookeeper/quota/q"};
    return kPaths[upto(std::size(kPaths))];
  }
  /// Mostly one that fits now and then.
  int32_t version() { return upto(3) == 0 ? upto(3) : -1; }

  std::string list() {
    switch (upto(8)) {
      case 0:
        return acl(wire::kPermRead | wire::kPermWrite | wire::kPermDelete, "world", "anyone");
      case 1:
        return acl(wire::kPermAll, "auth", "");
      case 2:
        return acl(wire::kPermAll, "digest", "bob:ikIaKsbtGweaHnb/jKn7OHqbunM=");
      case 3:
        return kEmptyAcl;
      default:
        return kOpen;
    }
  }

  Part part() {
    const std::string at = path();
    const std::string data(static_cast<size_t>(upto(20)), static_cast<char>('a' + upto(26)));
    switch (upto(12)) {
      case 0:
      case 1:
      case 2:
        return {Op::Create, create({.path = at, .data = data, .acl = list(), .flags = upto(4)})};
      case 3:
        return {Op::Create2, create({.path = at, .data = wire::kAbsent, .acl = kOpen, .flags = upto(5)})};
      case 4:
        return {Op::CreateContainer, create(at, 4)};
      case 5:
        return {Op::CreateTtl, create_ttl(at, 5 + upto(2), upto(3))};
      case 6:
      case 7:
      case 8:
        return {Op::Delete, path_version(at, version())};
      case 9:
        return {Op::Check, path_version(at, version())};
      default:
        return {Op::SetData, set_data(at, data, version())};
    }
  }

  Part request() {
    const int kind = upto(100);
    if (kind < 20) return {Op::SetAcl, set_acl(path(), list(), version())};
    if (kind < 24) return {Op::DeleteContainer, path_only(path())};
    if (kind < 27) return {Op::CloseSession, ""};
    if (kind < 45) {
      std::vector<Part> parts;
      for (int count = upto(6); count > 0; --count) parts.push_back(part());
      return {Op::Multi, multi(parts)};
    }
    Part single = part();
    if (single.first == Op::Check) single = {Op::Delete, single.second};
    return single;
  }

 private:
  std::mt19937 random_;
};

struct Pair {
  World at_once;
  World late;

  explicit Pair(const ReplicaSettings& settings) : at_once(settings), late(settings) {}

  void ask(const Part& request, World::Asker asker) {
    const Made now = at_once.ask(request.first, request.second, asker);
    at_once.apply();
    const Made& pending = late.ask(request.first, request.second, asker);
    ASSERT_EQ(pending.payload, now.payload) << "zxid " << now.zxid.value;
    EXPECT_EQ(pending.prepared.code, now.prepared.code);
    EXPECT_EQ(pending.prepared.txn_type, now.prepared.txn_type);
    EXPECT_EQ(pending.prepared.create2_parts, now.prepared.create2_parts);
    EXPECT_EQ(late.preparer.pending_digest(), at_once.tree.digest());
    EXPECT_EQ(at_once.preparer.pending_paths(), 0u);
  }

  void tick(int milliseconds) {
    at_once.now.wall_ms += milliseconds;
    late.now.wall_ms += milliseconds;
  }

  void replace(SessionId old_session, SessionId session) {
    for (World* world : {&at_once, &late}) {
      world->table.remove(old_session);
      world->table.add(session, 30000, world->now.monotonic);
    }
  }
};

void run(uint32_t seed) {
  Pair pair(with([](ReplicaSettings& s) { s.extended_types = true; }));
  Requests requests(seed);
  const auth::Identities bob = {{"ip", "127.0.0.1"}, {"digest", "bob:ikIaKsbtGweaHnb/jKn7OHqbunM="}};
  const auth::Identities super = {{"super", ""}};
  SessionId sessions[] = {kAlice, kBob};
  int64_t next_session = 10;
  for (int step = 0; step < 600; ++step) {
    const Part request = requests.request();
    const int asks = requests.upto(8);
    SessionId& session = sessions[asks % 2];
    const auto* who = asks == 0 ? &super : asks % 2 == 1 ? &bob : nullptr;
    const bool own = request.first == Op::DeleteContainer;
    const World::Asker asker{own ? SessionId{0} : session, who, own ? Origin::Server : Origin::Client, step};
    ASSERT_NO_FATAL_FAILURE(pair.ask(request, asker)) << "seed " << seed << " step " << step;
    if (request.first == Op::CloseSession && requests.upto(3) > 0) {
      const SessionId next{next_session++};
      pair.replace(session, next);
      session = next;
    }
    pair.tick(requests.upto(5));
    if (requests.upto(4) == 0) pair.late.apply(static_cast<size_t>(requests.upto(12)));
  }
  pair.late.apply();
  EXPECT_EQ(pair.late.tree.digest(), pair.at_once.tree.digest());
  EXPECT_EQ(pair.late.preparer.pending_paths(), 0u);
}

// Whatever bytes come, there is a txn that parses and fits.
TEST(PrepareTwin, DamagedRequestsAreAnswered) {
  World world(with([](ReplicaSettings& s) { s.extended_types = true; }));
  std::mt19937 random(11);
  Requests requests(11);
  for (int step = 0; step < 20000; ++step) {
    auto [op, body] = requests.request();
    if (op == Op::CloseSession) continue;
    for (auto cuts = random() % 3; cuts > 0 && !body.empty(); --cuts) {
      body[random() % body.size()] = static_cast<char>(random() % 4 == 0 ? random() : random() % 3 - 1);
    }
    if (random() % 4 == 0) body.resize(random() % (body.size() + 1));
    world.ask(op, body, {kAlice, nullptr, random() % 2 == 0 ? Origin::Server : Origin::Client, step});
    if (random() % 4 == 0) world.apply(random() % 8);
  }
  world.apply();
  EXPECT_EQ(world.preparer.pending_paths(), 0u);
}

TEST(PrepareTwin, LateAndAtOnceMakeTheSameTxns) {
  for (uint32_t seed = 1; seed <= 60; ++seed) ASSERT_NO_FATAL_FAILURE(run(seed));
}

}  // namespace
}  // namespace quorate::replica
