#include "shell/admin/java_format.h"

#include <gtest/gtest.h>

namespace quorate::admin {
namespace {

TEST(JavaFormat, Doubles) {
  struct Case {
    double value;
    const char* text;
  };
  const Case cases[] = {{0, "0.0"},
                        {1.625, "1.625"},
                        {-2.5, "-2.5"},
                        {0.001, "0.001"},
                        {0.0005, "5.0E-4"},
                        {9999999, "9999999.0"},
                        {1e7, "1.0E7"},
                        {12345678.5, "1.23456785E7"},
                        {100, "100.0"},
                        {0.02, "0.02"},
                        {1.795159435496e12, "1.795159435496E12"}};
  for (const Case& c : cases) EXPECT_EQ(java_double(c.value), c.text);
}

TEST(JavaFormat, FourDecimalsHalfUp) {
  EXPECT_EQ(java_double(four_decimals(113.0 / 12)), "9.4167");
  EXPECT_EQ(java_double(four_decimals(17.0 / 6)), "2.8333");
  EXPECT_EQ(java_double(four_decimals(1.00005)), "1.0001");
  EXPECT_EQ(java_double(four_decimals(0.00004)), "0.0");
  EXPECT_EQ(java_double(four_decimals(17.5)), "17.5");
}

TEST(JavaFormat, Dates) {
  EXPECT_EQ(java_date(1795159517000, {}), "Fri Nov 20 07:25:17 UTC 2026");
  EXPECT_EQ(java_date(1795159517999, {}), "Fri Nov 20 07:25:17 UTC 2026");
  EXPECT_EQ(java_date(0, {3600, "CET"}), "Thu Jan 01 01:00:00 CET 1970");
  EXPECT_EQ(java_date(-1, {}), "Wed Dec 31 23:59:59 UTC 1969");
  EXPECT_EQ(java_date(1709164800000, {-18000, "EST"}), "Wed Feb 28 19:00:00 EST 2024");
}

}  // namespace
}  // namespace quorate::admin
