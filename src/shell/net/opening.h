#pragma once
#include <optional>
#include <string>
#include <string_view>

/// What a connection of another protocol begins with, where a server is expected: told apart so that the operator
/// reads what to configure. Spec: quorum 1.6, 1.7.
namespace quorate::net {

constexpr size_t kOpeningBytes = 8;

/// What is wrong with a stream whose first bytes these are; nothing when they may be ours. Fewer than kOpeningBytes
/// are never told apart.
std::optional<std::string> foreign_opening(std::string_view bytes);

}  // namespace quorate::net
