#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "shell/config/draft.h"
#include "shell/config/java_text.h"

namespace quorate::config {
namespace {

constexpr const char* kMemberForm = "want host:quorumPort:electionPort[:participant|observer][;[host:]clientPort]";

/// The number behind the dot of server.1, group.1, weight.1; an error is reported.
std::optional<int64_t> id_of(const Given& given, Draft& draft) {
  const std::string text = given.name.substr(given.name.find('.') + 1);
  const auto id = parse_java_long(text);
  if (!id) draft.refuse(given, number_error(text), "want a whole number behind the dot");
  return id;
}

void read_member(const Given& given, Draft& draft) {
  EnsembleSettings& ensemble = draft.out.settings.ensemble;
  const auto id = id_of(given, draft);
  if (!id) return;
  auto member = parse_member(*id, given.value, ensemble.multi_address);
  if (!member) return draft.refuse(given, member.error(), kMemberForm);
  if (*id < 1 || *id > 255) {
    draft.log(Level::Warn,
              fmt::format("config: {}: ids should be 1 to 255, only their low 8 bits tell servers apart", given.name));
  }
  if (draft.out.settings.replica.extended_types && *id > 254) {
    draft.refuse(given, fmt::format("id {} is too large for extendedTypesEnabled", *id), "want an id below 255");
  }
  ensemble.members.push_back(std::move(*member));
}

void read_group(const Given& given, Draft& draft) {
  const auto id = id_of(given, draft);
  if (!id) return;
  auto members = parse_group(given.value);
  if (!members) return draft.refuse(given, members.error(), "want ids, separated by colons");
  draft.out.settings.ensemble.groups[*id] = std::move(*members);
}

void read_weight(const Given& given, Draft& draft) {
  const auto id = id_of(given, draft);
  if (!id) return;
  const auto weight = parse_java_long(given.value);
  if (!weight) return draft.refuse(given, number_error(given.value), "want a whole number");
  draft.out.settings.ensemble.weights[*id] = *weight;
}

/// Every voter in exactly one group, once there is any group or weight.
void check_groups(Draft& draft) {
  const EnsembleSettings& ensemble = draft.out.settings.ensemble;
  if (ensemble.groups.empty() && ensemble.weights.empty()) return;
  std::set<int64_t> grouped;
  for (const auto& [group, members] : ensemble.groups) {
    for (const int64_t id : members) {
      // The blank is missing in Apache's texts, too.
      if (!grouped.insert(id).second) {
        draft.refuse(fmt::format("group.{}", group), fmt::format("Server {}is in multiple groups", id),
                     "want each server in one group");
      }
    }
  }
  for (const Member& member : ensemble.members) {
    if (member.role == Role::Participant && !grouped.contains(member.id)) {
      draft.refuse("group", fmt::format("Server {}is not in a group", member.id), "want each voter in a group");
    }
  }
}

/// Apache only finds out at run time, by odd connections.
void check_addresses(Draft& draft) {
  std::map<std::string, int64_t> owners;
  const auto claim = [&](const Member& member, const std::string& host, int32_t port) {
    const auto [at, fresh] = owners.try_emplace(fmt::format("{}:{}", host, port), member.id);
    if (fresh || at->second == member.id) return;
    draft.refuse(fmt::format("server.{}", member.id),
                 fmt::format("{} is also an address of server.{}", at->first, at->second),
                 "want an address and port of its own for each server");
  };
  for (const Member& member : draft.out.settings.ensemble.members) {
    for (const PeerAddress& address : member.addresses) {
      claim(member, address.host, address.quorum_port);
      claim(member, address.host, address.election_port);
    }
  }
}

void check_numbers(Draft& draft) {
  const EnsembleSettings& ensemble = draft.out.settings.ensemble;
  const size_t voters = ensemble.voters();
  const bool observers = ensemble.members.size() > voters;
  const std::string_view advice = "want at least two server lines that are not observers, or none at all";
  if (voters == 0) {
    if (!ensemble.standalone_enabled) {
      draft.refuse("standaloneEnabled", "standaloneEnabled = false then number of participants should be >0",
                   "add server lines or set standaloneEnabled=true");
    } else if (observers) {
      draft.refuse("server", "Observers w/o participants is an invalid configuration", std::string(advice));
    }
    return;
  }
  if (voters == 1 && ensemble.standalone_enabled) {
    draft.log(Level::Error, "Invalid configuration, only one server specified (ignoring)");
    if (observers) draft.refuse("server", "Observers w/o quorum is an invalid configuration", std::string(advice));
  } else if (voters <= 2) {
    draft.log(Level::Warn, "No server failure will be tolerated. You need at least 3 servers.");
  } else if (voters % 2 == 0) {
    draft.log(Level::Warn, "Non-optimal configuration, consider an odd number of servers.");
  }
}

void check_distributed(Draft& draft) {
  const EnsembleSettings& ensemble = draft.out.settings.ensemble;
  if (!ensemble.distributed()) return;
  if (ensemble.init_limit == 0) draft.refuse("initLimit", "initLimit is not set", "want a number of ticks, e.g. 10");
  if (ensemble.sync_limit == 0) draft.refuse("syncLimit", "syncLimit is not set", "want a number of ticks, e.g. 5");
  draft.refuse(
      "server",
      fmt::format("ensembles are not available in this version, and {} voting member(s) are named", ensemble.voters()),
      "remove the server lines, or set standaloneEnabled=true with one, for a standalone server");
}

void check_dynamic_file(Draft& draft) {
  if (draft.out.settings.ensemble.dynamic_file.empty()) return;
  for (const auto& [name, given] : draft.values) {
    if (name.starts_with("server.") || name.starts_with("group.") || name.starts_with("weight.")) {
      draft.refuse(given, fmt::format("parameter: {} must be in a separate dynamic config file", name),
                   "move the line to the file that dynamicConfigFile names");
    }
  }
  draft.refuse(*draft.find("dynamicConfigFile"), "ensembles are not available in this version",
               "remove the key for a standalone server");
}

}  // namespace

void read_members(Draft& draft) {
  for (const auto& [name, given] : draft.values) {
    if (name.starts_with("server.") && name != "server.realm" && name != "server.principal") read_member(given, draft);
    if (name.starts_with("group.")) read_group(given, draft);
    if (name.starts_with("weight.")) read_weight(given, draft);
  }
  std::ranges::sort(draft.out.settings.ensemble.members, {}, &Member::id);
}

void check_members(Draft& draft) {
  // After a wrong line the numbers would only repeat that error in other words.
  if (!draft.out.errors.empty()) return;
  check_dynamic_file(draft);
  if (!draft.out.errors.empty()) return;
  check_numbers(draft);
  check_groups(draft);
  check_addresses(draft);
  check_distributed(draft);
}

}  // namespace quorate::config
