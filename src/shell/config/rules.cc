#include <fmt/format.h>

#include <algorithm>

#include "shell/config/draft.h"
#include "shell/config/java_text.h"

namespace quorate::config {
namespace {

void check_storage(Draft& draft) {
  if (draft.out.settings.storage.data_dir.empty()) {
    draft.refuse("dataDir", "dataDir is not set", "want the directory that holds the data");
  }
  const int64_t tick = draft.out.settings.replica.tick.value;
  if (tick <= 0) {
    draft.refuse(*draft.find("tickTime"), tick == 0 ? "tickTime is not set" : "tickTime is negative",
                 "want a number of ms, e.g. 2000");
  }
  if (!draft.out.settings.storage.force_sync) {
    draft.log(Level::Error, "forceSync=no: ANSWERED WRITES WILL BE LOST when this machine stops");
  }
  if (draft.out.settings.storage.purge_interval_hours <= 0) draft.log(Level::Info, "Purge task is not scheduled.");
}

void check_timeouts(Draft& draft) {
  const session::TimeoutLimits& limits = draft.out.settings.replica.timeouts;
  if (limits.min_ms <= limits.max_ms) return;
  const char* key = draft.find("minSessionTimeout") ? "minSessionTimeout" : "tickTime";
  draft.refuse(key, "minSessionTimeout must not be larger than maxSessionTimeout",
               fmt::format("{} and {} ms result from what is set", limits.min_ms, limits.max_ms));
}

void check_ports(Draft& draft) {
  const ClientPortSettings& client = draft.out.settings.client_port;
  if (client.port == 0 && !client.address.empty()) {
    draft.refuse(*draft.find("clientPortAddress"), "clientPortAddress is set but clientPort is not set",
                 "add clientPort");
  } else if (client.port == 0) {
    draft.log(Level::Info, "clientPort is not set");
  }
  if (client.secure_port != 0) {
    draft.refuse(*draft.find("secureClientPort"), "TLS is not available in this version",
                 "remove secureClientPort, or let another program end TLS in front of clientPort");
  } else if (!client.secure_address.empty()) {
    draft.refuse(*draft.find("secureClientPortAddress"),
                 "secureClientPortAddress is set but secureClientPort is not set", "remove the key");
  }
  if (draft.find("maxCnxns") == nullptr) {
    draft.log(Level::Warn, "maxCnxns is not configured, using default value 0.");
  }
}

bool scheme_available(std::string_view scheme, const auth::AuthSettings& auth) {
  return scheme == "ip" || (scheme == "digest" && auth.digest_enabled);
}

void check_auth(Draft& draft) {
  const auth::AuthSettings& auth = draft.out.settings.auth;
  if (auth.skip_acl)
    draft.log(Level::Error, "skipACL=yes: ACCESS LISTS ARE NOT LOOKED AT, everybody may do everything");
  if (auth.sasl_required) {
    draft.refuse(*draft.find("sessionRequireClientSASLAuth"), "Authentication scheme sasl is not available.",
                 "SASL is not available in this version");
  }
  if (const auto made = auth::Auth::make({.digest_algorithm = auth.digest_algorithm}); !made) {
    draft.refuse(*draft.find("DigestAuthenticationProvider.digestAlg"), made.error().detail,
                 "want SHA1, SHA-256, SHA-512 or SHA3-256");
  }
  if (!auth.enforce) return;
  if (auth.enforce_schemes.empty()) {
    draft.refuse(*draft.find("enforce.auth.enabled"),
                 "zookeeper.enforce.auth.enabled is true zookeeper.enforce.auth.schemes must be  configured.",
                 "add enforce.auth.schemes");
  }
  for (const std::string& scheme : auth.enforce_schemes) {
    if (scheme_available(scheme, auth)) continue;
    draft.refuse(*draft.find("enforce.auth.schemes"), fmt::format("Authentication scheme {} is not available.", scheme),
                 "want digest or ip");
  }
}

/// Losing a scheme silently would be unsafe: only classes that are built in pass.
void check_provider(const Given& given, Draft& draft) {
  constexpr std::string_view kPackage = "org.apache.zookeeper.server.auth.";
  constexpr std::string_view kBuiltIn[] = {"DigestAuthenticationProvider", "IPAuthenticationProvider"};
  for (const std::string_view name : kBuiltIn) {
    if (given.value == std::string(kPackage) + std::string(name)) return;
  }
  draft.refuse(given, fmt::format("Problems loading {}", given.value),
               "this class is not built into this version; remove the key if no access list needs it");
}

void check_providers(Draft& draft) {
  for (const auto& [name, given] : draft.values) {
    if (name.starts_with("authProvider.")) check_provider(given, draft);
  }
  for (const auto& [name, given] : draft.options) {
    if (name.starts_with("zookeeper.authProvider.")) check_provider(given, draft);
  }
}

void check_admin(Draft& draft) {
  if (!draft.out.settings.admin.enabled || draft.find("admin.enableServer") == nullptr) return;
  draft.log(Level::Warn,
            "config: key admin.enableServer accepted and ignored: there is no HTTP server in this version");
}

void check_metrics(Draft& draft) {
  constexpr std::string_view kDefault = "org.apache.zookeeper.metrics.impl.DefaultMetricsProvider";
  constexpr std::string_view kOthers[] = {"org.apache.zookeeper.metrics.impl.NullMetricsProvider",
                                          "org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider"};
  const std::string& provider = draft.out.settings.admin.metrics_provider;
  if (provider == kDefault) return;
  if (std::ranges::find(kOthers, provider) != std::end(kOthers)) {
    draft.log(Level::Warn,
              "config: key metricsProvider.className accepted and ignored: metrics are shown by the word mntr alone");
    return;
  }
  draft.refuse(*draft.find("metricsProvider.className"), "metrics provider class was not found",
               fmt::format("want {}, or the Null or Prometheus one", kDefault));
}

void check_quorum_sasl(Draft& draft) {
  const auto require = [&](const char* wanted, const char* needs) {
    const Given* given = draft.find(wanted);
    if (!draft.is_on(wanted) || draft.is_on(needs)) return;
    draft.refuse(*given, fmt::format("{} is disabled, so cannot enable {}", needs, wanted),
                 fmt::format("add {}=true", needs));
  };
  require("quorum.auth.serverRequireSasl", "quorum.auth.enableSasl");
  require("quorum.auth.learnerRequireSasl", "quorum.auth.enableSasl");
  require("quorum.auth.serverRequireSasl", "quorum.auth.learnerRequireSasl");
}

/// Keys that fill more than their own field, or a field of a type of its own.
void take_special_keys(Draft& draft) {
  Settings& settings = draft.out.settings;
  if (const Given* given = draft.find("readonlymode.enabled")) settings.read_only_word = given->value == "true";
  if (const Given* given = draft.find("observer.syncEnabled")) {
    settings.ensemble.sync_enabled = equals_ignoring_case(given->value, "true");
  }
  if (const Given* given = draft.find("peerType")) {
    const auto role = wire::parse_role(given->value);
    if (!role) return draft.refuse(*given, role.error(), "want observer or participant");
    settings.ensemble.role = *role;
  }
}

}  // namespace

void resolve(Settings& settings) {
  session::TimeoutLimits& limits = settings.replica.timeouts;
  const auto tick = static_cast<int32_t>(settings.replica.tick.value);
  if (limits.min_ms == -1) limits.min_ms = tick * 2;
  if (limits.max_ms == -1) limits.max_ms = tick * 20;
  StorageSettings& storage = settings.storage;
  if (storage.log_dir.empty()) storage.log_dir = storage.data_dir;
  if (storage.max_queue_poll.value < 0) storage.max_queue_poll = Millis{storage.flush_delay.value / 3};
  EnsembleSettings& ensemble = settings.ensemble;
  if (ensemble.connect_limit == 0) ensemble.connect_limit = ensemble.init_limit;
  if (ensemble.election_read_timeout.value < 0) {
    ensemble.election_read_timeout = Millis{settings.replica.tick.value * ensemble.sync_limit};
  }
  ensemble.observer_master_port = std::max(ensemble.observer_master_port, 0);
  int32_t& slack = settings.client_port.record_slack_bytes;
  if (slack < 0) slack = settings.replica.max_frame_bytes;
  slack = std::max(slack, 1024);
}

void check_rules(Draft& draft) {
  take_special_keys(draft);
  check_storage(draft);
  check_timeouts(draft);
  check_ports(draft);
  check_auth(draft);
  check_providers(draft);
  check_admin(draft);
  check_metrics(draft);
  check_quorum_sasl(draft);
}

}  // namespace quorate::config
