#include "core/replica/write_ask.h"

#include "wire/client.h"

namespace quorate::replica {
namespace {

bool decode_create(wire::Decoder& in, Ask& ask) {
  wire::CreateRequest record;
  if (!wire::decode(in, record)) return false;
  ask.path = record.path;
  ask.data = record.data;
  ask.acl = record.acl;
  ask.flags = record.flags;
  return true;
}

bool decode_path_version(wire::Decoder& in, Ask& ask) {
  ask.path = in.view();
  ask.version = in.i32();
  return in.ok();
}

bool decode_set_data(wire::Decoder& in, Ask& ask) {
  ask.path = in.view();
  ask.data = in.view();
  ask.version = in.i32();
  return in.ok();
}

bool decode_set_acl(wire::Decoder& in, Ask& ask) {
  wire::SetAclRequest record;
  if (!wire::decode(in, record)) return false;
  ask.path = record.path;
  ask.acl = record.acl;
  ask.version = record.version;
  return true;
}

bool may_be_part(wire::Op op) {
  switch (op) {
    case wire::Op::Create:
    case wire::Op::Create2:
    case wire::Op::CreateContainer:
    case wire::Op::CreateTtl:
    case wire::Op::Delete:
    case wire::Op::SetData:
    case wire::Op::Check:
      return true;
    default:
      return false;
  }
}

bool is_ttl(int32_t flags) {
  return flags == static_cast<int32_t>(wire::CreateMode::PersistentTtl) ||
         flags == static_cast<int32_t>(wire::CreateMode::PersistentSequentialTtl);
}

/// In a multi the flags, too, say which create it is. False: the whole request is malformed. A create with a mode of
/// createTTL spoils the request only when its turn comes: Op::Error. Spec: client 6.4.
bool settle_create(Ask& part) {
  if (part.op == wire::Op::CreateTtl) {
    if (is_ttl(part.flags)) return true;
    part.op = wire::Op::Create;
    part.ttl = -1;
  } else if (part.acl.absent() || part.flags < 0 || part.flags > 6) {
    return false;
  }
  if (is_ttl(part.flags)) part.op = wire::Op::Error;
  if (part.flags == static_cast<int32_t>(wire::CreateMode::Container)) part.op = wire::Op::CreateContainer;
  return true;
}

bool is_create(wire::Op op) {
  return op == wire::Op::Create || op == wire::Op::Create2 || op == wire::Op::CreateContainer ||
         op == wire::Op::CreateTtl;
}

bool decode_part(wire::Decoder& in, Ask& part) {
  if (!may_be_part(part.op) || !decode_ask(in, part) || wire::is_absent(part.path)) return false;
  return !is_create(part.op) || settle_create(part);
}

}  // namespace

bool is_ephemeral(const Ask& ask) {
  const auto mode = static_cast<wire::CreateMode>(ask.flags);
  return mode == wire::CreateMode::Ephemeral || mode == wire::CreateMode::EphemeralSequential;
}

bool decode_ask(wire::Decoder& in, Ask& ask) {
  switch (ask.op) {
    case wire::Op::Create:
    case wire::Op::Create2:
    case wire::Op::CreateContainer:
      return decode_create(in, ask);
    case wire::Op::CreateTtl:
      if (!decode_create(in, ask)) return false;
      ask.ttl = in.i64();
      return in.ok();
    case wire::Op::Delete:
    case wire::Op::Check:
      return decode_path_version(in, ask);
    case wire::Op::SetData:
      return decode_set_data(in, ask);
    case wire::Op::SetAcl:
      return decode_set_acl(in, ask);
    case wire::Op::DeleteContainer:
      ask.path = in.view();
      return in.ok();
    default:
      return false;
  }
}

bool decode_multi(std::string_view body, std::vector<Ask>& parts, std::vector<uint16_t>& create2_parts) {
  wire::Decoder in(body);
  for (;;) {
    wire::MultiHeader header;
    if (!wire::decode(in, header)) return false;
    if (header.done) return true;
    Ask part;
    part.op = static_cast<wire::Op>(header.type);
    if (!decode_part(in, part)) return false;
    if (part.op == wire::Op::Create2) {
      if (parts.size() > UINT16_MAX) return false;
      create2_parts.push_back(static_cast<uint16_t>(parts.size()));
      part.op = wire::Op::Create;
    }
    parts.push_back(part);
  }
}

}  // namespace quorate::replica
