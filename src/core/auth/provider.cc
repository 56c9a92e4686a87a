#include "core/auth/provider.h"

#include <algorithm>

#include "core/auth/auth.h"
#include "core/auth/digest.h"
#include "core/auth/ip.h"

namespace quorate::auth {

namespace {

bool equal(std::string_view id, std::string_view expression) { return id == expression; }
std::string_view whole(std::string_view id) { return id; }

// digest stands last, where it can be left out.
constexpr Provider kProviders[] = {
    {"ip", false, ip_id_valid, ip_matches, whole},
    {"digest", true, digest_id_valid, equal, digest_user},
};

}  // namespace

std::span<const Provider> providers(const AuthSettings& settings) {
  const std::span<const Provider> all(kProviders);
  return settings.digest_enabled ? all : all.first(all.size() - 1);
}

const Provider* find_provider(const AuthSettings& settings, std::string_view scheme) {
  const std::span<const Provider> all = providers(settings);
  const auto found = std::ranges::find(all, scheme, &Provider::scheme);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace quorate::auth
