#pragma once
#include <cstdint>

/// Named places in the work on disk where a crash must do no harm. Real disks ignore them; the simulated one counts
/// each and may crash the process there. CI fails where a point was never hit. Spec: known-faults 9.2.
namespace quorate::env {

#define QUORATE_CRASH_POINTS(point)                                                                              \
  point(LogCreateTmp) point(LogCreateHeader) point(LogCreateSync) point(LogCreateRename) point(LogCreateDirSync) \
      point(LogAppend) point(LogSyncBefore) point(LogSyncAfter) point(LogPad) point(LogRoll) point(LogCutTorn)   \
          point(SnapOpen) point(SnapBody) point(SnapSeal) point(SnapSync) point(SnapRename) point(SnapDirSync)   \
              point(PurgeRemove) point(PurgeDirSync) point(BootCleanTmp) point(BootFirstSnapshot)

enum class CrashPoint : uint8_t {
#define QUORATE_POINT_ENUM(name) name,
  QUORATE_CRASH_POINTS(QUORATE_POINT_ENUM)
#undef QUORATE_POINT_ENUM
      kCount,
};

}  // namespace quorate::env
