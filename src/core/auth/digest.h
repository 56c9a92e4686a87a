#pragma once
#include <optional>
#include <string>
#include <string_view>

struct evp_md_st;  // OpenSSL's digest.

/// The scheme "digest": a user and a hash of user and password. Spec: client 10.3.
namespace quorate::auth {

/// By the name that Java knows a digest under, in any case; null when there is none.
const evp_md_st* find_digest(std::string_view jca_name);

/// "user:base64(hash(user:password))"; the hash covers the whole text. Nothing when the library refuses the algorithm.
std::optional<std::string> digest_id(std::string_view user_and_password, const evp_md_st* digest);

/// May this text stand in a list? Two parts, split as Java splits at ':'.
bool digest_id_valid(std::string_view id);

/// Up to the first ':'.
std::string_view digest_user(std::string_view id);

}  // namespace quorate::auth
