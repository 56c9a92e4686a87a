#pragma once
#include <vector>

#include "base/log_line.h"

/// What the core wants done, collected over a batch of inputs and emptied by the shell after it.
namespace quorate::replica {

struct Connection;

struct Outbox {
  std::vector<Connection*> dirty;   ///< Have bytes to send.
  std::vector<Connection*> closes;  ///< To be closed once their bytes are sent.
  std::vector<Connection*> gates;   ///< accepts_frames() has changed.
  std::vector<LogLine> lines;
};

}  // namespace quorate::replica
