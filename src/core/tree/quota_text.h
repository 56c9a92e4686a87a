#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

/// The text form of limits and usage: `count=<n>,bytes=<n>`, then, after a `=` that stops old parsers, other keys in
/// order, as `;<key>=<n>`. Spec: client 11.2.
namespace quorate::tree {

using QuotaItems = std::map<std::string_view, int64_t>;  ///< Keys point into the text.

constexpr std::string_view kQuotaCount = "count";
constexpr std::string_view kQuotaBytes = "bytes";

/// Nothing when any item has no number; Apache dies of such a text, when it applies a txn. Nothing either for a text
/// far longer than any quota's: anyone may write it, and each change below it would read it again. Spec: HARDEN-2.
std::optional<QuotaItems> parse_quota_items(std::string_view text);
std::string print_quota_items(const QuotaItems& items);

}  // namespace quorate::tree
