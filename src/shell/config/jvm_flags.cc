#include <fmt/format.h>

#include <vector>

#include "shell/config/draft.h"

namespace quorate::config {
namespace {

/// Words as a shell cuts them: blanks separate, quotes keep together.
std::vector<std::string> shell_words(std::string_view text) {
  std::vector<std::string> words;
  bool open = false;
  char quote = 0;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (quote == 0 && blank) {
      open = false;
    } else if (quote != 0 && c == quote) {
      quote = 0;
    } else {
      if (!open) words.emplace_back();
      open = true;
      if (quote == 0 && (c == '"' || c == '\'')) {
        quote = c;
      } else {
        words.back() += c;
      }
    }
  }
  return words;
}

/// Where an option of this name would have to be written; empty: here.
std::string right_place(const std::string& name) {
  constexpr std::string_view kPrefix = "zookeeper.";
  const bool prefixed = name.starts_with(kPrefix);
  const std::string plain = prefixed ? name.substr(kPrefix.size()) : name;
  const Key* key = find_key(plain);
  // A key without effect has a line of its own where it is given.
  if (key == nullptr || !key->note.empty()) return "";
  switch (key->where) {
    case Where::File:
      return fmt::format("{} is read from the file alone", plain);
    case Where::Property:
      return prefixed || key->bare_option_too ? "" : fmt::format("write -Dzookeeper.{}", plain);
    case Where::Bare:
    case Where::Option:
      return prefixed ? fmt::format("write -D{}", plain) : "";
  }
  return "";
}

}  // namespace

std::string jvm_flag(std::string_view property) {
  std::string word = "'-D";
  for (const char c : property) {
    if (c == '\'') {
      word += "'\"'\"'";
    } else {
      word += c;
    }
  }
  return word + "'";
}

void read_jvm_flags(std::string_view flags, Draft& draft) {
  std::string others;
  for (const std::string& word : shell_words(flags)) {
    const size_t equals = std::min(word.find('='), word.size());
    if (word.starts_with("-D") && equals > 2) {
      const std::string name = word.substr(2, equals - 2);
      draft.options[name] = {name, word.substr(std::min(equals + 1, word.size())), 0};
    } else {
      others += " " + word.substr(0, equals);
    }
  }
  if (!others.empty()) draft.log(Level::Info, fmt::format("config: JVM flags without effect here:{}", others));
  for (const auto& [name, given] : draft.options) {
    const std::string place = right_place(name);
    if (!place.empty()) draft.log(Level::Warn, fmt::format("config: option -D{} has no effect: {}", name, place));
  }
}

}  // namespace quorate::config
