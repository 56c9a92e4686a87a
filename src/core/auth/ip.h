#pragma once
#include <string_view>

/// The scheme "ip": textual addresses and prefixes. Spec: client 10.4.
namespace quorate::auth {

/// May this text stand in a list? An IPv4 or IPv6 address with an optional "/bits".
bool ip_id_valid(std::string_view expression);

/// Does the address lie within the prefix? Families never mix; an address with a zone lies in none.
bool ip_matches(std::string_view address, std::string_view expression);

}  // namespace quorate::auth
