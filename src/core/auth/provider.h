#pragma once
#include <span>
#include <string_view>

/// What the schemes have in common once a connection has its identities. "world", "auth" and "super" are no providers:
/// they are words of the lists and of the checks.
namespace quorate::auth {

struct AuthSettings;

struct Provider {
  std::string_view scheme;
  bool authenticates;  ///< Its ids are taken for "auth:".
  bool (*valid)(std::string_view expression);
  bool (*matches)(std::string_view id, std::string_view expression);
  std::string_view (*user_name)(std::string_view id);
};

/// Those switched on, in the order in which log lines name them.
std::span<const Provider> providers(const AuthSettings& settings);
/// Null when the scheme has none.
const Provider* find_provider(const AuthSettings& settings, std::string_view scheme);

}  // namespace quorate::auth
