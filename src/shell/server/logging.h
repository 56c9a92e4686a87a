#pragma once
#include <string>

#include "base/log_line.h"

/// Puts log lines on stdout through an asynchronous sink, in the layout that log shippers parse:
/// `2026-11-20 07:27:41,693 [myid:] - INFO  [main:ZooKeeperServer@1] - text`. Spec: operations 7.1.
namespace quorate::server {

struct LoggingSettings {
  std::string myid;  ///< Empty for a standalone server.
  Level least = Level::Info;
};

void start_logging(const LoggingSettings& settings);
void log(const LogLine& line);
/// Waits until everything is out.
void stop_logging();

}  // namespace quorate::server
