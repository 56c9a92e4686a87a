#pragma once
#include <cstdint>
#include <string>

/// Numbers and dates as Java prints them; tools match these texts. Pure functions. Spec: operations 2.4, 4.2.
namespace quorate::admin {

/// Double.toString: "0.0", "1.625", "1.0E7".
std::string java_double(double value);
/// Rounded half-up to four decimals.
double four_decimals(double value);

/// What a clock on the wall differs by from UTC, and how that is called.
struct Zone {
  int32_t offset_seconds = 0;
  std::string name = "UTC";
};

/// Date.toString: "Fri Nov 20 07:25:17 UTC 2026".
std::string java_date(int64_t wall_ms, const Zone& zone);

}  // namespace quorate::admin
