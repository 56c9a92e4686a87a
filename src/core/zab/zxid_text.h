#pragma once
#include <fmt/format.h>

#include <string>

#include "base/ids.h"

/// A zxid as operators know it from log lines and file names. For sources, not for headers: fmt is heavy.
namespace quorate::zab {

inline std::string hex(Zxid zxid) { return fmt::format("0x{:x}", static_cast<uint64_t>(zxid.value)); }

}  // namespace quorate::zab
