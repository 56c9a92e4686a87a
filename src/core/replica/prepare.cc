#include "core/replica/prepare.h"

#include <algorithm>

#include "base/planted.h"
#include "core/replica/prepare_state.h"
#include "core/tree/quota.h"
#include "wire/client.h"
#include "wire/log_record.h"
#include "wire/txn.h"

namespace quorate::replica {
namespace {

using namespace std::string_view_literals;

constexpr size_t kHeaderBytes = 32;
constexpr size_t kTypeOffset = 28;  ///< In the header.
constexpr int32_t kDigestVersion = 2;

/// An absent list permits; a list that its node names but the table lacks must not (tree/acl_table.h). Perms 0 grants
/// nothing to anyone, and still lets super and skipACL through.
constexpr std::string_view kDenyAll = "\0\0\0\1\0\0\0\0\0\0\0\5world\0\0\0\6anyone"sv;

void write_header(const WriteRequest& request, Zxid zxid, Now now, ByteBuffer& batch) {
  char* at = batch.grow(kHeaderBytes);
  wire::store_be64(at, static_cast<uint64_t>(request.session.value));
  wire::store_be32(at + 8, static_cast<uint32_t>(request.xid));
  wire::store_be64(at + 12, static_cast<uint64_t>(zxid.value));
  wire::store_be64(at + 20, static_cast<uint64_t>(now.wall_ms));
  wire::store_be32(at + kTypeOffset, static_cast<uint32_t>(request.op));
}

/// Turns the txn begun at `header` into an error txn, which has no digest. Spec: disk 2.3.
void write_error(ByteBuffer& batch, size_t header, wire::Code code) {
  batch.truncate(header + kHeaderBytes);
  wire::store_be32(batch.data() + header + kTypeOffset, static_cast<uint32_t>(wire::Op::Error));
  wire::Encoder(batch).i32(static_cast<int32_t>(code));
}

void write_digest(ByteBuffer& batch, uint64_t digest) {
  wire::Encoder out(batch);
  out.i32(kDigestVersion);
  out.i64(static_cast<int64_t>(digest));
}

}  // namespace

Preparer::Preparer(const tree::Tree& tree, session::SessionTable& sessions, const auth::Auth& auth,
                   const ReplicaSettings& settings)
    : state_(std::make_unique<State>(tree, sessions, auth, settings)) {}
Preparer::~Preparer() = default;

Prepared Preparer::prepare(const WriteRequest& request, Zxid zxid, Now now, ByteBuffer& batch) {
  State& state = *state_;
  const size_t record = wire::begin_record(batch);
  const size_t header = batch.size();
  write_header(request, zxid, now, batch);
  state.pending.begin(zxid, request.op == wire::Op::Multi);

  Turn turn{request, zxid, now, wire::Encoder(batch)};
  Prepared prepared;
  prepared.code = request.refused != wire::Code::Ok ? request.refused : state.dispatch(turn, prepared);
  if (prepared.code == wire::Code::Ok) {
    prepared.txn_type = request.op;
    if (state.settings.digest) write_digest(batch, state.pending.digest());
  } else {
    write_error(batch, header, prepared.code);
    prepared.create2_parts.clear();
  }
  wire::end_record(batch, record);
  return prepared;
}

void Preparer::on_applied(Zxid zxid) { state_->pending.on_applied(zxid); }
size_t Preparer::pending_paths() const { return state_->pending.size(); }
uint64_t Preparer::pending_digest() const { return state_->pending.digest(); }

wire::Code Preparer::State::dispatch(Turn& turn, Prepared& prepared) {
  const bool from_server = turn.request.origin == Origin::Server;
  switch (turn.request.op) {
    case wire::Op::Create:
    case wire::Op::Create2:
    case wire::Op::CreateContainer:
    case wire::Op::CreateTtl:
    case wire::Op::Delete:
    case wire::Op::SetData:
    case wire::Op::SetAcl:
      return single(turn.request.op, turn);
    case wire::Op::Multi:
      return multi(turn, prepared);
    case wire::Op::Reconfig:
      return reconfig(turn);
    case wire::Op::CloseSession:
      close_session(turn);
      return wire::Code::Ok;
    case wire::Op::CreateSession:
      return from_server ? create_session(turn) : wire::Code::Unimplemented;
    case wire::Op::DeleteContainer:
      return from_server ? single(turn.request.op, turn) : wire::Code::Unimplemented;
    default:
      return wire::Code::Unimplemented;
  }
}

wire::Code Preparer::State::single(wire::Op op, Turn& turn) {
  Ask ask;
  ask.op = op;
  wire::Decoder in(turn.request.body);
  return decode_ask(in, ask) ? judge(ask, turn) : wire::Code::MarshallingError;
}

wire::Code Preparer::State::judge(const Ask& ask, Turn& turn) {
  switch (ask.op) {
    case wire::Op::Delete:
      return remove(ask, turn);
    case wire::Op::DeleteContainer:
      return remove_container(ask, turn);
    case wire::Op::SetData:
      return set_data(ask, turn);
    case wire::Op::SetAcl:
      return set_acl(ask, turn);
    case wire::Op::Check:
      return check(ask, turn);
    case wire::Op::Error:
      return wire::Code::MarshallingError;
    default:
      return create(ask, turn);
  }
}

// Spec: client 4.8, up to where a standalone server stops.
wire::Code Preparer::State::reconfig(const Turn& turn) {
  wire::ReconfigRequest record;
  wire::Decoder in(turn.request.body);
  if (!wire::decode(in, record)) return wire::Code::MarshallingError;
  if (!settings.reconfig_enabled) return wire::Code::ReconfigDisabled;
  const wire::Code session = check_session(turn.request, false);
  return session != wire::Code::Ok ? session : wire::Code::Unimplemented;
}

wire::Code Preparer::State::check_session(const WriteRequest& request, bool for_ephemeral) const {
  if (request.of_local_session) return for_ephemeral ? wire::Code::EphemeralOnLocalSession : wire::Code::Ok;
  switch (sessions.state(request.session)) {
    case session::Touch::Ok:
      return wire::Code::Ok;
    case session::Touch::Closing:
      return wire::Code::SessionExpired;
    case session::Touch::Unknown:
      break;
  }
  const bool expired = for_ephemeral || settings.in_ensemble;
  return expired ? wire::Code::SessionExpired : wire::Code::UnknownSession;
}

bool Preparer::State::permits(const Pending::Seen& seen, int32_t wanted, const Turn& turn) const {
  if (pending.acl_is_open(seen)) return true;
  const std::string_view raw = pending.acl_raw(seen);
  const wire::AclVector list = wire::AclVector::trusted(raw.empty() ? kDenyAll : raw);
  return auth.permits(list, wanted, turn.request.who);
}

wire::Code Preparer::State::fix_acl(const wire::AclVector& list, const Turn& turn) {
  acl.clear();
  return auth.fix_up(list, turn.request.who, acl);
}

bool Preparer::State::over_quota(std::string_view path, int64_t count_delta, int64_t bytes_delta) const {
  return tree::check_quota(tree, path, count_delta, bytes_delta) == tree::QuotaCheck::OverHard;
}

bool Preparer::State::too_long(size_t bytes) const {
  const auto frame = static_cast<uint64_t>(std::max(settings.max_frame_bytes, 0));
  return bytes > frame + std::max<uint64_t>(frame, 1024) && !planted(Planted::TooLongLogged);
}

}  // namespace quorate::replica
