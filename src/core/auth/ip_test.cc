#include "core/auth/ip.h"

#include <gtest/gtest.h>

#include <string>

namespace quorate::auth {
namespace {

// Spec: client 10.4.
TEST(Ip, ExpressionsOfLists) {
  struct Case {
    const char* text;
    bool valid;
  };
  const Case cases[] = {
      {"1.2.3.4", true},
      {"255.255.255.255", true},
      {"256.1.1.1", false},
      {"1.2.3", false},
      {"1.2.3.4.5", false},
      {"1.2.3.4.", false},
      {".1.2.3", false},
      {"1..2.3", false},
      {"+1.2.3.004", true},
      {"-0.2.3.4", true},
      {"-1.2.3.4", false},
      {"a.b.c.d", false},
      {"", false},
      {"1.2.3.4/0", true},
      {"1.2.3.4/32", true},
      {"1.2.3.4/33", false},
      {"1.2.3.4/", false},
      {"1.2.3.4/8/8", false},
      {"1.2.3.4/-1", false},
      {"1.2.3.4/+08", true},
      {"/8", false},
      {"::", true},
      {"::1", true},
      {"1::", true},
      {"1:2:3:4:5:6:7:8", true},
      {"1:2:3:4:5:6:7", false},
      {"1:2:3:4:5:6:7::", true},
      {"::2:3:4:5:6:7:8", true},
      {"1:2:3:4::5:6:7:8", false},
      {"1:2:3:4:5:6:7:8:9", false},
      {"1::2::3", false},
      {":::", false},
      {"1:::2", false},
      {":1:2:3:4:5:6:7", false},
      {"1:2:3:4:5:6:7:", false},
      {"12345::", false},
      {"fe80::1%eth0", false},
      {"::ffff:1.2.3.4", false},
      {"g::", false},
      {"2001:DB8::/32", true},
      {"2001:db8::/129", false},
      {"::/128", true},
      {"99999999999.1.1.1", false},
  };
  for (const Case& c : cases) EXPECT_EQ(ip_id_valid(c.text), c.valid) << c.text;
  EXPECT_TRUE(ip_id_valid("1.2.3." + std::string(10000, '0') + "4"));
}

TEST(Ip, Prefixes) {
  struct Case {
    const char* why;
    const char *address, *expression;
    bool matches;
  };
  const Case cases[] = {
      {"equal", "10.1.2.3", "10.1.2.3", true},
      {"differ in the last bit", "10.1.2.3", "10.1.2.2", false},
      {"inside", "10.1.2.3", "10.1.2.0/24", true},
      {"bits behind the prefix do not count", "10.1.2.3", "10.1.2.255/24", true},
      {"a prefix inside a byte", "10.1.2.127", "10.1.2.64/26", true},
      {"outside of it", "10.1.2.128", "10.1.2.64/26", false},
      {"everything", "10.1.2.3", "0.0.0.0/0", true},
      {"leading zeros are decimal", "10.1.2.8", "010.1.2.008", true},
      {"v6 equal in other words", "2001:db8:0:0:0:0:0:1", "2001:DB8::1", true},
      {"v6 inside", "2001:db8:1::5", "2001:db8::/32", true},
      {"v6 outside", "2001:db9::5", "2001:db8::/32", false},
      {"v6 prefix inside a byte", "2001:db8::1", "2001:dbf::/29", true},
      {"families never match", "0:0:0:0:0:0:0:1", "0.0.0.1/0", false},
      {"no mapped addresses", "1.2.3.4", "::ffff:102:304", false},
      {"a zone cannot match", "fe80:0:0:0:0:0:0:1%eth0", "fe80::/10", false},
      {"nonsense in a list", "10.1.2.3", "10.1.2.3/x", false},
  };
  for (const Case& c : cases) EXPECT_EQ(ip_matches(c.address, c.expression), c.matches) << c.why;
}

}  // namespace
}  // namespace quorate::auth
