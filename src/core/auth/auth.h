#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_buffer.h"
#include "base/result.h"
#include "wire/codes.h"
#include "wire/vectors.h"

struct evp_md_st;  // OpenSSL's digest.

/// Who is this client, and does that list let it: schemes world, ip, digest, auth, super. Pure functions over the
/// identities that a connection holds. Spec: client 10; operations 6.7, 6.8.
namespace quorate::auth {

/// One (scheme, id) pair that a connection has.
struct Identity {
  std::string scheme;
  std::string id;
  friend bool operator==(const Identity&, const Identity&) = default;
};
using Identities = std::vector<Identity>;
/// Those that counted when a request was read: a connection only gains identities, so they are its first ones.
using Holders = std::span<const Identity>;

/// Filled by config.
struct AuthSettings {
  bool digest_enabled = true;             ///< DigestAuthenticationProvider.enabled
  std::string digest_algorithm = "SHA1";  ///< JCA name. Spec: operations 1.7.
  std::string super_digest{};             ///< "super:<base64>"; empty: no super user.
  bool skip_acl = false;                  ///< skipACL=yes
  bool enforce = false;                   ///< enforce.auth.enabled
  std::vector<std::string> enforce_schemes{};
  bool sasl_required = false;  ///< sessionRequireClientSASLAuth
};

class Auth {
 public:
  /// Errors: Invalid for an unknown digest algorithm or an enforced scheme without provider, with Apache's words.
  static Result<Auth> make(AuthSettings settings);

  const AuthSettings& settings() const { return settings_; }

  /// An auth packet. Returns the identities to add, or nothing when it fails (AUTHFAILED, close).
  std::optional<Identities> authenticate(std::string_view scheme, std::string_view data,
                                         std::string_view remote_ip) const;
  bool has_provider(std::string_view scheme) const;
  std::string provider_names() const;  ///< "ip digest ", for the log line about an unknown scheme.

  /// The list of a create or setACL made storable: checked, "auth:" expanded, duplicates removed. Appends count and
  /// items to `out`, nothing after an error. Spec: client 10.6. The plain list world:anyone ALL is passed on without
  /// any work. Texts come out as standard UTF-8. Compat: a list that "auth:" would blow up beyond 1 MiB, more than any
  /// reader takes, is InvalidAcl.
  wire::Code fix_up(const wire::AclVector& list, Holders who, ByteBuffer& out) const;

  /// Does any entry grant one of the `wanted` bits? `list` is the stored one. Spec: client 10.7. An absent or empty
  /// list grants everything, so an id that the table of lists does not know must be denied by the caller.
  bool permits(const wire::AclVector& list, int32_t wanted, Holders who) const;

  /// A list as getACL shows it to someone without ADMIN: digest ids cut to "user:x". Appends count and items.
  void mask(const wire::AclVector& list, ByteBuffer& out) const;

  /// May this connection send anything but auth and sasl? Spec: client 10.5.
  bool admitted(Holders who) const;
  /// whoAmI: the user name that the provider makes of the id.
  std::string user_name(const Identity& identity) const;

 private:
  Auth(AuthSettings settings, const evp_md_st* digest) : settings_(std::move(settings)), digest_(digest) {}

  AuthSettings settings_;
  const evp_md_st* digest_;            ///< Owned by the library, for ever.
  std::vector<std::string> enforced_;  ///< Empty: nothing is enforced.
};

}  // namespace quorate::auth
