#pragma once
#include "core/zab/follow.h"
#include "core/zab/lead.h"

/// What a replica is while it lives: a server of its own, or a member that leads or follows. A change of role ends one
/// replica and begins another, so that nothing of the old role can be carried out in the new one (known-faults 4712).
namespace quorate::replica {

struct Role {
  zab::Lead* lead = nullptr;
  zab::Follow* follow = nullptr;
  bool looking = false;  ///< A member without a leader: nobody is served.

  bool alone() const { return lead == nullptr && follow == nullptr && !looking; }
};

}  // namespace quorate::replica
