#include "shell/admin/java_format.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <string_view>

namespace quorate::admin {
namespace {

/// Shortest digits that give the value back, without an exponent.
std::string plain_digits(double value) {
  std::array<char, 400> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed).ptr;
  return {text.data(), end};
}

std::string with_fraction(std::string text) { return text.find('.') == std::string::npos ? text + ".0" : text; }

std::string with_exponent(double value) {
  std::array<char, 64> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific).ptr;
  const std::string digits(text.data(), end);
  const size_t mark = digits.find('e');
  const int exponent = std::stoi(digits.substr(mark + 1));
  return fmt::format("{}E{}", with_fraction(digits.substr(0, mark)), exponent);
}

}  // namespace

std::string java_double(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  const double size = std::fabs(value);
  if (size != 0 && (size < 1e-3 || size >= 1e7)) return with_exponent(value);
  return with_fraction(plain_digits(value));
}

double four_decimals(double value) {
  // Decimal digits decide, not bits: 0.00005 goes up although its double lies a little below.
  const std::string digits = plain_digits(value);
  const size_t dot = digits.find('.');
  if (dot == std::string::npos || digits.size() - dot - 1 <= 4) return value;
  const double cut = std::stod(digits.substr(0, dot) + digits.substr(dot + 1, 4));
  const double up = digits[dot + 5] >= '5' ? 1 : 0;
  return (value < 0 ? cut - up : cut + up) / 10000;
}

std::string java_date(int64_t wall_ms, const Zone& zone) {
  using namespace std::chrono;
  static constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const sys_time<milliseconds> local(milliseconds(wall_ms + int64_t{zone.offset_seconds} * 1000));
  const auto midnight = floor<days>(local);
  const year_month_day date(midnight);
  const hh_mm_ss time(floor<seconds>(local - midnight));
  return fmt::format("{} {} {:02} {:02}:{:02}:{:02} {} {}", kDays[weekday(midnight).c_encoding()],
                     kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(), zone.name,
                     static_cast<int>(date.year()));
}

}  // namespace quorate::admin
