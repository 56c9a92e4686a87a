#include "shell/storage/snap_transfer.h"

#include <gtest/gtest.h>

#include <random>

#include "shell/storage/golden_testing.h"
#include "shell/storage/history_testing.h"

namespace quorate::storage {
namespace {

struct Golden {
  const char* name;
  size_t begin;
  size_t end;
  size_t nodes;  ///< The root counted once.
  size_t sessions;
  /// Its table has world:anyone with all permissions, which our trees know as -1 and do not list.
  bool open_list_has_entry;
  std::string side() const { return read_golden(std::string("../quorum/") + name + ".acceptor.bin"); }
  std::string stream() const { return side().substr(begin, end - begin); }
};

constexpr size_t kOpenListEntryBytes = 35;

// Places as the recordings' index has them.
const Golden kGoldens[] = {
    {"q02-follower3-snap-revalidate", 44, 703, 4, 0, false},
    {"q03-observer4", 44, 703, 4, 0, false},
    {"q05-follower1-snap-with-data", 44, 1485, 13, 1, true},
};

std::string number(int32_t value) {
  std::string bytes(4, '\0');
  wire::store_be32(bytes.data(), static_cast<uint32_t>(value));
  return bytes;
}
std::string text(const std::string& value) { return number(static_cast<int32_t>(value.size())) + value; }
std::string node(const std::string& path, const std::string& data = "") {
  return text(path) + text(data) + std::string(8, '\xff') + std::string(60, '\0');
}
const std::string kNothing = number(0) + number(0);
const std::string kEnd = text("/") + text("BenWasHere");

std::string sent(tree::Tree& tree, const tree::SessionList& sessions, size_t budget = 1) {
  SnapSender sender(tree, sessions);
  std::string bytes;
  for (bool done = false; !done;) {
    done = sender.slice(budget);
    bytes += sender.take().view();
  }
  EXPECT_TRUE(sender.take().empty());
  return bytes;
}

struct Outcome {
  std::string error;
  size_t used = 0;
  SnapReceiver::Received received;
};

Outcome feed(std::string_view bytes, size_t piece, SnapLimits limits = {}) {
  SnapReceiver receiver(limits, {}, {});
  Outcome outcome;
  while (!receiver.done() && outcome.used < bytes.size()) {
    auto used = receiver.feed(bytes.substr(outcome.used, piece));
    if (!used) {
      outcome.error = used.error().detail;
      EXPECT_EQ(used.error().fault, Fault::Corrupt);
      EXPECT_EQ(receiver.feed("more").error().detail, outcome.error);
      EXPECT_EQ(receiver.finish({1}).error().detail, outcome.error);
      return outcome;
    }
    EXPECT_LE(*used, std::min(piece, bytes.size() - outcome.used));
    outcome.used += *used;
  }
  if (!receiver.done()) {
    outcome.error = "more is wanted";
    return outcome;
  }
  EXPECT_EQ(receiver.bytes(), outcome.used);
  auto received = receiver.finish({0x100000017});
  if (!received) outcome.error = received.error().detail;
  if (received) outcome.received = std::move(*received);
  return outcome;
}

// Goal: what Apache sent is taken whole, in pieces of any size, and what follows it is left alone.
TEST(SnapTransfer, TakesAndGivesWhatApacheSent) {
  for (const Golden& golden : kGoldens) {
    SCOPED_TRACE(golden.name);
    const std::string stream = golden.stream();
    const std::string with_packets = golden.side().substr(golden.begin);
    ASSERT_GT(with_packets.size(), stream.size());
    for (const size_t piece : {size_t{1}, size_t{7}, size_t{100}, size_t{1000}, with_packets.size()}) {
      Outcome outcome = feed(with_packets, piece);
      ASSERT_EQ(outcome.error, "") << piece;
      EXPECT_EQ(outcome.used, stream.size());
      EXPECT_EQ(outcome.received.sessions.size(), golden.sessions);
      EXPECT_EQ(outcome.received.tree->node_count(), golden.nodes);
      EXPECT_EQ(outcome.received.tree->last_zxid().value, 0x100000017);
      const std::string again = sent(*outcome.received.tree, outcome.received.sessions);
      EXPECT_EQ(again == stream, !golden.open_list_has_entry);
      EXPECT_EQ(again.size(), stream.size() - (golden.open_list_has_entry ? kOpenListEntryBytes : 0));
      EXPECT_EQ(feed(again, piece).received.tree->digest(), outcome.received.tree->digest());
    }
  }
}

TEST(SnapTransfer, NoCutIsTakenForTheEnd) {
  const std::string stream = kGoldens[2].stream();
  for (size_t size = 0; size < stream.size(); ++size) {
    ASSERT_EQ(feed(std::string_view(stream).substr(0, size), 33).error, "more is wanted") << size;
  }
}

// Goal: no changed byte does harm: it is refused, it waits for more, or it is data.
TEST(SnapTransfer, AnyChangedByteIsSurvived) {
  const std::string stream = kGoldens[2].stream();
  size_t refused = 0;
  for (size_t at = 0; at < stream.size(); ++at) {
    for (const unsigned flip : {0x01u, 0x80u, 0xffu}) {
      std::string changed = stream;
      changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ flip);
      Outcome outcome = feed(changed, 64);
      EXPECT_TRUE(!outcome.error.empty() || outcome.used == stream.size()) << at;
      refused += outcome.error.empty() ? 0 : 1;
    }
  }
  EXPECT_GT(refused, 500u);
}

TEST(SnapTransfer, RefusesWhatIsMalformed) {
  const std::string good = kNothing + node("") + node("/a", "data");
  const std::string acl_head = number(0) + number(1) + std::string(8, '\1');
  struct Case {
    std::string bytes;
    std::string error;
  };
  const Case cases[] = {
      {number(-1), "SNAP stream: count -1 at offset 0"},
      {number(0) + number(-5), "SNAP stream: count -5 at offset 4"},
      {acl_head + number(-1), "SNAP stream: missing acl list at offset 8"},
      {acl_head + number(0x7fffffff), "SNAP stream: Unreasonable length = 2147483647 of an acl list at offset 8"},
      {acl_head + number(1) + number(31) + number(-2), "SNAP stream: Unreasonable length = -2 at offset 8"},
      {kNothing + node("/a"), "SNAP stream: Invalid Datatree, the first node is not the root at offset 8"},
      {kNothing + kEnd, "SNAP stream: Invalid Datatree, the first node is not the root at offset 8"},
      {kNothing + number(-1) + "x", "SNAP stream: missing path at offset 8"},
      {good + number(0x7fffffff) + "x", "SNAP stream: Unreasonable length = 2147483647 at offset"},
      {good + text("/b") + number(0x7fffffff), "SNAP stream: Unreasonable length = 2147483647 at offset"},
      {good + node("/b/c"), "SNAP stream: Invalid Datatree, unable to find parent /b of path /b/c at offset"},
      {good + node("a"), "SNAP stream: Invalid Datatree"},
      {good + node("/a") + kEnd, "SNAP stream: /a occurs twice"},
      {good + text("/") + text("BenWasHare"), "SNAP stream: the signature at offset"},
      {good + text("/") + number(9), "SNAP stream: the signature at offset"},
  };
  for (const Case& c : cases) {
    for (const size_t piece : {size_t{1}, size_t{10}, SIZE_MAX}) {
      const std::string error = feed(c.bytes, piece).error;
      EXPECT_TRUE(error.starts_with(c.error)) << error << "\nwanted " << c.error;
    }
  }
  EXPECT_EQ(feed(good + kEnd, 5).error, "");
}

TEST(SnapTransfer, KeepsItsLimits) {
  const std::string big = kNothing + node("") + node("/a", std::string(2000, 'x')) + kEnd;
  EXPECT_EQ(feed(big, 100, {.max_buffer_bytes = 2000}).error, "");
  EXPECT_NE(feed(big, 100, {.max_buffer_bytes = 1999}).error.find("Unreasonable length = 2000"), std::string::npos);
  EXPECT_EQ(feed(big, 100, {.max_stream_bytes = big.size()}).error, "");
  for (const size_t piece : {size_t{1}, size_t{50}, SIZE_MAX}) {
    const SnapLimits limits{.max_stream_bytes = big.size() - 1};
    EXPECT_EQ(feed(big + "packets", piece, limits).error,
              fmt::format("SNAP stream: longer than {} bytes", big.size() - 1));
  }
}

// A list in many pieces is measured once, not from its start with each.
TEST(SnapTransfer, ALongAclListInSmallPiecesIsFast) {
  constexpr int32_t kItems = 170000;
  std::string bytes = number(0) + number(1) + std::string(8, '\1') + number(kItems);
  for (int32_t i = 0; i < kItems; ++i) bytes += number(31) + number(0) + number(0);
  EXPECT_EQ(feed(bytes + node("") + kEnd, 3).error, "");
}

// Goal: a learner has exactly the tree that the walk began with, whatever the leader does meanwhile, and can keep it.
TEST(SnapTransfer, CarriesOneMomentToTheLearnersDisk) {
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    tree::Tree tree({1, 2});
    tree::SessionList sessions;
    const int64_t last = 1 + static_cast<int64_t>(random() % 300);
    apply_creates(tree, sessions, 1, last);
    sessions.add({5}, 1000);
    const uint64_t digest = tree.digest();
    SnapSender sender(tree, sessions);
    EXPECT_EQ(sender.zxid().value, last);
    std::string stream;
    int64_t zxid = last;
    for (bool done = false; !done;) {
      done = sender.slice(random() % 3000);
      if (random() % 2 == 0) stream += sender.take().view();
      if (zxid < last + 50) apply_creates(tree, sessions, zxid + 1, zxid + 1), ++zxid;
    }
    stream += sender.take().view();

    SnapReceiver receiver({}, {3, 4}, {});
    for (size_t at = 0; at < stream.size();)
      at += receiver.feed(std::string_view(stream).substr(at, 1 + random() % 999)).value();
    ASSERT_TRUE(receiver.done());
    auto received = receiver.finish(sender.zxid());
    ASSERT_TRUE(received) << received.error().detail;
    EXPECT_EQ(received->tree->digest(), digest);
    TestPlaces places(false);
    CrashDisk disk({{places.snapshot(0), snapshot_bytes(0)}, {places.log(1), log_bytes(1, 2)}});
    ASSERT_TRUE(replace_history(disk, {.directories = places.directories}, *received->tree, received->sessions));
    auto recovered = recover(disk, places.settings);
    ASSERT_TRUE(recovered) << recovered.error().detail;
    EXPECT_EQ(recovered->tree->digest(), digest);
    EXPECT_EQ(recovered->last_zxid.value, last);
    EXPECT_TRUE(recovered->sessions.contains({5}));
  }
}

}  // namespace
}  // namespace quorate::storage
