#pragma once
#include <cstdint>

/// Faults planted on purpose, to show that the simulator finds them. Only the test build (QUORATE_PLANTED) has the
/// switch; in every other build planted() is a constant false and leaves no code behind.
namespace quorate {

// clang-format off: a fault a line

/// In any server: the name, and what is wrong then.
#define QUORATE_PLANTED_STANDALONE(fault)                                                                  \
  fault(LostLogSync, "the log is not synced before its txns are reported durable")                         \
  fault(AckBeforeSync, "a batch counts as durable once it was handed to the log")                          \
  fault(TornBatchTaken, "recovery takes a record with a wrong checksum for data")                          \
  fault(NoDirectorySync, "a new log file's directory entry is not synced")                                 \
  fault(SnapshotMissesChange, "a change during a snapshot does not write the old node first")              \
  fault(SnapshotNotSynced, "a snapshot gets its name before its bytes are synced")                         \
  fault(PurgeTooMuch, "purge removes the log that the oldest kept snapshot needs")                         \
  fault(WatchNotRemoved, "a closed connection's watches stay in the tables")                               \
  fault(EphemeralKept, "closeSession forgets ephemerals whose creation was still in flight")               \
  fault(ReplayOffByOne, "replay starts at the second record after the snapshot")                           \
  fault(ReadPassesWrite, "a read does not wait for earlier writes of its own connection")                  \
  fault(BadRollback, "a failed multi leaves its prepared changes behind")

/// In the protocol of an ensemble.
#define QUORATE_PLANTED_ENSEMBLE(fault)                                                                    \
  fault(AcceptedEpochLate, "a promised epoch is remembered and not written (quorum rule 16)")              \
  fault(CurrentEpochFirst, "currentEpoch is written before the epoch's history is there (4643)")           \
  fault(EpochPromisedTwice, "an epoch that was promised to one leader is promised to another")             \
  fault(LeadsThoseAhead, "a leader takes learners that know more than it does (rule 20)")                  \
  fault(DoubtVotes, "a server that has lost its history votes as if it had none (R-D6)")                   \
  fault(UndurableKept, "what no log holds stays in memory, and is voted with, in the next role (4882)")    \
  fault(ServesBeforeQuorum, "a new leader serves before a quorum acknowledged NEWLEADER")                  \
  fault(NewLeaderAckedEarly, "NEWLEADER is acknowledged before the history is durable (3911)")             \
  fault(AckedBeforeDurable, "a follower acknowledges proposals that its log does not hold yet")            \
  fault(CommitWithoutQuorum, "a leader commits by its own word")                                           \
  fault(CommitTakesAll, "a COMMIT counts for every proposal that the learner holds")                       \
  fault(UncommittedSentAsHistory, "a joining learner is told that outstanding proposals are committed")    \
  fault(InformedBeforeCommit, "observers are informed of what is only proposed")                           \
  fault(JoinsLiveLate, "a learner gets live traffic only behind its ACK, and what was between is lost")    \
  fault(DiffOverHole, "a DIFF begins behind what the learner has, and the learner takes it (2099)")        \
  fault(TailNotCut, "a learner's uncommitted tail stays where TRUNC had to come")                          \
  fault(CutOneTooMany, "TRUNC leaves one txn too many in the log (disk 2.8)")                              \
  fault(CutNotReloaded, "after TRUNC the memory stays as it was")                                          \
  fault(DirtySnapshotKept, "TRUNC leaves newer snapshots (1549)")                                          \
  fault(TreeNotStored, "a tree that was received is taken for stored (3642)")                              \
  fault(OldHistoryKept, "logs and snapshots from before a SNAP stay beside it (2846)")                     \
  fault(BrokenSyncKept, "the memory of a sync that broke off is kept (MUST-7)")                            \
  fault(ZxidReused, "a new leader counts on in the old epoch")                                             \
  fault(LeadsWithoutQuorum, "a leader without a quorum goes on leading")                                   \
  fault(ForwardedReordered, "a later forwarded request goes before an earlier one")                        \
  fault(SyncAnsweredHere, "a follower answers sync by itself")                                             \
  fault(SyncedTooEarly, "a sync is answered before what was committed ahead of it is applied")             \
  fault(ClientAheadAdmitted, "a client that has seen more than the server is let in (R-N9)")               \
  fault(ReadBeforeConfirmed, "requests are read before the leader has confirmed the session (1382)")       \
  fault(OwnerMovesWithRequest, "a session's owner moves with any request, however late (710)")             \
  fault(MovedIsAnswered, "a client learns by an error, not by its connection's end, that it has moved")    \
  fault(OwnerNotTold, "the connection of a session that was closed elsewhere stays open")                  \
  fault(ExpiresEarly, "sessions expire at half of their timeout")                                          \
  fault(TouchesLost, "the leader does not hear of which sessions learners' pings speak")                   \
  fault(MemoryBehindLog, "a role begins with a memory that lacks what the log holds (2845)")

/// In the protocol, too, where only scripts come by.
#define QUORATE_PLANTED_SCRIPTED(fault)                                                                    \
  fault(WallClockTimes, "sessions expire by the wall clock (1366)")                                        \
  fault(CutAckCounts, "what a learner acknowledged before it was told to cut it still counts")             \
  fault(CounterGoesOn, "a leader whose counter has come to its end goes on (1277)")                        \
  fault(ReadOnlyCounts, "what a read-only server did counts as history (3526)")                            \
  fault(TooLongLogged, "a txn is logged that is too long to be read again (4306)")                         \
  fault(HoleServed, "a log goes on below a SNAP's hole, which is served, and taken, as history (2099)")

// clang-format on

#define QUORATE_PLANTED_FAULTS(fault) \
  QUORATE_PLANTED_STANDALONE(fault) QUORATE_PLANTED_ENSEMBLE(fault) QUORATE_PLANTED_SCRIPTED(fault)

enum class Planted : uint8_t {
  None,
#define QUORATE_PLANTED_ENUM(name, what) name,
  QUORATE_PLANTED_FAULTS(QUORATE_PLANTED_ENUM)
#undef QUORATE_PLANTED_ENUM
};

#ifdef QUORATE_PLANTED
inline Planted planted_fault = Planted::None;
inline bool planted(Planted fault) { return planted_fault == fault; }
#else
constexpr bool planted(Planted) { return false; }
#endif

}  // namespace quorate
