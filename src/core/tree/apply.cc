#include "core/tree/apply.h"

#include <algorithm>
#include <utility>

#include "core/tree/txn_records.h"

namespace quorate::tree {
namespace {

using wire::Code;
using wire::Event;
using wire::Op;

constexpr int32_t kDigestVersion = 2;

/// What a create record of any type comes to.
struct Creation {
  Op op;
  std::string_view path;
  std::string_view data;
  wire::AclVector acl;
  int64_t owner = 0;
  int32_t parent_c_version = 0;
};

/// One txn being applied: its header and where its results go.
class Applier {
 public:
  Applier(Tree& tree, SessionList& sessions, const wire::TxnHeader& header, Applied& out)
      : tree_(tree), sessions_(sessions), header_(header), out_(out) {}

  void top_level(const TxnView& txn);

 private:
  PartResult part(Op op, std::string_view body);
  PartResult create(const Creation& creation);
  PartResult create_plain(Op op, wire::Decoder& in);
  PartResult create_container(wire::Decoder& in);
  PartResult create_ttl(wire::Decoder& in);
  PartResult remove(Op op, wire::Decoder& in);
  PartResult set_data(Op op, wire::Decoder& in);
  PartResult set_acl(wire::Decoder& in);
  PartResult check(wire::Decoder& in);
  PartResult error(wire::Decoder& in);
  void multi(std::string_view body);
  void failed_multi(const wire::MultiTxn& multi);
  void close_session(const TxnView& txn);

  Code remove_path(std::string_view path);
  void remove_node(NodeRef node, std::string_view path);
  void remove_subtree(NodeRef top);
  void raise_parent(NodeRef parent, int32_t parent_c_version);
  void use_acl(NodeRef node, AclId acl);
  void keep_until_released(AclId acl);
  void changed(Event event, std::string_view path, NodeRef node);

  Tree& tree_;
  SessionList& sessions_;
  const wire::TxnHeader& header_;
  Applied& out_;
};

void Applier::top_level(const TxnView& txn) {
  const Op op{header_.type};
  PartResult result{.op = op};
  switch (op) {
    case Op::Multi:
      return multi(txn.body);
    case Op::CloseSession:
      close_session(txn);
      break;
    case Op::CreateSession: {
      wire::Decoder in(txn.body);
      wire::CreateSessionTxn session;
      wire::decode(in, session);
      sessions_.add(header_.client_id, session.time_out);
      break;
    }
    default:
      result = part(op, txn.body);
  }
  out_.parts.push_back(result);
}

PartResult Applier::part(Op op, std::string_view body) {
  wire::Decoder in(body);
  switch (op) {
    case Op::Create:
    case Op::Create2:
      return create_plain(op, in);
    case Op::CreateContainer:
      return create_container(in);
    case Op::CreateTtl:
      return create_ttl(in);
    case Op::Delete:
    case Op::DeleteContainer:
      return remove(op, in);
    case Op::SetData:
    case Op::Reconfig:
      return set_data(op, in);
    case Op::SetAcl:
      return set_acl(in);
    case Op::Check:
      return check(in);
    default:
      return error(in);
  }
}

PartResult Applier::create_plain(Op op, wire::Decoder& in) {
  CreateFields fields;
  if (op == Op::Create) {
    decode_create(in, fields);
  } else {
    wire::CreateTxn txn;
    wire::decode(in, txn);
    fields = {txn.path, txn.data, txn.acl, txn.ephemeral, txn.parent_c_version};
  }
  const int64_t owner = fields.ephemeral ? header_.client_id.value : 0;
  return create({op, fields.path, fields.data, fields.acl, owner, fields.parent_c_version});
}

PartResult Applier::create_container(wire::Decoder& in) {
  wire::CreateContainerTxn txn;
  wire::decode(in, txn);
  return create({Op::CreateContainer, txn.path, txn.data, txn.acl, wire::kContainerOwner, txn.parent_c_version});
}

PartResult Applier::create_ttl(wire::Decoder& in) {
  wire::CreateTtlTxn txn;
  wire::decode(in, txn);
  return create({Op::CreateTtl, txn.path, txn.data, txn.acl, ttl_owner(txn.ttl), txn.parent_c_version});
}

PartResult Applier::create(const Creation& creation) {
  PartResult result{.op = creation.op, .path = creation.path};
  const Tree::Spot spot = tree_.locate(creation.path);
  if (spot.parent == kNoNode) {
    result.code = Code::NoNode;
    return result;
  }
  const AclId acl = tree_.acls().intern(creation.acl.raw());
  if (spot.node != kNoNode) {
    // Replay over a fuzzy snapshot: what the snapshot has of the node may be older than its parent. Spec: disk 3.4.
    use_acl(spot.node, acl);
    if (creation.op == Op::Create) raise_parent(spot.parent, creation.parent_c_version);
    result.code = Code::NodeExists;
    return result;
  }
  raise_parent(spot.parent, creation.parent_c_version);
  const int64_t zxid = header_.zxid.value;
  wire::StatPersisted stat{.czxid = zxid, .mzxid = zxid, .ctime = header_.time, .mtime = header_.time};
  stat.pzxid = zxid;
  stat.ephemeral_owner = creation.owner;
  const NodeRef node = tree_.insert(spot, {creation.path, creation.data, acl, stat});
  changed(Event::Created, creation.path, node);
  result.stat = tree_.client_stat(node);
  return result;
}

void Applier::raise_parent(NodeRef parent, int32_t parent_c_version) {
  wire::StatPersisted stat = tree_.stored_stat(parent);
  const auto one_more = static_cast<int32_t>(static_cast<uint32_t>(stat.cversion) + 1);
  const int32_t wanted = parent_c_version == -1 ? one_more : parent_c_version;
  if (wanted <= stat.cversion) return;
  stat.cversion = wanted;
  stat.pzxid = header_.zxid.value;
  tree_.set_stat(parent, stat);
}

PartResult Applier::remove(Op op, wire::Decoder& in) {
  wire::DeleteTxn txn;
  wire::decode(in, txn);
  return {.op = op, .code = remove_path(txn.path), .path = txn.path};
}

Code Applier::remove_path(std::string_view path) {
  const Tree::Spot spot = tree_.locate(path);
  if (spot.parent == kNoNode) return Code::NoNode;
  wire::StatPersisted stat = tree_.stored_stat(spot.parent);
  if (header_.zxid.value > stat.pzxid) {
    stat.pzxid = header_.zxid.value;
    tree_.set_stat(spot.parent, stat);
  }
  if (spot.node == kNoNode) return Code::NoNode;
  remove_node(spot.node, path);
  return Code::Ok;
}

void Applier::remove_node(NodeRef node, std::string_view path) {
  // Only in replay over a fuzzy snapshot can there be children: later creates brought them, and will again.
  if (tree_.child_count(node) > 0) remove_subtree(node);
  keep_until_released(tree_.acl_of(node));
  changed(Event::Deleted, path, node);
  tree_.erase(node);
}

void Applier::remove_subtree(NodeRef top) {
  while (tree_.child_count(top) > 0) {
    NodeRef leaf = tree_.first_child(top);
    while (tree_.first_child(leaf) != kNoNode) leaf = tree_.first_child(leaf);
    keep_until_released(tree_.acl_of(leaf));
    tree_.erase(leaf);
  }
}

PartResult Applier::set_data(Op op, wire::Decoder& in) {
  wire::SetDataTxn txn;
  wire::decode(in, txn);
  PartResult result{.op = op, .path = txn.path};
  const NodeRef node = wire::is_absent(txn.path) ? kNoNode : tree_.find(txn.path);
  if (node == kNoNode) {
    result.code = Code::NoNode;
    return result;
  }
  wire::StatPersisted stat = tree_.stored_stat(node);
  stat.mtime = header_.time;
  stat.mzxid = header_.zxid.value;
  stat.version = txn.version;
  tree_.set_data_and_stat(node, txn.data, stat);
  changed(Event::DataChanged, txn.path, node);
  result.stat = tree_.client_stat(node);
  return result;
}

PartResult Applier::set_acl(wire::Decoder& in) {
  wire::SetAclTxn txn;
  wire::decode(in, txn);
  PartResult result{.op = Op::SetAcl, .path = txn.path};
  const NodeRef node = wire::is_absent(txn.path) ? kNoNode : tree_.find(txn.path);
  if (node == kNoNode) {
    result.code = Code::NoNode;
    return result;
  }
  wire::StatPersisted stat = tree_.stored_stat(node);
  stat.aversion = txn.version;
  tree_.set_stat(node, stat);
  use_acl(node, tree_.acls().intern(txn.acl.raw()));
  result.stat = tree_.client_stat(node);
  return result;
}

PartResult Applier::check(wire::Decoder& in) {
  wire::CheckVersionTxn txn;
  wire::decode(in, txn);
  return {.op = Op::Check, .path = txn.path};
}

PartResult Applier::error(wire::Decoder& in) {
  wire::ErrorTxn txn;
  wire::decode(in, txn);
  return {.op = Op::Error, .code = Code{txn.err}};
}

void Applier::multi(std::string_view body) {
  wire::Decoder in(body);
  wire::MultiTxn multi;
  wire::decode(in, multi);
  bool failed = false;
  multi.parts.each([&failed](const wire::TxnPart& part) { failed = failed || Op{part.type} == Op::Error; });
  if (failed) return failed_multi(multi);
  multi.parts.each([this](const wire::TxnPart& sub) { out_.parts.push_back(part(Op{sub.type}, sub.data)); });
}

/// Nothing is applied; parts before the one that failed answer 0, those after it -2. Spec: client 6.3, disk 2.3.
void Applier::failed_multi(const wire::MultiTxn& multi) {
  bool failed = false;
  multi.parts.each([this, &failed](const wire::TxnPart& sub) {
    PartResult result{.op = Op::Error, .code = failed ? Code::RuntimeInconsistency : Code::Ok};
    if (Op{sub.type} == Op::Error) {
      wire::Decoder in(sub.data);
      result = error(in);
      failed = true;
    }
    out_.parts.push_back(result);
  });
}

void Applier::close_session(const TxnView& txn) {
  sessions_.remove(header_.client_id);
  if (!txn.body_absent) {
    wire::Decoder in(txn.body);
    wire::CloseSessionTxn listed;
    wire::decode(in, listed);
    listed.paths_to_delete.each([this](const wire::StringItem& path) { remove_path(path.text); });
  }
  // Whatever else the session owns. The strings must not move: changes point into them.
  out_.kept_paths = tree_.ephemerals_of(header_.client_id);
  for (const std::string& path : out_.kept_paths) remove_path(path);
}

void Applier::use_acl(NodeRef node, AclId acl) {
  const AclId old = tree_.acl_of(node);
  if (old == acl) return;
  keep_until_released(old);
  tree_.set_acl(node, acl);
}

/// Events name the list by its id and are filtered after the txn: the last user's end must not forget it before.
void Applier::keep_until_released(AclId acl) {
  if (acl == kOpenAcl || tree_.acls().users(acl) > 1) return;
  tree_.acls().add_user(acl);
  out_.retired_acls.push_back(acl);
}

void Applier::changed(Event event, std::string_view path, NodeRef node) {
  const NodeRef parent = tree_.parent_of(node);
  const AclId parent_acl = parent == kNoNode ? kOpenAcl : tree_.acl_of(parent);
  out_.changes.push_back({event, path, tree_.acl_of(node), parent_acl});
}

}  // namespace

void Applied::clear() {
  changes.clear();
  parts.clear();
  kept_paths.clear();
  retired_acls.clear();
  has_digest = false;
  digest_matches = true;
}

void apply(Tree& tree, SessionList& sessions, const TxnView& txn, Applied& out) {
  Applier(tree, sessions, txn.header, out).top_level(txn);
  tree.set_last_zxid(std::max(tree.last_zxid(), txn.header.zxid));
  if (!txn.has_digest || txn.digest.version != kDigestVersion) return;
  out.has_digest = true;
  out.digest_matches = tree.digest() == static_cast<uint64_t>(txn.digest.tree_digest);
}

void release_acls(Tree& tree, Applied& out) {
  for (const AclId acl : out.retired_acls) tree.acls().drop_user(acl);
  out.retired_acls.clear();
}

}  // namespace quorate::tree
