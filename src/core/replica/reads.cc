#include "core/replica/reads.h"

#include "core/auth/standard_text.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/check.h"
#include "core/replica/reply.h"
#include "core/replica/stat_encoder.h"
#include "wire/record.h"

namespace quorate::replica {
namespace {

using wire::Code;
using wire::Op;

/// Compat: Java's trim(), so control characters count as blanks.
std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

bool Reads::is_read(Op op) {
  switch (op) {
    case Op::Exists:
    case Op::GetData:
    case Op::GetAcl:
    case Op::GetChildren:
    case Op::Sync:
    case Op::Ping:
    case Op::GetChildren2:
    case Op::CheckWatches:
    case Op::RemoveWatches:
    case Op::MultiRead:
    case Op::SetWatches:
    case Op::GetEphemerals:
    case Op::GetAllChildrenNumber:
    case Op::SetWatches2:
    case Op::AddWatch:
    case Op::WhoAmI:
      return true;
    default:
      return false;
  }
}

Code Reads::answer(Connection& connection, const ReadRequest& request) {
  who_ = request.who;
  const wire::Decoder in(request.body);
  const bool restores = request.op == Op::SetWatches || request.op == Op::SetWatches2;
  // Its notifications go out before its reply, so the reply is opened afterwards.
  Code code = restores ? set_watches(connection, request.op, in) : Code::Ok;

  const int32_t xid = request.op == Op::Ping ? wire::kPingXid : request.xid;
  ReplyFrame frame(connection.out, xid, tree_.last_zxid(), Code::Ok);
  if (!restores) code = serve(connection, request.op, in);
  if (code != Code::Ok) frame.refuse(code);
  frame.close();
  return code;
}

Code Reads::serve(Connection& connection, Op op, wire::Decoder in) {
  switch (op) {
    case Op::GetData:
      return get_data(connection, in);
    case Op::Exists:
      return exists(connection, in);
    case Op::GetChildren:
      return get_children(connection, in, false);
    case Op::GetChildren2:
      return get_children(connection, in, true);
    case Op::Ping:
      return Code::Ok;
    case Op::GetAcl:
      return get_acl(connection, in);
    case Op::Sync:
      return sync(connection, in);
    case Op::MultiRead:
      return multi_read(connection, in);
    case Op::AddWatch:
      return add_watch(connection, in);
    case Op::CheckWatches:
      return check_watches(connection, in);
    case Op::RemoveWatches:
      return remove_watches(connection, in);
    case Op::GetEphemerals:
      return get_ephemerals(connection, in);
    case Op::GetAllChildrenNumber:
      return count_children(connection, in);
    case Op::WhoAmI:
      return who_am_i(connection);
    default:
      break;
  }
  QUORATE_CHECK(is_read(op));
  return Code::Unimplemented;
}

Code Reads::exists(Connection& connection, wire::Decoder in) {
  wire::PathWatchRequest request;
  if (!wire::decode(in, request) || wire::is_absent(request.path)) return Code::MarshallingError;
  if (request.path.contains('\0')) return Code::BadArguments;
  const Found found = find_readable(request.path);
  if (found.code == Code::NoAuth) return found.code;
  // For a missing node too: this is how clients wait for a creation. Spec: client 7.1.
  if (request.watch) watch(connection, tree::WatchTable::Data, request.path, tree::kStandard);
  if (found.code == Code::Ok) append_stat(connection.out, tree_.client_stat(found.node));
  return found.code;
}

Code Reads::get_data(Connection& connection, wire::Decoder in) {
  wire::PathWatchRequest request;
  if (!wire::decode(in, request) || wire::is_absent(request.path)) return Code::MarshallingError;
  const Found found = find_readable(request.path);
  if (found.code != Code::Ok) return found.code;
  append_data(found.node, connection.out);
  if (request.watch) watch(connection, tree::WatchTable::Data, request.path, tree::kStandard);
  return Code::Ok;
}

Code Reads::get_children(Connection& connection, wire::Decoder in, bool with_stat) {
  wire::PathWatchRequest request;
  if (!wire::decode(in, request) || wire::is_absent(request.path)) return Code::MarshallingError;
  const Found found = find_readable(request.path);
  if (found.code != Code::Ok) return found.code;
  append_children(found.node, connection.out);
  if (with_stat) append_stat(connection.out, tree_.client_stat(found.node));
  if (request.watch) watch(connection, tree::WatchTable::Child, request.path, tree::kStandard);
  return Code::Ok;
}

Code Reads::get_acl(Connection& connection, wire::Decoder in) const {
  wire::PathRequest request;
  if (!wire::decode(in, request) || wire::is_absent(request.path)) return Code::MarshallingError;
  const tree::NodeRef node = tree_.find(request.path);
  if (node == tree::kNoNode) return Code::NoNode;
  const tree::AclId acl = tree_.acl_of(node);
  if (!access_.permits(acl, wire::kPermRead | wire::kPermAdmin, who_)) return Code::NoAuth;

  const wire::AclVector list = tree_.acls().list(acl);
  if (access_.permits(acl, wire::kPermAdmin, who_)) {
    connection.out.append(list.raw());
  } else {
    auth_.mask(list, connection.out);
  }
  append_stat(connection.out, tree_.client_stat(node));
  return Code::Ok;
}

Code Reads::count_children(Connection& connection, wire::Decoder in) const {
  wire::PathRequest request;
  if (!wire::decode(in, request) || wire::is_absent(request.path)) return Code::MarshallingError;
  const Found found = find_readable(request.path);
  if (found.code != Code::Ok) return found.code;
  // Compat: "" is the root too, but asked by that name it counts itself.
  const int64_t all = static_cast<int64_t>(tree_.node_count()) - (request.path.empty() ? 0 : 1);
  const int64_t count = found.node == tree::kRoot ? all : tree_.count_descendants(found.node);
  wire::Encoder(connection.out).i32(static_cast<int32_t>(count));
  return Code::Ok;
}

Code Reads::get_ephemerals(Connection& connection, wire::Decoder in) const {
  wire::PathRequest request;
  if (!wire::decode(in, request)) return Code::MarshallingError;
  const std::string_view bare = trimmed(request.path);
  // A prefix of the text, not of path components.
  const std::string_view prefix = bare.empty() || bare == "/" ? std::string_view() : request.path;
  std::vector<std::string> paths = tree_.ephemerals_of(connection.session);
  std::erase_if(paths, [prefix](const std::string& path) { return !path.starts_with(prefix); });

  wire::Encoder body(connection.out);
  body.i32(static_cast<int32_t>(paths.size()));
  for (const std::string& path : paths) body.view(path);
  return Code::Ok;
}

Code Reads::sync(Connection& connection, wire::Decoder in) const {
  wire::PathRequest request;
  if (!wire::decode(in, request)) return Code::MarshallingError;
  // Any string is echoed, absent ones too, as Apache's decoder reads it (client 1.1, rule 3).
  if (wire::is_absent(request.path) || auth::is_standard_utf8(request.path)) {
    wire::Encoder(connection.out).view(request.path);
  } else {
    wire::Encoder(connection.out).view(auth::standard_utf8(request.path));
  }
  return Code::Ok;
}

Code Reads::who_am_i(Connection& connection) const {
  wire::Encoder body(connection.out);
  body.i32(static_cast<int32_t>(who_.size()));
  for (const auth::Identity& identity : who_) {
    body.view(identity.scheme);
    body.view(auth_.user_name(identity));
  }
  return Code::Ok;
}

Reads::Found Reads::find_readable(std::string_view path) const {
  const tree::NodeRef node = tree_.find(path);
  if (node == tree::kNoNode) return {};
  if (!access_.permits(tree_.acl_of(node), wire::kPermRead, who_)) return {Code::NoAuth};
  return {Code::Ok, node};
}

void Reads::append_data(tree::NodeRef node, ByteBuffer& out) const {
  const std::string_view data = tree_.data_of(node);
  char* at = out.grow(4 + data.size() + kStatBytes);
  wire::store_be32(at, wire::is_absent(data) ? UINT32_MAX : static_cast<uint32_t>(data.size()));
  if (!data.empty()) std::memcpy(at + 4, data.data(), data.size());
  store_stat(at + 4 + data.size(), tree_.client_stat(node));
}

void Reads::append_children(tree::NodeRef node, ByteBuffer& out) const {
  const size_t count_at = out.size();
  out.grow(4);
  wire::Encoder body(out);
  uint32_t count = 0;
  for (tree::NodeRef child = tree_.first_child(node); child != tree::kNoNode; child = tree_.next_sibling(child)) {
    body.view(tree_.name_of(child));
    ++count;
  }
  wire::store_be32(out.data() + count_at, count);
}

}  // namespace quorate::replica
