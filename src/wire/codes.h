#pragma once
#include <cstdint>

/// The numbers of the client protocol. Spec: client 3.1, 3.3, 3.4, 5.5, 7.3, 7.9.
namespace quorate::wire {

/// Request types; the same numbers stand in txn headers.
enum class Op : int32_t {
  Notification = 0,
  Create = 1,
  Delete = 2,
  Exists = 3,
  GetData = 4,
  SetData = 5,
  GetAcl = 6,
  SetAcl = 7,
  GetChildren = 8,
  Sync = 9,
  Ping = 11,
  GetChildren2 = 12,
  Check = 13,
  Multi = 14,
  Create2 = 15,
  Reconfig = 16,
  CheckWatches = 17,
  RemoveWatches = 18,
  CreateContainer = 19,
  DeleteContainer = 20,
  CreateTtl = 21,
  MultiRead = 22,
  Auth = 100,
  SetWatches = 101,
  Sasl = 102,
  GetEphemerals = 103,
  GetAllChildrenNumber = 104,
  SetWatches2 = 105,
  AddWatch = 106,
  WhoAmI = 107,
  CreateSession = -10,
  CloseSession = -11,
  Error = -1,
};

/// Answers. Codes that only a client library makes are left out.
enum class Code : int32_t {
  Ok = 0,
  RuntimeInconsistency = -2,
  MarshallingError = -5,
  Unimplemented = -6,
  BadArguments = -8,
  UnknownSession = -12,
  NewConfigNoQuorum = -13,
  ReconfigInProgress = -14,
  NoNode = -101,
  NoAuth = -102,
  BadVersion = -103,
  NoChildrenForEphemerals = -108,
  NodeExists = -110,
  NotEmpty = -111,
  SessionExpired = -112,
  InvalidAcl = -114,
  AuthFailed = -115,
  SessionMoved = -118,
  NotReadOnly = -119,
  EphemeralOnLocalSession = -120,
  NoWatcher = -121,
  ReconfigDisabled = -123,
  SessionClosedRequireSaslAuth = -124,
  QuotaExceeded = -125,
  ThrottledOp = -127,
};

constexpr int32_t kNotificationXid = -1;
constexpr int32_t kPingXid = -2;
constexpr int32_t kAuthXid = -4;
constexpr int32_t kSetWatchesXid = -8;

/// What happened to a node, as clients are told.
enum class Event : int32_t { Created = 1, Deleted = 2, DataChanged = 3, ChildrenChanged = 4 };
constexpr int32_t kSyncConnected = 3;  ///< The only state a server sends.

constexpr int32_t kPermRead = 1;
constexpr int32_t kPermWrite = 2;
constexpr int32_t kPermCreate = 4;
constexpr int32_t kPermDelete = 8;
constexpr int32_t kPermAdmin = 16;
constexpr int32_t kPermAll = 31;

/// `flags` of a create. Not a bit mask beyond 3.
enum class CreateMode : int32_t {
  Persistent = 0,
  Ephemeral = 1,
  PersistentSequential = 2,
  EphemeralSequential = 3,
  Container = 4,
  PersistentTtl = 5,
  PersistentSequentialTtl = 6,
};

/// ephemeralOwner values that are not sessions. Spec: client 5.2.
constexpr int64_t kContainerOwner = INT64_MIN;
constexpr uint64_t kTtlOwnerMark = 0xFF00000000000000ULL;
constexpr int64_t kMaxTtl = 0xFFFFFFFFFFLL;

}  // namespace quorate::wire
