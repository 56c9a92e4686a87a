#pragma once

namespace quorate::server {

inline constexpr const char* kProductVersion = "0.1.0";
/// In the place where tools expect Apache's revision: 40 hexadecimal digits.
inline constexpr const char* kRevision = "0000000000000000000000000000000000000000";
inline constexpr const char* kBuilt = "2026-11-20 07:25";

}  // namespace quorate::server
