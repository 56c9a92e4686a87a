#include "core/tree/digest.h"

#include <libdeflate.h>

namespace quorate::tree {

uint32_t content_checksum(std::string_view path, std::string_view data) {
  // libdeflate takes a null buffer for "give me the initial value".
  const uint32_t crc = path.empty() ? 0 : libdeflate_crc32(0, path.data(), path.size());
  return data.empty() ? crc : libdeflate_crc32(crc, data.data(), data.size());
}

uint64_t node_digest(uint32_t content, const wire::StatPersisted& stat) {
  char bytes[60];
  const int64_t longs[] = {stat.czxid, stat.mzxid, stat.pzxid, stat.ctime, stat.mtime};
  char* at = bytes;
  for (const int64_t value : longs) {
    wire::store_be64(at, static_cast<uint64_t>(value));
    at += 8;
  }
  wire::store_be32(at, static_cast<uint32_t>(stat.version));
  wire::store_be32(at + 4, static_cast<uint32_t>(stat.cversion));
  wire::store_be32(at + 8, static_cast<uint32_t>(stat.aversion));
  wire::store_be64(at + 12, static_cast<uint64_t>(stat.ephemeral_owner));
  return libdeflate_crc32(content, bytes, sizeof bytes);
}

}  // namespace quorate::tree
