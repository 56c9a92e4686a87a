#pragma once
#include <cstdint>
#include <optional>

#include "base/ids.h"

/// The two epochs that a server promises by, as its epoch files hold them. Spec: quorum 3.4, rules 16 to 19.
namespace quorate::zab {

struct Epochs {
  int64_t accepted = 0;  ///< The newest epoch of a leader that we answered.
  int64_t current = 0;   ///< The newest epoch whose whole initial history we hold.
  friend bool operator==(const Epochs&, const Epochs&) = default;
};

/// An epoch that was established, and the end of the history that it began with. A server that was brought there
/// before the epoch's first txn calls its position (epoch, 0).
struct EpochStart {
  int64_t epoch = 0;
  Zxid before;
  friend bool operator==(const EpochStart&, const EpochStart&) = default;
};

/// What must be durable before the step machine that asked goes on; one at a time, before any later batch of the
/// journal. The shell answers with on_disk_done(); a failure ends the process.
struct DiskOrder {
  enum class Kind : uint8_t {
    AcceptedEpoch,  ///< Write `epoch` to that file.
    CurrentEpoch,
    Truncate,       ///< Cut the log behind `zxid`, drop newer snapshots, reload the memory.
    StoreSnapshot,  ///< The tree just received, as of `zxid`; what was there before is history no more (rule 37).
  };
  Kind kind = Kind::AcceptedEpoch;
  int64_t epoch = 0;
  Zxid zxid;
  friend bool operator==(const DiskOrder&, const DiskOrder&) = default;
};

}  // namespace quorate::zab
