#pragma once
#include <vector>

#include "base/byte_buffer.h"
#include "base/ids.h"
#include "base/log_line.h"

/// What the core wants done, collected over a batch of inputs and emptied by the shell after it.
namespace quorate::replica {

struct Connection;

/// A batch is one write of at most this many bytes, or a single record: what a power cut can tear is then within the
/// last MiB of a log, which is how recovery tells it from damage (DESIGN, section 2).
constexpr size_t kMaxBatchBytes = 1 << 20;

/// Framed records, ascending and contiguous; handed to the log and returned by Replica::on_persisted.
struct LogBatch {
  ByteBuffer records;
  Zxid first;
  Zxid last;
  int32_t txns = 0;
  bool empty() const { return txns == 0; }
};

struct Outbox {
  std::vector<Connection*> dirty;   ///< Have bytes to send.
  std::vector<Connection*> closes;  ///< To be closed once their bytes are sent.
  std::vector<Connection*> gates;   ///< accepts_frames() has changed.
  std::vector<LogLine> lines;
};

}  // namespace quorate::replica
