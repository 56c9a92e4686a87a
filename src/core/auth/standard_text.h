#pragma once
#include <string>
#include <string_view>

/// Texts as they are stored and compared: what a client sent, read the way Apache's string decoder reads it.
namespace quorate::auth {

bool is_standard_utf8(std::string_view text);

/// Malformed parts become U+FFFD, as many as Java makes of them; a supplementary character sent as two surrogates of
/// three bytes each becomes its standard form. Spec: client 1.1, rules 3 and 4.
std::string standard_utf8(std::string_view text);

}  // namespace quorate::auth
