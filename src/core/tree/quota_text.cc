#include "core/tree/quota_text.h"

#include <fmt/format.h>

#include <charconv>

namespace quorate::tree {
namespace {

constexpr size_t kMaxText = 4096;

/// As Java's Long.parseLong reads it; an empty text is -1.
std::optional<int64_t> parse_number(std::string_view text) {
  if (text.empty()) return -1;
  if (text.front() == '+') {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

int64_t value_or_unset(const QuotaItems& items, std::string_view key) {
  const auto found = items.find(key);
  return found == items.end() ? -1 : found->second;
}

}  // namespace

std::optional<QuotaItems> parse_quota_items(std::string_view text) {
  QuotaItems items;
  if (text.size() > kMaxText) return std::nullopt;
  while (!text.empty()) {
    const size_t length = std::min(text.find_first_of(",;"), text.size());
    const std::string_view item = text.substr(0, length);
    text.remove_prefix(std::min(length + 1, text.size()));
    if (item.empty()) continue;
    const size_t equals = item.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view value = item.substr(equals + 1);
    const auto number = parse_number(value.substr(0, value.find('=')));
    if (!number) return std::nullopt;
    items[item.substr(0, equals)] = *number;
  }
  return items;
}

std::string print_quota_items(const QuotaItems& items) {
  std::string text = fmt::format("{}={},{}={}", kQuotaCount, value_or_unset(items, kQuotaCount), kQuotaBytes,
                                 value_or_unset(items, kQuotaBytes));
  bool first = true;
  for (const auto& [key, value] : items) {
    if (key == kQuotaCount || key == kQuotaBytes) continue;
    text += fmt::format("{};{}={}", first ? "=" : "", key, value);
    first = false;
  }
  return text;
}

}  // namespace quorate::tree
