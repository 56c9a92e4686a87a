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

/// The one place that says so: without this call an ensemble's settings are handed on like all others.
void refuse_ensemble(Draft& draft) {
  draft.refuse("server",
               fmt::format("ensembles are not available in this version, and {} voting member(s) are named",
                           draft.out.settings.ensemble.config.voters()),
               "remove the server lines, or set standaloneEnabled=true with one, for a standalone server");
}

}  // namespace

void check_ensemble(Draft& draft) {
  if (!draft.out.settings.ensemble.distributed()) return;
  check_limits(draft);
  check_voters(draft);
  check_protection(draft);
  refuse_ensemble(draft);
}

}  // namespace quorate::config
