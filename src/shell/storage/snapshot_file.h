#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "core/tree/loader.h"
#include "shell/env/disk.h"
#include "shell/storage/byte_source.h"

/// Snapshot files: temporary name, sync, rename, directory sync; plain, gzip or snappy; seals and trailing sections as
/// Apache 3.9 writes them, read in every form that Apache ever wrote. Spec: disk 3.
namespace quorate::storage {

/// Writes one snapshot from the bytes of a tree::SnapshotWalk. Background thread. After an error, or when destroyed
/// before finish(), the temporary file is removed and nothing else has happened; only where the last directory sync
/// failed, the snapshot keeps its name and may be lost in a crash.
class SnapshotWriter {
 public:
  SnapshotWriter(env::Disk& disk, std::string directory, Zxid zxid, Compression compression);
  ~SnapshotWriter();

  Result<void> write(std::string_view bytes);
  /// Seals, writes the digest and lastProcessedZxid sections, syncs, renames. Returns the file's size.
  /// Compat: with zxid 0 the digest section says "none", as a fresh Apache server's does.
  Result<uint64_t> finish(uint64_t tree_digest, bool with_digest, bool with_last_zxid);

  /// finish() in two: everything but the names, for a file that gets its name together with other changes. The synced
  /// file is tmp-<file_name()>, and is the writer's to remove unless it is told to leave it.
  Result<uint64_t> seal(uint64_t tree_digest, bool with_digest, bool with_last_zxid);
  void leave();

  /// "snapshot.1f", with its compression's ending.
  std::string file_name() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// What a snapshot file said beside its nodes.
struct SnapshotFacts {
  Zxid zxid;  ///< From the name; 0 when the name is no snapshot's.
  bool has_digest = false;
  Zxid digest_zxid;    ///< 0: nothing to check.
  int64_t digest = 0;  ///< 0 where the version is not 2.
  int32_t digest_version = 0;
  bool has_last_zxid = false;
  Zxid last_zxid;
  int64_t body_end = 0;  ///< Offset behind the terminator, uncompressed.
  int64_t uncompressed_size = 0;
  size_t nodes = 0;
  size_t sessions = 0;
  size_t acls = 0;
};

/// Loads a whole file into an empty tree, checking every seal. After an error the tree and the sessions hold part of
/// the file: throw them away. Errors: Corrupt, Io, with the offset.
Result<SnapshotFacts> load_snapshot(env::Disk& disk, const std::string& directory, const std::string& name,
                                    size_t max_buffer_bytes, tree::Tree& tree, tree::SessionList& sessions);

/// Reads the whole file and checks its layout and every seal, without keeping anything. Errors: Corrupt, Io.
Result<SnapshotFacts> verify_snapshot(env::Disk& disk, const std::string& directory, const std::string& name,
                                      size_t max_buffer_bytes);

/// Apache's quick check: size and tail, or the magic of a compressed file; a file that is not there is not complete.
/// Spec: disk 3.5. Errors: Io, which says nothing about the file.
Result<bool> looks_complete(env::Disk& disk, const std::string& path);

}  // namespace quorate::storage
