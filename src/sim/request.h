#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_buffer.h"
#include "wire/codes.h"

/// What simulated clients ask, kept apart from the bytes sent, together with its fate: where it was logged and what the
/// naive model expects for an answer.
namespace quorate::sim {

struct AclEntry {
  int32_t perms = 0;
  std::string scheme;
  std::string id;
  friend bool operator==(const AclEntry&, const AclEntry&) = default;
};
using Acl = std::vector<AclEntry>;
using AclPtr = std::shared_ptr<const Acl>;
using DataPtr = std::shared_ptr<const std::string>;  ///< Null: null data.

std::string encode_acl(const Acl& acl);

/// One write, alone or in a multi; also a read's path.
struct Ask {
  wire::Op op = wire::Op::Ping;
  std::string path;
  DataPtr data;
  AclPtr acl;
  int32_t flags = 0;
  int32_t version = -1;
  int64_t ttl = 0;
};

struct WatchLists {
  int64_t seen_zxid = 0;
  std::vector<std::string> data, exist, child, persistent, recursive;
};

struct Request {
  int32_t xid = 0;
  wire::Op op = wire::Op::Ping;
  Ask ask;                 ///< Of all ops with a path.
  std::vector<Ask> parts;  ///< Of multi and multiRead.
  bool watch = false;
  int32_t mode = 0;  ///< Of addWatch; type of removeWatches and checkWatches.
  WatchLists lists;  ///< Of setWatches2.
  std::string who;   ///< The digest identity of the client; empty: none.

  int64_t session = 0;
  uint32_t link = 0;
  int64_t sent_at = 0;
  bool unreadable = false;  ///< It, or a frame before it on its link, is longer than the server takes.
  int64_t logged_zxid = 0;  ///< 0: not (yet) seen on its way to the log.
  wire::Code expected = wire::Code::Ok;
  std::string expected_body;
};

bool is_write(wire::Op op);
bool is_create(wire::Op op);
/// Appends the request's frame, length included.
void encode_request(const Request& request, ByteBuffer& out);

}  // namespace quorate::sim
