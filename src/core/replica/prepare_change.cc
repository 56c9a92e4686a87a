#include <algorithm>

#include "core/replica/cleaner.h"
#include "core/replica/path_rule.h"
#include "core/replica/prepare_state.h"
#include "core/tree/digest.h"

/// delete, deleteContainer, setData, setACL, check. Spec: client 4.3 to 4.6, 5.6.
namespace quorate::replica {
namespace {

bool version_fits(int32_t wanted, int32_t current) { return wanted == -1 || wanted == current; }

/// Wraps as a 32-bit int does.
int32_t next_version(int32_t version) { return static_cast<int32_t>(static_cast<uint32_t>(version) + 1); }

}  // namespace

wire::Code Preparer::State::remove(const Ask& ask, Turn& turn) {
  const wire::Code session = check_session(turn.request, false);
  if (session != wire::Code::Ok) return session;
  if (wire::is_absent(ask.path)) return wire::Code::MarshallingError;
  if (!may_delete(ask.path)) return wire::Code::BadArguments;
  const Pending::Seen parent = pending.look(parent_path(ask.path));
  if (!parent.exists) return wire::Code::NoNode;
  if (!permits(parent, wire::kPermDelete, turn)) return wire::Code::NoAuth;
  const Pending::Seen node = pending.look(ask.path);
  if (!node.exists) return wire::Code::NoNode;
  if (!version_fits(ask.version, pending.stat(node).version)) return wire::Code::BadVersion;
  if (pending.child_count(node) > 0) return wire::Code::NotEmpty;
  turn.out.view(ask.path);
  record_remove(parent, node, turn);
  return wire::Code::Ok;
}

wire::Code Preparer::State::remove_container(const Ask& ask, Turn& turn) {
  if (wire::is_absent(ask.path)) return wire::Code::MarshallingError;
  if (!may_delete(ask.path)) return wire::Code::BadArguments;
  const Pending::Seen node = pending.look(ask.path);
  if (!node.exists) return wire::Code::NoNode;
  if (pending.child_count(node) > 0) return wire::Code::NotEmpty;
  // Judged once more: a txn in flight may have renewed it, or put another node in its place.
  const wire::StatPersisted stat = pending.stat(node);
  const tree::OwnerKind kind =
      tree::owner_kind(stat.ephemeral_owner, {settings.extended_types, settings.emulate_353_ttl});
  if (!is_over(stat, kind, settings.cleaner, turn.now.wall_ms)) return wire::Code::BadVersion;
  turn.out.view(ask.path);
  record_remove(pending.look(parent_path(ask.path)), node, turn);
  return wire::Code::Ok;
}

void Preparer::State::record_remove(const Pending::Seen& parent, const Pending::Seen& node, const Turn& turn) {
  pending.change(parent, [&](NodeState& state) {
    --state.child_count;
    state.stat.pzxid = std::max(state.stat.pzxid, turn.zxid.value);
  });
  pending.change(node, [](NodeState& state) { state.exists = false; });
}

wire::Code Preparer::State::set_data(const Ask& ask, Turn& turn) {
  const wire::Code session = check_session(turn.request, false);
  if (session != wire::Code::Ok) return session;
  if (!valid_path(ask.path)) return wire::Code::BadArguments;
  const Pending::Seen node = pending.look(ask.path);
  if (!node.exists) return wire::Code::NoNode;
  if (!permits(node, wire::kPermWrite, turn)) return wire::Code::NoAuth;
  const auto bytes = static_cast<int64_t>(ask.data.size());
  const bool with_quota = settings.enforce_quota;
  if (with_quota && over_quota(ask.path, 0, bytes - pending.data_bytes(node))) return wire::Code::QuotaExceeded;
  const int32_t version = pending.stat(node).version;
  if (!version_fits(ask.version, version)) return wire::Code::BadVersion;

  turn.out.view(ask.path);
  turn.out.view(ask.data);
  turn.out.i32(next_version(version));
  pending.change(node, [&](NodeState& state) {
    state.stat.version = next_version(version);
    state.stat.mtime = turn.now.wall_ms;
    state.stat.mzxid = turn.zxid.value;
    state.data_bytes = bytes;
    if (settings.digest) state.content_crc = tree::content_checksum(node.path, ask.data);
  });
  return wire::Code::Ok;
}

wire::Code Preparer::State::set_acl(const Ask& ask, Turn& turn) {
  const wire::Code session = check_session(turn.request, false);
  if (session != wire::Code::Ok) return session;
  if (!valid_path(ask.path)) return wire::Code::BadArguments;
  if (const wire::Code fixed = fix_acl(ask.acl, turn); fixed != wire::Code::Ok) return fixed;
  const Pending::Seen node = pending.look(ask.path);
  if (!node.exists) return wire::Code::NoNode;
  if (!permits(node, wire::kPermAdmin, turn)) return wire::Code::NoAuth;
  const int32_t version = pending.stat(node).aversion;
  if (!version_fits(ask.version, version)) return wire::Code::BadVersion;
  if (too_long(ask.path.size() + acl.size() + kTxnOverhead)) return wire::Code::MarshallingError;

  turn.out.view(ask.path);
  turn.out.raw(acl.view());
  turn.out.i32(next_version(version));
  // Pending at once: a request behind this one is judged by the new list.
  pending.change(node, [&](NodeState& state) {
    state.stat.aversion = next_version(version);
    state.set_acl(acl.view());
  });
  return wire::Code::Ok;
}

/// Changes nothing. Compat: what is logged is the node's version plus one. Spec: disk 0.1.
wire::Code Preparer::State::check(const Ask& ask, Turn& turn) {
  const wire::Code session = check_session(turn.request, false);
  if (session != wire::Code::Ok) return session;
  if (!valid_path(ask.path)) return wire::Code::BadArguments;
  const Pending::Seen node = pending.look(ask.path);
  if (!node.exists) return wire::Code::NoNode;
  if (!permits(node, wire::kPermRead, turn)) return wire::Code::NoAuth;
  const int32_t version = pending.stat(node).version;
  if (!version_fits(ask.version, version)) return wire::Code::BadVersion;
  turn.out.view(ask.path);
  turn.out.i32(next_version(version));
  return wire::Code::Ok;
}

}  // namespace quorate::replica
