#include <string>

#include "base/check.h"
#include "core/tree/snapshot_walk.h"
#include "input.h"
#include "memory_disk.h"
#include "shell/storage/snapshot_file.h"

/// A snapshot file. Of the first byte, the low two bits pick plain, gzip or snappy, bit 2 the tree's options, and bit 3
/// says that the rest is not the file but its body, which then gets good seals (and is compressed), so that the parser
/// behind the checksums is reached. A tree that loads must survive being written and loaded again.
namespace quorate::fuzz {
namespace {

constexpr size_t kMaxBufferBytes = 1 << 20;
constexpr storage::Compression kCompressions[] = {storage::Compression::None, storage::Compression::Gzip,
                                                  storage::Compression::Snappy};
constexpr const char* kNames[] = {"snapshot.5", "snapshot.5.gz", "snapshot.5.snappy"};

struct Loaded {
  tree::Tree tree;
  tree::SessionList sessions;
  explicit Loaded(bool extended) : tree({1, 2}, {.extended_types = extended, .emulate_353_ttl = false}) {}
};

bool load(MemoryDisk& disk, const char* name, Loaded& into) {
  return storage::load_snapshot(disk, "d", name, kMaxBufferBytes, into.tree, into.sessions).has_value();
}

void write(MemoryDisk& disk, std::string_view body, storage::Compression compression, uint64_t digest) {
  storage::SnapshotWriter writer(disk, "d", Zxid{5}, compression);
  QUORATE_CHECK(writer.write(body).has_value());
  QUORATE_CHECK(writer.finish(digest, true, true).has_value());
}

void write_and_load_again(Loaded& first, size_t form, bool extended) {
  MemoryDisk disk;
  tree::SnapshotWalk walk(first.tree, first.sessions);
  while (!walk.slice(1 << 20)) continue;
  const ByteBuffer body = walk.take();
  write(disk, body.view(), kCompressions[form], walk.digest());
  Loaded second(extended);
  QUORATE_CHECK(load(disk, kNames[form], second));
  QUORATE_CHECK(second.tree.digest() == first.tree.digest());
  QUORATE_CHECK(second.tree.node_count() == first.tree.node_count());
  QUORATE_CHECK(second.sessions.all() == first.sessions.all());
}

}  // namespace
}  // namespace quorate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate;
  fuzz::Input input(data, size);
  const uint8_t mode = input.byte();
  const size_t form = (mode & 3) % std::size(fuzz::kNames);
  const bool extended = (mode & 4) != 0;
  fuzz::MemoryDisk disk;
  if ((mode & 8) != 0) {
    fuzz::write(disk, input.rest(), fuzz::kCompressions[form], 0);
  } else {
    disk.files[std::string("d/") + fuzz::kNames[form]] = input.rest();
  }
  fuzz::Loaded loaded(extended);
  storage::looks_complete(disk, std::string("d/") + fuzz::kNames[form]);
  if (fuzz::load(disk, fuzz::kNames[form], loaded)) fuzz::write_and_load_again(loaded, form, extended);
  return 0;
}
