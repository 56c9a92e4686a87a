#pragma once
#include <cstdint>
#include <string_view>

#include "wire/stat.h"

/// Digest of one node, version 2: CRC-32 over path, data and the stored Stat. Spec: disk 5.1.
namespace quorate::tree {

/// Over path (empty for the root) and data: the part that a change of Stat leaves alone.
uint32_t content_checksum(std::string_view path, std::string_view data);
/// The node's digest: the checksum continued over the Stat. The tree's digest is the sum over its nodes modulo 2^64.
uint64_t node_digest(uint32_t content, const wire::StatPersisted& stat);

}  // namespace quorate::tree
