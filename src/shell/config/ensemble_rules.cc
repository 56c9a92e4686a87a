#include <fmt/format.h>

#include "core/zab/quorum.h"
#include "shell/config/draft.h"

namespace quorate::config {
namespace {

void check_limits(Draft& draft) {
  const EnsembleSettings& ensemble = draft.out.settings.ensemble;
  if (ensemble.init_limit == 0) draft.refuse("initLimit", "initLimit is not set", "want a number of ticks, e.g. 10");
  if (ensemble.sync_limit == 0) draft.refuse("syncLimit", "syncLimit is not set", "want a number of ticks, e.g. 5");
}

void check_voters(Draft& draft) {
  const size_t voters = draft.out.settings.ensemble.config.voters();
  if (voters <= zab::kMaxVoters) return;
  draft.refuse("server", fmt::format("{} voting members are named", voters),
               fmt::format("want at most {}; more servers can be observers", zab::kMaxVoters));
}

/// Falling back to plain connections between servers would open what was closed.
void check_protection(Draft& draft) {
  for (const char* name : {"sslQuorum", "quorum.auth.enableSasl"}) {
    if (!draft.is_on(name)) continue;
    draft.refuse(*draft.find(name), std::string(find_key(name)->note),
                 "remove the key, or protect the ports otherwise");
  }
}

/// What an ensemble would be run without, if the key were only ignored: members that the others take for true, or
/// observers that nobody feeds.
void refuse_what_is_missing(Draft& draft) {
  if (draft.out.settings.replica.reconfig_enabled) {
    draft.refuse(*draft.find("reconfigEnabled"), "changing the members while running is not available in this version",
                 "remove the key; to change members, edit the server lines and restart the servers one by one");
  }
  const EnsembleSettings& ensemble = draft.out.settings.ensemble;
  if (ensemble.last_seen && ensemble.last_seen->version > ensemble.config.version) {
    draft.refuse(*draft.find("dynamicConfigFile"),
                 fmt::format("{}.dynamic.next holds members that were proposed and perhaps not committed, and changing "
                             "members while running is not available in this version",
                             draft.file),
                 "finish the change with the program that began it, then remove that file");
  }
  if (ensemble.observer_master_port > 0) {
    draft.refuse(*draft.find("observerMasterPort"), "followers that feed observers are not available in this version",
                 "remove the key: observers follow the leader then");
  }
}

/// What the ensemble is safe without.
void warn_of_what_is_missing(Draft& draft) {
  const Settings& settings = draft.out.settings;
  const auto ignored = [&](const char* key, const char* why) {
    draft.log(Level::Warn, fmt::format("config: key {} accepted and ignored: {}", key, why));
  };
  if (!settings.ensemble.leader_serves) ignored("leaderServes", "the leader serves clients too");
  if (!settings.ensemble.sync_enabled) ignored("syncEnabled", "observers keep a log and snapshots too");
}

}  // namespace

void check_ensemble(Draft& draft) {
  if (!draft.out.settings.ensemble.distributed()) return;
  check_limits(draft);
  check_voters(draft);
  check_protection(draft);
  refuse_what_is_missing(draft);
  warn_of_what_is_missing(draft);
}

}  // namespace quorate::config
