#include <fmt/format.h>

#include "shell/config/draft.h"

namespace quorate::config {
namespace {

/// Apache keeps the version of a dynamic file in its name: zoo.cfg.dynamic.100000000. A name without one is version 0.
std::string version_of_name(const std::string& name) {
  const std::string end = name.substr(name.rfind('.') + 1);
  wire::QuorumConfigReader probe(false);
  return probe.take("version", end) ? end : "0";
}

/// A configuration that was proposed before the last stop, and perhaps never committed.
void read_last_seen(Draft& draft) {
  const std::string name = draft.file + ".dynamic.next";
  const auto text = draft.read(name);
  if (!text && text.error().fault == Fault::NotFound) return;
  auto config = text ? wire::parse_quorum_config(*text) : std::unexpected(text.error());
  if (config) {
    draft.out.settings.ensemble.last_seen = *std::move(config);
  } else {
    draft.log(Level::Warn, fmt::format("config: {} is left out: {}", name, config.error().detail));
  }
}

}  // namespace

std::optional<std::map<std::string, Given>> read_dynamic_file(Draft& draft) {
  const Given& given = *draft.find("dynamicConfigFile");
  const auto text = draft.read(given.value);
  if (!text) {
    draft.refuse(given, fmt::format("Error processing {}", given.value), text.error().detail);
    return std::nullopt;
  }
  const size_t errors = draft.out.errors.size();
  auto lines = last_of_each(parse_properties(*text), given.value, draft);
  for (const auto& [name, line] : lines) {
    if (name == "version") {
      draft.refuse(line, "dynamic file shouldn't have version inside", "remove the line: the file's name ends with it");
    } else if (!wire::QuorumConfigReader::knows(name)) {
      draft.refuse(line, fmt::format("Unrecognised parameter: {}", name),
                   fmt::format("want server, group and weight lines alone; others belong into {}", draft.file));
    }
  }
  if (draft.out.errors.size() > errors) return std::nullopt;
  read_last_seen(draft);
  lines["version"] = {"version", version_of_name(given.value), 0, given.value};
  return lines;
}

}  // namespace quorate::config
