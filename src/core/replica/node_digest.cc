#include "core/replica/node_digest.h"

#include <libdeflate.h>

#include "wire/archive.h"

namespace quorate::replica {

uint32_t content_crc(std::string_view path, std::string_view data) {
  const uint32_t crc = libdeflate_crc32(0, path.empty() ? "" : path.data(), path.size());
  return data.empty() ? crc : libdeflate_crc32(crc, data.data(), data.size());
}

uint32_t node_digest(uint32_t content_crc, const wire::StatPersisted& stat) {
  char bytes[60];
  wire::store_be64(bytes, static_cast<uint64_t>(stat.czxid));
  wire::store_be64(bytes + 8, static_cast<uint64_t>(stat.mzxid));
  wire::store_be64(bytes + 16, static_cast<uint64_t>(stat.pzxid));
  wire::store_be64(bytes + 24, static_cast<uint64_t>(stat.ctime));
  wire::store_be64(bytes + 32, static_cast<uint64_t>(stat.mtime));
  wire::store_be32(bytes + 40, static_cast<uint32_t>(stat.version));
  wire::store_be32(bytes + 44, static_cast<uint32_t>(stat.cversion));
  wire::store_be32(bytes + 48, static_cast<uint32_t>(stat.aversion));
  wire::store_be64(bytes + 52, static_cast<uint64_t>(stat.ephemeral_owner));
  return libdeflate_crc32(content_crc, bytes, sizeof bytes);
}

}  // namespace quorate::replica
