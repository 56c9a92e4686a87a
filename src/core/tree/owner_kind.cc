#include "core/tree/owner_kind.h"

#include "wire/codes.h"

namespace quorate::tree {

OwnerKind owner_kind(int64_t owner, TreeOptions options) {
  if (owner == 0) return OwnerKind::Persistent;
  if (owner == wire::kContainerOwner) return OwnerKind::Container;
  if (!options.extended_types) return OwnerKind::Ephemeral;
  if (options.emulate_353_ttl && owner < 0) return OwnerKind::Ttl;
  const uint64_t bits = static_cast<uint64_t>(owner);
  if ((bits & wire::kTtlOwnerMark) != wire::kTtlOwnerMark) return OwnerKind::Ephemeral;
  const uint64_t feature = (bits & ~wire::kTtlOwnerMark) >> 40;
  return feature == 0 ? OwnerKind::Ttl : OwnerKind::Invalid;
}

int64_t ttl_owner(int64_t ttl) {
  if (ttl < 1 || ttl > wire::kMaxTtl) return 0;
  return static_cast<int64_t>(wire::kTtlOwnerMark | static_cast<uint64_t>(ttl));
}

int64_t ttl_of(int64_t owner) { return owner & wire::kMaxTtl; }

}  // namespace quorate::tree
