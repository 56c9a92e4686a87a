#include "shell/config/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "shell/config/draft.h"
#include "shell/config/java_text.h"

namespace quorate::config {
namespace {

constexpr int kInvalid = 2;

LoadOutcome finish(Draft& draft) {
  std::ranges::sort(draft.out.errors, {},
                    [](const ConfigError& error) { return std::tie(error.line, error.key, error.message); });
  draft.out.exit_code = draft.out.errors.empty() ? 0 : kInvalid;
  return std::move(draft.out);
}

void give(Draft& draft, const char* key, std::string_view value) { draft.values[key] = {key, std::string(value), 0}; }

/// A tick so large or small that twenty of them overflow would only confuse what follows.
void bound_tick(Draft& draft) {
  constexpr int64_t kMost = INT32_MAX / 20;
  Millis& tick = draft.out.settings.replica.tick;
  if (tick.value >= -kMost && tick.value <= kMost) return;
  draft.refuse(*draft.find("tickTime"), fmt::format("tickTime {} is out of range", tick.value),
               fmt::format("want at most {}", kMost));
  tick = Millis{3000};
}

LoadOutcome run(Draft& draft) {
  assign_keys(draft);
  bound_tick(draft);
  resolve(draft.out.settings);
  check_rules(draft);
  return finish(draft);
}

}  // namespace

std::string to_text(const ConfigError& error) {
  std::string text = error.file;
  if (error.line > 0) text += fmt::format(":{}", error.line);
  if (!error.key.empty()) text += fmt::format(": {}", error.key);
  if (!error.key.empty() && (error.line > 0 || !error.value.empty())) text += "=" + error.value;
  text += ": " + error.message;
  if (!error.advice.empty()) text += " (" + error.advice + ")";
  return text;
}

LoadOutcome load(const Source& source) {
  Draft draft{.file = source.name, .values = {}, .options = {}, .out = {}};
  read_jvm_flags(source.jvm_flags, draft);
  read_file(source, draft);
  assign_keys(draft);
  bound_tick(draft);
  resolve(draft.out.settings);
  read_members(draft);
  check_rules(draft);
  check_members(draft);
  if (!draft.out.settings.ensemble.distributed()) {
    draft.log(Level::Warn, "Either no config or no quorum defined in config, running in standalone mode");
  }
  return finish(draft);
}

LoadOutcome load_arguments(std::span<const std::string_view> arguments, std::string_view jvm_flags) {
  constexpr const char* kKeys[] = {"clientPort", "dataDir", "tickTime", "maxClientCnxns"};
  Draft draft{.file = "arguments", .values = {}, .options = {}, .out = {}};
  read_jvm_flags(jvm_flags, draft);
  if (arguments.size() < 2 || arguments.size() > std::size(kKeys)) {
    draft.refuse("", "Invalid arguments, exiting abnormally",
                 "Usage: ZooKeeperServerMain configfile | port datadir [ticktime] [maxcnxns]");
    return finish(draft);
  }
  give(draft, "maxClientCnxns", "0");
  for (size_t i = 0; i < arguments.size(); ++i) give(draft, kKeys[i], arguments[i]);
  return run(draft);
}

LoadOutcome load_defaults(std::string_view jvm_flags) {
  Draft draft{.file = "defaults", .values = {}, .options = {}, .out = {}};
  read_jvm_flags(jvm_flags, draft);
  give(draft, "clientPort", "2181");
  give(draft, "clientPortAddress", "127.0.0.1");
  give(draft, "dataDir", "./data");
  give(draft, "tickTime", "2000");
  give(draft, "4lw.commands.whitelist", "*");
  give(draft, "extendedTypesEnabled", "true");
  return run(draft);
}

Settings default_settings() { return load_defaults("").settings; }

LoadOutcome missing_file(const std::string& name) {
  Draft draft{.file = name, .values = {}, .options = {}, .out = {}};
  draft.refuse("", fmt::format("{} file is missing", name), "want the name of a configuration file");
  return finish(draft);
}

}  // namespace quorate::config
