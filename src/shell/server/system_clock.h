#pragma once
#include "shell/env/clock.h"

namespace quorate::server {

/// The machine's clocks.
class SystemClock final : public env::Clock {
 public:
  Now now() const override;
  int64_t micros() const override;
};

}  // namespace quorate::server
