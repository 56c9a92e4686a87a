#include <fmt/format.h>
#include <gtest/gtest.h>

#include "shell/node/node_testing.h"

namespace quorate::node::testing {
namespace {

using Names = std::vector<std::string>;

std::string name(int i) { return fmt::format("/n{:04}", i); }

void create_many(Rig& rig, Wire& wire, int count, size_t bytes = 100) {
  const std::string data(bytes, 'd');
  for (int i = 0; i < count; ++i) rig.send(wire, i + 1, Op::Create, ask::create({.path = name(i), .data = data}));
  rig.run();
  wire.to_client.clear();
}

struct Facts {
  Zxid zxid;
  uint64_t digest;
  size_t nodes;
  size_t sessions;
  friend bool operator==(const Facts&, const Facts&) = default;
};

Facts facts_of(Rig& rig) {
  return {rig.tree().last_zxid(), rig.tree().digest(), rig.tree().node_count(), rig.node->replica().sessions().size()};
}

void snapshot_now(Rig& rig) {
  rig.node->want_snapshot();
  rig.run_at(rig.clock.ms + 1000);
}

NodeSettings small_slices() {
  return with([](NodeSettings& s) { s.snapshot.slice_bytes = 256; });
}

TEST(Snapshot, IsWrittenAndSaysSo) {
  Rig rig;
  Wire& wire = rig.join(60000);
  create_many(rig, wire, 10);
  snapshot_now(rig);
  EXPECT_EQ(rig.files("snapshot."), (Names{"snapshot.0", "snapshot.b"}));
  EXPECT_TRUE(rig.said("Snapshotting: 0xb to /data/version-2/snapshot.b"));
  EXPECT_TRUE(rig.said("Snapshot taken in 0 ms"));
  EXPECT_EQ(rig.node->background().last_zxid(), Zxid{0xb});
  // The log goes on in a new file.
  rig.must(wire, Op::Create, ask::create("/next"));
  EXPECT_EQ(rig.files("log."), (Names{"log.1", "log.c"}));
}

/// A change of any kind, by number.
void send_change(Rig& rig, Wire& wire, int i) {
  switch (i % 4) {
    case 0:
      return rig.send(wire, i, Op::SetData, ask::set_data(name(i), fmt::format("new {}", i)));
    case 1:
      return rig.send(wire, i, Op::Delete, ask::path_version(name(i)));
    case 2:
      return rig.send(wire, i, Op::Create, ask::create(fmt::format("/fresh{}", i), i % 8 == 2 ? 1 : 0));
    default:
      return rig.send(wire, i, Op::SetAcl, ask::set_acl(name(i), ask::acl(31, "digest", fmt::format("u:{}", i))));
  }
}

// What is changed while it is walked does not show in it: the tree as of one zxid.
TEST(Snapshot, UnderWritesIsTheTreeOfOneMoment) {
  Rig rig(small_slices());
  Wire& wire = rig.join(60000);
  create_many(rig, wire, 300);
  const Facts then = facts_of(rig);
  rig.node->want_snapshot();
  rig.clock.ms += 1000;
  int changes = 0;
  do {
    rig.round();
    send_change(rig, wire, changes++);
    rig.work();
  } while (rig.node->background().snapshotting());
  EXPECT_GT(changes, 100);
  rig.run();
  const Facts after = facts_of(rig);
  EXPECT_EQ(rig.files("snapshot.").back(), fmt::format("snapshot.{:x}", then.zxid.value));
  rig.boot();
  EXPECT_EQ(facts_of(rig), after);
  EXPECT_TRUE(rig.said("Reading snapshot /data/version-2/snapshot.12d"));

  // Without the logs behind it.
  for (const std::string& log : rig.files("log.")) rig.disk.files.erase("/data/version-2/" + log);
  rig.boot();
  EXPECT_EQ(facts_of(rig), then);
}

std::optional<Fault> refuse_snapshots(const std::string& line) {
  const bool refused = line.starts_with("create") || line.starts_with("write");
  return refused && line.contains("tmp-snapshot") ? std::optional(Fault::NoSpace) : std::nullopt;
}

// A disk that takes no snapshot does not stop the server; a minute later it is tried again.
TEST(Snapshot, IsGivenUpAndTriedAgain) {
  Rig rig;
  Wire& wire = rig.join(600000);
  create_many(rig, wire, 10);
  rig.disk.failing = refuse_snapshots;
  snapshot_now(rig);
  EXPECT_FALSE(rig.node->background().snapshotting());
  EXPECT_EQ(rig.files("snapshot."), (Names{"snapshot.0"}));
  EXPECT_EQ(rig.files("tmp-"), Names{});
  EXPECT_TRUE(rig.said("Giving up snapshot 0xb: "));
  EXPECT_EQ(rig.node->metrics().counter<"snapshot_error_count">(), 1);
  rig.must(wire, Op::Create, ask::create("/after"));
  EXPECT_FALSE(rig.node->failed());

  rig.disk.failing = nullptr;
  const int64_t failed_at = rig.clock.ms;
  rig.run_at(failed_at + 59000);
  EXPECT_EQ(rig.files("snapshot.").size(), 1U);
  rig.run_at(failed_at + 61000);
  EXPECT_EQ(rig.files("snapshot."), (Names{"snapshot.0", "snapshot.c"}));
  EXPECT_EQ(rig.node->metrics().counter<"snapshot_error_count">(), 1);
}

TEST(Snapshot, WhoseSealFailsIsGivenUp) {
  for (const std::string_view step : {"sync /data/version-2/tmp-snapshot", "rename /data/version-2/tmp-snapshot"}) {
    Rig rig;
    Wire& wire = rig.join(60000);
    create_many(rig, wire, 10);
    rig.disk.failing = [step](const std::string& line) {
      return line.starts_with(step) ? std::optional(Fault::Io) : std::nullopt;
    };
    snapshot_now(rig);
    EXPECT_FALSE(rig.node->background().snapshotting()) << step;
    EXPECT_EQ(rig.files("snapshot."), (Names{"snapshot.0"}));
    EXPECT_EQ(rig.files("tmp-"), Names{});
    EXPECT_FALSE(rig.node->failed());
    rig.must(wire, Op::Create, ask::create("/after"));
  }
}

/// Begins a snapshot whose first chunk stays at the disk, and changes the tree until no more may wait behind it.
void outrun_the_disk(Rig& rig) {
  Wire& wire = rig.join(60000);
  create_many(rig, wire, 300, 1000);
  rig.node->want_snapshot();
  rig.clock.ms = 1000;
  rig.round();
  while (!rig.node->begin_background()) rig.round();
  for (int i = 0; i < 300; ++i) rig.send(wire, i, Op::SetData, ask::set_data(name(i), "x"));
  for (int i = 0; i < 40; ++i) {
    rig.round();
    if (rig.node->begin_log()) {
      rig.node->log().perform();
      rig.node->on_log_done();
    }
    EXPECT_FALSE(rig.node->begin_background());
  }
}

// What waits for a slow disk is bounded: changes push old nodes out ahead of the walk.
TEST(Snapshot, IsGivenUpOnceWhenTheDiskDoesNotKeepUp) {
  for (const bool fails_as_well : {false, true}) {
    Rig rig(with([](NodeSettings& s) {
      s.snapshot.slice_bytes = 1000;
      s.snapshot.queue_limit_bytes = 20000;
    }));
    outrun_the_disk(rig);
    EXPECT_TRUE(rig.node->background().snapshotting());
    if (fails_as_well) rig.disk.failing = refuse_snapshots;
    rig.node->background().perform();
    rig.node->on_background_done();
    rig.run();
    EXPECT_FALSE(rig.node->background().snapshotting());
    EXPECT_TRUE(rig.said("the disk does not keep up with it; it will be tried again later"));
    EXPECT_EQ(rig.node->metrics().counter<"snapshot_error_count">(), 1);
    EXPECT_EQ(rig.files("tmp-"), Names{});
  }
}

// DESIGN, "When to snapshot": half of the tree, a floor, and the operator's bounds.
TEST(SnapshotPolicy, Bounds) {
  struct Case {
    const char* what;
    void (*edit)(SnapshotSettings&);
    bool taken;
  };
  const Case kCases[] = {
      {"floor not reached", [](SnapshotSettings&) {}, false},
      {"floor reached, and the tree is small", [](SnapshotSettings& s) { s.floor_bytes = 1000; }, true},
      {"snapCount reached", [](SnapshotSettings& s) { s.snap_count = 21; }, true},
      {"snapCount not reached", [](SnapshotSettings& s) { s.snap_count = 22; }, false},
      {"size limit reached", [](SnapshotSettings& s) { s.size_limit_bytes = 4000; }, true},
      {"no size limit", [](SnapshotSettings& s) { s.size_limit_bytes = 0; }, false},
  };
  for (const Case& c : kCases) {
    Rig rig(with([&c](NodeSettings& s) { c.edit(s.snapshot); }));
    Wire& wire = rig.join(60000);
    create_many(rig, wire, 20, 1 << 14);
    EXPECT_EQ(rig.node->background().snapshots_taken(), c.taken ? 1 : 0) << c.what;
  }
}

// A server that is restarted often must take snapshots too.
TEST(SnapshotPolicy, CountsWhatWasReplayedAtBoot) {
  const NodeSettings settings = with([](NodeSettings& s) { s.snapshot.snap_count = 30; });
  Rig rig(settings);
  Wire& wire = rig.join(60000);
  create_many(rig, wire, 20);
  rig.boot();
  rig.run_at(1000);
  EXPECT_EQ(rig.files("snapshot.").size(), 1U);
  Wire& again = rig.join(60000);
  for (int i = 0; i < 8; ++i) rig.must(again, Op::SetData, ask::set_data("/", "x"));
  EXPECT_EQ(rig.files("snapshot."), (Names{"snapshot.0", "snapshot.1e"}));
  rig.boot();
  rig.run_at(2000);
  EXPECT_EQ(rig.files("snapshot.").size(), 2U);
}

TEST(Boot, SessionsAndEphemeralsAreThereAgain) {
  Rig rig;
  Wire& wire = rig.join(6000);
  rig.must(wire, Op::Create, ask::create("/a", 1));
  const Facts before = facts_of(rig);
  rig.boot();
  EXPECT_EQ(facts_of(rig), before);
  rig.run_at(9000);
  EXPECT_EQ(rig.tree().find("/a"), tree::kNoNode);
  EXPECT_EQ(rig.node->replica().sessions().size(), 0U);
}

TEST(Boot, RefusesDamage) {
  Rig rig;
  Wire& wire = rig.join();
  create_many(rig, wire, 10);
  rig.disk.bytes("/data/version-2/log.1")[100] ^= 1;
  std::vector<LogLine> lines;
  rig.node.reset();
  const auto booted = Node::boot({rig.disk, rig.clock}, test_settings(), lines);
  ASSERT_FALSE(booted.has_value());
  EXPECT_EQ(booted.error().fault, Fault::Corrupt);
}

TEST(Boot, RefusesUnknownAlgorithms) {
  storage::FakeDisk disk;
  TestClock clock;
  std::vector<LogLine> lines;
  const auto booted =
      Node::boot({disk, clock}, with([](NodeSettings& s) { s.auth.digest_algorithm = "nonsense"; }), lines);
  ASSERT_FALSE(booted.has_value());
  EXPECT_EQ(booted.error().fault, Fault::Invalid);
}

// Spec: disk 4.5. The first run is at boot, then once an interval.
TEST(Purge, KeepsTheNewest) {
  Rig rig(with([](NodeSettings& s) { s.purge.interval = Millis{3600000}; }));
  Wire& wire = rig.join(10000000);
  rig.run_at(1000);
  EXPECT_TRUE(rig.said("Purge task completed."));
  for (int i = 0; i < 5; ++i) {
    rig.must(wire, Op::Create, ask::create(fmt::format("/p{}", i)));
    snapshot_now(rig);
  }
  EXPECT_EQ(rig.files("snapshot.").size(), 6U);
  const Facts before = facts_of(rig);
  // Pings keep the session meanwhile.
  for (int64_t ms = rig.clock.ms; ms < 3602000; ms += 30000) {
    rig.send(wire, 1, Op::Ping);
    rig.run_at(ms);
  }
  rig.run_at(3602000);
  EXPECT_EQ(rig.files("snapshot."), (Names{"snapshot.4", "snapshot.5", "snapshot.6"}));
  rig.boot();
  EXPECT_EQ(facts_of(rig), before);
}

TEST(Purge, ThatFailsIsTold) {
  Rig rig(with([](NodeSettings& s) { s.purge.interval = Millis{3600000}; }));
  rig.disk.directories.clear();
  rig.run_at(1000);
  EXPECT_TRUE(rig.said("purge failed: "));
  EXPECT_FALSE(rig.node->failed());
}

}  // namespace
}  // namespace quorate::node::testing
