#include "shell/storage/recovery.h"

#include <fmt/format.h>

#include <ranges>

#include "shell/storage/boot_directories.h"
#include "shell/storage/replace.h"
#include "shell/storage/replay.h"
#include "shell/storage/set_aside.h"
#include "shell/storage/small_file.h"
#include "shell/storage/snapshot_file.h"

namespace quorate::storage {
namespace {

constexpr size_t kMaxCandidates = 100;
constexpr int32_t kDigestVersion = 2;

class Recovery {
 public:
  Recovery(env::Disk& disk, const RecoverySettings& settings) : disk_(disk), settings_(settings) {}

  Result<Recovered> run() {
    auto listing = prepare_directories(disk_, settings_, lines_);
    if (!listing) return std::unexpected(listing.error());
    auto in_doubt = find_doubt();
    if (!in_doubt) return std::unexpected(in_doubt.error());
    auto result = attempt(*listing);
    if (!result && result.error().fault == Fault::Corrupt && doubtful_ > 0) {
      // Compat: Apache's digests are wrong for paths outside of ASCII under some locales. A snapshot whose seals hold
      // is better than none. Spec: disk 5.1, 5.4.
      require_digest_ = false;
      result = attempt(*listing);
    }
    if (!result) return result;
    result->lines = std::move(lines_);
    result->in_doubt = *in_doubt;
    return result;
  }

 private:
  enum class Found : uint8_t { Loaded, Unreadable, None };

  Result<bool> find_doubt() {
    const HistoryDirectories directories{settings_.snapshot_directory, settings_.log_directory};
    auto in_doubt = history_is_in_doubt(disk_, directories);
    if (!in_doubt || !*in_doubt) return in_doubt;
    if (!settings_.may_be_in_doubt) {
      return fail(Fault::Corrupt,
                  fmt::format("{} says that the history here is not to be trusted, and only a member of "
                              "an ensemble can get another one. Restore a whole history, e.g. out of a "
                              "quarantine, and remove that file",
                              doubt_path(directories)));
    }
    say(Level::Warn, "FileTxnSnapLog", "The history is in doubt: the leader's snapshot has to take its place");
    return true;
  }

  Result<Recovered> attempt(const BootListing& listing) {
    Recovered out;
    start_empty(out);
    base_ = {};
    const int64_t began = elapsed();
    auto found = load_newest(listing.snapshots, out);
    if (!found) return std::unexpected(found.error());
    if (*found == Found::Unreadable) {
      return fail(Fault::Corrupt, fmt::format("Not able to find valid snapshots in {}", settings_.snapshot_directory));
    }
    auto result = *found == Found::None ? without_snapshot(listing, std::move(out)) : replay(listing, std::move(out));
    if (!result) return result;
    if (!result->fresh) remove_initialize(disk_, settings_);
    say(Level::Info, "ZKDatabase",
        fmt::format("Snapshot loaded in {} ms, highest zxid is 0x{:x}, digest is {}", elapsed() - began,
                    static_cast<uint64_t>(result->last_zxid.value), static_cast<int64_t>(result->tree->digest())));
    return result;
  }

  void start_empty(Recovered& out) const {
    out.tree = std::make_unique<tree::Tree>(settings_.hash_key, settings_.tree_options);
    out.sessions = {};
  }

  /// Newest first; each attempt starts from an empty tree. Spec: disk 3.5.
  Result<Found> load_newest(const std::vector<NamedFile>& snapshots, Recovered& out) {
    unreadable_.clear();
    size_t tried = 0;
    bool above_zero = false;
    for (const NamedFile& file : snapshots | std::views::reverse) {
      const std::string path = fmt::format("{}/{}", settings_.snapshot_directory, file.name);
      above_zero = above_zero || file.zxid > Zxid{};
      const auto complete = looks_complete(disk_, path);
      if (!complete) return unread(path, complete.error());
      if (!*complete) {
        say(Level::Warn, "FileSnap", fmt::format("Ignoring {}: not complete", path));
        unreadable_.push_back(file);
        continue;
      }
      if (++tried > kMaxCandidates) break;
      const auto loaded = load(file, out);
      if (!loaded) return unread(path, loaded.error());
      if (*loaded) {
        if (auto kept = make_durable(path); !kept) return std::unexpected(kept.error());
        return Found::Loaded;
      }
      unreadable_.push_back(file);
      start_empty(out);
    }
    // Only a first snapshot may be cut short without a loss: before it there was nothing.
    return tried > 0 || (above_zero && !settings_.trust_empty) ? Found::Unreadable : Found::None;
  }

  /// What the disk would not give this once is neither damaged nor missing: an older snapshot does not take its place,
  /// and nothing is set aside.
  static std::unexpected<Error> unread(const std::string& path, const Error& why) {
    return fail(Fault::Io,
                fmt::format("The snapshot {} could not be read ({}). Nothing was changed. Start again once the "
                            "disk gives it, or move it away if the disk has lost it for good",
                            path, why.detail));
  }

  /// Its name, or an Apache server's bytes, may be in the page cache only; logs without a snapshot are of no use.
  Result<void> make_durable(const std::string& path) {
    if (auto synced = sync_existing(disk_, path); !synced) return synced;
    return disk_.sync_directory(settings_.snapshot_directory);
  }

  /// False: it is damaged.
  Result<bool> load(const NamedFile& file, Recovered& out) {
    const std::string path = fmt::format("{}/{}", settings_.snapshot_directory, file.name);
    say(Level::Info, "FileSnap", fmt::format("Reading snapshot {}", path));
    auto facts = load_snapshot(disk_, settings_.snapshot_directory, file.name, settings_.max_buffer_bytes, *out.tree,
                               out.sessions);
    if (!facts && facts.error().fault != Fault::Corrupt) return std::unexpected(facts.error());
    if (!facts) {
      say(Level::Warn, "FileSnap", fmt::format("problem reading snap file {}: {}", path, facts.error().detail));
      return false;
    }
    base_ = *facts;
    out.snapshot_zxid = facts->zxid;
    return digest_agrees(path, out);
  }

  bool digest_agrees(const std::string& path, Recovered& out) {
    const bool at_name = base_.has_digest && base_.digest_zxid == base_.zxid && base_.zxid > Zxid{};
    const auto digest = static_cast<int64_t>(out.tree->digest());
    if (!settings_.check_digest || !at_name || base_.digest_version != kDigestVersion || digest == base_.digest) {
      return true;
    }
    say(require_digest_ ? Level::Warn : Level::Error, "DataTree",
        fmt::format("Digests are not matching: {} says {}, its nodes give {}", path, base_.digest, digest));
    ++doubtful_;
    if (!require_digest_) ++out.digest_mismatches;
    return !require_digest_;
  }

  /// Spec: disk 4.1 (4).
  Result<Recovered> without_snapshot(const BootListing& listing, Recovered out) {
    if (!listing.logs.empty()) {
      if (!settings_.trust_empty) {
        return fail(Fault::Corrupt, "No snapshot found, but there are log entries. Something is broken!");
      }
      say(Level::Warn, "FileTxnSnapLog",
          "No snapshot found, but there are log entries. This should only be allowed during upgrading.");
      auto result = replay(listing, std::move(out));
      if (result) {
        if (auto written = write_snapshot(*result); !written) return std::unexpected(written.error());
      }
      return result;
    }
    const Result<bool> wanted =
        settings_.autocreate_database ? Result<bool>(true) : initialize_present(disk_, settings_);
    if (!wanted) return std::unexpected(wanted.error());
    if (!*wanted) {
      say(Level::Warn, "FileTxnSnapLog", "Unexpected empty data tree, setting last processed zxid to -1");
      out.last_zxid = {-1};
      return out;
    }
    out.fresh = true;
    disk_.reach(env::CrashPoint::BootFirstSnapshot);
    if (auto written = write_snapshot(out); !written) return std::unexpected(written.error());
    // Only now: with the marker gone and no snapshot, the next start would refuse to begin from nothing.
    remove_initialize(disk_, settings_);
    return out;
  }

  Result<void> write_snapshot(Recovered& out) {
    SnapshotWriter writer(disk_, settings_.snapshot_directory, out.last_zxid, Compression::None);
    say(Level::Info, "FileTxnSnapLog",
        fmt::format("Snapshotting: 0x{:x} to {}/{}", static_cast<uint64_t>(out.last_zxid.value),
                    settings_.snapshot_directory, writer.file_name()));
    if (auto written = write_tree(writer, *out.tree, out.sessions); !written) return written;
    auto bytes = writer.finish(out.tree->digest(), settings_.check_digest, true);
    if (!bytes) return std::unexpected(bytes.error());
    out.snapshot_zxid = out.last_zxid;
    return {};
  }

  Result<Recovered> replay(const BootListing& listing, Recovered out) {
    const int64_t began = elapsed();
    Replay replay(disk_, settings_, base_, out);
    if (!settings_.trust_empty) replay.must_hold(unreadable_);
    auto done = replay.run(listing.logs);
    std::ranges::move(out.lines, std::back_inserter(lines_));
    out.lines.clear();
    if (!done) return std::unexpected(done.error());
    say(Level::Info, "FileTxnSnapLog", fmt::format("{} txns loaded in {} ms", out.txns_replayed, elapsed() - began));
    return out;
  }

  int64_t elapsed() const { return settings_.elapsed_ms ? settings_.elapsed_ms() : 0; }
  void say(Level level, const char* component, std::string text) {
    lines_.push_back({level, component, std::move(text)});
  }

  env::Disk& disk_;
  const RecoverySettings& settings_;
  std::vector<LogLine> lines_;
  SnapshotFacts base_;
  bool require_digest_ = true;
  std::vector<NamedFile> unreadable_;  ///< Snapshots newer than the one that was loaded.
  size_t doubtful_ = 0;                ///< Snapshots whose seals hold and whose digest does not.
};

}  // namespace

Result<Recovered> recover(env::Disk& disk, const RecoverySettings& settings) { return Recovery(disk, settings).run(); }

}  // namespace quorate::storage
