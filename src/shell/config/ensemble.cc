#include "shell/config/ensemble.h"

#include <fmt/format.h>

#include <algorithm>

#include "shell/config/java_text.h"

namespace quorate::config {
namespace {

constexpr int32_t kMaxPort = 65535;

std::unexpected<std::string> refuse(std::string text) { return std::unexpected(std::move(text)); }

std::string form_error(std::string_view value) {
  return fmt::format(
      "{} does not have the form server_config or server_config;client_config where server_config is the pipe "
      "separated list of host:port:port or host:port:port:type and client_config is port or host:port",
      value);
}

/// Host and what follows it, cut at colons; a bracketed IPv6 host is one part, without its brackets.
Parsed<std::vector<std::string_view>> split_host(std::string_view text) {
  if (!text.starts_with('[')) return java_split(text, ':');
  const size_t end = text.find("]:");
  if (end == std::string_view::npos) return refuse(fmt::format("{} starts with '[' but has no matching ']:'", text));
  if (end + 2 == text.size()) return refuse(fmt::format("{} doesn't have a port after colon", text));
  std::vector<std::string_view> parts{text.substr(1, end - 1)};
  for (const std::string_view part : java_split(text.substr(end + 2), ':')) parts.push_back(part);
  return parts;
}

Parsed<int32_t> parse_port(std::string_view host, std::string_view text) {
  const auto port = parse_java_int(text);
  if (!port) return refuse(fmt::format("Address unresolved: {}:{}", host, text));
  if (*port < 0 || *port > kMaxPort) return refuse(fmt::format("port out of range:{}", *port));
  return *port;
}

Parsed<Endpoint> parse_client(std::string_view part, std::string_view value) {
  const auto pieces = split_host(part);
  if (!pieces) return refuse(pieces.error());
  if (pieces->empty() || pieces->size() > 2) return refuse(form_error(value));
  const std::string_view host = pieces->size() == 2 ? pieces->front() : "0.0.0.0";
  const auto port = parse_port(host, pieces->back());
  if (!port) return refuse(port.error());
  return Endpoint{std::string(host), *port};
}

struct AddressPart {
  PeerAddress address;
  std::optional<Role> role;
};

Parsed<AddressPart> parse_address(int64_t id, std::string_view part, std::string_view value) {
  const auto pieces = split_host(part);
  if (!pieces) return refuse(pieces.error());
  if (pieces->size() < 3 || pieces->size() > 4) return refuse(form_error(value));
  const std::string_view host = pieces->front();
  const auto quorum = parse_port(host, (*pieces)[1]);
  if (!quorum) return refuse(quorum.error());
  const auto election = parse_port(host, (*pieces)[2]);
  if (!election) return refuse(election.error());
  if (*quorum == *election) {
    // Apache's own words, though it means the quorum port; scripts look for them.
    return refuse(fmt::format(
        "Client and election port must be different! Please update the configuration file on server.{}", id));
  }
  AddressPart parsed{{std::string(host), *quorum, *election}, std::nullopt};
  if (pieces->size() == 4) {
    const auto role = parse_role((*pieces)[3]);
    if (!role) return refuse(role.error());
    parsed.role = *role;
  }
  return parsed;
}

const char* role_name(Role role) { return role == Role::Observer ? "observer" : "participant"; }

std::string host_text(const std::string& host) { return host.find(':') == std::string::npos ? host : "[" + host + "]"; }

Parsed<void> add_addresses(std::string_view list, std::string_view value, bool multi_address, Member& member) {
  const auto parts = java_split(list, '|');
  if (parts.empty()) return refuse(form_error(value));
  if (parts.size() > 1 && !multi_address) {
    return refuse(fmt::format("Multiple address feature is disabled, but multiple addresses were specified for sid {}",
                              member.id));
  }
  std::optional<Role> role;
  for (const std::string_view part : parts) {
    auto parsed = parse_address(member.id, part, value);
    if (!parsed) return refuse(parsed.error());
    if (role && parsed->role && *role != *parsed->role) {
      return refuse(fmt::format("Multiple addresses should have similar roles: {} vs {}", role_name(*role),
                                role_name(*parsed->role)));
    }
    if (parsed->role) role = parsed->role;
    member.addresses.push_back(std::move(parsed->address));
  }
  member.role = role.value_or(Role::Participant);
  return {};
}

}  // namespace

size_t EnsembleSettings::voters() const {
  return static_cast<size_t>(std::ranges::count(members, Role::Participant, &Member::role));
}

Parsed<Role> parse_role(std::string_view text) {
  if (equals_ignoring_case(text, "participant")) return Role::Participant;
  if (equals_ignoring_case(text, "observer")) return Role::Observer;
  return refuse(fmt::format("Unrecognised peertype: {}", text));
}

Parsed<Member> parse_member(int64_t id, std::string_view value, bool multi_address) {
  const auto halves = java_split(value, ';');
  if (halves.empty() || halves.size() > 2) return refuse(form_error(value));
  Member member{.id = id, .addresses = {}, .role = Role::Participant, .client = std::nullopt};
  if (halves.size() == 2) {
    auto client = parse_client(halves[1], value);
    if (!client) return refuse(client.error());
    member.client = std::move(*client);
  }
  if (const auto added = add_addresses(halves[0], value, multi_address, member); !added) return refuse(added.error());
  return member;
}

Parsed<std::vector<int64_t>> parse_group(std::string_view value) {
  std::vector<int64_t> members;
  for (const std::string_view part : java_split(value, ':')) {
    const auto id = parse_java_long(part);
    if (!id) return refuse(number_error(part));
    members.push_back(*id);
  }
  return members;
}

std::string member_text(const Member& member) {
  std::string text = fmt::format("server.{}=", member.id);
  for (const PeerAddress& address : member.addresses) {
    if (&address != &member.addresses.front()) text += '|';
    text += fmt::format("{}:{}:{}", host_text(address.host), address.quorum_port, address.election_port);
  }
  text += fmt::format(":{}", role_name(member.role));
  if (member.client) text += fmt::format(";{}:{}", host_text(member.client->host), member.client->port);
  return text;
}

}  // namespace quorate::config
