#include <fmt/format.h>

#include "shell/config/draft.h"
#include "shell/config/properties.h"

namespace quorate::config {
namespace {

constexpr std::string_view kPrefix = "zookeeper.";

/// Apache takes group and weight lines by their beginning: one without a number is wrong, not unknown.
bool is_known(const std::string& name) { return find_key(name) != nullptr || wire::QuorumConfigReader::knows(name); }

const Alias* find_alias(std::string_view name) {
  for (const Alias& alias : aliases()) {
    if (alias.documented == name) return &alias;
  }
  return nullptr;
}

/// Apache makes zookeeper.zookeeper.<key> of it, which nobody reads.
bool warn_of_prefix(const Given& given, Draft& draft) {
  if (!given.name.starts_with(kPrefix)) return false;
  draft.log(Level::Warn,
            fmt::format("config: key {} (line {}) has no effect: keys of this file take no prefix; write {}",
                        given.name, given.line, given.name.substr(kPrefix.size())));
  return true;
}

void take_alias(const Alias& alias, const Given& given, Draft& draft) {
  const auto [at, taken] = draft.values.try_emplace(std::string(alias.name), given);
  if (taken) {
    draft.log(Level::Info, fmt::format("config: key {} (line {}) is taken as {}", given.name, given.line, alias.name));
  } else {
    draft.log(Level::Warn, fmt::format("config: key {} (line {}) has no effect: {} (line {}) is what it stands for",
                                       given.name, given.line, alias.name, at->second.line));
  }
}

void keep_unknown(const Given& given, Draft& draft) {
  const Key* meant = find_key_in_any_case(given.name);
  draft.log(Level::Info, fmt::format("config: key {} accepted and ignored: unknown key{}", given.name,
                                     meant ? fmt::format("; {} is meant, perhaps", meant->name) : ""));
  draft.out.settings.extra.push_back({std::string(kPrefix) + given.name, given.value});
}

}  // namespace

std::map<std::string, Given> last_of_each(const PropertyText& text, const std::string& file, Draft& draft) {
  for (const PropertyFault& fault : text.faults) {
    draft.out.errors.push_back({file, fault.line, "", "", fmt::format("Error processing {}", file),
                                "a \\u in this line is not followed by four hexadecimal digits"});
  }
  std::map<std::string, Given> last;
  for (const Property& property : text.properties) {
    Given& given = last[property.key];
    if (given.line > 0) {
      draft.log(Level::Warn, fmt::format("config: key {} stands in lines {} and {}: the later one counts", property.key,
                                         given.line, property.line));
    }
    given = {property.key, property.value, property.line, file == draft.file ? "" : file};
  }
  return last;
}

void read_file(const Source& source, Draft& draft) {
  const std::map<std::string, Given> given = last_of_each(parse_properties(source.text), source.name, draft);
  for (const auto& [name, value] : given) {
    if (is_known(name)) draft.values[name] = value;
  }
  for (const auto& [name, value] : given) {
    if (is_known(name) || warn_of_prefix(value, draft)) continue;
    if (const Alias* alias = find_alias(name)) {
      take_alias(*alias, value, draft);
    } else {
      keep_unknown(value, draft);
    }
  }
}

}  // namespace quorate::config
