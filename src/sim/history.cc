#include "sim/history.h"

#include <algorithm>

#include "wire/log_record.h"
#include "wire/txn.h"

namespace quorate::sim {

struct History::Logged {
  wire::TxnHeader header;
  std::string_view record;
  int64_t applied = 0;

  int64_t zxid() const { return header.zxid.value; }
  Moment moment() const { return {zxid(), header.time, header.client_id.value, applied, outcomes()}; }
  std::vector<wire::Code> outcomes() const;
};

/// What the server made of it; of a multi, part by part.
std::vector<wire::Code> History::Logged::outcomes() const {
  wire::Decoder in(record);
  const auto type = static_cast<wire::Op>(header.type);
  if (type == wire::Op::Error) return {static_cast<wire::Code>(in.i32())};
  if (type != wire::Op::Multi) return {wire::Code::Ok};
  std::vector<wire::Code> codes;
  for (int32_t parts = in.i32(); parts > 0 && in.ok(); --parts) {
    const auto part = static_cast<wire::Op>(in.i32());
    wire::Decoder body(in.view());
    codes.push_back(part == wire::Op::Error ? static_cast<wire::Code>(body.i32()) : wire::Code::Ok);
  }
  return codes;
}

int64_t next_zxid(int64_t zxid) { return (zxid + 1) % (int64_t{1} << 32) == 0 ? zxid + 2 : zxid + 1; }

Request& History::sent(Request request) {
  requests_.push_back(std::move(request));
  Request& kept = requests_.back();
  if (kept.xid > 0) by_name_[{kept.session, kept.xid}] = &kept;
  return kept;
}

void History::on_log_bytes(std::string_view bytes, int64_t now) {
  const bool has_header = bytes.size() >= wire::kLogHeaderBytes && wire::load_be32(bytes.data()) == wire::kLogMagic;
  if (has_header) bytes.remove_prefix(wire::kLogHeaderBytes);
  for (size_t at = 0; at + wire::kRecordPrefixBytes < bytes.size();) {
    if (wire::load_be32(bytes.data() + at + 8) == 0) return;  // padding
    submit(wire::next_payload(bytes, at), now);
  }
}

void History::submit(std::string_view payload, int64_t now) {
  Logged txn;
  wire::Decoder in(payload);
  if (!wire::decode(in, txn.header)) return verdict_.fail("a logged txn has no header");
  txn.record = in.rest();
  trace_.say("log: zxid {} session 0x{:x} cxid {} type {}, {} bytes", txn.zxid(),
             static_cast<uint64_t>(txn.header.client_id.value), txn.header.cxid, txn.header.type, payload.size());
  if (!admit(txn, payload.size())) return;
  txn.applied = applied_before_.front();
  applied_before_.pop_front();
  txns_[txn.zxid()] = {std::string(payload), {}, nullptr};
  if (txn.header.cxid > 0) return submit_clients(txn);
  submit_own(txn, now);
}

bool History::admit(const Logged& txn, size_t bytes) {
  if (txn.zxid() != next_zxid(last_zxid())) {
    verdict_.fail("zxid {} was logged behind zxid {}", txn.zxid(), last_zxid());
  } else if (bytes > model.rules.longest_txn) {
    verdict_.fail("zxid {} has {} bytes, which no start will read back", txn.zxid(), bytes);
  } else if (applied_before_.empty()) {
    verdict_.fail("zxid {} was logged, but never prepared", txn.zxid());
  }
  if (txn.zxid() > last_zxid() + 1) trace_.hit(Rare::ZxidRollOver);
  return !verdict_.failed();
}

void History::submit_clients(const Logged& txn) {
  const auto found = by_name_.find({txn.header.client_id.value, txn.header.cxid});
  if (found == by_name_.end()) {
    return verdict_.fail("zxid {}: nobody asked for cxid {} of session 0x{:x}", txn.zxid(), txn.header.cxid,
                         static_cast<uint64_t>(txn.header.client_id.value));
  }
  Request& request = *found->second;
  if (request.unreadable) {
    return verdict_.fail("zxid {}: the request with cxid {} stands in or behind a frame that is too long", txn.zxid(),
                         request.xid);
  }
  if (request.logged_zxid != 0) {
    return verdict_.fail("zxid {}: the request with cxid {} was logged before, as zxid {}", txn.zxid(), request.xid,
                         request.logged_zxid);
  }
  const auto session = model.sessions.find(txn.header.client_id.value);
  if (session == model.sessions.end() || session->second.closed_zxid != 0) {
    return verdict_.fail("zxid {}: a request of a session that is closed", txn.zxid());
  }
  request.logged_zxid = txn.zxid();
  Judged judged = judge_.request(request, txn.moment());
  compare(txn, judged, request.op);
  request.expected = judged.code;
  request.expected_body = std::move(judged.body);
  if (judged.code == wire::Code::MarshallingError) trace_.hit(Rare::TxnTooLong);
  if (judged.code == wire::Code::QuotaExceeded) trace_.hit(Rare::OverQuota);
  txns_.rbegin()->second = {std::move(txns_.rbegin()->second.payload), std::move(judged.changes), &request};
}

void History::compare(const Logged& txn, const Judged& judged, wire::Op op) {
  const auto type = static_cast<wire::Op>(txn.header.type);
  if (judged.code == wire::Code::Ok) {
    if (type != op) {
      verdict_.fail("zxid {}: logged as type {}, but op {} is right and must succeed", txn.zxid(), txn.header.type,
                    static_cast<int32_t>(op));
    }
    return;
  }
  wire::Decoder in(txn.record);
  const int32_t code = type == wire::Op::Error ? in.i32() : 0;
  if (code != static_cast<int32_t>(judged.code)) {
    verdict_.fail("zxid {}: op {} is logged with code {}, but must fail with {}", txn.zxid(), static_cast<int32_t>(op),
                  code, static_cast<int32_t>(judged.code));
  }
}

void History::submit_own(const Logged& txn, int64_t now) {
  switch (static_cast<wire::Op>(txn.header.type)) {
    case wire::Op::CreateSession:
      return create_session(txn, now);
    case wire::Op::CloseSession:
      return expire_session(txn, now);
    case wire::Op::DeleteContainer:
      return clean(txn);
    case wire::Op::Error:
      return;  // a node to be cleaned away that was gone or in use again
    default:
      verdict_.fail("zxid {}: a txn of type {} that nobody asked for", txn.zxid(), txn.header.type);
  }
}

void History::create_session(const Logged& txn, int64_t now) {
  wire::Decoder in(txn.record);
  SessionFact session;
  session.created_zxid = txn.zxid();
  session.timeout_ms = session.used_timeout_ms = in.i32();
  session.touched_at = now;
  if (!model.sessions.emplace(txn.header.client_id.value, session).second) {
    verdict_.fail("zxid {}: session 0x{:x} exists already", txn.zxid(),
                  static_cast<uint64_t>(txn.header.client_id.value));
  }
}

void History::expire_session(const Logged& txn, int64_t now) {
  const auto found = model.sessions.find(txn.header.client_id.value);
  if (found == model.sessions.end() || found->second.closed_zxid != 0) {
    return verdict_.fail("zxid {}: session 0x{:x} is closed and is not there", txn.zxid(),
                         static_cast<uint64_t>(txn.header.client_id.value));
  }
  const SessionFact& session = found->second;
  if (now - session.touched_at < int64_t{session.used_timeout_ms} * 1000) {
    verdict_.fail("zxid {}: session 0x{:x} expired {} us after it was heard of, its timeout is {} ms", txn.zxid(),
                  static_cast<uint64_t>(txn.header.client_id.value), now - session.touched_at, session.used_timeout_ms);
  }
  txns_.rbegin()->second.changes = judge_.close_session(txn.moment()).changes;
}

void History::clean(const Logged& txn) {
  wire::Decoder in(txn.record);
  const std::string path(in.view());
  Judged judged = judge_.delete_container(path, txn.moment());
  if (judged.code != wire::Code::Ok) {
    verdict_.fail("zxid {}: {} was cleaned away, but that must fail with {}", txn.zxid(), path,
                  static_cast<int32_t>(judged.code));
  }
  txns_.rbegin()->second.changes = std::move(judged.changes);
}

void History::acknowledged(int64_t zxid) {
  if (zxid > last_zxid()) verdict_.fail("a reply names zxid {}, but {} is the last one logged", zxid, last_zxid());
  acknowledged_ = std::max(acknowledged_, zxid);
}

void History::recovered(int64_t zxid, int64_t now) {
  trace_.say("recovered zxid {} of {}, acknowledged {}", zxid, last_zxid(), acknowledged_);
  applied_before_.clear();
  if (zxid < acknowledged_) {
    verdict_.fail("lost: recovered up to zxid {}, but zxid {} had been acknowledged", zxid, acknowledged_);
  }
  if (zxid > last_zxid())
    verdict_.fail("invented: recovered zxid {}, but {} is the last one logged", zxid, last_zxid());
  for (auto lost = txns_.upper_bound(zxid); lost != txns_.end(); lost = txns_.erase(lost)) {
    if (lost->second.request != nullptr) lost->second.request->logged_zxid = 0;
  }
  model.roll_back_to(zxid);
  for (auto& [id, session] : model.sessions) session.touched_at = now;
}

}  // namespace quorate::sim
