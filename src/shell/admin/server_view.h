#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "core/replica/connection.h"
#include "core/replica/server_stats.h"
#include "core/session/session_table.h"
#include "core/tree/session_list.h"
#include "core/tree/tree.h"
#include "core/tree/watch_table.h"
#include "shell/admin/java_format.h"
#include "shell/admin/metrics.h"
#include "wire/quorum_config.h"

/// A server as operators see it at one moment: everything that four-letter words and HTTP commands show, as values and
/// references. Whoever answers a word fills one and may throw it away. Spec: operations 2, 3.
namespace quorate::admin {

enum class Mode : uint8_t { Standalone, Leader, Follower, Observer, ReadOnly };

/// "3.9.5-<revision>, built on 2026-11-20 07:25 UTC": what tools compare, and what this program is.
struct Version {
  std::string compatible;
  std::string product;  ///< "0.1.0"
};
/// `built` is "2026-11-20 07:25"; the revision is 40 hexadecimal digits or a tag.
Version make_version(const std::string& revision, const std::string& built, const std::string& product);

/// What `conf` shows of the configuration.
struct ConfView {
  int32_t client_port = -1;         ///< -1: none.
  int32_t secure_client_port = -1;  ///< -1: none.
  std::string data_directory;       ///< .../version-2
  std::string log_directory;        ///< .../version-2
  int32_t tick_ms = 3000;
  int32_t max_client_connections = 60;
  session::TimeoutLimits timeouts;
  int32_t backlog = -1;
  int64_t server_id = 0;  ///< 0 when standalone.
  Millis sessionless_timeout{10000};
};

/// What only a leader knows. Spec: operations 4.3.
struct LeaderView {
  int64_t learners = 0;
  int64_t synced_followers = 0;
  int64_t synced_non_voting_followers = 0;
  int64_t synced_observers = 0;
  int64_t pending_syncs = 0;
  Millis since;  ///< When it began to lead.
};

/// What a member of an ensemble shows besides.
struct MemberView {
  int32_t init_limit = 0;
  int32_t sync_limit = 0;
  wire::Role role = wire::Role::Participant;
  wire::QuorumConfig config;  ///< The committed one.
  std::string peer_state;     ///< "leading - broadcast", "following - synchronization - snap"
  std::optional<LeaderView> leader;
  std::optional<int64_t> synced_observers;    ///< Of a follower that feeds observers, or could.
  std::optional<int64_t> observer_master_id;  ///< Of an observer.
  bool in_doubt = false;                      ///< No vote, and nobody served, until a leader's tree is stored.
  bool foreign_digests = false;               ///< The leader's digests are not compared with ours (disk 5.4).
  int64_t set_aside = 0;                      ///< Histories that are kept as quarantine-<n>.
};

/// Which words may be asked.
struct WordRules {
  std::vector<std::string> whitelist;  ///< 4lw.commands.whitelist; "*" is all.
  bool read_only_word = false;         ///< readonlymode.enabled=true: isro needs no whitelist.
};

/// What the system has to be asked for; filled only for words that say so.
struct Surroundings {
  uint64_t data_directory_bytes = 0;
  uint64_t log_directory_bytes = 0;
  int64_t open_files = 0;
  int64_t most_files = 0;
  std::string host_name, os_name, os_arch, os_version, user_name, user_home, user_directory;
  int64_t memory_free_mb = 0, memory_most_mb = 0, memory_total_mb = 0;
};

struct ServerView {
  const tree::Tree& tree;
  const session::SessionTable& sessions;        ///< Tracked here; a learner's is empty.
  const tree::SessionList& session_list;        ///< All of the ensemble.
  const session::SessionTable& local_sessions;  ///< Known here only.
  const tree::WatchTables& watches;
  const replica::ServerStats& stats;
  const Metrics& metrics;
  const ConfView& conf;
  const WordRules& rules;
  const Version& version;

  std::vector<replica::Connection*> connections;  ///< In the order to be shown; closed ones are left out.
  const replica::Connection* asking = nullptr;    ///< The one that the word came on.
  const MemberView* member = nullptr;             ///< Null: standalone.
  Mode mode = Mode::Standalone;
  bool serving = true;
  Now now;
  Now started;  ///< When this server began to serve.
  int64_t outstanding_requests = 0;
  int64_t sync_warnings = 0;  ///< Syncs that took longer than fsync.warningthresholdms.
  double drop_probability = 0;
  int64_t trace_mask = 306;
  std::vector<std::pair<Zxid, int64_t>> digests;  ///< For `hash`: every 128th zxid, at most 1024 of them.
  std::function<Zone(int64_t wall_ms)> zone_at = [](int64_t) { return Zone{}; };
  Surroundings around;

  /// A reading of the monotonic clock as a date.
  std::string date_of(Millis monotonic) const;
};

}  // namespace quorate::admin
