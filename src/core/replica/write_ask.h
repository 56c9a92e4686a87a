#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "wire/archive.h"
#include "wire/codes.h"
#include "wire/vectors.h"

/// What a write request asks for, whatever record it came in. Views point into the request. Spec: client 3.3, 6.
namespace quorate::replica {

struct Ask {
  wire::Op op = wire::Op::Error;
  std::string_view path;  ///< May be absent.
  std::string_view data;
  wire::AclVector acl;
  int32_t flags = 0;
  int32_t version = 0;
  int64_t ttl = -1;
};

/// Of a create.
bool is_ephemeral(const Ask& ask);

/// Reads the record that belongs to ask.op: the creates, delete, setData, setACL, check, deleteContainer. Bytes behind
/// it are left alone. False: cut short or malformed.
bool decode_ask(wire::Decoder& in, Ask& ask);

/// A part whose op comes out as Op::Error cannot be prepared. A part asked as create2 becomes a create, so that peers
/// of 3.8 can read it; `create2_parts` remembers. False: the whole request is malformed. Spec: client 6.1, 6.4.
bool decode_multi(std::string_view body, std::vector<Ask>& parts, std::vector<uint16_t>& create2_parts);

}  // namespace quorate::replica
