#pragma once
#include <map>
#include <string>
#include <string_view>

#include "shell/config/keys.h"
#include "shell/config/load.h"

/// A configuration in the making: what was given, and the outcome that the steps of load() fill. Inside this room.
namespace quorate::config {

/// A value that somebody wrote.
struct Given {
  std::string name;  ///< As written.
  std::string value;
  int line = 0;  ///< 0: an option.
};

struct Draft {
  std::string file;
  std::map<std::string, Given> values;   ///< Of the file, by key.
  std::map<std::string, Given> options;  ///< -D, by property.
  LoadOutcome out;

  void log(Level level, std::string text);
  void refuse(const Given& given, std::string message, std::string advice);
  /// An error of no single line.
  void refuse(std::string key, std::string message, std::string advice);
  /// What counts for the key: the file, else an option; null when nobody gave it.
  const Given* find(const Key& key) const;
  const Given* find(std::string_view name) const;
  /// Of a Flag without a field: given and true.
  bool is_on(std::string_view name) const;
};

/// -Dname=value options of JVM flags; other flags are named in a note, without their values.
void read_jvm_flags(std::string_view flags, Draft& draft);
/// Cuts the file into values: duplicates, prefixes, aliases, unknown keys.
void read_file(const Source& source, Draft& draft);
/// Fills Settings from table and values.
void assign_keys(Draft& draft);
/// server, group and weight lines.
void read_members(Draft& draft);
/// Rules that span keys, after the others.
void check_rules(Draft& draft);
void check_members(Draft& draft);
/// Defaults that depend on other keys.
void resolve(Settings& settings);

}  // namespace quorate::config
