#include "core/auth/ip.h"

#include <array>
#include <cstdint>
#include <optional>

namespace quorate::auth {

namespace {

struct Address {
  std::array<uint8_t, 16> bytes{};
  int bits = 0;  ///< 32 or 128.
};
struct Prefix {
  Address address;
  int bits = 0;
};

/// A decimal number as Java's parseInt takes it: a sign and leading zeros are allowed. Only 0 to `max` are of use.
std::optional<int> small_number(std::string_view text, int max) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  int value = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value = value * 10 + (digit - '0');
    if (value > max) return std::nullopt;
  }
  if (negative && value != 0) return std::nullopt;
  return value;
}

/// The text before the first `separator`, which is taken off `rest` together with it.
std::string_view cut(std::string_view& rest, char separator) {
  const size_t at = rest.find(separator);
  const std::string_view part = rest.substr(0, at);
  rest = at == rest.npos ? std::string_view() : rest.substr(at + 1);
  return part;
}

std::optional<Address> parse_v4(std::string_view text) {
  Address address{.bits = 32};
  for (size_t i = 0; i < 4; ++i) {
    // Exactly three dots: none may be left for the last number, none may be missing before it.
    if ((text.find('.') == text.npos) != (i == 3)) return std::nullopt;
    const std::optional<int> number = small_number(cut(text, '.'), 255);
    if (!number) return std::nullopt;
    address.bytes[i] = static_cast<uint8_t>(*number);
  }
  return address;
}

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

struct Groups {
  std::array<uint16_t, 8> values{};
  size_t count = 0;
};

std::optional<uint16_t> parse_group(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  int value = 0;
  for (const char digit : text) {
    if (hex_value(digit) < 0) return std::nullopt;
    value = value * 16 + hex_value(digit);
  }
  return static_cast<uint16_t>(value);
}

/// Groups with single colons between them; an empty text has none.
std::optional<Groups> parse_groups(std::string_view text) {
  Groups groups;
  if (text.empty()) return groups;
  if (text.back() == ':') return std::nullopt;
  while (!text.empty()) {
    const std::optional<uint16_t> group = parse_group(cut(text, ':'));
    if (!group || groups.count == groups.values.size()) return std::nullopt;
    groups.values[groups.count++] = *group;
  }
  return groups;
}

void put_groups(const Groups& groups, size_t first, Address& address) {
  for (size_t i = 0; i < groups.count; ++i) {
    address.bytes[2 * (first + i)] = static_cast<uint8_t>(groups.values[i] >> 8);
    address.bytes[2 * (first + i) + 1] = static_cast<uint8_t>(groups.values[i]);
  }
}

std::optional<Address> parse_v6(std::string_view text) {
  const size_t gap = text.find("::");
  const std::optional<Groups> head = parse_groups(text.substr(0, gap));
  const std::optional<Groups> tail = parse_groups(gap == text.npos ? std::string_view() : text.substr(gap + 2));
  if (!head || !tail) return std::nullopt;
  const size_t count = head->count + tail->count;
  if (gap == text.npos ? count != 8 : count > 7) return std::nullopt;
  Address address{.bits = 128};
  put_groups(*head, 0, address);
  put_groups(*tail, 8 - tail->count, address);
  return address;
}

std::optional<Address> parse_address(std::string_view text) {
  return text.find(':') == text.npos ? parse_v4(text) : parse_v6(text);
}

std::optional<Prefix> parse_prefix(std::string_view expression) {
  const size_t slash = expression.find('/');
  const std::optional<Address> address = parse_address(expression.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == expression.npos) return Prefix{*address, address->bits};
  const std::optional<int> bits = small_number(expression.substr(slash + 1), address->bits);
  if (!bits) return std::nullopt;
  return Prefix{*address, *bits};
}

bool same_bits(const Address& a, const Address& b, int bits) {
  for (size_t i = 0; bits > 0; ++i, bits -= 8) {
    const int mask = bits >= 8 ? 0xFF : 0xFF << (8 - bits) & 0xFF;
    if (((a.bytes[i] ^ b.bytes[i]) & mask) != 0) return false;
  }
  return true;
}

}  // namespace

bool ip_id_valid(std::string_view expression) { return parse_prefix(expression).has_value(); }

bool ip_matches(std::string_view address, std::string_view expression) {
  const std::optional<Prefix> prefix = parse_prefix(expression);
  const std::optional<Address> own = parse_address(address);
  if (!prefix || !own || own->bits != prefix->address.bits) return false;
  return same_bits(*own, prefix->address, prefix->bits);
}

}  // namespace quorate::auth
