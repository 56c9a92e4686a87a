#pragma once

namespace quorate::cli {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace quorate::cli
