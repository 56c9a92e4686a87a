#include "sim/program/seeds.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

#include "base/check.h"

namespace quorate::sim {
namespace {

constexpr size_t kMostFailures = 200;

struct Slot {
  std::atomic<uint64_t> seed{0};  ///< Under way; 0: none.
  uint64_t seeds = 0;
  Counts counts;
};

/// In memory that all processes share.
struct Board {
  std::atomic<uint64_t> next{0};
  std::atomic<bool> stop{false};
  std::atomic<size_t> failures{0};
  struct {
    uint64_t seed;
    char text[500];
  } failed[kMostFailures];
  Slot slots[64];
};

void report(Board& board, uint64_t seed, const std::string& text) {
  const size_t at = board.failures++;
  if (at >= kMostFailures) return;
  board.failed[at].seed = seed;
  const size_t length = std::min(text.size(), sizeof board.failed[at].text - 1);
  std::memcpy(board.failed[at].text, text.data(), length);
}

void work(Board& board, Slot& slot, const Options& options, bool stop_at_first) {
  while (!board.stop) {
    const uint64_t seed = board.next++;
    if (seed > options.last) return;
    slot.seed = seed;
    const Outcome outcome = options.run(seed, false);
    ++slot.seeds;
    slot.counts.add(outcome.counts);
    slot.seed = 0;
    if (outcome.failure.empty()) continue;
    report(board, seed, outcome.failure);
    if (stop_at_first) board.stop = true;
  }
}

pid_t start(Board& board, size_t number, const Options& options, bool stop_at_first) {
  const pid_t child = fork();
  QUORATE_CHECK(child >= 0);
  if (child != 0) return child;
  work(board, board.slots[number], options, stop_at_first);
  _exit(0);
}

/// Waits for the workers; one that died is replaced, and its seed is a failure.
void wait_for_all(Board& board, std::vector<pid_t>& children, const Options& options, bool stop_at_first) {
  for (size_t running = children.size(); running > 0;) {
    int status = 0;
    const pid_t ended = wait(&status);
    const auto at = std::ranges::find(children, ended);
    if (at == children.end()) continue;
    const auto number = static_cast<size_t>(at - children.begin());
    const uint64_t seed = board.slots[number].seed.exchange(0);
    if (seed == 0) {
      --running;
      continue;
    }
    report(board, seed, "the process died; its last words are above");
    if (stop_at_first) board.stop = true;
    *at = start(board, number, options, stop_at_first);
  }
}

}  // namespace

Totals run_seeds(const Options& options, bool stop_at_first) {
  void* memory = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  QUORATE_CHECK(memory != MAP_FAILED);
  Board& board = *new (memory) Board;
  board.next = options.first;
  std::vector<pid_t> children;
  for (size_t i = 0; i < options.jobs; ++i) children.push_back(start(board, i, options, stop_at_first));
  wait_for_all(board, children, options, stop_at_first);

  Totals totals;
  for (const Slot& slot : board.slots) {
    totals.seeds += slot.seeds;
    totals.sum.add(slot.counts);
  }
  totals.failed = board.failures;
  for (size_t i = 0; i < std::min(board.failures.load(), kMostFailures); ++i) {
    totals.failures.push_back({board.failed[i].seed, board.failed[i].text});
  }
  std::ranges::sort(totals.failures, {}, &Failure::seed);
  munmap(memory, sizeof(Board));
  return totals;
}

}  // namespace quorate::sim
