#pragma once
#include <cstddef>

/// Large runs of zeroed memory straight from the kernel, so that what the tree gives back is really free and a chunk
/// costs only the pages that were touched.
namespace quorate::tree {

constexpr size_t kHugePage = size_t{2} << 20;

/// Aligned to `alignment`, a power of two of at least a page. Never null.
char* map_pages(size_t bytes, size_t alignment);
void unmap_pages(char* at, size_t bytes);
/// Asks for huge pages: fewer TLB misses where a whole chunk will be used.
void advise_huge(char* at, size_t bytes);

}  // namespace quorate::tree
