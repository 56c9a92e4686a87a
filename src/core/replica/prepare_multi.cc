#include "base/planted.h"
#include "core/replica/prepare_state.h"

/// All parts share one zxid and see what the parts before them did; the first refusal undoes them all, and is logged
/// all the same. Spec: client 6.3; disk 2.3.
namespace quorate::replica {
namespace {

constexpr size_t kKeptParts = 4096;

void write_error_part(wire::Encoder& out, wire::Code code) {
  out.i32(static_cast<int32_t>(wire::Op::Error));
  out.i32(4);
  out.i32(static_cast<int32_t>(code));
}

}  // namespace

wire::Code Preparer::State::multi(Turn& turn, Prepared& prepared) {
  parts.clear();
  if (parts.capacity() > kKeptParts) parts = {};
  if (!decode_multi(turn.request.body, parts, prepared.create2_parts)) return wire::Code::MarshallingError;

  const size_t begin = turn.out.out().size();
  turn.out.i32(static_cast<int32_t>(parts.size()));
  wire::Code failure = wire::Code::Ok;
  size_t done = write_parts(turn, failure);
  if (too_long(turn.out.out().size() - begin + kTxnOverhead)) failure = wire::Code::MarshallingError;
  if (failure == wire::Code::Ok) return wire::Code::Ok;

  if (!planted(Planted::BadRollback)) pending.rollback();
  // A part that cannot be read or kept spoils the request as a whole; all other codes are that part's own.
  if (failure == wire::Code::MarshallingError) return failure;
  write_error_part(turn.out, failure);
  while (++done < parts.size()) write_error_part(turn.out, wire::Code::RuntimeInconsistency);
  prepared.create2_parts.clear();
  return wire::Code::Ok;
}

/// Writes parts up to the first that is refused, or to the end; returns how many.
size_t Preparer::State::write_parts(Turn& turn, wire::Code& failure) {
  ByteBuffer& batch = turn.out.out();
  for (size_t done = 0; done < parts.size(); ++done) {
    const size_t begin = batch.size();
    turn.out.i32(static_cast<int32_t>(parts[done].op));
    turn.out.i32(0);
    failure = judge(parts[done], turn);
    if (failure != wire::Code::Ok) {
      batch.truncate(begin);
      return done;
    }
    wire::store_be32(batch.data() + begin + 4, static_cast<uint32_t>(batch.size() - begin - 8));
  }
  return parts.size();
}

}  // namespace quorate::replica
