#pragma once
#include <cstddef>
#include <cstdint>

/// Things that runs of several servers should meet now and then, each counted; many seeds in which one never happened
/// have failed. Spec: known-faults 9.2.
namespace quorate::sim {

#define QUORATE_ENSEMBLE_EVENTS(event)                                                                                \
  event(LeaderEstablished) event(FollowerServes) event(LeaderLost) event(LeaderLostWhileProposing) event(QuorumLost)  \
      event(SyncDiff) event(SyncDiffFromDisk) event(SyncTrunc) event(SyncSnap) event(EpochPromisedNotTaken)           \
          event(ProposalAdopted) event(ProposalDropped) event(SessionMoved) event(SessionRenewedElsewhere)            \
              event(SessionExpired) event(SessionRefusedAhead) event(WatchesRestored) event(OutcomeUnknown)           \
                  event(ServerKilled) event(PowerLost) event(AllPowerLost) event(DiskErrorStopped) event(DiskFullMet) \
                      event(ServerPaused) event(HastySnapshot) event(FileDamaged)

enum class EnsembleEvent : uint8_t {
#define QUORATE_ENSEMBLE_EVENT_ENUM(name) name,
  QUORATE_ENSEMBLE_EVENTS(QUORATE_ENSEMBLE_EVENT_ENUM)
#undef QUORATE_ENSEMBLE_EVENT_ENUM
      kCount,
};
constexpr size_t kEnsembleEvents = static_cast<size_t>(EnsembleEvent::kCount);

}  // namespace quorate::sim
