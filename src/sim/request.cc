#include "sim/request.h"

#include "wire/client.h"

namespace quorate::sim {
namespace {

using wire::Op;

std::string_view view_of(const DataPtr& data) { return data == nullptr ? wire::kAbsent : std::string_view(*data); }

void encode_ask(const Ask& ask, wire::Encoder& out) {
  out.view(ask.path);
  switch (ask.op) {
    case Op::Create:
    case Op::Create2:
    case Op::CreateContainer:
    case Op::CreateTtl:
      out.view(view_of(ask.data));
      out.raw(encode_acl(*ask.acl));
      out.i32(ask.flags);
      if (ask.op == Op::CreateTtl) out.i64(ask.ttl);
      return;
    case Op::SetData:
      out.view(view_of(ask.data));
      return out.i32(ask.version);
    case Op::SetAcl:
      out.raw(encode_acl(*ask.acl));
      return out.i32(ask.version);
    case Op::Delete:
    case Op::Check:
      return out.i32(ask.version);
    default:
      return;
  }
}

void encode_list(const std::vector<std::string>& paths, wire::Encoder& out) {
  out.i32(static_cast<int32_t>(paths.size()));
  for (const std::string& path : paths) out.view(path);
}

void encode_parts(const Request& request, wire::Encoder& out) {
  for (const Ask& part : request.parts) {
    wire::encode(out, wire::MultiHeader{static_cast<int32_t>(part.op), false, -1});
    encode_ask(part, out);
    if (request.op == Op::MultiRead) out.boolean(false);
  }
  wire::encode(out, wire::MultiHeader{-1, true, -1});
}

void encode_body(const Request& request, wire::Encoder& out) {
  switch (request.op) {
    case Op::Multi:
    case Op::MultiRead:
      return encode_parts(request, out);
    case Op::Ping:
    case Op::CloseSession:
    case Op::WhoAmI:
      return;
    case Op::SetWatches2:
      out.i64(request.lists.seen_zxid);
      encode_list(request.lists.data, out);
      encode_list(request.lists.exist, out);
      encode_list(request.lists.child, out);
      encode_list(request.lists.persistent, out);
      return encode_list(request.lists.recursive, out);
    case Op::AddWatch:
    case Op::RemoveWatches:
    case Op::CheckWatches:
      out.view(request.ask.path);
      return out.i32(request.mode);
    case Op::Exists:
    case Op::GetData:
    case Op::GetChildren:
    case Op::GetChildren2:
      out.view(request.ask.path);
      return out.boolean(request.watch);
    default:
      return encode_ask(request.ask, out);
  }
}

}  // namespace

std::string encode_acl(const Acl& acl) {
  ByteBuffer bytes;
  wire::Encoder out(bytes);
  out.i32(static_cast<int32_t>(acl.size()));
  for (const AclEntry& entry : acl) {
    out.i32(entry.perms);
    out.view(entry.scheme);
    out.view(entry.id);
  }
  return std::string(bytes.view());
}

bool is_create(Op op) {
  return op == Op::Create || op == Op::Create2 || op == Op::CreateContainer || op == Op::CreateTtl;
}

bool is_write(Op op) {
  if (is_create(op)) return true;
  switch (op) {
    case Op::Delete:
    case Op::SetData:
    case Op::SetAcl:
    case Op::Multi:
    case Op::CloseSession:
      return true;
    default:
      return false;
  }
}

void encode_request(const Request& request, ByteBuffer& out) {
  const size_t at = out.size();
  out.grow(4);
  wire::Encoder encoder(out);
  encoder.i32(request.xid);
  encoder.i32(static_cast<int32_t>(request.op));
  encode_body(request, encoder);
  wire::store_be32(out.data() + at, static_cast<uint32_t>(out.size() - at - 4));
}

}  // namespace quorate::sim
