#include "sim/judge.h"

#include <fmt/format.h>

#include "wire/client.h"

namespace quorate::sim {
namespace {

using wire::Code;
using wire::CreateMode;
using wire::Event;
using wire::Op;

bool is_create(Op op) {
  return op == Op::Create || op == Op::Create2 || op == Op::CreateContainer || op == Op::CreateTtl;
}

bool is_ttl(CreateMode mode) {
  return mode == CreateMode::PersistentTtl || mode == CreateMode::PersistentSequentialTtl;
}

bool is_sequential(CreateMode mode) {
  return mode == CreateMode::PersistentSequential || mode == CreateMode::EphemeralSequential ||
         mode == CreateMode::PersistentSequentialTtl;
}

bool is_system(const std::string& path) {
  return path == "/" || path == "/zookeeper" || path == "/zookeeper/quota" || path == "/zookeeper/config";
}

}  // namespace

AclPtr fixed_acl(const AclPtr& asked, const std::string& who) {
  if (asked == nullptr || asked->empty()) return nullptr;
  auto fixed = std::make_shared<Acl>();
  for (const AclEntry& entry : *asked) {
    if (entry.scheme != "auth") {
      fixed->push_back(entry);
    } else if (who.empty()) {
      return nullptr;
    } else {
      fixed->push_back({entry.perms, "digest", who});
    }
  }
  return fixed;
}

Judged Judge::request(const Request& request, const Moment& moment) {
  if (request.op == Op::Multi) return multi(request, moment);
  if (request.op == Op::CloseSession) return close_session(moment);
  moment_ = moment;
  changes_.clear();
  Judged judged;
  judged.code = write(request.ask, request.who);
  if (judged.code == Code::Ok) judged.body = result_of(request.ask);
  judged.changes = std::move(changes_);
  return judged;
}

Code Judge::write(const Ask& ask, const std::string& who) {
  switch (ask.op) {
    case Op::SetData:
      return set_data(ask, who);
    case Op::SetAcl:
      return set_acl(ask, who);
    case Op::Delete:
      return remove(ask, who);
    case Op::Check:
      return check(ask, who);
    default:
      return create(ask, who);
  }
}

Code Judge::check_mode(const Ask& ask) const {
  const auto mode = static_cast<CreateMode>(ask.flags);
  if (is_ttl(mode) && !model_.extended_types) return Code::Unimplemented;
  if (is_ttl(mode) && (ask.ttl < 1 || ask.ttl > wire::kMaxTtl)) return Code::BadArguments;
  return Code::Ok;
}

int64_t Judge::owner_of(const Ask& ask) const {
  const auto mode = static_cast<CreateMode>(ask.flags);
  if (mode == CreateMode::Container) return wire::kContainerOwner;
  if (is_ttl(mode)) return static_cast<int64_t>(wire::kTtlOwnerMark | static_cast<uint64_t>(ask.ttl));
  const bool ephemeral = mode == CreateMode::Ephemeral || mode == CreateMode::EphemeralSequential;
  return ephemeral ? moment_.session : 0;
}

Code Judge::create(const Ask& ask, const std::string& who) {
  if (const Code mode = check_mode(ask); mode != Code::Ok) return mode;
  const AclPtr acl = fixed_acl(ask.acl, who);
  if (acl == nullptr) return Code::InvalidAcl;
  const std::string above = parent_path(ask.path);
  const NodeVersion* parent = model_.newest(above);
  if (parent == nullptr) return Code::NoNode;
  if (!permits(parent->acl, wire::kPermCreate, who)) return Code::NoAuth;
  std::string path = ask.path;
  if (is_sequential(static_cast<CreateMode>(ask.flags))) path += fmt::format("{:010}", parent->stat.cversion);
  if (model_.newest(path) != nullptr) return Code::NodeExists;
  if (model_.is_ephemeral(*parent)) return Code::NoChildrenForEphemerals;

  NodeVersion& parent_now = model_.edit(above, moment_.zxid);
  ++parent_now.children;
  ++parent_now.stat.cversion;
  parent_now.stat.pzxid = moment_.zxid;
  NodeVersion& node = model_.edit(path, moment_.zxid);
  node.exists = true;
  node.stat = {.czxid = moment_.zxid, .mzxid = moment_.zxid, .ctime = moment_.time, .mtime = moment_.time};
  node.stat.pzxid = moment_.zxid;
  node.stat.ephemeral_owner = owner_of(ask);
  node.children = 0;
  node.data = ask.data;
  node.acl = acl;
  made_path_ = path;
  changed(Event::Created, path);
  return Code::Ok;
}

Code Judge::set_data(const Ask& ask, const std::string& who) {
  const NodeVersion* node = model_.newest(ask.path);
  if (node == nullptr) return Code::NoNode;
  if (!permits(node->acl, wire::kPermWrite, who)) return Code::NoAuth;
  if (ask.version != -1 && ask.version != node->stat.version) return Code::BadVersion;
  NodeVersion& now = model_.edit(ask.path, moment_.zxid);
  ++now.stat.version;
  now.stat.mzxid = moment_.zxid;
  now.stat.mtime = moment_.time;
  now.data = ask.data;
  changed(Event::DataChanged, ask.path);
  return Code::Ok;
}

Code Judge::set_acl(const Ask& ask, const std::string& who) {
  const AclPtr acl = fixed_acl(ask.acl, who);
  if (acl == nullptr) return Code::InvalidAcl;
  const NodeVersion* node = model_.newest(ask.path);
  if (node == nullptr) return Code::NoNode;
  if (!permits(node->acl, wire::kPermAdmin, who)) return Code::NoAuth;
  if (ask.version != -1 && ask.version != node->stat.aversion) return Code::BadVersion;
  NodeVersion& now = model_.edit(ask.path, moment_.zxid);
  ++now.stat.aversion;
  now.acl = acl;
  return Code::Ok;
}

Code Judge::remove(const Ask& ask, const std::string& who) {
  if (is_system(ask.path)) return Code::BadArguments;
  const NodeVersion* parent = model_.newest(parent_path(ask.path));
  if (parent == nullptr) return Code::NoNode;
  if (!permits(parent->acl, wire::kPermDelete, who)) return Code::NoAuth;
  const NodeVersion* node = model_.newest(ask.path);
  if (node == nullptr) return Code::NoNode;
  if (ask.version != -1 && ask.version != node->stat.version) return Code::BadVersion;
  if (node->children > 0) return Code::NotEmpty;
  remove_node(ask.path);
  return Code::Ok;
}

Code Judge::check(const Ask& ask, const std::string& who) {
  const NodeVersion* node = model_.newest(ask.path);
  if (node == nullptr) return Code::NoNode;
  if (!permits(node->acl, wire::kPermRead, who)) return Code::NoAuth;
  return ask.version == -1 || ask.version == node->stat.version ? Code::Ok : Code::BadVersion;
}

void Judge::remove_node(const std::string& path) {
  changed(Event::Deleted, path);
  NodeVersion& parent = model_.edit(parent_path(path), moment_.zxid);
  --parent.children;
  parent.stat.pzxid = moment_.zxid;
  model_.edit(path, moment_.zxid).exists = false;
}

void Judge::changed(Event event, const std::string& path) {
  changes_.push_back({event, path, model_.newest(path)->acl, model_.newest(parent_path(path))->acl});
}

std::string Judge::result_of(const Ask& ask) const {
  ByteBuffer bytes;
  wire::Encoder out(bytes);
  if (is_create(ask.op)) {
    out.view(made_path_);
    if (ask.op != Op::Create) wire::encode(out, model_.client_stat(*model_.newest(made_path_)));
  } else if (ask.op == Op::SetData || ask.op == Op::SetAcl) {
    wire::encode(out, model_.client_stat(*model_.newest(ask.path)));
  }
  return std::string(bytes.view());
}

Judged Judge::multi(const Request& request, const Moment& moment) {
  moment_ = moment;
  changes_.clear();
  ByteBuffer bytes;
  wire::Encoder out(bytes);
  size_t done = 0;
  Code failure = Code::Ok;
  for (; done < request.parts.size(); ++done) {
    const Ask& part = request.parts[done];
    failure = write(part, request.who);
    if (failure != Code::Ok) break;
    const bool with_stat = is_create(part.op) && part.op != Op::Create;
    // A create of a container in a multi was told by its flags only; its answer is a create2's.
    const bool container = part.op == Op::Create && part.flags == static_cast<int32_t>(CreateMode::Container);
    const Op type = with_stat || container ? Op::Create2 : part.op;
    wire::encode(out, wire::MultiHeader{static_cast<int32_t>(type), false, 0});
    Ask shown = part;
    shown.op = type;
    out.raw(result_of(shown));
  }
  if (failure != Code::Ok) {
    model_.roll_back_to(moment.zxid - 1);
    changes_.clear();
    bytes.clear();
    for (size_t i = 0; i < request.parts.size(); ++i) {
      const Code code = i < done ? Code::Ok : i == done ? failure : Code::RuntimeInconsistency;
      wire::encode(out, wire::MultiHeader{-1, false, static_cast<int32_t>(code)});
      out.i32(static_cast<int32_t>(code));
    }
  }
  wire::encode(out, wire::MultiHeader{-1, true, -1});
  return {Code::Ok, std::string(bytes.view()), std::move(changes_)};
}

Judged Judge::close_session(const Moment& moment) {
  moment_ = moment;
  changes_.clear();
  for (const std::string& path : model_.ephemerals_of(moment.session, INT64_MAX)) remove_node(path);
  const auto session = model_.sessions.find(moment.session);
  if (session != model_.sessions.end()) session->second.closed_zxid = moment.zxid;
  return {Code::Ok, {}, std::move(changes_)};
}

Judged Judge::delete_container(const std::string& path, const Moment& moment) {
  moment_ = moment;
  changes_.clear();
  const NodeVersion* node = model_.newest(path);
  if (node == nullptr) return {Code::NoNode, {}, {}};
  if (node->children > 0) return {Code::NotEmpty, {}, {}};
  const int64_t owner = node->stat.ephemeral_owner;
  const bool used_up = owner == wire::kContainerOwner && node->stat.cversion > 0;
  const bool timed_out = owner != 0 && owner != wire::kContainerOwner && !model_.is_ephemeral(*node) &&
                         moment.time - node->stat.mtime > (owner & wire::kMaxTtl);
  if (!used_up && !timed_out) return {Code::BadVersion, {}, {}};
  remove_node(path);
  return {Code::Ok, {}, std::move(changes_)};
}

}  // namespace quorate::sim
