#include <fmt/format.h>

#include <iterator>

#include "core/replica/path_rule.h"
#include "core/replica/prepare_state.h"
#include "core/tree/digest.h"
#include "core/tree/owner_kind.h"

/// create, create2, createContainer, createTTL. Spec: client 4.2, 5.2 to 5.5.
namespace quorate::replica {
namespace {

bool is_ttl(wire::CreateMode mode) {
  return mode == wire::CreateMode::PersistentTtl || mode == wire::CreateMode::PersistentSequentialTtl;
}

bool is_sequential(const Ask& ask) {
  const auto mode = static_cast<wire::CreateMode>(ask.flags);
  return mode == wire::CreateMode::PersistentSequential || mode == wire::CreateMode::EphemeralSequential ||
         mode == wire::CreateMode::PersistentSequentialTtl;
}

/// The opcode, not the flags, says what is made. Spec: client 4.2; disk 3.4.
int64_t owner_of(const Ask& ask, SessionId session) {
  if (ask.op == wire::Op::CreateContainer) return wire::kContainerOwner;
  if (ask.op == wire::Op::CreateTtl) return tree::ttl_owner(ask.ttl);
  return is_ephemeral(ask) ? session.value : 0;
}

/// The parent's next creation count. Counts as a 32-bit int does: the value after the largest is the smallest.
int32_t next_count(int32_t created) { return static_cast<int32_t>(static_cast<uint32_t>(created) + 1); }

/// Decimal, zero padded to ten characters, a minus sign counting as one. Spec: client 5.4.
void append_suffix(std::string& path, int32_t created) { fmt::format_to(std::back_inserter(path), "{:010}", created); }

}  // namespace

wire::Code Preparer::State::create(const Ask& ask, Turn& turn) {
  if (const wire::Code mode = check_mode(ask); mode != wire::Code::Ok) return mode;
  const wire::Code session = check_session(turn.request, is_ephemeral(ask));
  if (session != wire::Code::Ok) return session;
  if (wire::is_absent(ask.path)) return wire::Code::MarshallingError;
  if (!may_name_parent(ask.path)) return wire::Code::BadArguments;
  if (const wire::Code fixed = fix_acl(ask.acl, turn); fixed != wire::Code::Ok) return fixed;
  const Pending::Seen parent = pending.look(parent_path(ask.path));
  if (!parent.exists) return wire::Code::NoNode;
  if (!permits(parent, wire::kPermCreate, turn)) return wire::Code::NoAuth;

  const wire::StatPersisted above = pending.stat(parent);
  const std::string_view path = final_path(ask, above.cversion);
  if (!valid_path(path)) return wire::Code::BadArguments;
  const Pending::Seen node = pending.look(path);
  if (node.exists) return wire::Code::NodeExists;
  if (pending.is_session(above.ephemeral_owner)) return wire::Code::NoChildrenForEphemerals;
  const bool with_quota = settings.enforce_quota;
  if (with_quota && over_quota(path, 1, static_cast<int64_t>(ask.data.size()))) return wire::Code::QuotaExceeded;
  if (too_long(path.size() + ask.data.size() + acl.size() + kTxnOverhead)) return wire::Code::MarshallingError;

  write_create(ask, turn, path, next_count(above.cversion));
  record_create(ask, turn, parent, node);
  return wire::Code::Ok;
}

/// Steps 2 to 4. A createTTL without a TTL mode would kill the servers that apply it (HARDEN-1).
wire::Code Preparer::State::check_mode(const Ask& ask) const {
  if (ask.flags < 0 || ask.flags > 6) return wire::Code::BadArguments;
  const bool ttl_mode = is_ttl(static_cast<wire::CreateMode>(ask.flags));
  if (ttl_mode && !settings.extended_types) return wire::Code::Unimplemented;
  if (ttl_mode != (ask.op == wire::Op::CreateTtl)) return wire::Code::BadArguments;
  const bool ttl_fits = !ttl_mode || (ask.ttl >= 1 && ask.ttl <= wire::kMaxTtl);
  return ttl_fits ? wire::Code::Ok : wire::Code::BadArguments;
}

std::string_view Preparer::State::final_path(const Ask& ask, int32_t created) {
  if (!is_sequential(ask)) return ask.path;
  sequential.assign(ask.path);
  append_suffix(sequential, created);
  return sequential;
}

void Preparer::State::record_create(const Ask& ask, const Turn& turn, const Pending::Seen& parent,
                                    const Pending::Seen& node) {
  // As apply does it: the count is only ever raised, so where it wraps the parent stays as it is. Spec: disk 3.4.
  pending.change(parent, [&](NodeState& state) {
    ++state.child_count;
    const int32_t count = next_count(state.stat.cversion);
    if (count < state.stat.cversion) return;
    state.stat.cversion = count;
    state.stat.pzxid = turn.zxid.value;
  });
  pending.change(node, [&](NodeState& state) {
    state.exists = true;
    state.stat = {};
    state.stat.czxid = state.stat.mzxid = state.stat.pzxid = turn.zxid.value;
    state.stat.ctime = state.stat.mtime = turn.now.wall_ms;
    state.stat.ephemeral_owner = owner_of(ask, turn.request.session);
    state.child_count = 0;
    state.data_bytes = static_cast<int64_t>(ask.data.size());
    if (settings.digest) state.content_crc = tree::content_checksum(node.path, ask.data);
    state.set_acl(acl.view());
  });
}

void Preparer::State::write_create(const Ask& ask, Turn& turn, std::string_view path, int32_t parent_cversion) {
  turn.out.view(path);
  turn.out.view(ask.data);
  turn.out.raw(acl.view());
  const bool may_be_ephemeral = ask.op == wire::Op::Create || ask.op == wire::Op::Create2;
  if (may_be_ephemeral) turn.out.boolean(is_ephemeral(ask));
  turn.out.i32(parent_cversion);
  if (ask.op == wire::Op::CreateTtl) turn.out.i64(ask.ttl);
}

}  // namespace quorate::replica
