#pragma once
#include <cstdint>
#include <string>

/// A line for the operator, as a value: quiet code returns these, the shell prints them.
namespace quorate {

enum class Level : uint8_t { Debug, Info, Warn, Error };

struct LogLine {
  Level level = Level::Info;
  const char* component = "";  ///< Who speaks, e.g. "SessionTracker"; a string literal.
  std::string text;
};

}  // namespace quorate
