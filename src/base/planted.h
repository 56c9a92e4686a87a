#pragma once
#include <cstdint>

/// Faults planted on purpose, to show that the simulator finds them. Only the test build (QUORATE_PLANTED) has the
/// switch; in every other build planted() is a constant false and leaves no code behind.
namespace quorate {

enum class Planted : uint8_t {
  None,
  LostLogSync,           ///< The log is not synced before its txns are reported durable.
  AckBeforeSync,         ///< A batch counts as durable once it was handed to the log.
  TornBatchTaken,        ///< Recovery takes a record with a wrong checksum for data.
  NoDirectorySync,       ///< A new log file's directory entry is not synced.
  SnapshotMissesChange,  ///< A change during a snapshot does not write the old node first.
  SnapshotNotSynced,     ///< A snapshot gets its name before its bytes are synced.
  PurgeTooMuch,          ///< Purge removes the log that the oldest kept snapshot needs.
  WatchNotRemoved,       ///< A closed connection's watches stay in the tables.
  EphemeralKept,         ///< closeSession forgets ephemerals whose creation was still in flight.
  ReplayOffByOne,        ///< Replay starts at the second record after the snapshot.
  ReadPassesWrite,       ///< A read does not wait for earlier writes of its own connection.
  BadRollback,           ///< A failed multi leaves its prepared changes behind.
};

#ifdef QUORATE_PLANTED
inline Planted planted_fault = Planted::None;
inline bool planted(Planted fault) { return planted_fault == fault; }
#else
constexpr bool planted(Planted) { return false; }
#endif

}  // namespace quorate
