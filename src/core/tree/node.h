#pragma once
#include <cstdint>

namespace quorate::tree {

/// Index of a node in the slabs. The root is 1.
enum class NodeRef : uint32_t {};
constexpr NodeRef kNoNode{0};
constexpr NodeRef kRoot{1};

}  // namespace quorate::tree
