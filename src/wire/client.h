#pragma once
#include <string_view>

#include "base/ids.h"
#include "wire/codes.h"
#include "wire/record.h"
#include "wire/stat.h"
#include "wire/vectors.h"

/// Records of the client protocol. Views point into the frame they were decoded from. Spec: client 2.1, 3.3, 6.1, 7.3.
namespace quorate::wire {

/// First 8 bytes of every request frame. Spec: client 3.1.
struct RequestHeader {
  int32_t xid = 0;
  int32_t type = 0;

  static void walk(auto& record, auto&& field) {
    field("xid", record.xid);
    field("type", record.type);
  }
};

/// First 16 bytes of every reply frame.
struct ReplyHeader {
  int32_t xid = 0;
  Zxid zxid;
  int32_t err = 0;

  static void walk(auto& record, auto&& field) {
    field("xid", record.xid);
    field("zxid", record.zxid);
    field("err", record.err);
  }
};

/// First frame of a connection. The trailing boolean readOnly is optional and read apart. Spec: client 2.1.
struct ConnectRequest {
  int32_t protocol_version = 0;
  Zxid last_zxid_seen;
  int32_t time_out = 0;
  SessionId session_id;
  std::string_view passwd;

  static void walk(auto& record, auto&& field) {
    field("protocolVersion", record.protocol_version);
    field("lastZxidSeen", record.last_zxid_seen);
    field("timeOut", record.time_out);
    field("sessionId", record.session_id);
    field("passwd", record.passwd);
  }
};

/// Its answer, without a ReplyHeader; readOnly follows iff the request had it.
struct ConnectResponse {
  int32_t protocol_version = 0;
  int32_t time_out = 0;
  SessionId session_id;
  std::string_view passwd;

  static void walk(auto& record, auto&& field) {
    field("protocolVersion", record.protocol_version);
    field("timeOut", record.time_out);
    field("sessionId", record.session_id);
    field("passwd", record.passwd);
  }
};

/// create, create2, createContainer.
struct CreateRequest {
  std::string_view path;
  std::string_view data;
  AclVector acl;
  int32_t flags = 0;

  static void walk(auto& record, auto&& field) {
    field("path", record.path);
    field("data", record.data);
    field("acl", record.acl);
    field("flags", record.flags);
  }
};

struct CreateTtlRequest {
  std::string_view path;
  std::string_view data;
  AclVector acl;
  int32_t flags = 0;
  int64_t ttl = 0;

  static void walk(auto& record, auto&& field) {
    field("path", record.path);
    field("data", record.data);
    field("acl", record.acl);
    field("flags", record.flags);
    field("ttl", record.ttl);
  }
};

/// getACL, sync, getAllChildrenNumber, getEphemerals (its prefix).
struct PathRequest {
  std::string_view path;

  static void walk(auto& record, auto&& field) { field("path", record.path); }
};

/// exists, getData, getChildren, getChildren2.
struct PathWatchRequest {
  std::string_view path;
  bool watch = false;

  static void walk(auto& record, auto&& field) {
    field("path", record.path);
    field("watch", record.watch);
  }
};

/// delete, and check inside multi.
struct PathVersionRequest {
  std::string_view path;
  int32_t version = 0;

  static void walk(auto& record, auto&& field) {
    field("path", record.path);
    field("version", record.version);
  }
};

struct SetDataRequest {
  std::string_view path;
  std::string_view data;
  int32_t version = 0;

  static void walk(auto& record, auto&& field) {
    field("path", record.path);
    field("data", record.data);
    field("version", record.version);
  }
};

struct SetAclRequest {
  std::string_view path;
  AclVector acl;
  int32_t version = 0;

  static void walk(auto& record, auto&& field) {
    field("path", record.path);
    field("acl", record.acl);
    field("version", record.version);
  }
};

/// checkWatches and removeWatches; type as in client 7.9.
struct WatcherTypeRequest {
  std::string_view path;
  int32_t type = 0;

  static void walk(auto& record, auto&& field) {
    field("path", record.path);
    field("type", record.type);
  }
};

/// mode 0 persistent, 1 persistent recursive.
struct AddWatchRequest {
  std::string_view path;
  int32_t mode = 0;

  static void walk(auto& record, auto&& field) {
    field("path", record.path);
    field("mode", record.mode);
  }
};

struct SetWatchesRequest {
  int64_t relative_zxid = 0;
  StringVector data_watches;
  StringVector exist_watches;
  StringVector child_watches;

  static void walk(auto& record, auto&& field) {
    field("relativeZxid", record.relative_zxid);
    field("dataWatches", record.data_watches);
    field("existWatches", record.exist_watches);
    field("childWatches", record.child_watches);
  }
};

struct SetWatches2Request {
  int64_t relative_zxid = 0;
  StringVector data_watches;
  StringVector exist_watches;
  StringVector child_watches;
  StringVector persistent_watches;
  StringVector recursive_watches;

  static void walk(auto& record, auto&& field) {
    field("relativeZxid", record.relative_zxid);
    field("dataWatches", record.data_watches);
    field("existWatches", record.exist_watches);
    field("childWatches", record.child_watches);
    field("persistentWatches", record.persistent_watches);
    field("recursiveWatches", record.recursive_watches);
  }
};

struct AuthRequest {
  int32_t type = 0;
  std::string_view scheme;
  std::string_view auth;

  static void walk(auto& record, auto&& field) {
    field("type", record.type);
    field("scheme", record.scheme);
    field("auth", record.auth);
  }
};

struct ReconfigRequest {
  std::string_view joining;
  std::string_view leaving;
  std::string_view new_members;
  int64_t cur_config_id = 0;

  static void walk(auto& record, auto&& field) {
    field("joining", record.joining);
    field("leaving", record.leaving);
    field("newMembers", record.new_members);
    field("curConfigId", record.cur_config_id);
  }
};

/// Before each part of a multi; type -1 and done end it. Spec: client 6.1.
struct MultiHeader {
  int32_t type = 0;
  bool done = false;
  int32_t err = 0;

  static void walk(auto& record, auto&& field) {
    field("type", record.type);
    field("done", record.done);
    field("err", record.err);
  }
};

/// Body of a notification.
struct WatcherEvent {
  int32_t type = 0;
  int32_t state = 0;
  std::string_view path;

  static void walk(auto& record, auto&& field) {
    field("type", record.type);
    field("state", record.state);
    field("path", record.path);
  }
};

}  // namespace quorate::wire
