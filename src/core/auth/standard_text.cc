#include "core/auth/standard_text.h"

#include <algorithm>
#include <cstdint>

namespace quorate::auth {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

uint8_t byte_at(std::string_view text, size_t at) { return at < text.size() ? static_cast<uint8_t>(text[at]) : 0; }
bool continues(uint8_t byte) { return (byte & 0xC0) == 0x80; }

/// Bytes that a sequence with this lead has; 0 for what cannot lead.
size_t length_of(uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/// The second byte excludes overlong forms and what lies beyond U+10FFFF.
bool second_fits(uint8_t lead, uint8_t second) {
  if (!continues(second)) return false;
  if (lead == 0xE0) return second >= 0xA0;
  if (lead == 0xF0) return second >= 0x90;
  return lead != 0xF4 || second < 0x90;
}

/// How many bytes at `at` belong together, and whether they are a character.
struct Step {
  size_t bytes;
  bool whole;
};
Step step_at(std::string_view text, size_t at) {
  const uint8_t lead = byte_at(text, at);
  const size_t length = length_of(lead);
  if (length <= 1) return {1, length == 1};
  if (!second_fits(lead, byte_at(text, at + 1))) return {1, false};
  for (size_t i = 2; i < length; ++i) {
    if (!continues(byte_at(text, at + i))) return {i, false};
  }
  const bool surrogate = lead == 0xED && byte_at(text, at + 1) >= 0xA0;
  return {length, !surrogate};
}

/// The ten bits that a surrogate carries, if `at` has one of the wanted half (0xA0 high, 0xB0 low), else -1.
int32_t surrogate_bits(std::string_view text, size_t at, uint8_t half) {
  const uint8_t second = byte_at(text, at + 1);
  const uint8_t third = byte_at(text, at + 2);
  if (byte_at(text, at) != 0xED || (second & 0xF0) != half || !continues(third)) return -1;
  return (second & 0x0F) << 6 | (third & 0x3F);
}

/// Appends the character that two surrogates at `at` stand for; false when there are none.
bool append_pair(std::string_view text, size_t at, std::string& out) {
  const int32_t high = surrogate_bits(text, at, 0xA0);
  const int32_t low = surrogate_bits(text, at + 3, 0xB0);
  if (high < 0 || low < 0) return false;
  const int32_t point = 0x10000 + (high << 10 | low);
  for (const int32_t byte :
       {0xF0 | point >> 18, 0x80 | (point >> 12 & 0x3F), 0x80 | (point >> 6 & 0x3F), 0x80 | (point & 0x3F)}) {
    out += static_cast<char>(byte);
  }
  return true;
}

}  // namespace

bool is_standard_utf8(std::string_view text) {
  if (std::ranges::all_of(text, [](char byte) { return static_cast<uint8_t>(byte) < 0x80; })) return true;
  for (size_t at = 0; at < text.size();) {
    const Step step = step_at(text, at);
    if (!step.whole) return false;
    at += step.bytes;
  }
  return true;
}

std::string standard_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const Step step = step_at(text, at);
    if (step.whole) {
      out += text.substr(at, step.bytes);
    } else if (append_pair(text, at, out)) {
      at += 3;
    } else {
      out += kReplacement;
    }
    at += step.bytes;
  }
  return out;
}

}  // namespace quorate::auth
