#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sim/request.h"
#include "wire/stat.h"

/// The naive tree: every node with all its versions by zxid, so that a reply can be held against the state that it
/// claims to show. No cleverness; nothing shared with the tree under test but the names of fields.
namespace quorate::sim {

struct NodeVersion {
  int64_t zxid = 0;
  bool exists = false;
  wire::StatPersisted stat;  ///< As stored.
  int32_t children = 0;
  DataPtr data;
  AclPtr acl;

  int32_t data_bytes() const { return data == nullptr ? 0 : static_cast<int32_t>(data->size()); }
};

/// Settings of the server that decide what is right.
struct Rules {
  bool extended_types = false;
  bool enforce_quota = false;
  size_t longest_txn = SIZE_MAX;  ///< More does not get through the reader of the log.
};

struct SessionFact {
  int64_t created_zxid = 0;
  int64_t closed_zxid = 0;  ///< 0: not yet.
  int32_t timeout_ms = 0;   ///< As created.
  int64_t touched_at = 0;   ///< The server has heard of it at this time or later, in microseconds.
  int32_t used_timeout_ms = 0;
};

/// What watches wait for, as one txn made it.
struct NodeChange {
  wire::Event event;
  std::string path;
  AclPtr acl;
  AclPtr parent_acl;
};

std::string parent_path(const std::string& path);
bool permits(const AclPtr& acl, int32_t wanted, const std::string& who);

class Model {
 public:
  /// Null: no such node at that zxid.
  const NodeVersion* at(const std::string& path, int64_t zxid) const;
  const NodeVersion* newest(const std::string& path) const { return at(path, INT64_MAX); }
  /// The node's version of that zxid, made from the one before. Requires: no later versions.
  NodeVersion& edit(const std::string& path, int64_t zxid);
  /// Drops everything that is newer.
  void roll_back_to(int64_t zxid);

  std::vector<std::string> children(const std::string& path, int64_t zxid) const;
  std::vector<std::string> below(const std::string& path, int64_t zxid) const;
  std::vector<std::string> ephemerals_of(int64_t session, int64_t zxid) const;
  std::vector<std::string> all(int64_t zxid) const { return below("/", zxid); }
  wire::Stat client_stat(const NodeVersion& node) const;
  bool is_ephemeral(const NodeVersion& node) const;

  std::map<int64_t, SessionFact> sessions;
  Rules rules;

 private:
  std::map<std::string, std::vector<NodeVersion>> nodes_;
  std::vector<std::pair<int64_t, std::string>> edits_;  ///< Ascending by zxid.
};

}  // namespace quorate::sim
