#include "core/auth/auth.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/auth/digest.h"
#include "core/auth/provider.h"
#include "core/auth/standard_text.h"

namespace quorate::auth {

Result<Auth> Auth::make(AuthSettings settings) {
  const evp_md_st* digest = find_digest(settings.digest_algorithm);
  if (digest == nullptr || !digest_id("probe:probe", digest)) {
    return fail(Fault::Invalid, fmt::format("don't support this ACL digest algorithm: {} in the current environment",
                                            settings.digest_algorithm));
  }
  Auth auth(std::move(settings), digest);
  // Spec: client 10.5. The older key means the scheme sasl and nothing else.
  if (auth.settings_.sasl_required) {
    auth.enforced_ = {"sasl"};
  } else if (auth.settings_.enforce) {
    auth.enforced_ = auth.settings_.enforce_schemes;
    if (auth.enforced_.empty()) {
      return fail(Fault::Invalid,
                  "zookeeper.enforce.auth.enabled is true zookeeper.enforce.auth.schemes must be  configured.");
    }
  }
  for (const std::string& scheme : auth.enforced_) {
    if (auth.has_provider(scheme)) continue;
    return fail(Fault::Invalid, fmt::format("Authentication scheme {} is not available.", scheme));
  }
  return auth;
}

std::optional<Identities> Auth::authenticate(std::string_view scheme, std::string_view data,
                                             std::string_view remote_ip) const {
  if (!has_provider(scheme)) return std::nullopt;
  if (scheme == "ip") return Identities{{"ip", std::string(remote_ip)}};
  // What is left is digest; without any data its provider fails.
  if (wire::is_absent(data)) return std::nullopt;
  std::optional<std::string> id = digest_id(standard_utf8(data), digest_);
  if (!id) return std::nullopt;
  Identities added;
  if (*id == settings_.super_digest) added.push_back({"super", ""});
  added.push_back({"digest", std::move(*id)});
  return added;
}

bool Auth::has_provider(std::string_view scheme) const { return find_provider(settings_, scheme) != nullptr; }

std::string Auth::provider_names() const {
  std::string names;
  for (const Provider& provider : providers(settings_)) names.append(provider.scheme) += ' ';
  return names;
}

bool Auth::admitted(Holders who) const {
  if (enforced_.empty()) return true;
  return std::ranges::any_of(
      who, [&](const Identity& identity) { return std::ranges::count(enforced_, identity.scheme) > 0; });
}

std::string Auth::user_name(const Identity& identity) const {
  const Provider* provider = find_provider(settings_, identity.scheme);
  return provider == nullptr ? std::string() : std::string(provider->user_name(identity.id));
}

}  // namespace quorate::auth
