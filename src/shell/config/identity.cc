#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "shell/config/draft.h"
#include "shell/config/java_text.h"

namespace quorate::config {
namespace {

constexpr int kUnexpected = 1;

/// One of the ids that the file may hold, and how it gets there.
std::string how_to_write(const Settings& settings, const std::string& path) {
  std::vector<int64_t> sids;
  for (const MemberSettings& member : settings.ensemble.config.members) sids.push_back(member.sid);
  if (sids.empty()) return "want one whole number in its first line";
  return fmt::format("want this server's id in its first line, one of {}: echo {} > {}", fmt::join(sids, ", "),
                     sids.front(), path);
}

void refuse_id(const std::string& path, std::string message, std::string advice, Draft& draft) {
  draft.out.errors.push_back({path, 0, "", "", std::move(message), std::move(advice)});
}

/// What only a member of an ensemble may not have.
void check_my_id(const std::string& path, Draft& draft) {
  const Settings& settings = draft.out.settings;
  const int64_t id = settings.ensemble.my_id;
  const int64_t most = largest_id(settings);
  if (id < 1 || id > most) {
    const char* why = most == 255 ? "" : ", because extendedTypesEnabled is set";
    refuse_id(
        path, fmt::format("serverid {} is out of range", id),
        fmt::format("want a number from 1 to {}{}, the same as in this server's line: server.<id>=...", most, why),
        draft);
  }
  if (settings.ensemble.me() != nullptr) return;
  refuse_id(path, fmt::format("My id {} not in the peer list", id),
            fmt::format("add a line server.{}=..., or: {}", id, how_to_write(settings, path)), draft);
  draft.out.errors.back().exit_code = kUnexpected;
}

/// A standalone server needs no such file, but one that is there must be sound, as in Apache.
void read_my_id(Draft& draft) {
  Settings& settings = draft.out.settings;
  if (settings.storage.data_dir.empty()) return;
  const std::string path = settings.storage.data_dir + "/myid";
  const auto text = draft.read(path);
  const bool distributed = settings.ensemble.distributed();
  if (!text && text.error().fault == Fault::NotFound) {
    if (distributed) refuse_id(path, "myid file is missing", how_to_write(settings, path), draft);
    return;
  }
  if (!text) return refuse_id(path, "myid file cannot be read", text.error().detail, draft);
  const std::string_view line = java_trim(std::string_view(*text).substr(0, text->find_first_of("\r\n")));
  const auto id = parse_java_long(line);
  if (!id) {
    return refuse_id(path, fmt::format("serverid {} is not a number", text->empty() ? "null" : line),
                     how_to_write(settings, path), draft);
  }
  settings.ensemble.my_id = *id;
  if (distributed) check_my_id(path, draft);
}

const char* java_name(wire::Role role) { return role == wire::Role::Observer ? "OBSERVER" : "PARTICIPANT"; }

void take_role(const MemberSettings& me, Draft& draft) {
  wire::Role& role = draft.out.settings.ensemble.role;
  if (role != me.role) {
    draft.log(Level::Warn, fmt::format("Peer type from servers list ({}) doesn't match peerType ({}). Defaulting to "
                                       "servers list.",
                                       java_name(me.role), java_name(role)));
  }
  role = me.role;
}

bool is_wildcard(std::string_view host) { return host.empty() || host == "0.0.0.0" || host == "::"; }

bool is_literal(std::string_view host) {
  return host.find(':') != std::string_view::npos || host.find_first_not_of("0123456789.") == std::string_view::npos;
}

/// Names are not resolved here: two of them may well be the same host.
bool contradict(const ClientPortSettings& own, const wire::ClientAddress& listed) {
  if (own.port != listed.port) return true;
  return !is_wildcard(own.address) && own.address != listed.host && is_literal(own.address) && is_literal(listed.host);
}

void take_client_address(const MemberSettings& me, Draft& draft) {
  if (!me.client) return;
  ClientPortSettings& own = draft.out.settings.client_port;
  if (own.port != 0 && contradict(own, *me.client)) {
    const auto text = [](const std::string& host, int32_t port) {
      return fmt::format("{}:{}", is_wildcard(host) ? "0.0.0.0" : host, port);
    };
    draft.refuse(*draft.find("clientPort"),
                 fmt::format("client address for this server (id = {}) in static config file is {} is different from "
                             "client address found in dynamic file: {}",
                             me.sid, text(own.address, own.port), text(me.client->host, me.client->port)),
                 fmt::format("want one of the two: clientPort, or what stands behind the ';' of server.{}", me.sid));
    return;
  }
  own.port = me.client->port;
  own.address = is_wildcard(me.client->host) ? "" : me.client->host;
}

}  // namespace

void read_identity(Draft& draft) {
  read_my_id(draft);
  EnsembleSettings& ensemble = draft.out.settings.ensemble;
  if (ensemble.distributed()) draft.out.settings.replica.server_id = ensemble.my_id;
  if (const MemberSettings* me = ensemble.me()) {
    take_role(*me, draft);
    take_client_address(*me, draft);
  }
}

}  // namespace quorate::config
