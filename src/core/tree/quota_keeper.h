#pragma once
#include <cstdint>
#include <string_view>

#include "core/tree/tree.h"

/// Keeps the usage text in zookeeper_stats nodes true: in place, without version, Stat or event. A usage text that does
/// not parse is counted anew. Called by Tree after each change, and by the loader. Spec: client 11.2, disk 3.4.
namespace quorate::tree {

void quota_after_insert(Tree& tree, NodeRef node, std::string_view path);
/// `bytes` is the length of the data that went with the node.
void quota_after_erase(Tree& tree, std::string_view path, int64_t bytes);
void quota_after_data(Tree& tree, NodeRef node, int64_t bytes_delta);
/// Counts the usage of every quota, after a snapshot was loaded.
void quota_recount_all(Tree& tree);

}  // namespace quorate::tree
