#pragma once
#include <cstdint>

/// What a stored ephemeralOwner stands for. Spec: client 5.2, disk 3.1.
namespace quorate::tree {

/// How stored owners are read.
struct TreeOptions {
  bool extended_types = false;   ///< extendedTypesEnabled: TTL owners are TTL nodes, not sessions.
  bool emulate_353_ttl = false;  ///< emulate353TTLNodes, only with the former.
};

enum class OwnerKind : uint8_t { Persistent, Ephemeral, Container, Ttl, Invalid };

OwnerKind owner_kind(int64_t owner, TreeOptions options);

/// The stored owner of a TTL node; 0, a persistent node, when `ttl` is none that can be stored. Such a createTTL kills
/// an Apache server when it applies it. Spec: disk 3.4, HARDEN-1.
int64_t ttl_owner(int64_t ttl);
/// Milliseconds, of an owner of kind Ttl.
int64_t ttl_of(int64_t owner);

}  // namespace quorate::tree
