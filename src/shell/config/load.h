#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/log_line.h"
#include "base/result.h"
#include "shell/config/settings.h"

/// From text to Settings. The caller reads files and prints what comes back; nothing here looks at disk, network
/// or environment by itself, so `quorate config check` is the same call. Every error is reported, not only the first.
/// Spec: operations 1.1, 1.2, rules C1 to C6.
namespace quorate::config {

struct ConfigError {
  std::string file;
  int line = 0;  ///< 0: of no single line.
  std::string key;
  std::string value;    ///< *** for a secret.
  std::string message;  ///< Apache's words, where it has some.
  std::string advice;   ///< What would be right.
  int exit_code = 2;
};

/// "zoo.cfg:3: tickTime=abc: For input string: "abc" (want a whole number, in ms)"
std::string to_text(const ConfigError& error);

struct LoadOutcome {
  Settings settings;
  std::vector<LogLine> lines;
  std::vector<ConfigError> errors;
  int exit_code = 0;  ///< 0, or what the process ends with. Spec: operations 1.1, "Exit codes".
};

/// For the files that a configuration names. Errors: NotFound, Io with the reason.
using FileReader = std::function<Result<std::string>(const std::string& path)>;
Result<std::string> read_nothing(const std::string& path);

struct Source {
  std::string name;  ///< Of the file, for messages.
  std::string_view text;
  std::string_view jvm_flags;  ///< SERVER_JVMFLAGS and -D options: less weighty than the file.
  FileReader read = read_nothing;
};

LoadOutcome load(const Source& source);
/// `port dataDir [tickTime] [maxClientCnxns]`
LoadOutcome load_arguments(std::span<const std::string_view> arguments, std::string_view jvm_flags);
/// No file, only options: default_settings() and what they change.
LoadOutcome load_defaults(std::string_view jvm_flags);
/// The file itself cannot be read.
LoadOutcome unreadable_file(const std::string& name, const Error& why);
/// "-Dname=value" as one word of `jvm_flags`, whatever the value holds.
std::string jvm_flag(std::string_view property);

}  // namespace quorate::config
