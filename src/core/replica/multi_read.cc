#include "core/replica/reads.h"
#include "wire/record.h"

namespace quorate::replica {
namespace {

using wire::Code;

/// A frame of 1 MiB can name one large node 70,000 times; a reply that nobody could take is refused instead of built.
constexpr size_t kMaxReplyBytes = size_t{128} << 20;

bool is_part(int32_t type) {
  return type == static_cast<int32_t>(wire::Op::GetData) || type == static_cast<int32_t>(wire::Op::GetChildren);
}

void append_header(const wire::MultiHeader& header, ByteBuffer& out) {
  wire::Encoder encoder(out);
  wire::encode(encoder, header);
}

}  // namespace

// Spec: client 6.5. The parts' watch flag is read and ignored.
Code Reads::multi_read(Connection& connection, wire::Decoder in) const {
  const size_t begin = connection.out.size();
  wire::MultiHeader header;
  while (wire::decode(in, header) && !header.done) {
    wire::PathWatchRequest part;
    if (!is_part(header.type) || !wire::decode(in, part) || wire::is_absent(part.path)) return Code::MarshallingError;
    if (connection.out.size() - begin > kMaxReplyBytes) return Code::MarshallingError;
    append_part(header.type, part.path, connection);
  }
  if (!in.ok()) return Code::MarshallingError;
  append_header({.type = -1, .done = true, .err = -1}, connection.out);
  return Code::Ok;
}

void Reads::append_part(int32_t type, std::string_view path, Connection& connection) const {
  const Found found = find_readable(path);
  if (found.code != Code::Ok) {
    const int32_t err = static_cast<int32_t>(found.code);
    append_header({.type = -1, .done = false, .err = err}, connection.out);
    wire::Encoder(connection.out).i32(err);
    return;
  }
  append_header({.type = type, .done = false, .err = 0}, connection.out);
  if (type == static_cast<int32_t>(wire::Op::GetData)) {
    append_data(found.node, connection.out);
  } else {
    append_children(found.node, connection.out);
  }
}

}  // namespace quorate::replica
