#pragma once
#include <cstddef>
#include <cstdint>

/// Named places in the work on disk where a crash must do no harm. Real disks ignore them; the simulated one counts
/// each and may crash the process there. CI fails where a point was never hit. Spec: known-faults 9.2.
namespace quorate::env {

/// Of every server.
#define QUORATE_STANDALONE_CRASH_POINTS(point)                                                                   \
  point(LogCreateTmp) point(LogCreateHeader) point(LogCreateSync) point(LogCreateRename) point(LogCreateDirSync) \
      point(LogAppend) point(LogSyncBefore) point(LogSyncAfter) point(LogPad) point(LogRoll) point(LogCutTorn)   \
          point(SnapOpen) point(SnapBody) point(SnapSeal) point(SnapSync) point(SnapRename) point(SnapDirSync)   \
              point(PurgeRemove) point(PurgeDirSync) point(BootCleanTmp) point(BootFirstSnapshot)

/// Of members of ensembles only: epoch files; the note of a change of the history (storage/history_change.h), and the
/// steps of cutting it, replacing it, and setting it aside in doubt.
#define QUORATE_ENSEMBLE_CRASH_POINTS(point)                                                                           \
  point(AcceptedWrite) point(AcceptedSync) point(AcceptedRename) point(AcceptedDirSync) point(CurrentWrite)            \
      point(CurrentSync) point(CurrentRename) point(CurrentDirSync) point(NoteWrite) point(NoteSync) point(NoteRename) \
          point(NoteDirSync) point(NoteRemove) point(NoteGone) point(TruncSnapshot) point(TruncSnapshotsSync)          \
              point(TruncLater) point(TruncCut) point(TruncSync) point(TruncDirSync) point(ReplaceWritten)             \
                  point(ReplaceRename) point(ReplaceDirSync) point(ReplaceLog) point(ReplaceLogsSync)                  \
                      point(ReplaceSnapshot) point(ReplaceSnapshotsSync) point(DoubtWrite) point(DoubtSync)            \
                          point(DoubtRename) point(DoubtDirSync) point(DoubtRemove) point(AsideDirectory)              \
                              point(AsideSnapshot) point(AsideLog) point(AsideSync) point(AsideDirSync)

#define QUORATE_CRASH_POINTS(point) QUORATE_STANDALONE_CRASH_POINTS(point) QUORATE_ENSEMBLE_CRASH_POINTS(point)

enum class CrashPoint : uint8_t {
#define QUORATE_POINT_ENUM(name) name,
  QUORATE_CRASH_POINTS(QUORATE_POINT_ENUM)
#undef QUORATE_POINT_ENUM
      kCount,
};

#define QUORATE_POINT_ONE(name) +1
/// So many from the first on are those of every server.
constexpr size_t kStandaloneCrashPoints = QUORATE_STANDALONE_CRASH_POINTS(QUORATE_POINT_ONE);
#undef QUORATE_POINT_ONE

}  // namespace quorate::env
