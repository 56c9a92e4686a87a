#pragma once
#include <cstddef>
#include <cstdint>

/// Things that a run should meet now and then. They are counted; a long run in which one never happened has failed.
namespace quorate::sim {

#define QUORATE_RARE_EVENTS(event)                                                                                  \
  event(FrameTooLong) event(TxnTooLong) event(OverQuota) event(ConnectionRefused) event(DiskFull) event(SpaceAdded) \
      event(ZxidRollOver)

enum class Rare : uint8_t {
#define QUORATE_RARE_ENUM(name) name,
  QUORATE_RARE_EVENTS(QUORATE_RARE_ENUM)
#undef QUORATE_RARE_ENUM
      kCount,
};
constexpr size_t kRareEvents = static_cast<size_t>(Rare::kCount);

}  // namespace quorate::sim
