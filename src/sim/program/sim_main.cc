#include <fmt/format.h>
#include <cstdlib>
#include "sim/world.h"
int main(int argc, char** argv) {
  uint64_t a = std::strtoull(argv[1], nullptr, 10), b = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : a;
  uint64_t txns = 0, restarts = 0, snaps = 0;
  for (uint64_t s = a; s <= b; ++s) {
    if (argc > 4) fmt::print(stderr, "seed {}\n", s);
    auto o = quorate::sim::run_seed(s, argc > 3);
    txns += o.txns; restarts += o.restarts; snaps += o.snapshots;
    if (!o.failure.empty()) { fmt::print("seed {}: {}\n", s, o.failure); }
  }
  fmt::print("{} txns {} restarts {} snaps\n", txns, restarts, snaps);
}
