#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace quorate {

void check_failed(const char* fact, const char* file, int line) {
  std::fprintf(stderr, "broken invariant: %s (%s:%d)\n", fact, file, line);
  std::abort();
}

}  // namespace quorate
