#include "core/tree/pages.h"

#include <sys/mman.h>

#include <cstdint>

#include "base/check.h"

namespace quorate::tree {
namespace {

constexpr size_t kPage = 4096;

size_t round_up(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

}  // namespace

char* map_pages(size_t bytes, size_t alignment) {
  const size_t wanted = round_up(bytes, kPage);
  const size_t mapped = wanted + (alignment > kPage ? alignment : 0);
  void* raw = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  QUORATE_CHECK(raw != MAP_FAILED);
  char* begin = static_cast<char*>(raw);
  const size_t skip = round_up(reinterpret_cast<uintptr_t>(begin), alignment) - reinterpret_cast<uintptr_t>(begin);
  if (skip > 0) munmap(begin, skip);
  if (mapped - skip > wanted) munmap(begin + skip + wanted, mapped - skip - wanted);
  return begin + skip;
}

void unmap_pages(char* at, size_t bytes) {
  const int result = munmap(at, round_up(bytes, kPage));
  QUORATE_CHECK(result == 0);
}

void advise_huge(char* at, size_t bytes) { madvise(at, bytes, MADV_HUGEPAGE); }

}  // namespace quorate::tree
