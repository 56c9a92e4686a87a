#include "sim/ensemble_txns.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/ids.h"
#include "core/tree/apply.h"
#include "wire/log_record.h"
#include "wire/txn.h"

namespace quorate::sim {
namespace {

using wire::Op;

constexpr size_t kSequenceDigits = 10;

/// The number at the end of a name; whether the client asked for one, the txn does not say.
std::optional<int32_t> sequence_of(std::string_view path) {
  if (path.size() < kSequenceDigits + 1 || path[path.size() - kSequenceDigits - 1] != '-') return std::nullopt;
  const std::string_view digits = path.substr(path.size() - kSequenceDigits);
  int32_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

/// The changes of one txn, part by part.
class Reader {
 public:
  explicit Reader(const wire::TxnHeader& header) : header_(header) {}

  void read(Op type, std::string_view body) {
    wire::Decoder in(body);
    switch (type) {
      case Op::Create:
      case Op::Create2:
        return create(in);
      case Op::Delete:
      case Op::DeleteContainer:
        return remove(in);
      case Op::SetData:
        return set_data(in);
      case Op::CloseSession:
        return close_session(in);
      case Op::Multi:
        return multi(in);
      default:
        return;
    }
  }
  std::vector<Change> take() { return std::move(changes_); }
  std::vector<std::pair<std::string, std::string>> take_data() { return std::move(data_); }

 private:
  void create(wire::Decoder in) {
    wire::CreateTxn txn;
    if (!wire::decode(in, txn)) return;
    Change change{.what = Change::What::Created, .path = std::string(txn.path), .value = shown(header_.zxid.value, 0)};
    if (txn.ephemeral) change.owner = header_.client_id.value;
    change.sequence = sequence_of(txn.path);
    data_.emplace_back(change.path, txn.data);
    changes_.push_back(std::move(change));
  }
  void remove(wire::Decoder in) {
    wire::DeleteTxn txn;
    if (!wire::decode(in, txn)) return;
    changes_.push_back({.what = Change::What::Deleted, .path = std::string(txn.path)});
  }
  void set_data(wire::Decoder in) {
    wire::SetDataTxn txn;
    if (!wire::decode(in, txn)) return;
    data_.emplace_back(txn.path, txn.data);
    changes_.push_back({.what = Change::What::DataSet,
                        .path = std::string(txn.path),
                        .value = shown(header_.zxid.value, txn.version)});
  }
  void close_session(wire::Decoder in) {
    wire::CloseSessionTxn txn;
    if (!wire::decode(in, txn)) return;
    txn.paths_to_delete.each([&](const wire::StringItem& item) {
      changes_.push_back({.what = Change::What::Deleted, .path = std::string(item.text)});
    });
  }
  void multi(wire::Decoder in) {
    wire::MultiTxn txn;
    if (!wire::decode(in, txn)) return;
    // A part that was refused undoes those before it, though they are logged as they were asked for.
    bool refused = false;
    txn.parts.each([&](const wire::TxnPart& part) { refused |= static_cast<Op>(part.type) == Op::Error; });
    if (refused) return;
    txn.parts.each([&](const wire::TxnPart& part) { read(static_cast<Op>(part.type), part.data); });
  }

  const wire::TxnHeader& header_;
  std::vector<Change> changes_;
  std::vector<std::pair<std::string, std::string>> data_;
};

/// Of a refused part, that it was not the fault of, or of the whole of a refused request.
wire::Code code_in(std::string_view error) {
  wire::Decoder in(error);
  const auto code = static_cast<wire::Code>(in.i32());
  return code == wire::Code::RuntimeInconsistency ? wire::Code::Ok : code;
}

/// Why a request was refused; of a multi, why that part was which undid it all.
wire::Code refusal_of(const tree::TxnView& txn) {
  const auto type = static_cast<Op>(txn.header.type);
  if (type == Op::Error) return code_in(txn.body);
  wire::Code code = wire::Code::Ok;
  wire::Decoder in(txn.body);
  wire::MultiTxn multi;
  if (type != Op::Multi || !wire::decode(in, multi)) return code;
  multi.parts.each([&](const wire::TxnPart& part) {
    if (static_cast<Op>(part.type) == Op::Error && code == wire::Code::Ok) code = code_in(part.data);
  });
  return code;
}

/// A request that came by a way which its session has left, or behind its session's end: it is not carried out.
bool is_turned_away(const tree::TxnView& txn) {
  const wire::Code code = refusal_of(txn);
  return code == wire::Code::SessionMoved || code == wire::Code::SessionExpired || code == wire::Code::UnknownSession;
}

tree::TxnView parse(std::string_view payload, Verdict& verdict) {
  tree::TxnView txn;
  std::string why;
  if (!tree::parse_txn(payload, txn, why)) verdict.fail("a logged txn cannot be read: {}", why);
  return txn;
}

}  // namespace

std::string shown(int64_t mzxid, int32_t version) { return fmt::format("0x{:x}, version {}", mzxid, version); }

std::vector<std::string_view> EnsembleTxns::cut(std::string_view bytes) {
  std::vector<std::string_view> payloads;
  const bool has_header = bytes.size() >= wire::kLogHeaderBytes && wire::load_be32(bytes.data()) == wire::kLogMagic;
  if (has_header) bytes.remove_prefix(wire::kLogHeaderBytes);
  for (size_t at = 0; at + wire::kRecordPrefixBytes < bytes.size();) {
    if (wire::load_be32(bytes.data() + at + 8) == 0) break;  // padding
    payloads.push_back(wire::next_payload(bytes, at));
  }
  return payloads;
}

int64_t EnsembleTxns::add(std::string_view payload) {
  const tree::TxnView txn = parse(payload, verdict_);
  const int64_t zxid = txn.header.zxid.value;
  const auto [known, added] = txns_.emplace(zxid, payload);
  if (!added && known->second != payload) verdict_.fail("there are two txns 0x{:x}", zxid);
  if (!added) return zxid;
  moved_ += refusal_of(txn) == wire::Code::SessionMoved;
  Reader reader(txn.header);
  reader.read(static_cast<Op>(txn.header.type), txn.body);
  for (auto& [path, data] : reader.take_data()) data_[{zxid, path}] = std::move(data);
  return zxid;
}

uint64_t EnsembleTxns::hash_of(int64_t zxid) const {
  const auto found = txns_.find(zxid);
  return found == txns_.end() ? 0 : std::hash<std::string>()(found->second) | 1;
}

std::optional<std::string> EnsembleTxns::data_of(int64_t zxid, const std::string& path) const {
  const auto found = data_.find({zxid, path});
  return found == data_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<int64_t> EnsembleTxns::chain(std::pair<int64_t, int64_t> ends, const std::vector<Leadership>& leaderships) {
  std::map<int64_t, int64_t> begins;  // what an epoch's first txn stands behind
  for (const Leadership& leadership : leaderships) begins.emplace(leadership.epoch, leadership.last_zxid);
  std::vector<int64_t> zxids;
  for (Zxid at{ends.second}; at.value > ends.first && !verdict_.failed();) {
    if (at.counter() != 0) {
      if (!txns_.contains(at.value)) verdict_.fail("0x{:x} is of the one history, but nobody logged it", at.value);
      zxids.push_back(at.value);
    }
    if (at.counter() > 1) {
      --at.value;
      continue;
    }
    const auto before = begins.find(at.epoch());
    if (before == begins.end()) {
      verdict_.fail("0x{:x} is of the one history, but nobody led its epoch", at.value);
      break;
    }
    at.value = before->second;
  }
  std::ranges::reverse(zxids);
  return zxids;
}

Committed EnsembleTxns::committed(int64_t zxid) const {
  Verdict unused;
  const tree::TxnView txn = parse(txns_.at(zxid), unused);
  const auto type = static_cast<Op>(txn.header.type);
  const int64_t session = txn.header.client_id.value;
  Committed done{.zxid = zxid, .session = session};
  if (type == Op::CreateSession) {
    done.opens = session;
    return done;
  }
  if (!is_turned_away(txn)) done.request = static_cast<uint32_t>(std::max(txn.header.cxid, 0));
  if (type == Op::CloseSession) done.closes = session;
  done.closes_all = type == Op::CloseSession && txn.body.empty();
  Reader reader(txn.header);
  reader.read(type, txn.body);
  done.changes = reader.take();
  return done;
}

}  // namespace quorate::sim
