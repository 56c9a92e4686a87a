#include "shell/config/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "shell/config/draft.h"
#include "shell/config/java_text.h"

namespace quorate::config {
namespace {

LoadOutcome finish(Draft& draft) {
  std::ranges::sort(draft.out.errors, {}, [](const ConfigError& error) {
    return std::tie(error.file, error.line, error.key, error.message);
  });
  for (const ConfigError& error : draft.out.errors) {
    draft.out.exit_code = std::max(draft.out.exit_code, error.exit_code);
  }
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

void settle(Draft& draft) {
  assign_keys(draft);
  bound_tick(draft);
  resolve(draft.out.settings);
  check_rules(draft);
}

Draft make_draft(std::string file) {
  return {.file = std::move(file), .values = {}, .options = {}, .read = read_nothing, .out = {}};
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
  Draft draft = make_draft(source.name);
  draft.read = source.read;
  read_jvm_flags(source.jvm_flags, draft);
  read_file(source, draft);
  settle(draft);
  if (read_members(draft)) {
    read_identity(draft);
    check_ensemble(draft);
  }
  if (!draft.out.settings.ensemble.distributed()) {
    draft.log(Level::Warn, "Either no config or no quorum defined in config, running in standalone mode");
  }
  return finish(draft);
}

LoadOutcome load_arguments(std::span<const std::string_view> arguments, std::string_view jvm_flags) {
  constexpr const char* kKeys[] = {"clientPort", "dataDir", "tickTime", "maxClientCnxns"};
  Draft draft = make_draft("arguments");
  read_jvm_flags(jvm_flags, draft);
  if (arguments.size() < 2 || arguments.size() > std::size(kKeys)) {
    draft.refuse("", "Invalid arguments, exiting abnormally",
                 "Usage: ZooKeeperServerMain configfile | port datadir [ticktime] [maxcnxns]");
    return finish(draft);
  }
  give(draft, "maxClientCnxns", "0");
  for (size_t i = 0; i < arguments.size(); ++i) give(draft, kKeys[i], arguments[i]);
  settle(draft);
  return finish(draft);
}

LoadOutcome load_defaults(std::string_view jvm_flags) {
  Draft draft = make_draft("defaults");
  read_jvm_flags(jvm_flags, draft);
  give(draft, "clientPort", "2181");
  give(draft, "clientPortAddress", "127.0.0.1");
  give(draft, "dataDir", "./data");
  give(draft, "tickTime", "2000");
  give(draft, "4lw.commands.whitelist", "*");
  give(draft, "extendedTypesEnabled", "true");
  settle(draft);
  return finish(draft);
}

Settings default_settings() { return load_defaults("").settings; }

LoadOutcome unreadable_file(const std::string& name, const Error& why) {
  Draft draft = make_draft(name);
  if (why.fault == Fault::NotFound) {
    draft.refuse("", fmt::format("{} file is missing", name), "want the name of a configuration file");
  } else {
    draft.refuse("", fmt::format("Error processing {}", name), why.detail);
  }
  return finish(draft);
}

Result<std::string> read_nothing(const std::string& path) { return fail(Fault::NotFound, path + " is not there"); }

}  // namespace quorate::config
