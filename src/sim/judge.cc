#include "sim/judge.h"

#include <fmt/format.h>

#include "sim/quota.h"
#include "wire/client.h"

namespace quorate::sim {
namespace {

using wire::Code;
using wire::CreateMode;
using wire::Event;
using wire::Op;

bool is_ttl(CreateMode mode) {
  return mode == CreateMode::PersistentTtl || mode == CreateMode::PersistentSequentialTtl;
}

bool is_sequential(CreateMode mode) {
  return mode == CreateMode::PersistentSequential || mode == CreateMode::EphemeralSequential ||
         mode == CreateMode::PersistentSequentialTtl;
}

bool is_undeletable(const std::string& path) {
  return path == "/" || path == "/zookeeper" || path == "/zookeeper/quota" || path == "/zookeeper/config";
}

/// How much longer than its content a txn, or a part of one, may be.
constexpr size_t kMostOverhead = 128;

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

void Judge::begin(const Moment& moment) {
  moment_ = moment;
  part_ = 0;
  content_bytes_ = 0;
  changes_.clear();
}

Judged Judge::request(const Request& request, const Moment& moment) {
  if (request.op == Op::CloseSession) return close_session(moment);
  begin(moment);
  if (request.op == Op::Multi) return multi(request);
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

/// What spoils a multi as a whole leaves one outcome, whichever part it was.
bool Judge::came_to(Code code) const {
  const size_t part = moment_.outcomes.size() == 1 ? 0 : part_;
  return part < moment_.outcomes.size() && moment_.outcomes[part] == code;
}

Code Judge::check_quota(const std::string& path, int64_t nodes, int64_t bytes) const {
  if (!model_.rules.enforce_quota) return Code::Ok;
  const QuotaAnswer answer = ask_quota(model_, path, {nodes, bytes}, moment_.applied);
  const bool over = answer == QuotaAnswer::Over || (answer == QuotaAnswer::Either && came_to(Code::QuotaExceeded));
  return over ? Code::QuotaExceeded : Code::Ok;
}

/// The exact length is the server's affair; one that it takes although it is too long is found where it is logged.
bool Judge::too_long(size_t content_bytes, size_t parts) const {
  const size_t most = content_bytes + kMostOverhead * parts;
  return content_bytes > model_.rules.longest_txn ||
         (most > model_.rules.longest_txn && came_to(Code::MarshallingError));
}

Code Judge::check_mode(const Ask& ask) const {
  const auto mode = static_cast<CreateMode>(ask.flags);
  if (is_ttl(mode) && !model_.rules.extended_types) return Code::Unimplemented;
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
  const auto data_bytes = static_cast<int64_t>(ask.data == nullptr ? 0 : ask.data->size());
  if (const Code quota = check_quota(path, 1, data_bytes); quota != Code::Ok) return quota;
  const size_t content = path.size() + static_cast<size_t>(data_bytes) + encode_acl(*acl).size();
  if (too_long(content)) return Code::MarshallingError;
  content_bytes_ += content;

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
  const size_t data_bytes = ask.data == nullptr ? 0 : ask.data->size();
  const Code quota = check_quota(ask.path, 0, static_cast<int64_t>(data_bytes) - node->data_bytes());
  if (quota != Code::Ok) return quota;
  if (ask.version != -1 && ask.version != node->stat.version) return Code::BadVersion;
  content_bytes_ += ask.path.size() + data_bytes;
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
  const size_t content = ask.path.size() + encode_acl(*acl).size();
  if (too_long(content)) return Code::MarshallingError;
  content_bytes_ += content;
  NodeVersion& now = model_.edit(ask.path, moment_.zxid);
  ++now.stat.aversion;
  now.acl = acl;
  return Code::Ok;
}

Code Judge::remove(const Ask& ask, const std::string& who) {
  if (is_undeletable(ask.path)) return Code::BadArguments;
  const NodeVersion* parent = model_.newest(parent_path(ask.path));
  if (parent == nullptr) return Code::NoNode;
  if (!permits(parent->acl, wire::kPermDelete, who)) return Code::NoAuth;
  const NodeVersion* node = model_.newest(ask.path);
  if (node == nullptr) return Code::NoNode;
  if (ask.version != -1 && ask.version != node->stat.version) return Code::BadVersion;
  if (node->children > 0) return Code::NotEmpty;
  content_bytes_ += ask.path.size();
  remove_node(ask.path);
  return Code::Ok;
}

Code Judge::check(const Ask& ask, const std::string& who) {
  const NodeVersion* node = model_.newest(ask.path);
  if (node == nullptr) return Code::NoNode;
  if (!permits(node->acl, wire::kPermRead, who)) return Code::NoAuth;
  if (ask.version != -1 && ask.version != node->stat.version) return Code::BadVersion;
  content_bytes_ += ask.path.size();
  return Code::Ok;
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

Judged Judge::multi(const Request& request) {
  ByteBuffer bytes;
  wire::Encoder out(bytes);
  Code failure = Code::Ok;
  for (; part_ < request.parts.size(); ++part_) {
    const Ask& part = request.parts[part_];
    failure = write(part, request.who);
    if (failure != Code::Ok) break;
    const bool with_stat = is_create(part.op) && part.op != Op::Create;
    // A create of a container in a multi was told by its flags only; its answer is a create2's.
    const bool container = part.op == Op::Create && part.flags == static_cast<int32_t>(CreateMode::Container);
    Ask shown = part;
    if (with_stat || container) shown.op = Op::Create2;
    wire::encode(out, wire::MultiHeader{static_cast<int32_t>(shown.op), false, 0});
    out.raw(result_of(shown));
  }
  wire::encode(out, wire::MultiHeader{-1, true, -1});
  const size_t failed = part_;
  // Its outcome as a whole, where it has no parts.
  if (moment_.outcomes.size() == 1) part_ = 0;
  const bool spoiled = failure == Code::MarshallingError || too_long(content_bytes_, failed + 1);
  if (failure == Code::Ok && !spoiled) return {Code::Ok, std::string(bytes.view()), std::move(changes_)};
  model_.roll_back_to(moment_.zxid - 1);
  if (spoiled) return {Code::MarshallingError, {}, {}};
  return {Code::Ok, failed_parts(request.parts.size(), failed, failure), {}};
}

std::string Judge::failed_parts(size_t count, size_t failed, Code code) const {
  ByteBuffer bytes;
  wire::Encoder out(bytes);
  for (size_t i = 0; i < count; ++i) {
    const Code part = i < failed ? Code::Ok : i == failed ? code : Code::RuntimeInconsistency;
    wire::encode(out, wire::MultiHeader{-1, false, static_cast<int32_t>(part)});
    out.i32(static_cast<int32_t>(part));
  }
  wire::encode(out, wire::MultiHeader{-1, true, -1});
  return std::string(bytes.view());
}

Judged Judge::close_session(const Moment& moment) {
  begin(moment);
  for (const std::string& path : model_.ephemerals_of(moment.session, INT64_MAX)) remove_node(path);
  const auto session = model_.sessions.find(moment.session);
  if (session != model_.sessions.end()) session->second.closed_zxid = moment.zxid;
  return {Code::Ok, {}, std::move(changes_)};
}

Judged Judge::delete_container(const std::string& path, const Moment& moment) {
  begin(moment);
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
