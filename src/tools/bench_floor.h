#pragma once
#include <string>

#include "base/result.h"
#include "tools/bench_histogram.h"
#include "tools/bench_options.h"

/// What no server can beat on this machine: a bare loopback round trip and a bare sync of a write into a file that has
/// its blocks. Rows of a single client are judged against these.
namespace quorate::tools {

/// How both ends wait for bytes. The kernel may place a thread woken from epoll_wait on another processor than one
/// woken from recv, which changes the figure several times over; servers and the load generator sit in epoll_wait.
enum class Waiting : uint8_t { Epoll, Blocked };

/// `rounds` exchanges of `bytes` with an echo thread of our own. The ends sit on two processors where there are two, as
/// a server and its only client do: on one, a round trip takes a quarter of the time, and the kernel would choose.
Result<BenchHistogram> measure_round_trips(uint32_t rounds, uint32_t bytes, Waiting waiting);

/// Writes `bytes` after `bytes` into a zero-filled file in `directory` and fdatasyncs each. The file is removed.
Result<BenchHistogram> measure_syncs(const std::string& directory, uint32_t rounds, uint32_t bytes);

}  // namespace quorate::tools
