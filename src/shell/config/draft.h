#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "shell/config/keys.h"
#include "shell/config/load.h"
#include "shell/config/properties.h"

/// A configuration in the making: what was given, and the outcome that the steps of load() fill. Inside this room.
namespace quorate::config {

/// A value that somebody wrote.
struct Given {
  std::string name;  ///< As written.
  std::string value;
  int line = 0;           ///< 0: an option.
  std::string file = "";  ///< Where it stands, when that is not the file that was asked for.
};

struct Draft {
  std::string file;
  std::map<std::string, Given> values;   ///< Of the file, by key.
  std::map<std::string, Given> options;  ///< -D, by property.
  FileReader read;
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
/// The lines of a file by key; the last of several with one key counts. Wrong escapes are reported.
std::map<std::string, Given> last_of_each(const PropertyText& text, const std::string& file, Draft& draft);
/// Fills Settings from table and values.
void assign_keys(Draft& draft);
/// Rules that span keys, after the others.
void check_rules(Draft& draft);
/// server, group and weight lines, of this file or of the dynamic one; false when some of them are wrong.
bool read_members(Draft& draft);
/// The file myid, and what follows from it: the role, the port for clients. Requires: read_members() was content.
void read_identity(Draft& draft);
/// Rules for ensembles, and whether this version can be a member of one.
void check_ensemble(Draft& draft);

/// Sessions of different servers differ in the low 8 bits of the server's id; TTL nodes take some of them.
int64_t largest_id(const Settings& settings);
/// The file that dynamicConfigFile names: its lines by key, or nothing after an error.
std::optional<std::map<std::string, Given>> read_dynamic_file(Draft& draft);
/// Defaults that depend on other keys.
void resolve(Settings& settings);

}  // namespace quorate::config
