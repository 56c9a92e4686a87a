#include "core/auth/standard_text.h"

#include <gtest/gtest.h>

namespace quorate::auth {
namespace {

// Spec: client 1.1, rules 3 and 4. The number of replacements is Java's.
TEST(StandardText, MalformedPartsAreReplaced) {
  const std::string bad = "\xEF\xBF\xBD";
  struct Case {
    const char* why;
    std::string text, standard;
  };
  const Case cases[] = {
      {"empty", "", ""},
      {"ascii", "bob:pw", "bob:pw"},
      {"two, three and four bytes", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
      {"the character U+FFFD itself", bad, bad},
      {"a zero byte", std::string("a\0b", 3), std::string("a\0b", 3)},
      {"two surrogates of three bytes", "x\xED\xA0\xBD\xED\xB8\x80y", "x\xF0\x9F\x98\x80y"},
      {"the last character there is, as surrogates", "\xED\xAF\xBF\xED\xBF\xBF", "\xF4\x8F\xBF\xBF"},
      {"a lone high surrogate", "\xED\xA0\xBDz", bad + "z"},
      {"a lone low surrogate", "\xED\xB8\x80", bad},
      {"surrogates in the wrong order", "\xED\xB8\x80\xED\xA0\xBD", bad + bad},
      {"Latin-1", "caf\xE9", "caf" + bad},
      {"a stray continuation", "\x80\x80", bad + bad},
      {"overlong two bytes", "\xC0\xAF", bad + bad},
      {"overlong three bytes", "\xE0\x80\xAF", bad + bad + bad},
      {"overlong four bytes", "\xF0\x80\x80\xAF", bad + bad + bad + bad},
      {"beyond the last plane", "\xF4\x90\x80\x80", bad + bad + bad + bad},
      {"never a lead", "\xF5\xFF", bad + bad},
      {"three bytes cut after two", "\xE2\x82z", bad + "z"},
      {"four bytes cut after three, at the end", "\xF0\x9F\x98", bad},
      {"a second byte that does not fit stays", "\xE2z", bad + "z"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    EXPECT_EQ(standard_utf8(c.text), c.standard);
    EXPECT_EQ(is_standard_utf8(c.text), c.text == c.standard);
    EXPECT_TRUE(is_standard_utf8(standard_utf8(c.text)));
  }
}

}  // namespace
}  // namespace quorate::auth
