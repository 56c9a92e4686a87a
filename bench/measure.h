#pragma once
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <fstream>

/// What the programs here measure with: CPU time, because the machine may be shared, and resident memory.
namespace quorate::bench {

inline double cpu_seconds() {
  timespec spent{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

inline size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  size_t total = 0;
  size_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

/// Stops the clock at its end and prints what each of `count` operations took.
class Timer {
 public:
  Timer(const char* what, size_t count) : what_(what), count_(count), begin_(cpu_seconds()) {}
  ~Timer() {
    const double seconds = cpu_seconds() - begin_;
    std::printf("%-44s %8.3f s  %8.1f ns each\n", what_, seconds, seconds * 1e9 / static_cast<double>(count_));
  }

 private:
  const char* what_;
  size_t count_;
  double begin_;
};

}  // namespace quorate::bench
