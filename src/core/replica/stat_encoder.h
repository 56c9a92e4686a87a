#pragma once
#include <cstddef>

#include "base/byte_buffer.h"
#include "wire/archive.h"
#include "wire/stat.h"

/// Writes a Stat as wire::encode does, with direct stores: a Stat ends nearly every reply. Spec: client 5.1.
namespace quorate::replica {

constexpr size_t kStatBytes = 68;

/// Requires: kStatBytes bytes at `at`.
inline void store_stat(char* at, const wire::Stat& stat) {
  wire::store_be64(at, static_cast<uint64_t>(stat.czxid));
  wire::store_be64(at + 8, static_cast<uint64_t>(stat.mzxid));
  wire::store_be64(at + 16, static_cast<uint64_t>(stat.ctime));
  wire::store_be64(at + 24, static_cast<uint64_t>(stat.mtime));
  wire::store_be32(at + 32, static_cast<uint32_t>(stat.version));
  wire::store_be32(at + 36, static_cast<uint32_t>(stat.cversion));
  wire::store_be32(at + 40, static_cast<uint32_t>(stat.aversion));
  wire::store_be64(at + 44, static_cast<uint64_t>(stat.ephemeral_owner));
  wire::store_be32(at + 52, static_cast<uint32_t>(stat.data_length));
  wire::store_be32(at + 56, static_cast<uint32_t>(stat.num_children));
  wire::store_be64(at + 60, static_cast<uint64_t>(stat.pzxid));
}

inline void append_stat(ByteBuffer& out, const wire::Stat& stat) { store_stat(out.grow(kStatBytes), stat); }

}  // namespace quorate::replica
