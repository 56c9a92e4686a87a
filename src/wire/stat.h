#pragma once
#include <cstdint>

#include "wire/archive.h"

/// A node's bookkeeping in its two outside forms. Spec: client 5.1, disk 0.1.
namespace quorate::wire {

/// As stored in snapshots. `cversion` counts child creations only.
struct StatPersisted {
  int64_t czxid = 0;
  int64_t mzxid = 0;
  int64_t ctime = 0;
  int64_t mtime = 0;
  int32_t version = 0;
  int32_t cversion = 0;
  int32_t aversion = 0;
  int64_t ephemeral_owner = 0;
  int64_t pzxid = 0;

  static void walk(auto& record, auto&& field) {
    field("czxid", record.czxid);
    field("mzxid", record.mzxid);
    field("ctime", record.ctime);
    field("mtime", record.mtime);
    field("version", record.version);
    field("cversion", record.cversion);
    field("aversion", record.aversion);
    field("ephemeralOwner", record.ephemeral_owner);
    field("pzxid", record.pzxid);
  }
  friend bool operator==(const StatPersisted&, const StatPersisted&) = default;
};

/// As sent to clients: cversion = 2 * created - children, ephemeralOwner 0 for containers and TTL nodes.
struct Stat {
  int64_t czxid = 0;
  int64_t mzxid = 0;
  int64_t ctime = 0;
  int64_t mtime = 0;
  int32_t version = 0;
  int32_t cversion = 0;
  int32_t aversion = 0;
  int64_t ephemeral_owner = 0;
  int32_t data_length = 0;
  int32_t num_children = 0;
  int64_t pzxid = 0;

  static void walk(auto& record, auto&& field) {
    field("czxid", record.czxid);
    field("mzxid", record.mzxid);
    field("ctime", record.ctime);
    field("mtime", record.mtime);
    field("version", record.version);
    field("cversion", record.cversion);
    field("aversion", record.aversion);
    field("ephemeralOwner", record.ephemeral_owner);
    field("dataLength", record.data_length);
    field("numChildren", record.num_children);
    field("pzxid", record.pzxid);
  }
  friend bool operator==(const Stat&, const Stat&) = default;
};

}  // namespace quorate::wire
