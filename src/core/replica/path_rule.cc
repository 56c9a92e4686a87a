#include "core/replica/path_rule.h"

#include <array>
#include <cstdint>

#include "core/replica/prepare.h"

namespace quorate::replica {
namespace {

enum class Kind : uint8_t { Plain, Slash, Forbidden, Multibyte };

constexpr std::array<Kind, 256> kKinds = [] {
  std::array<Kind, 256> kinds{};
  for (size_t byte = 0; byte < 0x20; ++byte) kinds[byte] = Kind::Forbidden;
  kinds[0x7F] = Kind::Forbidden;
  kinds['/'] = Kind::Slash;
  for (size_t byte = 0x80; byte < 256; ++byte) kinds[byte] = Kind::Multibyte;
  return kinds;
}();

uint32_t byte_at(std::string_view text, size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

bool continues(uint32_t byte) { return (byte & 0xC0) == 0x80; }

/// Length of the allowed character at `at`, which starts with a byte from 0x80 on; 0 when it is malformed (Apache
/// would read U+FFFD, which is forbidden) or in a forbidden range. Four-byte forms are supplementary characters,
/// surrogates to Apache, and never allowed.
size_t allowed_multibyte(std::string_view text, size_t at) {
  const uint32_t lead = byte_at(text, at);
  const uint32_t second = byte_at(text, at + 1);
  if (lead >= 0xC2 && lead <= 0xDF) {
    const bool control = lead == 0xC2 && second < 0xA0;
    return continues(second) && !control ? 2 : 0;
  }
  const uint32_t third = byte_at(text, at + 2);
  if (lead < 0xE0 || lead > 0xEF || !continues(second) || !continues(third)) return 0;
  const uint32_t point = (lead & 0x0F) << 12 | (second & 0x3F) << 6 | (third & 0x3F);
  const bool below_surrogates = point >= 0x800 && point <= 0xD7FF;
  const bool above_private_use = point >= 0xF900 && point <= 0xFFEF;
  return below_surrogates || above_private_use ? 3 : 0;
}

/// May a component start at `at`? Not empty, not "." and not "..".
bool component_starts(std::string_view path, size_t at) {
  const uint32_t first = byte_at(path, at);
  if (first == 0 || first == '/') return false;
  if (first != '.') return true;
  const bool dots = byte_at(path, at + 1) == '.';
  const size_t end = at + (dots ? 2 : 1);
  return end < path.size() && path[end] != '/';
}

}  // namespace

bool valid_path(std::string_view path) {
  if (path.empty() || path.front() != '/') return false;
  if (path.size() == 1) return true;
  for (size_t at = 0; at < path.size();) {
    switch (kKinds[static_cast<unsigned char>(path[at])]) {
      case Kind::Plain:
        ++at;
        break;
      case Kind::Slash:
        if (!component_starts(path, ++at)) return false;
        break;
      case Kind::Forbidden:
        return false;
      case Kind::Multibyte:
        const size_t length = allowed_multibyte(path, at);
        if (length == 0) return false;
        at += length;
        break;
    }
  }
  return true;
}

bool may_name_parent(std::string_view path) {
  return path.find('/') != std::string_view::npos && path.find('\0') == std::string_view::npos;
}

bool may_delete(std::string_view path) {
  if (!may_name_parent(path)) return false;
  return path != "/" && path != "/zookeeper" && path != "/zookeeper/quota" && path != "/zookeeper/config";
}

std::string_view parent_path(std::string_view path) { return path.substr(0, path.rfind('/')); }

}  // namespace quorate::replica
