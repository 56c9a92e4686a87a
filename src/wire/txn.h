#pragma once
#include <string_view>

#include "base/ids.h"
#include "wire/codes.h"
#include "wire/record.h"
#include "wire/vectors.h"

/// Records of the transaction log and of proposals. Views point into the bytes they were decoded from.
/// Spec: disk 0.1, 0.2, 2.3.
namespace quorate::wire {

/// First 32 bytes of every txn.
struct TxnHeader {
  SessionId client_id;
  int32_t cxid = 0;
  Zxid zxid;
  int64_t time = 0;
  int32_t type = 0;

  static void walk(auto& record, auto&& field) {
    field("clientId", record.client_id);
    field("cxid", record.cxid);
    field("zxid", record.zxid);
    field("time", record.time);
    field("type", record.type);
  }
};

/// Tree digest after the txn; version 2 is the only one in use. Spec: disk 5.
struct TxnDigest {
  int32_t version = 0;
  int64_t tree_digest = 0;

  static void walk(auto& record, auto&& field) {
    field("version", record.version);
    field("treeDigest", record.tree_digest);
  }
};

/// A create of before 3.4, tried when CreateTxn is cut short. Spec: disk 2.3.
struct CreateTxnV0 {
  std::string_view path;
  std::string_view data;
  AclVector acl;
  bool ephemeral = false;

  static void walk(auto& record, auto&& field) {
    field("path", record.path);
    field("data", record.data);
    field("acl", record.acl);
    field("ephemeral", record.ephemeral);
  }
};

/// create and create2. parentCVersion is the parent's new creation count.
struct CreateTxn {
  std::string_view path;
  std::string_view data;
  AclVector acl;
  bool ephemeral = false;
  int32_t parent_c_version = 0;

  static void walk(auto& record, auto&& field) {
    field("path", record.path);
    field("data", record.data);
    field("acl", record.acl);
    field("ephemeral", record.ephemeral);
    field("parentCVersion", record.parent_c_version);
  }
};

struct CreateTtlTxn {
  std::string_view path;
  std::string_view data;
  AclVector acl;
  int32_t parent_c_version = 0;
  int64_t ttl = 0;

  static void walk(auto& record, auto&& field) {
    field("path", record.path);
    field("data", record.data);
    field("acl", record.acl);
    field("parentCVersion", record.parent_c_version);
    field("ttl", record.ttl);
  }
};

struct CreateContainerTxn {
  std::string_view path;
  std::string_view data;
  AclVector acl;
  int32_t parent_c_version = 0;

  static void walk(auto& record, auto&& field) {
    field("path", record.path);
    field("data", record.data);
    field("acl", record.acl);
    field("parentCVersion", record.parent_c_version);
  }
};

/// delete and deleteContainer.
struct DeleteTxn {
  std::string_view path;

  static void walk(auto& record, auto&& field) { field("path", record.path); }
};

/// version is the new one.
struct SetDataTxn {
  std::string_view path;
  std::string_view data;
  int32_t version = 0;

  static void walk(auto& record, auto&& field) {
    field("path", record.path);
    field("data", record.data);
    field("version", record.version);
  }
};

/// Inside multi only; ignored when applied.
struct CheckVersionTxn {
  std::string_view path;
  int32_t version = 0;

  static void walk(auto& record, auto&& field) {
    field("path", record.path);
    field("version", record.version);
  }
};

/// version is the new aversion.
struct SetAclTxn {
  std::string_view path;
  AclVector acl;
  int32_t version = 0;

  static void walk(auto& record, auto&& field) {
    field("path", record.path);
    field("acl", record.acl);
    field("version", record.version);
  }
};

/// Milliseconds.
struct CreateSessionTxn {
  int32_t time_out = 0;

  static void walk(auto& record, auto&& field) { field("timeOut", record.time_out); }
};

struct CloseSessionTxn {
  StringVector paths_to_delete;

  static void walk(auto& record, auto&& field) { field("pathsToDelete", record.paths_to_delete); }
};

/// A refused write; consumes a zxid, changes nothing.
struct ErrorTxn {
  int32_t err = 0;

  static void walk(auto& record, auto&& field) { field("err", record.err); }
};

/// One part of a multi txn: a serialised record of that type, without header.
struct TxnPart {
  int32_t type = 0;
  std::string_view data;

  static void skip(Decoder& in) {
    in.i32();
    in.view();
  }
  static TxnPart read(Decoder& in) {
    TxnPart part;
    part.type = in.i32();
    part.data = in.view();
    return part;
  }
};

struct MultiTxn {
  VectorView<TxnPart> parts;

  static void walk(auto& record, auto&& field) { field("txns", record.parts); }
};

}  // namespace quorate::wire
