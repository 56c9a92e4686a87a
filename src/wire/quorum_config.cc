#include "wire/quorum_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace quorate::wire {
namespace {

constexpr int64_t kMaxPort = 65535;
/// Sums of weights must not overflow.
constexpr int64_t kMaxWeight = INT32_MAX;

std::unexpected<std::string> refuse(std::string text) { return std::unexpected(std::move(text)); }

std::string number_error(std::string_view text) { return fmt::format("For input string: \"{}\"", text); }

/// Long.parseLong.
std::optional<int64_t> parse_long(std::string_view text, int base = 10) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Cuts at each separator as Java does: empty parts at the end are dropped, except that "" is one empty part.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t start = 0; start <= text.size();) {
    const size_t end = std::min(text.find(separator, start), text.size());
    parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  while (!text.empty() && !parts.empty() && parts.back().empty()) parts.pop_back();
  return parts;
}

bool equals_ignoring_case(std::string_view text, std::string_view lower_case) {
  return std::ranges::equal(text, lower_case, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

std::string form_error(std::string_view value) {
  return fmt::format(
      "{} does not have the form server_config or server_config;client_config where server_config is the pipe "
      "separated list of host:port:port or host:port:port:type and client_config is port or host:port",
      value);
}

/// Host and what follows it, cut at colons; a bracketed IPv6 host is one part, without its brackets.
Parsed<std::vector<std::string_view>> split_host(std::string_view text) {
  if (!text.starts_with('[')) return split(text, ':');
  const size_t end = text.find("]:");
  if (end == std::string_view::npos) return refuse(fmt::format("{} starts with '[' but has no matching ']:'", text));
  if (end + 2 == text.size()) return refuse(fmt::format("{} doesn't have a port after colon", text));
  std::vector<std::string_view> parts{text.substr(1, end - 1)};
  for (const std::string_view part : split(text.substr(end + 2), ':')) parts.push_back(part);
  return parts;
}

/// What cannot be a host could also not be written back: a blank, a bracket, a backslash.
Parsed<std::string> parse_host(std::string_view text) {
  constexpr std::string_view kMarks = "-_.:%";
  const bool good = std::ranges::all_of(text, [&](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return letter || static_cast<unsigned char>(c) >= 0x80 || kMarks.find(c) != std::string_view::npos;
  });
  if (!good || text.empty()) return refuse(fmt::format("\"{}\" is not the name or address of a host", text));
  return std::string(text);
}

Parsed<int32_t> parse_port(std::string_view host, std::string_view text) {
  const auto port = parse_long(text);
  if (!port || *port < INT32_MIN || *port > INT32_MAX) {
    return refuse(fmt::format("Address unresolved: {}:{}", host, text));
  }
  if (*port < 0 || *port > kMaxPort) return refuse(fmt::format("port out of range:{}", *port));
  return static_cast<int32_t>(*port);
}

Parsed<ClientAddress> parse_client(std::string_view part, std::string_view value) {
  const auto pieces = split_host(part);
  if (!pieces) return refuse(pieces.error());
  if (pieces->empty() || pieces->size() > 2) return refuse(form_error(value));
  const auto host = parse_host(pieces->size() == 2 ? pieces->front() : "0.0.0.0");
  if (!host) return refuse(host.error());
  const auto port = parse_port(*host, pieces->back());
  if (!port) return refuse(port.error());
  return ClientAddress{*host, *port};
}

struct AddressPart {
  PeerAddress address;
  std::optional<Role> role;
};

Parsed<AddressPart> parse_address(int64_t sid, std::string_view part, std::string_view value) {
  const auto pieces = split_host(part);
  if (!pieces) return refuse(pieces.error());
  if (pieces->size() < 3 || pieces->size() > 4) return refuse(form_error(value));
  const auto host = parse_host(pieces->front());
  if (!host) return refuse(host.error());
  const auto quorum = parse_port(*host, (*pieces)[1]);
  if (!quorum) return refuse(quorum.error());
  const auto election = parse_port(*host, (*pieces)[2]);
  if (!election) return refuse(election.error());
  if (*quorum == *election) {
    // Apache's own words, though it means the quorum port; scripts look for them.
    return refuse(fmt::format(
        "Client and election port must be different! Please update the configuration file on server.{}", sid));
  }
  AddressPart parsed{{*host, *quorum, *election}, std::nullopt};
  if (pieces->size() == 4) {
    const auto role = parse_role((*pieces)[3]);
    if (!role) return refuse(role.error());
    parsed.role = *role;
  }
  return parsed;
}

Parsed<void> add_addresses(const std::vector<std::string_view>& parts, std::string_view value, QuorumMember& member) {
  std::optional<Role> role;
  for (const std::string_view part : parts) {
    auto parsed = parse_address(member.sid, part, value);
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

std::string host_text(const std::string& host) { return host.find(':') == std::string::npos ? host : "[" + host + "]"; }

/// The logical lines of a properties text: comments left out, continuations joined, escapes untouched.
class PropertyLines {
 public:
  explicit PropertyLines(std::string_view text) : rest_(text) {}

  std::optional<std::string> next() {
    while (!rest_.empty()) {
      std::string line(take_natural());
      if (line.empty() || line.front() == '#' || line.front() == '!') continue;
      while (continues(line)) {
        line.pop_back();
        line += take_natural();
      }
      if (!line.empty()) return line;
    }
    return std::nullopt;
  }

 private:
  static bool continues(std::string_view line) {
    const size_t last_other = line.find_last_not_of('\\');
    const size_t slashes = last_other == std::string_view::npos ? line.size() : line.size() - 1 - last_other;
    return slashes % 2 == 1;
  }

  std::string_view take_natural() {
    const size_t end = std::min(rest_.find_first_of("\r\n"), rest_.size());
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end);
    rest_.remove_prefix(rest_.starts_with("\r\n") ? 2 : std::min<size_t>(1, rest_.size()));
    line.remove_prefix(std::min(line.find_first_not_of(" \t\f"), line.size()));
    return line;
  }

  std::string_view rest_;
};

char escaped_char(char c) {
  constexpr std::string_view kNames = "tnrf";
  constexpr std::string_view kMeant = "\t\n\r\f";
  const size_t at = kNames.find(c);
  return at == std::string_view::npos ? c : kMeant[at];
}

/// Nothing for a malformed \uXXXX, or one beyond ASCII: no name of a host needs it.
std::optional<std::string> unescape(std::string_view raw) {
  std::string text;
  for (size_t at = 0; at < raw.size(); ++at) {
    if (raw[at] != '\\' || at + 1 == raw.size()) {
      text += raw[at];
    } else if (raw[++at] != 'u') {
      text += escaped_char(raw[at]);
    } else {
      const std::string_view digits = raw.substr(at + 1, 4);
      const auto code = digits.find_first_of("+-") == std::string_view::npos ? parse_long(digits, 16) : std::nullopt;
      if (digits.size() < 4 || !code || *code >= 0x80) return std::nullopt;
      text += static_cast<char>(*code);
      at += 4;
    }
  }
  const size_t first = std::min(text.find_first_not_of(" \t\r\n\f"), text.size());
  return text.substr(first, text.find_last_not_of(" \t\r\n\f") + 1 - first);
}

/// Where the key ends, and where the value begins.
std::pair<size_t, size_t> cut(std::string_view line) {
  const std::string_view blanks = " \t\f";
  size_t end = 0;
  while (end < line.size() && line[end] != '=' && line[end] != ':' && blanks.find(line[end]) == blanks.npos) {
    end += line[end] == '\\' ? 2 : 1;
  }
  end = std::min(end, line.size());
  size_t start = std::min(line.find_first_not_of(blanks, end), line.size());
  if (start < line.size() && (line[start] == '=' || line[start] == ':')) ++start;
  return {end, start};
}

}  // namespace

size_t QuorumConfig::voters() const {
  return static_cast<size_t>(std::ranges::count(members, Role::Participant, &QuorumMember::role));
}

const QuorumMember* QuorumConfig::find(int64_t sid) const {
  const auto at = std::ranges::lower_bound(members, sid, {}, &QuorumMember::sid);
  return at != members.end() && at->sid == sid ? &*at : nullptr;
}

bool agree(const QuorumConfig& a, const QuorumConfig& b) {
  return a.hierarchical == b.hierarchical && (a.version == b.version || a.members == b.members);
}

std::string_view role_name(Role role) { return role == Role::Observer ? "observer" : "participant"; }

Parsed<Role> parse_role(std::string_view text) {
  for (const Role role : {Role::Participant, Role::Observer}) {
    if (equals_ignoring_case(text, role_name(role))) return role;
  }
  return refuse(fmt::format("Unrecognised peertype: {}", text));
}

Parsed<QuorumMember> parse_member(int64_t sid, std::string_view value, bool several_addresses) {
  const auto halves = split(value, ';');
  if (halves.empty() || halves.size() > 2) return refuse(form_error(value));
  QuorumMember member{.sid = sid};
  if (halves.size() == 2) {
    auto client = parse_client(halves[1], value);
    if (!client) return refuse(client.error());
    member.client = std::move(*client);
  }
  const auto parts = split(halves[0], '|');
  if (parts.empty()) return refuse(form_error(value));
  if (parts.size() > 1 && !several_addresses) {
    return refuse(
        fmt::format("Multiple address feature is disabled, but multiple addresses were specified for sid {}", sid));
  }
  if (const auto added = add_addresses(parts, value, member); !added) return refuse(added.error());
  return member;
}

bool QuorumConfigReader::knows(std::string_view key) {
  // Apache looks at these beginnings; without a number behind a dot such a key is an error, not an unknown one.
  return key.starts_with("server.") || key.starts_with("group") || key.starts_with("weight") || key == "version";
}

Parsed<void> QuorumConfigReader::take(std::string_view key, std::string_view value) {
  if (!knows(key)) return refuse(fmt::format("Unrecognised parameter: {}", key));
  if (key == "version") return take_version(value);
  const std::string_view number = key.substr(key.find('.') + 1);
  const auto id = parse_long(number);
  if (!id) return refuse(number_error(number));
  if (key.starts_with("server.")) return take_member(*id, value);
  config_.hierarchical = true;
  return key.starts_with("group") ? take_group(*id, value) : take_weight(*id, value);
}

Parsed<void> QuorumConfigReader::take_member(int64_t sid, std::string_view value) {
  auto member = parse_member(sid, value, several_addresses_);
  if (!member) return refuse(member.error());
  if (members_.try_emplace(sid, *std::move(member)).second) return {};
  return refuse(fmt::format("server {} has another line already", sid));
}

Parsed<void> QuorumConfigReader::take_group(int64_t group, std::string_view value) {
  for (const std::string_view part : split(value, ':')) {
    const auto sid = parse_long(part);
    if (!sid) return refuse(number_error(part));
    // The blank is missing in Apache's text, too.
    if (!group_of_.try_emplace(*sid, group).second) return refuse(fmt::format("Server {}is in multiple groups", *sid));
  }
  return {};
}

Parsed<void> QuorumConfigReader::take_weight(int64_t sid, std::string_view value) {
  const auto weight = parse_long(value);
  if (!weight) return refuse(number_error(value));
  if (*weight < 0 || *weight > kMaxWeight) return refuse(fmt::format("weight {} is out of range", *weight));
  weights_[sid] = *weight;
  return {};
}

Parsed<void> QuorumConfigReader::take_version(std::string_view value) {
  const auto version = parse_long(value, 16);
  if (!version || *version < 0) return refuse(number_error(value));
  config_.version = *version;
  return {};
}

std::vector<QuorumConfigReader::Complaint> QuorumConfigReader::finish(QuorumConfig& out) {
  std::vector<Complaint> complaints;
  for (const auto& [sid, group] : group_of_) {
    // Its weight would count, though nobody could ever vote with it.
    const auto found = members_.find(sid);
    if (found != members_.end()) {
      found->second.group = group;
    } else {
      complaints.push_back({fmt::format("group.{}", group), fmt::format("server {} is not a member", sid)});
    }
  }
  for (auto& [sid, member] : members_) {
    if (const auto weight = weights_.find(sid); weight != weights_.end()) member.weight = weight->second;
    if (config_.hierarchical && member.role == Role::Participant && !member.group) {
      complaints.push_back({fmt::format("server.{}", sid), fmt::format("Server {}is not in a group", sid)});
    }
    config_.members.push_back(std::move(member));
  }
  out = std::move(config_);
  return complaints;
}

std::string to_text(const QuorumMember& member) {
  std::string text = fmt::format("server.{}=", member.sid);
  for (const PeerAddress& address : member.addresses) {
    if (&address != &member.addresses.front()) text += '|';
    text += fmt::format("{}:{}:{}", host_text(address.host), address.quorum_port, address.election_port);
  }
  text += fmt::format(":{}", role_name(member.role));
  if (member.client) text += fmt::format(";{}:{}", host_text(member.client->host), member.client->port);
  return text;
}

std::string to_text(const QuorumConfig& config) {
  std::string text;
  std::map<int64_t, std::string> groups;
  std::string weights;
  for (const QuorumMember& member : config.members) {
    text += to_text(member) + "\n";
    if (!config.hierarchical) continue;
    if (member.group) groups[*member.group] += fmt::format(":{}", member.sid);
    if (member.group || member.weight != 1) weights += fmt::format("weight.{}={}\n", member.sid, member.weight);
  }
  for (const auto& [group, sids] : groups) text += fmt::format("group.{}={}\n", group, sids.substr(1));
  return text + weights + fmt::format("version={:x}", config.version);
}

Result<QuorumConfig> parse_quorum_config(std::string_view text) {
  std::map<std::string, std::string> properties;
  for (PropertyLines lines(text); const auto line = lines.next();) {
    const auto [key_end, value_start] = cut(*line);
    auto key = unescape(std::string_view(*line).substr(0, key_end));
    auto value = unescape(std::string_view(*line).substr(value_start));
    if (!key || !value) return fail(Fault::Invalid, fmt::format("{}: Malformed \\uxxxx encoding.", *line));
    properties[*std::move(key)] = *std::move(value);
  }
  QuorumConfigReader reader(true);
  for (const auto& [key, value] : properties) {
    if (const auto taken = reader.take(key, value); !taken) {
      return fail(Fault::Invalid, fmt::format("{}={}: {}", key, value, taken.error()));
    }
  }
  QuorumConfig config;
  const auto complaints = reader.finish(config);
  if (!complaints.empty()) return fail(Fault::Invalid, complaints[0].key + ": " + complaints[0].text);
  if (config.voters() == 0) return fail(Fault::Invalid, "no participant is named");
  return config;
}

}  // namespace quorate::wire
