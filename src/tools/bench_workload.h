#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/byte_buffer.h"
#include "base/result.h"
#include "tools/bench_link.h"
#include "tools/bench_options.h"

/// What the requests of a run are. The loop asks for one request after the other; a workload appends a preformatted
/// frame and says what it was.
namespace quorate::tools {

enum class Sent : uint8_t { Nothing, Read, Write };

class BenchWorkload {
 public:
  virtual ~BenchWorkload() = default;
  /// Appends the next request of this connection with this xid; Nothing when the work is used up.
  virtual Sent append(size_t connection, int32_t xid, ByteBuffer& out) = 0;
};

/// Makes what the mode needs on the server (parents, keys) through `link`, and the workload.
/// Requires: a mode that loads a server. Errors: an unexpected answer, a lost connection.
Result<std::unique_ptr<BenchWorkload>> prepare_workload(const BenchOptions& options, BenchLink& link);

/// After a Delete run: removes the directories and the root, which are empty now.
Result<void> finish_workload(const BenchOptions& options, BenchLink& link);

/// The parts, for their tests.
std::unique_ptr<BenchWorkload> key_workload(const BenchOptions& options);
/// `next` is the first free number under each connection's parent.
std::unique_ptr<BenchWorkload> create_workload(const BenchOptions& options, std::vector<uint64_t> next);
std::unique_ptr<BenchWorkload> fill_workload(const BenchOptions& options);
std::unique_ptr<BenchWorkload> delete_workload(std::vector<std::string> paths);

std::string key_path(const BenchOptions& options, uint32_t key);                  ///< /zkload/k17
std::string directory_path(const BenchOptions& options, char kind, uint64_t at);  ///< /zkload/c00003

}  // namespace quorate::tools
