#include "shell/server/logging.h"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace quorate::server {
namespace {

constexpr size_t kQueuedLines = 8192;

spdlog::level::level_enum level_of(Level level) {
  switch (level) {
    case Level::Debug:
      return spdlog::level::debug;
    case Level::Info:
      return spdlog::level::info;
    case Level::Warn:
      return spdlog::level::warn;
    case Level::Error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

/// spdlog has no pattern flag for Java's five-letter level names.
const char* name_of(Level level) {
  switch (level) {
    case Level::Debug:
      return "DEBUG";
    case Level::Info:
      return "INFO ";
    case Level::Warn:
      return "WARN ";
    case Level::Error:
      return "ERROR";
  }
  return "INFO ";
}

std::shared_ptr<spdlog::logger> logger;
std::string myid;

}  // namespace

void start_logging(const LoggingSettings& settings) {
  myid = settings.myid;
  spdlog::init_thread_pool(kQueuedLines, 1);
  // A full queue drops the oldest line: the loop never waits for a slow terminal.
  logger = std::make_shared<spdlog::async_logger>("quorate", std::make_shared<spdlog::sinks::stdout_sink_mt>(),
                                                  spdlog::thread_pool(), spdlog::async_overflow_policy::overrun_oldest);
  logger->set_level(level_of(settings.least));
  logger->set_pattern("%Y-%m-%d %H:%M:%S,%e %v");
  logger->flush_on(spdlog::level::info);
}

void log(const LogLine& line) {
  const spdlog::level::level_enum level = level_of(line.level);
  if (logger == nullptr || !logger->should_log(level)) return;
  logger->log(level, "[myid:{}] - {} [main:{}@1] - {}", myid, name_of(line.level), line.component, line.text);
}

void stop_logging() {
  // Waits until the last line is printed; only then is the logger nobody else's.
  spdlog::shutdown();
  logger.reset();
}

}  // namespace quorate::server
