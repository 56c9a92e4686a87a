#include "shell/config/reference.h"

#include <fmt/format.h>

#include "shell/config/keys.h"

namespace quorate::config {
namespace {

const char* type_name(Type type) {
  switch (type) {
    case Type::Text:
      return "text";
    case Type::Path:
      return "path";
    case Type::List:
      return "list";
    case Type::Int:
    case Type::LenientInt:
      return "integer";
    case Type::Flag:
    case Type::LenientFlag:
    case Type::UnlessFalse:
      return "true/false";
    case Type::UnlessNo:
    case Type::OnlyYes:
      return "yes/no";
    case Type::Real:
    case Type::LenientReal:
      return "number";
  }
  return "";
}

std::string type_text(const Key& key) {
  return key.unit.empty() ? type_name(key.type) : fmt::format("{}, {}", type_name(key.type), key.unit);
}

std::string name_text(const Key& key) { return std::string(key.name) + (key.name.ends_with('.') ? "*" : ""); }

std::string source_text(const Key& key) {
  const std::string name = name_text(key);
  switch (key.where) {
    case Where::File:
      return "file";
    case Where::Property:
      return "file, `-Dzookeeper." + name + "`";
    case Where::Bare:
      return "file, `-D" + name + "`";
    case Where::Option:
      return "`-D" + name + "` only";
  }
  return "";
}

std::string help_text(const Key& key) {
  std::string text(key.help);
  if (key.verdict == Verdict::Refuse) text += " Refused.";
  if (!key.note.empty()) text += fmt::format(" Accepted and ignored: {}.", key.note);
  return text;
}

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

constexpr std::string_view kIntroduction =
    R"(# Configuration keys

This page is made from the table of keys in the program (`quorate config keys` prints a short form).

The configuration is a Java properties file in ISO-8859-1, as Apache ZooKeeper reads it: `#` and `!` start comment
lines, a backslash at the end continues a line, and the last of several lines with one key counts. What follows a value
is part of it: `tickTime=2000 # ms` is an error. An option `-Dname=value` in `SERVER_JVMFLAGS` or `JVMFLAGS` weighs less
than the file.

Values that are wrong are all reported, each with file, line and what would be right, and the exit code is 2. Integers
and true/false keys that are read from the file alone must be written exactly; those that can also be an option are
lenient, as in Apache: an integer that cannot be read means the default, and anything but `true` is false.

Unknown keys never stop a start; each is named in the log. Values of passwords and digests are never shown.
)";

}  // namespace

std::string print_key_reference() {
  std::string page(kIntroduction);
  for (const Section& section : sections()) {
    page += fmt::format("\n## {}\n", section.title);
    if (!section.note.empty()) page += fmt::format("\n{}\n", section.note);
    page += "\n| Key | Type | Default | Read from | Meaning |\n|---|---|---|---|---|\n";
    for (const Key& key : section.keys) {
      page += fmt::format("| `{}` | {} | {} | {} | {} |\n", name_text(key), type_text(key),
                          key.fallback.empty() ? "" : fmt::format("`{}`", key.fallback), source_text(key),
                          cell(help_text(key)));
    }
  }
  page +=
      "\n## Other names\n\nNames that Apache's guide prints although Apache reads others; taken as these.\n\n"
      "| Documented | Key |\n|---|---|\n";
  for (const Alias& alias : aliases()) page += fmt::format("| `{}` | `{}` |\n", alias.documented, alias.name);
  return page;
}

std::string print_key_list() {
  std::string text;
  for (const Section& section : sections()) {
    text += fmt::format("{}{}\n", text.empty() ? "" : "\n", section.title);
    for (const Key& key : section.keys) {
      text += fmt::format("  {:<48} {:<16} {}{}\n", name_text(key), type_text(key), help_text(key),
                          key.fallback.empty() ? "" : fmt::format(" [{}]", key.fallback));
    }
  }
  return text;
}

}  // namespace quorate::config
