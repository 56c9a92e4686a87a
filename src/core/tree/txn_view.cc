#include <fmt/format.h>

#include "core/tree/apply.h"
#include "core/tree/txn_records.h"

namespace quorate::tree {
namespace {

using wire::Op;

constexpr size_t kDigestBytes = 12;
constexpr int32_t kDigestVersion = 2;

template <class Record>
bool takes(wire::Decoder& in) {
  Record record;
  return wire::decode(in, record);
}

bool is_known_part(Op type) {
  switch (type) {
    case Op::Create:
    case Op::Create2:
    case Op::CreateContainer:
    case Op::CreateTtl:
    case Op::Delete:
    case Op::DeleteContainer:
    case Op::SetData:
    case Op::Check:
    case Op::Error:
      return true;
    default:
      return false;
  }
}

bool take_record(Op type, wire::Decoder& in);

bool take_multi(wire::Decoder& in) {
  wire::MultiTxn multi;
  if (!wire::decode(in, multi)) return false;
  bool good = true;
  multi.parts.each([&good](const wire::TxnPart& part) {
    wire::Decoder body(part.data);
    const Op type{part.type};
    good = good && is_known_part(type) && take_record(type, body);
  });
  return good;
}

bool take_create(wire::Decoder& in) {
  CreateFields fields;
  return decode_create(in, fields);
}

/// Steps over the record of `type`. closeSession is read elsewhere.
bool take_record(Op type, wire::Decoder& in) {
  switch (type) {
    case Op::CreateSession:
      return takes<wire::CreateSessionTxn>(in);
    case Op::Error:
      return takes<wire::ErrorTxn>(in);
    case Op::Create:
      return take_create(in);
    case Op::Create2:
      return takes<wire::CreateTxn>(in);
    case Op::CreateContainer:
      return takes<wire::CreateContainerTxn>(in);
    case Op::CreateTtl:
      return takes<wire::CreateTtlTxn>(in);
    case Op::Delete:
    case Op::DeleteContainer:
      return takes<wire::DeleteTxn>(in);
    case Op::SetData:
    case Op::Reconfig:
      return takes<wire::SetDataTxn>(in);
    case Op::SetAcl:
      return takes<wire::SetAclTxn>(in);
    case Op::Check:
      return takes<wire::CheckVersionTxn>(in);
    case Op::Multi:
      return take_multi(in);
    default:
      return false;
  }
}

bool is_top_level(Op type) {
  return type == Op::CreateSession || type == Op::CloseSession || type == Op::SetAcl || type == Op::Reconfig ||
         type == Op::Multi || (is_known_part(type) && type != Op::Check);
}

/// The body of before 3.6 is absent, with or without a digest behind it, and must not be taken for a list. Spec: disk
/// 2.3 rule 4.
void take_close_session(wire::Decoder& in, TxnView& txn) {
  wire::Decoder probe(in.rest());
  const bool listed = !in.ended() && takes<wire::CloseSessionTxn>(probe);
  const size_t left = probe.rest().size();
  txn.body_absent = !listed || (left > 0 && left < kDigestBytes);
  if (txn.body_absent) {
    const bool digest = in.rest().size() == kDigestBytes && wire::load_be32(in.position()) == kDigestVersion;
    if (!digest) in = wire::Decoder(in.rest().substr(in.rest().size()));
    return;
  }
  txn.body = in.rest().substr(0, in.rest().size() - left);
  in = wire::Decoder(in.rest().substr(txn.body.size()));
}

bool take_body(wire::Decoder& in, TxnView& txn, std::string& why) {
  const Op type{txn.header.type};
  if (!is_top_level(type)) {
    why = fmt::format("Unsupported Txn with type={}", txn.header.type);
    return false;
  }
  if (type == Op::CloseSession) {
    take_close_session(in, txn);
    return true;
  }
  const std::string_view rest = in.rest();
  if (!take_record(type, in)) {
    why = fmt::format("record of type {} is cut short or malformed", txn.header.type);
    return false;
  }
  txn.body = rest.substr(0, rest.size() - in.rest().size());
  return true;
}

}  // namespace

bool decode_create(wire::Decoder& in, CreateFields& fields) {
  const std::string_view rest = in.rest();
  wire::CreateTxn now;
  if (wire::decode(in, now)) {
    fields = {now.path, now.data, now.acl, now.ephemeral, now.parent_c_version};
    return true;
  }
  // A record of before 3.4 ends where the creation count would stand. Spec: disk 2.3 rule 3.
  in = wire::Decoder(rest);
  wire::CreateTxnV0 before;
  if (!wire::decode(in, before)) return false;
  fields = {before.path, before.data, before.acl, before.ephemeral, -1};
  return true;
}

bool parse_txn(std::string_view payload, TxnView& txn, std::string& why) {
  txn = TxnView();
  wire::Decoder in(payload);
  if (!wire::decode(in, txn.header)) {
    why = "payload is shorter than a txn header";
    return false;
  }
  if (!take_body(in, txn, why)) return false;
  txn.has_digest = in.rest().size() >= kDigestBytes && wire::decode(in, txn.digest);
  return true;
}

}  // namespace quorate::tree
