#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log_line.h"
#include "base/result.h"
#include "core/tree/session_list.h"
#include "core/tree/tree.h"
#include "shell/env/disk.h"

/// From the directories to a tree: newest loadable snapshot, then every record behind it, each checked. What was
/// acknowledged is never dropped silently; damage refuses the start and names file, offset, zxid and repair command.
/// Spec: disk 1.2, 2.6, 2.7, 3.5, 4.1.
namespace quorate::storage {

struct RecoverySettings {
  std::string snapshot_directory;  ///< dataDir/version-2
  std::string log_directory;       ///< dataLogDir/version-2; may be the same
  std::string data_directory;      ///< dataDir, where `initialize` may lie
  std::string data_log_directory;
  bool autocreate_directories = true;     ///< datadir.autocreate
  bool autocreate_database = true;        ///< db.autocreate
  bool trust_empty = false;               ///< snapshot.trust.empty
  bool check_digest = true;               ///< digest.enabled
  size_t max_buffer_bytes = 2 * 1048575;  ///< jute.maxbuffer + extra
  bool drop_damaged_tail = false;         ///< The explicit option: cut at damage in the last file.
  bool may_be_in_doubt = false;  ///< Of a member, which then gets its leader's tree. Else that refuses the start.
  /// Milliseconds since some fixed moment, for "loaded in <n> ms"; without it those lines say 0.
  std::function<int64_t()> elapsed_ms;
  tree::HashKey hash_key;
  tree::TreeOptions tree_options;
};

struct Recovered {
  std::unique_ptr<tree::Tree> tree;
  tree::SessionList sessions;
  Zxid snapshot_zxid;
  Zxid last_zxid;  ///< -1: nothing there, and an empty database was not asked for. Spec: disk 1.4.
  size_t txns_replayed = 0;
  uint64_t log_bytes_replayed = 0;
  size_t digest_mismatches = 0;
  bool in_doubt = false;       ///< The history was set aside, or is not to be trusted (set_aside.h).
  bool fresh = false;          ///< Nothing was there; snapshot.0 has been written, durably.
  std::vector<LogLine> lines;  ///< For the operator, in order, with the texts of operations 7.2.
};

/// Does all of it, cuts torn tails included (disk 6.1 rule 7), deletes our own leftovers. Writes snapshot.0 when fresh.
/// Errors: Invalid (directories mixed up or missing: exit code 3), Corrupt (refused), Io.
Result<Recovered> recover(env::Disk& disk, const RecoverySettings& settings);

}  // namespace quorate::storage
