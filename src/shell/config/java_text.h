#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Text as Java reads it: the number, boolean and list dialects that configuration values come in. Pure functions.
/// Spec: operations 1.1 items 2, 6, 7.
namespace quorate::config {

/// Both ends, every character up to and including the blank.
std::string_view java_trim(std::string_view text);
/// Integer.parseInt, Long.parseLong: decimal with an optional sign.
std::optional<int32_t> parse_java_int(std::string_view text);
std::optional<int64_t> parse_java_long(std::string_view text);
/// Integer.decode: also 0x, # and leading-0 octal.
std::optional<int64_t> decode_java_integer(std::string_view text);
std::optional<double> parse_java_double(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);
/// Trimmed, non-empty items of a comma separated list.
std::vector<std::string> parse_list(std::string_view text);
/// For input string: "abc"
std::string number_error(std::string_view text);

}  // namespace quorate::config
