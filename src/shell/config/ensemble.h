#pragma once
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"

/// The server, group and weight lines of a configuration: their grammar and their canonical text. Pure functions over
/// text; host names are kept as written and resolved by whoever connects. Errors carry Apache's words.
/// Spec: operations 1.4, 1.6.
namespace quorate::config {

enum class Role : uint8_t { Participant, Observer };

struct Endpoint {
  std::string host;
  int32_t port = 0;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

struct PeerAddress {
  std::string host;
  int32_t quorum_port = 0;
  int32_t election_port = 0;
  friend bool operator==(const PeerAddress&, const PeerAddress&) = default;
};

/// One `server.N` line.
struct Member {
  int64_t id = 0;
  std::vector<PeerAddress> addresses;
  Role role = Role::Participant;
  std::optional<Endpoint> client;
  friend bool operator==(const Member&, const Member&) = default;
};

/// What only members of an ensemble need. Limits in ticks; 0 is unset.
struct EnsembleSettings {
  std::vector<Member> members;                     ///< Ascending by id.
  std::map<int64_t, std::vector<int64_t>> groups;  ///< Group to members; empty: plain majority.
  std::map<int64_t, int64_t> weights;
  bool standalone_enabled = true;
  bool multi_address = false;
  bool listen_on_all = false;  ///< quorumListenOnAllIPs
  bool sync_enabled = true;    ///< Observers keep files, too.
  Role peer_type = Role::Participant;
  int32_t init_limit = 0;
  int32_t sync_limit = 0;
  int32_t connect_limit = 0;  ///< connectToLearnerMasterLimit; 0: init_limit
  int32_t election_algorithm = 3;
  int32_t observer_master_port = 0;
  std::string dynamic_file;

  size_t voters() const;
  /// Spec: operations 1.1, "Start-up decision".
  bool distributed() const { return voters() > 0 && (!standalone_enabled || voters() > 1); }
};

/// The text of a failure, as Apache words it.
template <class T>
using Parsed = std::expected<T, std::string>;

/// The value of `server.<id>`. More than one address needs `multi_address`.
Parsed<Member> parse_member(int64_t id, std::string_view value, bool multi_address);
Parsed<Role> parse_role(std::string_view text);
/// "1:2:3"
Parsed<std::vector<int64_t>> parse_group(std::string_view value);
/// The line as it stands in /zookeeper/config and dynamic files: "server.1=a:2888:3888:participant;0.0.0.0:2181".
std::string member_text(const Member& member);

}  // namespace quorate::config
