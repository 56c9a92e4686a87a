#pragma once
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// The members of an ensemble, and their text: lines of zoo.cfg and dynamic files, and with a version what servers send
/// each other and what /zookeeper/config holds. Pure functions, fit for hostile bytes; host names are kept as written
/// and resolved by whoever connects. Spec: quorum 6.1, 6.5; operations 1.4 to 1.6.
namespace quorate::wire {

enum class Role : uint8_t { Participant, Observer };

struct PeerAddress {
  std::string host;  ///< IPv6 without brackets.
  int32_t quorum_port = 0;
  int32_t election_port = 0;
  friend bool operator==(const PeerAddress&, const PeerAddress&) = default;
};

struct ClientAddress {
  std::string host;
  int32_t port = 0;
  friend bool operator==(const ClientAddress&, const ClientAddress&) = default;
};

/// One `server.N` line, with what group and weight lines say of it.
struct QuorumMember {
  int64_t sid = 0;
  std::vector<PeerAddress> addresses{};  ///< At least one.
  Role role = Role::Participant;
  std::optional<ClientAddress> client{};  ///< Of this line; an address from clientPort is not part of the text.
  std::optional<int64_t> group{};         ///< Hierarchical only, and then every voter has one.
  int64_t weight = 1;                     ///< 0: never the leader.
  friend bool operator==(const QuorumMember&, const QuorumMember&) = default;
};

struct QuorumConfig {
  std::vector<QuorumMember> members;  ///< Ascending by sid, each once.
  bool hierarchical = false;          ///< Some group or weight line was there.
  int64_t version = 0;                ///< The zxid of the txn that made it; 0: a file did.
  friend bool operator==(const QuorumConfig&, const QuorumConfig&) = default;

  size_t voters() const;
  const QuorumMember* find(int64_t sid) const;
};

/// Are they the same to a quorum? Of one version, or alike in all members, groups and weights. Spec: quorum 6.1.
bool agree(const QuorumConfig& a, const QuorumConfig& b);

/// The outcome of a line, or what is wrong with it in Apache's words, where it has some.
template <class T>
using Parsed = std::expected<T, std::string>;

std::string_view role_name(Role role);
Parsed<Role> parse_role(std::string_view text);
/// The value of `server.<sid>`. More than one address needs `several_addresses`.
Parsed<QuorumMember> parse_member(int64_t sid, std::string_view value, bool several_addresses);

/// Puts a configuration together from keys and values, in any order.
class QuorumConfigReader {
 public:
  explicit QuorumConfigReader(bool several_addresses) : several_addresses_(several_addresses) {}

  /// Is it a key of server, group or weight lines, or `version`?
  static bool knows(std::string_view key);
  Parsed<void> take(std::string_view key, std::string_view value);

  struct Complaint {
    std::string key;
    std::string text;
  };
  /// Call once, after the last take(). No complaints: `out` is sound, though it may have no members.
  std::vector<Complaint> finish(QuorumConfig& out);

 private:
  Parsed<void> take_member(int64_t sid, std::string_view value);
  Parsed<void> take_group(int64_t group, std::string_view value);
  Parsed<void> take_weight(int64_t sid, std::string_view value);
  Parsed<void> take_version(std::string_view value);

  bool several_addresses_;
  std::map<int64_t, QuorumMember> members_;
  std::map<int64_t, int64_t> group_of_;
  std::map<int64_t, int64_t> weights_;
  QuorumConfig config_;
};

/// "server.1=a:2888:3888:participant;0.0.0.0:2181"
std::string to_text(const QuorumMember& member);
/// All lines, the last is "version=<hex>", without a newline behind it.
std::string to_text(const QuorumConfig& config);
/// Reads such a text as Java reads properties; the last of several lines with one key counts. Several addresses are
/// allowed. Errors: Invalid, with the key, also when no member may vote.
Result<QuorumConfig> parse_quorum_config(std::string_view text);

}  // namespace quorate::wire
