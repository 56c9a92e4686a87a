#include <fmt/format.h>

#include <algorithm>

#include "shell/config/draft.h"

namespace quorate::config {
namespace {

constexpr const char* kMemberForm = "want host:quorumPort:electionPort[:participant|observer][;[host:]clientPort]";

/// server.realm and the like are keys of their own.
bool is_member_line(const std::string& name) {
  const Key* key = find_key(name);
  return wire::QuorumConfigReader::knows(name) && (key == nullptr || key->name.ends_with('.') || name == "version");
}

const char* advice_for(const std::string& name) {
  if (name.starts_with("server.")) return kMemberForm;
  if (name.starts_with("group")) return "want group.<number>=<id>:<id>..., each server in one group";
  if (name.starts_with("weight")) return "want weight.<id>=<whole number from 0 to 2147483647>";
  return "want a hexadecimal number";
}

std::map<std::string, Given> own_lines(const Draft& draft) {
  std::map<std::string, Given> lines;
  for (const auto& [name, given] : draft.values) {
    if (is_member_line(name)) lines[name] = given;
  }
  return lines;
}

/// Those of the dynamic file, when there is one; this file may have none then.
std::optional<std::map<std::string, Given>> member_lines(Draft& draft) {
  auto own = own_lines(draft);
  if (draft.out.settings.ensemble.dynamic_file.empty()) return own;
  own.erase("version");
  for (const auto& [name, given] : own) {
    draft.refuse(given, fmt::format("parameter: {} must be in a separate dynamic config file", name),
                 "move the line to the file that dynamicConfigFile names");
  }
  auto dynamic = read_dynamic_file(draft);
  return own.empty() ? dynamic : std::nullopt;
}

void check_ids(Draft& draft) {
  const Settings& settings = draft.out.settings;
  for (const MemberSettings& member : settings.ensemble.config.members) {
    const std::string key = fmt::format("server.{}", member.sid);
    if (member.sid < 1 || member.sid > 255) {
      draft.log(Level::Warn,
                fmt::format("config: {}: ids should be 1 to 255, only their low 8 bits tell servers apart", key));
    }
    if (settings.replica.extended_types && member.sid > largest_id(settings)) {
      draft.refuse(key, fmt::format("id {} is too large for extendedTypesEnabled", member.sid),
                   fmt::format("want an id of at most {}", largest_id(settings)));
    }
  }
}

/// Apache only finds out at run time, by odd connections.
void check_addresses(Draft& draft) {
  std::map<std::string, int64_t> owners;
  const auto claim = [&](const MemberSettings& member, const std::string& host, int32_t port) {
    const auto [at, fresh] = owners.try_emplace(fmt::format("{}:{}", host, port), member.sid);
    if (fresh || at->second == member.sid) return;
    draft.refuse(fmt::format("server.{}", member.sid),
                 fmt::format("{} is also an address of server.{}", at->first, at->second),
                 "want an address and port of its own for each server");
  };
  for (const MemberSettings& member : draft.out.settings.ensemble.config.members) {
    for (const wire::PeerAddress& address : member.addresses) {
      claim(member, address.host, address.quorum_port);
      claim(member, address.host, address.election_port);
    }
  }
}

void check_numbers(Draft& draft) {
  const EnsembleSettings& ensemble = draft.out.settings.ensemble;
  const size_t voters = ensemble.config.voters();
  const bool observers = ensemble.config.members.size() > voters;
  const std::string advice = "want at least two server lines that are not observers, or none at all";
  if (voters == 0 && !ensemble.standalone_enabled) {
    draft.refuse("standaloneEnabled", "standaloneEnabled = false then number of participants should be >0",
                 "add server lines or set standaloneEnabled=true");
  } else if (voters == 0 && observers) {
    draft.refuse("server", "Observers w/o participants is an invalid configuration", advice);
  } else if (voters == 1 && ensemble.standalone_enabled) {
    draft.log(Level::Error, "Invalid configuration, only one server specified (ignoring)");
    if (observers) draft.refuse("server", "Observers w/o quorum is an invalid configuration", advice);
  } else if (voters == 1 || voters == 2) {
    draft.log(Level::Warn, "No server failure will be tolerated. You need at least 3 servers.");
  } else if (voters % 2 == 0 && voters > 0) {
    draft.log(Level::Warn, "Non-optimal configuration, consider an odd number of servers.");
  }
}

}  // namespace

int64_t largest_id(const Settings& settings) {
  if (!settings.replica.extended_types) return 255;
  return settings.replica.emulate_353_ttl ? 127 : 254;
}

bool read_members(Draft& draft) {
  const size_t errors = draft.out.errors.size();
  const auto lines = member_lines(draft);
  if (!lines) return false;
  EnsembleSettings& ensemble = draft.out.settings.ensemble;
  wire::QuorumConfigReader reader(ensemble.multi_address);
  for (const auto& [name, given] : *lines) {
    if (const auto taken = reader.take(name, given.value); !taken) draft.refuse(given, taken.error(), advice_for(name));
  }
  const auto complaints = reader.finish(ensemble.config);
  // After a wrong line the rest would only repeat that error in other words.
  if (draft.out.errors.size() > errors) return false;
  for (const auto& complaint : complaints) {
    const auto at = lines->find(complaint.key);
    const Given given = at == lines->end() ? Given{complaint.key, "", 0, ensemble.dynamic_file} : at->second;
    draft.refuse(given, complaint.text, "want each voter in one group, and only members in groups");
  }
  check_ids(draft);
  check_addresses(draft);
  check_numbers(draft);
  return draft.out.errors.size() == errors;
}

}  // namespace quorate::config
