#include <fmt/format.h>

#include <optional>
#include <type_traits>

#include "shell/config/draft.h"
#include "shell/config/java_text.h"

namespace quorate::config {
namespace {

/// One key at its place: reads the value or the default and stores it.
class Assignment {
 public:
  Assignment(const Key& key, const Given* given, Draft& draft)
      : key_(key), given_(given), draft_(draft), text_(given ? std::string_view(given->value) : key.fallback) {}

  void run() {
    switch (key_.type) {
      case Type::Int:
      case Type::LenientInt:
        return store_number(number([this](std::string_view text) { return parse_integer(text); }));
      case Type::Real:
      case Type::LenientReal:
        return store_number(number(parse_java_double));
      case Type::Text:
      case Type::Path:
      case Type::List:
        return store_text();
      default:
        return store_flag(flag());
    }
  }

 private:
  std::string wanted() const {
    const bool real = key_.type == Type::Real || key_.type == Type::LenientReal;
    const char* kind = real ? "a number" : "a whole number";
    return key_.unit.empty() ? kind : fmt::format("{}, in {}", kind, key_.unit);
  }

  void refuse(std::string message, std::string advice) {
    if (given_ != nullptr) draft_.refuse(*given_, std::move(message), std::move(advice));
  }

  std::optional<int64_t> parse_integer(std::string_view text) const {
    if (key_.type == Type::Int) return parse_java_int(text);
    auto value = decode_java_integer(text);
    // Sums of times stay far from an overflow.
    const bool narrow =
        std::holds_alternative<FieldOf<int32_t>>(key_.field) || std::holds_alternative<FieldOf<Millis>>(key_.field);
    if (value && narrow && static_cast<int32_t>(*value) != *value) value.reset();
    return value;
  }

  /// Nothing when an error was reported, or when there is neither value nor default.
  template <class Parse>
  auto number(const Parse& parse) -> decltype(parse(std::string_view())) {
    auto value = parse(text_);
    const bool lenient = key_.type == Type::LenientInt || key_.type == Type::LenientReal;
    if (!value && given_ != nullptr && lenient) {
      draft_.log(Level::Warn, fmt::format("config: key {}: {} is not {}, the default {} is used", key_.name,
                                          shown_value(key_.name, text_), wanted(), key_.fallback));
      value = parse(key_.fallback);
    } else if (!value) {
      refuse(number_error(text_), "want " + wanted());
    }
    return value ? in_range(*value) : std::nullopt;
  }

  std::string out_of_range() const {
    if (!key_.range.words.empty()) return fmt::format(fmt::runtime(key_.range.words), text_);
    const char* outcome = key_.range.then == OutOfRange::Refuse ? "" : ", the default is used";
    return fmt::format("config: key {}: {} is out of range{}", key_.name, text_, outcome);
  }

  template <class Number>
  std::optional<Number> in_range(Number value) {
    const auto min = static_cast<Number>(key_.range.min);
    const auto max = static_cast<Number>(key_.range.max);
    if (value >= min && value <= max) return value;
    if (key_.range.then == OutOfRange::Refuse) {
      refuse(out_of_range(), fmt::format("want {} to {}", key_.range.min, key_.range.max));
      return std::nullopt;
    }
    draft_.log(Level::Warn, out_of_range());
    if (key_.range.then == OutOfRange::RaiseToMin && value < min) return min;
    return static_cast<Number>(parse_java_double(key_.fallback).value_or(0));
  }

  std::optional<bool> flag() {
    switch (key_.type) {
      case Type::UnlessNo:
        return text_ != "no";
      case Type::OnlyYes:
        return text_ == "yes";
      case Type::UnlessFalse:
        return text_ != "false";
      default:
        break;
    }
    const bool yes = equals_ignoring_case(text_, "true");
    if (yes || equals_ignoring_case(text_, "false")) return yes;
    if (key_.type == Type::Flag) {
      refuse(fmt::format("Invalid option {} for {}. Choose 'true' or 'false.'", text_, key_.name),
             "want true or false");
      return std::nullopt;
    }
    if (given_ != nullptr) {
      draft_.log(Level::Warn, fmt::format("config: key {}: anything but true is taken as false", key_.name));
    }
    return false;
  }

  void store_flag(std::optional<bool> value) {
    if (const auto* field = std::get_if<FieldOf<bool>>(&key_.field); field && value) (*field)(settings()) = *value;
  }

  template <class Number>
  void store_number(std::optional<Number> value) {
    if (!value) return;
    std::visit(
        [&](auto field) {
          using F = decltype(field);
          if constexpr (std::is_same_v<F, FieldOf<int32_t>> || std::is_same_v<F, FieldOf<int64_t>> ||
                        std::is_same_v<F, FieldOf<double>>) {
            field(settings()) = static_cast<std::remove_reference_t<decltype(field(settings()))>>(*value);
          } else if constexpr (std::is_same_v<F, FieldOf<Millis>>) {
            field(settings()) = Millis{static_cast<int64_t>(*value)};
          }
        },
        key_.field);
  }

  void store_text() {
    if (key_.type == Type::Path && given_ != nullptr && !text_.starts_with('/') && !text_.starts_with('.')) {
      draft_.log(Level::Warn, fmt::format("{} is relative. Prepend ./ to indicate that you're sure!",
                                          shown_value(key_.name, text_)));
    }
    if (const auto* field = std::get_if<FieldOf<std::string>>(&key_.field)) (*field)(settings()) = text_;
    if (const auto* field = std::get_if<FieldOf<std::vector<std::string>>>(&key_.field)) {
      (*field)(settings()) = parse_list(text_);
    }
  }

  Settings& settings() { return draft_.out.settings; }

  const Key& key_;
  const Given* given_;
  Draft& draft_;
  std::string_view text_;
};

/// An operator who asked for something that does not happen is warned; a key that means nothing here is only noted.
/// What is the case anyway needs no line.
void note_ineffective(const Key& key, const Given& given, Draft& draft) {
  if (equals_ignoring_case(given.value, key.fallback)) return;
  const Level level = key.verdict == Verdict::Must ? Level::Warn : Level::Info;
  draft.log(level, fmt::format("config: key {} accepted and ignored: {}", given.name, key.note));
}

void assign(const Key& key, Draft& draft) {
  const Given* given = draft.find(key);
  if (given != nullptr && !key.note.empty()) note_ineffective(key, *given, draft);
  if (given != nullptr && key.verdict == Verdict::Refuse && given->value != key.fallback) {
    draft.refuse(*given, fmt::format("{} is not available", shown_value(given->name, given->value)),
                 "remove the key: other programs' classes cannot be loaded");
  }
  // Without a value there is a default to store only where there is a place for it.
  if (given != nullptr || !std::holds_alternative<std::monostate>(key.field)) Assignment(key, given, draft).run();
}

/// authProvider. and the like: each member of the family that was given.
void assign_family(const Key& family, Draft& draft) {
  if (family.note.empty()) return;
  for (const auto& [name, given] : draft.values) {
    if (find_key(name) == &family) note_ineffective(family, given, draft);
  }
}

/// These Apache reads from options alone, and the file must say so.
void warn_of_options_in_file(const Key& key, Draft& draft) {
  const auto found = draft.values.find(std::string(key.name));
  if (key.where != Where::Option || found == draft.values.end()) return;
  draft.log(Level::Warn, fmt::format("config: key {} (line {}) has no effect: it is read from -D{}=... alone", key.name,
                                     found->second.line, key.name));
}

}  // namespace

void assign_keys(Draft& draft) {
  for (const Section& section : sections()) {
    for (const Key& key : section.keys) {
      warn_of_options_in_file(key, draft);
      if (key.name.ends_with('.')) {
        assign_family(key, draft);
      } else {
        assign(key, draft);
      }
    }
  }
}

}  // namespace quorate::config
