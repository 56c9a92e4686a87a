#include "tools/bench_frames.h"

#include "wire/client.h"

namespace quorate::tools {
namespace {

/// perms 31 for world:anyone.
std::string open_acl() {
  ByteBuffer bytes;
  wire::Encoder out(bytes);
  out.i32(1);
  out.i32(wire::kPermAll);
  out.view("world");
  out.view("anyone");
  return std::string(bytes.view());
}

std::string framed(const ByteBuffer& body) {
  std::string frame(4, '\0');
  wire::store_be32(frame.data(), static_cast<uint32_t>(body.size()));
  return frame.append(body.view());
}

template <class Body>
std::string request(wire::Op op, const Body& body) {
  ByteBuffer bytes;
  wire::Encoder out(bytes);
  wire::encode(out, wire::RequestHeader{0, static_cast<int32_t>(op)});
  wire::encode(out, body);
  return framed(bytes);
}

std::string bare_request(int32_t xid, wire::Op op) {
  ByteBuffer bytes;
  wire::Encoder out(bytes);
  wire::encode(out, wire::RequestHeader{xid, static_cast<int32_t>(op)});
  return framed(bytes);
}

}  // namespace

std::string connect_frame(int32_t timeout_ms) {
  const std::string password(16, '\0');
  ByteBuffer bytes;
  wire::Encoder out(bytes);
  wire::ConnectRequest fields;
  fields.time_out = timeout_ms;
  fields.passwd = password;
  wire::encode(out, fields);
  out.boolean(false);
  return framed(bytes);
}

std::string get_frame(std::string_view path) { return request(wire::Op::GetData, wire::PathWatchRequest{path, false}); }
std::string exists_frame(std::string_view path) {
  return request(wire::Op::Exists, wire::PathWatchRequest{path, false});
}
std::string children_frame(std::string_view path) {
  return request(wire::Op::GetChildren, wire::PathWatchRequest{path, false});
}
std::string create_frame(std::string_view path, std::string_view data) {
  const std::string acl = open_acl();
  return request(wire::Op::Create, wire::CreateRequest{path, data, wire::AclVector::trusted(acl), 0});
}
std::string set_frame(std::string_view path, std::string_view data) {
  return request(wire::Op::SetData, wire::SetDataRequest{path, data, -1});
}
std::string delete_frame(std::string_view path) {
  return request(wire::Op::Delete, wire::PathVersionRequest{path, -1});
}
std::string ping_frame() { return bare_request(wire::kPingXid, wire::Op::Ping); }
std::string close_frame() { return bare_request(0, wire::Op::CloseSession); }

}  // namespace quorate::tools
