#pragma once
#include <cstdint>
#include <string_view>

#include "wire/stat.h"

/// The digest of one node, in the two steps that the overlay of pending changes takes. Spec: disk 5.1.
namespace quorate::replica {

/// CRC-32 over path and data; the root's path is "".
uint32_t content_crc(std::string_view path, std::string_view data);

/// The node's digest: `content_crc` continued over the stored Stat, in the digest's own field order.
uint32_t node_digest(uint32_t content_crc, const wire::StatPersisted& stat);

/// Nodes below /zookeeper are left out of the tree's digest; /zookeeper itself is not.
inline bool in_digest(std::string_view path) { return !path.starts_with("/zookeeper/"); }

}  // namespace quorate::replica
