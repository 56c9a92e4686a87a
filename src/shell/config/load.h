#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/log_line.h"
#include "shell/config/settings.h"

/// From text to Settings. The caller reads the file and prints what comes back; nothing here looks at disk, network
/// or environment, so `quorate config check` is the same call. Every error is reported, not only the first.
/// Spec: operations 1.1, 1.2, rules C1 to C6.
namespace quorate::config {

struct ConfigError {
  std::string file;
  int line = 0;  ///< 0: of no single line.
  std::string key;
  std::string value;    ///< *** for a secret.
  std::string message;  ///< Apache's words, where it has some.
  std::string advice;   ///< What would be right.
};

/// "zoo.cfg:3: tickTime=abc: For input string: "abc" (want a whole number, in ms)"
std::string to_text(const ConfigError& error);

struct LoadOutcome {
  Settings settings;
  std::vector<LogLine> lines;
  std::vector<ConfigError> errors;
  int exit_code = 0;  ///< 0, or what the process ends with. Spec: operations 1.1, "Exit codes".
};

struct Source {
  std::string name;  ///< Of the file, for messages.
  std::string_view text;
  std::string_view jvm_flags;  ///< SERVER_JVMFLAGS and -D options: less weighty than the file.
};

LoadOutcome load(const Source& source);
/// `port dataDir [tickTime] [maxClientCnxns]`
LoadOutcome load_arguments(std::span<const std::string_view> arguments, std::string_view jvm_flags);
/// No file, only options: default_settings() and what they change.
LoadOutcome load_defaults(std::string_view jvm_flags);
/// The file cannot be found.
LoadOutcome missing_file(const std::string& name);

}  // namespace quorate::config
