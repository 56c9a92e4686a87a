#include "shell/storage/snapshot_file.h"

#include <gtest/gtest.h>
#include <libdeflate.h>

#include "core/tree/snapshot_walk.h"
#include "shell/storage/golden_testing.h"
#include "wire/archive.h"

namespace quorate::storage {
namespace {

constexpr size_t kMaxBuffer = 2 * 1048575;
const std::string kDir = "/d/version-2";
const std::string kGolden = "/golden/data/version-2/";

class SnapshotFileTest : public testing::Test {
 protected:
  void SetUp() override { (void)disk_.make_directories(kDir); }
  std::string& file(const std::string& name) { return disk_.bytes(kDir + "/" + name); }
  Result<SnapshotFacts> verify(const std::string& name) { return verify_snapshot(disk_, kDir, name, kMaxBuffer); }

  FakeDisk disk_;
};

/// A golden snapshot's file, and the part before its first seal.
struct Golden {
  Golden(const char* directory, const std::string& name, size_t body_end) {
    FakeDisk disk;
    unpack_golden(directory, disk);
    whole = disk.bytes(kGolden + name);
    body = whole.substr(0, body_end);
  }
  std::string whole;
  std::string body;
};

std::string seal(const std::string& before) {
  std::string bytes(13, '\0');
  wire::store_be64(bytes.data(), libdeflate_adler32(1, before.data(), before.size()));
  bytes[11] = 1;
  bytes[12] = '/';
  return bytes;
}

// Spec: disk 3.1, the 478 bytes of a fresh 3.9 server.
TEST_F(SnapshotFileTest, WritesApachesFirstSnapshotByteForByte) {
  const Golden golden("all-ops-3.9.5", "snapshot.0", 411);
  SnapshotWriter writer(disk_, kDir, {0}, Compression::None);
  ASSERT_TRUE(writer.write(golden.body));
  auto size = writer.finish(1371985504, true, true);
  ASSERT_TRUE(size);
  EXPECT_EQ(*size, 478u);
  EXPECT_EQ(file("snapshot.0"), golden.whole);
}

TEST_F(SnapshotFileTest, WritesApachesSealsAndDigest) {
  const Golden golden("all-ops-3.8.0", "snapshot.4e", 1038216);
  SnapshotWriter writer(disk_, kDir, {0x4e}, Compression::None);
  for (size_t at = 0; at < golden.body.size(); at += 7777) {
    ASSERT_TRUE(writer.write(std::string_view(golden.body).substr(at, 7777)));
  }
  ASSERT_TRUE(writer.finish(90637399390, true, false));
  EXPECT_TRUE(file("snapshot.4e") == golden.whole);
}

// A sync of the log waits behind each: docs/decisions/0006.
TEST_F(SnapshotFileTest, LongChunksGoOutInShortPieces) {
  const Golden golden("all-ops-3.8.0", "snapshot.4e", 1038216);
  SnapshotWriter writer(disk_, kDir, {0x4e}, Compression::None);
  ASSERT_TRUE(writer.write(golden.body));
  ASSERT_TRUE(writer.finish(90637399390, true, false));
  EXPECT_TRUE(file("snapshot.4e") == golden.whole);
  for (const std::string& line : disk_.journal) {
    if (!line.starts_with("write")) continue;
    EXPECT_LE(std::stoul(line.substr(line.rfind(' '))), 64U << 10) << line;
  }
}

TEST_F(SnapshotFileTest, AFreshTreeIsReadBackEqual) {
  tree::Tree tree({});
  tree::SessionList sessions;
  sessions.add({77}, 4000);
  SnapshotWriter writer(disk_, kDir, {0}, Compression::None);
  tree::SnapshotWalk walk(tree, sessions);
  while (!walk.slice(1)) ASSERT_TRUE(writer.write(walk.take().view()));
  ASSERT_TRUE(writer.write(walk.take().view()));
  ASSERT_TRUE(writer.finish(walk.digest(), true, true));
  tree::Tree again({});
  tree::SessionList loaded;
  auto facts = load_snapshot(disk_, kDir, "snapshot.0", kMaxBuffer, again, loaded);
  ASSERT_TRUE(facts) << facts.error().detail;
  EXPECT_EQ(facts->nodes, 4u);
  EXPECT_EQ(again.digest(), 1371985504u);
  EXPECT_EQ(loaded.all(), sessions.all());
}

TEST_F(SnapshotFileTest, EveryCompressionReadsBack) {
  const Golden golden("all-ops-3.8.0", "snapshot.4e", 1038216);
  const std::pair<Compression, std::string> forms[] = {{Compression::None, "snapshot.4e"},
                                                       {Compression::Gzip, "snapshot.4e.gz"},
                                                       {Compression::Snappy, "snapshot.4e.snappy"}};
  for (const auto& [compression, name] : forms) {
    SCOPED_TRACE(name);
    SnapshotWriter writer(disk_, kDir, {0x4e}, compression);
    EXPECT_EQ(writer.file_name(), name);
    ASSERT_TRUE(writer.write(golden.body));
    auto size = writer.finish(90637399390, true, true);
    ASSERT_TRUE(size);
    EXPECT_EQ(*size, file(name).size());
    EXPECT_EQ(looks_complete(disk_, kDir + "/" + name), true);
    tree::Tree tree({}, {.extended_types = true});
    tree::SessionList sessions;
    auto facts = load_snapshot(disk_, kDir, name, kMaxBuffer, tree, sessions);
    ASSERT_TRUE(facts) << facts.error().detail;
    EXPECT_EQ(facts->nodes, 50u);
    EXPECT_EQ(facts->last_zxid.value, 0x4e);
    EXPECT_EQ(facts->uncompressed_size, static_cast<int64_t>(golden.whole.size() + 21));
    EXPECT_EQ(tree.digest(), 90637399390u);
  }
}

// Spec: disk 3.3: streams of gzip members, and of snappy streams with a header each.
TEST_F(SnapshotFileTest, ConcatenatedStreamsRead) {
  const Golden golden("all-ops-3.9.5", "snapshot.0", 411);
  for (const Compression compression : {Compression::Gzip, Compression::Snappy}) {
    std::string bytes;
    for (const std::string& part : {golden.whole.substr(0, 100), golden.whole.substr(100)}) {
      auto sink = make_sink(compression);
      sink->write(part);
      sink->finish();
      bytes += sink->out();
    }
    const std::string name = std::string("snapshot.0").append(ending_of(compression));
    disk_.put(kDir + "/" + name, bytes);
    auto facts = verify(name);
    ASSERT_TRUE(facts) << facts.error().detail;
    EXPECT_EQ(facts->nodes, 4u);
  }
}

// Spec: disk 3.2: the sections depend on the writer's flags, whatever ours are.
TEST_F(SnapshotFileTest, AnySectionsAreRecognised) {
  const Golden golden("all-ops-3.9.5", "snapshot.0", 411);
  for (int form = 0; form < 4; ++form) {
    SnapshotWriter writer(disk_, kDir, {0x20}, Compression::None);
    ASSERT_TRUE(writer.write(golden.body));
    ASSERT_TRUE(writer.finish(4711, (form & 1) != 0, (form & 2) != 0));
    auto facts = verify("snapshot.20");
    ASSERT_TRUE(facts) << facts.error().detail;
    EXPECT_EQ(facts->has_digest, (form & 1) != 0);
    EXPECT_EQ(facts->digest, (form & 1) != 0 ? 4711 : 0);
    EXPECT_EQ(facts->digest_zxid.value, (form & 1) != 0 ? 0x20 : 0);
    EXPECT_EQ(facts->has_last_zxid, (form & 2) != 0);
  }
}

// Early 3.6 wrote the digest as a string.
TEST_F(SnapshotFileTest, ADigestOfVersionOneIsSkipped) {
  std::string bytes = Golden("all-ops-3.9.5", "snapshot.0", 411).body;
  bytes += seal(bytes);
  bytes += std::string("\0\0\0\0\0\0\0\5\0\0\0\1\0\0\0\4beef", 20);
  bytes += seal(bytes);
  disk_.put(kDir + "/snapshot.0", bytes);
  auto facts = verify("snapshot.0");
  ASSERT_TRUE(facts) << facts.error().detail;
  EXPECT_TRUE(facts->has_digest);
  EXPECT_EQ(facts->digest_version, 1);
  EXPECT_EQ(facts->digest_zxid.value, 5);
}

TEST_F(SnapshotFileTest, NoChangedByteAndNoCutGoesUnnoticed) {
  const std::string whole = Golden("all-ops-3.9.5", "snapshot.0", 411).whole;
  for (size_t at = 0; at < whole.size() - 5; ++at) {  // The last string follows every sum; its value means nothing.
    for (const char flip : {'\x01', '\x80', '\xff'}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      disk_.put(kDir + "/snapshot.0", damaged);
      ASSERT_FALSE(verify("snapshot.0")) << at;
    }
  }
  for (size_t size = 0; size < whole.size(); ++size) {
    disk_.put(kDir + "/snapshot.0", whole.substr(0, size));
    // Cut between sections it is what an older server writes.
    const bool whole_section = size == 424 || size == 457;
    ASSERT_EQ(verify("snapshot.0").has_value(), whole_section) << size;
    ASSERT_EQ(whole_section,
              size >= 10 && size != 416 && looks_complete(disk_, kDir + "/snapshot.0") == true && size > 411);
  }
}

// A list is held in memory while it is read; its count says nothing about what comes.
TEST_F(SnapshotFileTest, AnAclListWithoutEndIsRefused) {
  std::string bytes = Golden("all-ops-3.9.5", "snapshot.0", 411).whole.substr(0, 16);
  bytes += std::string("\0\0\0\0\0\0\0\1", 8) + std::string("\0\0\0\0\0\0\0\1\x7f\xff\xff\xff", 12);
  for (int i = 0; i < 10000; ++i) bytes += std::string("\0\0\0\x1f\0\0\0\0\0\0\0\0", 12);
  disk_.put(kDir + "/snapshot.0", bytes);
  auto facts = verify_snapshot(disk_, kDir, "snapshot.0", 5000);
  ASSERT_FALSE(facts);
  EXPECT_NE(facts.error().detail.find("Unreasonable length"), std::string::npos) << facts.error().detail;
}

// Everything is below the root, so it has to come first.
TEST_F(SnapshotFileTest, ASnapshotBeginsWithTheRoot) {
  std::string bytes = Golden("all-ops-3.9.5", "snapshot.0", 411).body;
  const size_t root = bytes.find(std::string("\0\0\0\x0a/zookeeper", 14)) - (4 + 4 + 8 + 60);
  bytes.erase(root, 4 + 4 + 8 + 60);
  bytes += seal(bytes);
  disk_.put(kDir + "/snapshot.0", bytes);
  EXPECT_FALSE(verify("snapshot.0"));
}

TEST_F(SnapshotFileTest, TruncatedCompressedFilesAreRefused) {
  const Golden golden("all-ops-3.9.5", "snapshot.0", 411);
  for (const Compression compression : {Compression::Gzip, Compression::Snappy}) {
    SnapshotWriter writer(disk_, kDir, {0}, compression);
    ASSERT_TRUE(writer.write(golden.body));
    ASSERT_TRUE(writer.finish(0, true, true));
    const std::string name = writer.file_name();
    const std::string whole = file(name);
    for (size_t size = 0; size < whole.size(); ++size) {
      disk_.put(kDir + "/" + name, whole.substr(0, size));
      ASSERT_FALSE(verify(name)) << name << " " << size;
    }
  }
}

// Spec: disk 6.1 rule 8.
TEST_F(SnapshotFileTest, SyncsBeforeTheRename) {
  SnapshotWriter writer(disk_, kDir, {0x1f}, Compression::None);
  ASSERT_TRUE(writer.write("some bytes"));
  ASSERT_TRUE(writer.finish(1, true, true));
  const std::string tmp = kDir + "/tmp-snapshot.1f";
  ASSERT_EQ(disk_.journal.size(), 6u);
  EXPECT_EQ(disk_.journal[0], "create " + tmp);
  EXPECT_EQ(disk_.journal[2].substr(0, 9), "truncate ") << "whole pages may have been written";
  EXPECT_EQ(disk_.journal[3], "sync " + tmp);
  EXPECT_EQ(disk_.journal[4], "rename " + tmp + " " + kDir + "/snapshot.1f");
  EXPECT_EQ(disk_.journal[5], "syncdir " + kDir);
  using env::CrashPoint;
  EXPECT_EQ(disk_.reached, (std::vector{CrashPoint::SnapOpen, CrashPoint::SnapSeal, CrashPoint::SnapBody,
                                        CrashPoint::SnapSync, CrashPoint::SnapRename, CrashPoint::SnapDirSync}));
}

TEST_F(SnapshotFileTest, NothingStaysAfterAFailureOrAnEarlyEnd) {
  for (size_t failing_call = 0; failing_call < 6; ++failing_call) {
    FakeDisk disk;
    (void)disk.make_directories(kDir);
    size_t calls = 0;
    disk.failing = [&](const std::string&) {
      return calls++ == failing_call ? std::optional(Fault::NoSpace) : std::nullopt;
    };
    SnapshotWriter writer(disk, kDir, {0x1f}, Compression::None);
    const bool went_well = writer.write("bytes") && writer.finish(1, true, true);
    EXPECT_FALSE(went_well);
    EXPECT_FALSE(writer.write("more"));
    EXPECT_FALSE(writer.finish(1, true, true));
    EXPECT_FALSE(disk.has(kDir + "/tmp-snapshot.1f")) << failing_call;
  }
  {
    SnapshotWriter(disk_, kDir, {0x1f}, Compression::Gzip).write("bytes").value();
  }
  EXPECT_TRUE(disk_.files.empty());
}

}  // namespace
}  // namespace quorate::storage
