#pragma once
#include <fmt/format.h>

#include <string>
#include <string_view>

#include "core/tree/apply.h"
#include "core/tree/loader.h"
#include "core/tree/snapshot_walk.h"
#include "wire/log_record.h"
#include "wire/record.h"

/// What the tests of this room share: txn payloads made by hand, and a tree with its session list.
namespace quorate::tree::testing {

inline const std::string kOpenRaw(
    "\0\0\0\x01\0\0\0\x1f\0\0\0\x05world\0\0\0\x06"
    "anyone",
    27);

inline std::string to_string(const ByteBuffer& buffer) { return std::string(buffer.view()); }

inline std::string acl_raw(int32_t perms, std::string_view scheme, std::string_view id) {
  ByteBuffer buffer;
  wire::Encoder out(buffer);
  out.i32(1);
  out.i32(perms);
  out.view(scheme);
  out.view(id);
  return to_string(buffer);
}

inline std::string record_bytes(const auto& record) {
  ByteBuffer buffer;
  wire::Encoder out(buffer);
  wire::encode(out, record);
  return to_string(buffer);
}

inline wire::AclVector open_acl() { return wire::AclVector::trusted(kOpenRaw); }

inline std::string create_bytes(std::string_view path, std::string_view data, bool ephemeral = false,
                                int32_t pcv = -1) {
  return record_bytes(wire::CreateTxn{path, data, open_acl(), ephemeral, pcv});
}

/// A vector of parts, as the body of a multi.
class MultiBytes {
 public:
  MultiBytes& add(wire::Op type, const std::string& record) {
    ++count_;
    wire::Encoder out(parts_);
    out.i32(static_cast<int32_t>(type));
    out.view(record);
    return *this;
  }
  std::string bytes() const {
    ByteBuffer all;
    wire::Encoder out(all);
    out.i32(count_);
    out.raw(parts_.view());
    return to_string(all);
  }

 private:
  int32_t count_ = 0;
  ByteBuffer parts_;
};

struct World {
  explicit World(TreeOptions options = {}) : tree(HashKey{11, 22}, options) {}

  /// Applies a txn of `session`; zxid and time count on by themselves.
  const Applied& run(wire::Op op, const std::string& body) {
    payload = record_bytes(wire::TxnHeader{session, 1, Zxid{++zxid}, 1000 + zxid, static_cast<int32_t>(op)}) + body;
    run_payload(payload);
    return applied;
  }
  void run_payload(std::string_view bytes) {
    TxnView txn;
    std::string why;
    parsed = parse_txn(bytes, txn, why);
    if (!parsed) return;
    release_acls(tree, applied);
    applied.clear();
    apply(tree, sessions, txn, applied);
  }
  wire::Code create(std::string_view path, std::string_view data = "", bool ephemeral = false) {
    return run(wire::Op::Create, create_bytes(path, data, ephemeral)).parts.at(0).code;
  }
  wire::Code remove(std::string_view path) {
    return run(wire::Op::Delete, record_bytes(wire::DeleteTxn{path})).parts.at(0).code;
  }
  wire::Code set(std::string_view path, std::string_view data, int32_t version = 1) {
    return run(wire::Op::SetData, record_bytes(wire::SetDataTxn{path, data, version})).parts.at(0).code;
  }
  wire::Code set_acl(std::string_view path, const std::string& raw, int32_t version = 1) {
    const wire::SetAclTxn txn{path, wire::AclVector::trusted(raw), version};
    return run(wire::Op::SetAcl, record_bytes(txn)).parts.at(0).code;
  }
  std::string data(std::string_view path) const { return std::string(tree.data_of(tree.find(path))); }
  wire::StatPersisted stat(std::string_view path) const { return tree.stored_stat(tree.find(path)); }
  /// "created /a, deleted /b": what watches are to see.
  std::string changes() const {
    static constexpr const char* kNames[] = {"", "created", "deleted", "changed"};
    std::string text;
    for (const Change& change : applied.changes) {
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", kNames[static_cast<int>(change.event)], change.path);
    }
    return text;
  }

  Tree tree;
  SessionList sessions;
  Applied applied;
  SessionId session{0x51};
  int64_t zxid = 0;
  std::string payload;
  bool parsed = false;
};

}  // namespace quorate::tree::testing
