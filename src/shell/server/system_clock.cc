#include "shell/server/system_clock.h"

#include <ctime>

namespace quorate::server {
namespace {

int64_t read_nanos(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

}  // namespace

Now SystemClock::now() const {
  return {Millis{read_nanos(CLOCK_MONOTONIC) / 1'000'000}, read_nanos(CLOCK_REALTIME) / 1'000'000};
}

int64_t SystemClock::micros() const { return read_nanos(CLOCK_MONOTONIC) / 1000; }

}  // namespace quorate::server
