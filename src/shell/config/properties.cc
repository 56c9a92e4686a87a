#include "shell/config/properties.h"

#include <cstdint>
#include <optional>

#include "shell/config/java_text.h"

namespace quorate::config {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f'; }

void append_utf8(std::string& out, uint32_t code) {
  const auto put = [&out](uint32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

bool is_high_surrogate(uint32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low_surrogate(uint32_t unit) { return unit >= 0xDC00 && unit < 0xE000; }

/// Gathers natural lines into logical ones.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : text_(text) {}

  struct Logical {
    std::string text;  ///< Escapes untouched, continuations joined.
    int line = 0;
  };

  std::optional<Logical> next() {
    while (at_ < text_.size()) {
      const int line = line_;
      std::string_view natural = skip_blanks(take_natural());
      if (natural.empty() || natural.front() == '#' || natural.front() == '!') continue;
      Logical logical{std::string(natural), line};
      while (continues(logical.text)) {
        logical.text.pop_back();
        if (at_ >= text_.size()) break;
        logical.text += skip_blanks(take_natural());
      }
      if (!logical.text.empty()) return logical;
    }
    return std::nullopt;
  }

 private:
  static std::string_view skip_blanks(std::string_view line) {
    while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
    return line;
  }

  static bool continues(std::string_view line) {
    size_t slashes = 0;
    while (slashes < line.size() && line[line.size() - 1 - slashes] == '\\') ++slashes;
    return slashes % 2 == 1;
  }

  std::string_view take_natural() {
    const size_t end = std::min(text_.find_first_of("\r\n", at_), text_.size());
    const std::string_view natural = text_.substr(at_, end - at_);
    at_ = end;
    if (text_.substr(at_).starts_with("\r\n")) {
      at_ += 2;
    } else if (at_ < text_.size()) {
      ++at_;
    }
    ++line_;
    return natural;
  }

  std::string_view text_;
  size_t at_ = 0;
  int line_ = 1;
};

/// Undoes the escapes of one key or value; false at a malformed \uXXXX.
class Unescape {
 public:
  explicit Unescape(std::string_view raw) : raw_(raw) {}

  bool run(std::string& out) {
    while (at_ < raw_.size()) {
      const auto unit = take_unit();
      if (!unit) return false;
      append_utf8(out, joined_with_low_surrogate(*unit));
    }
    return true;
  }

 private:
  std::optional<uint32_t> take_unit() {
    const char c = raw_[at_++];
    if (c != '\\' || at_ >= raw_.size()) return static_cast<unsigned char>(c);
    const char escaped = raw_[at_++];
    switch (escaped) {
      case 't':
        return '\t';
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 'f':
        return '\f';
      case 'u':
        return take_hex();
      default:
        return static_cast<unsigned char>(escaped);
    }
  }

  std::optional<uint32_t> take_hex() {
    if (raw_.size() - at_ < 4) return std::nullopt;
    const std::string digits = "0x" + std::string(raw_.substr(at_, 4));
    const auto value = digits.find_first_of("+-", 2) == std::string::npos ? decode_java_integer(digits) : std::nullopt;
    if (!value) return std::nullopt;
    at_ += 4;
    return static_cast<uint32_t>(*value);
  }

  /// Java keeps UTF-16; a pair is one character for us, a lone half is U+FFFD.
  uint32_t joined_with_low_surrogate(uint32_t unit) {
    if (is_low_surrogate(unit)) return 0xFFFD;
    if (!is_high_surrogate(unit)) return unit;
    if (raw_.substr(at_).starts_with("\\u")) {
      const size_t before = at_;
      const auto low = take_unit();
      if (low && is_low_surrogate(*low)) return 0x10000 + ((unit - 0xD800) << 10) + (*low - 0xDC00);
      at_ = before;
    }
    return 0xFFFD;
  }

  std::string_view raw_;
  size_t at_ = 0;
};

struct Halves {
  std::string_view key;
  std::string_view value;
};

Halves cut(std::string_view line) {
  size_t end = 0;
  while (end < line.size() && line[end] != '=' && line[end] != ':' && !is_blank(line[end])) {
    end += line[end] == '\\' ? 2 : 1;
  }
  end = std::min(end, line.size());
  size_t start = end;
  while (start < line.size() && is_blank(line[start])) ++start;
  if (start < line.size() && (line[start] == '=' || line[start] == ':')) ++start;
  while (start < line.size() && is_blank(line[start])) ++start;
  return {line.substr(0, end), line.substr(start)};
}

}  // namespace

PropertyText parse_properties(std::string_view text) {
  PropertyText result;
  LineReader reader(text);
  while (const auto logical = reader.next()) {
    const Halves halves = cut(logical->text);
    std::string key;
    std::string value;
    if (!Unescape(halves.key).run(key) || !Unescape(halves.value).run(value)) {
      result.faults.push_back({logical->line, logical->text});
      continue;
    }
    result.properties.push_back({std::string(java_trim(key)), std::string(java_trim(value)), logical->line});
  }
  return result;
}

}  // namespace quorate::config
