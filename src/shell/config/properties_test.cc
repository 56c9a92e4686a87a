#include "shell/config/properties.h"

#include <gtest/gtest.h>

namespace quorate::config {
namespace {

// Spec: operations 1.1, items 1 and 2.
TEST(Properties, OneLine) {
  struct Case {
    const char* why;
    const char* text;
    const char* key;
    const char* value;
  };
  const Case cases[] = {
      {"equals sign", "a=b", "a", "b"},
      {"colon", "a:b", "a", "b"},
      {"white space", "a b", "a", "b"},
      {"blanks around the separator", "a \t = \f b", "a", "b"},
      {"only one separator is eaten", "a==b", "a", "=b"},
      {"leading white space", "  \ta=b", "a", "b"},
      {"trailing white space is trimmed", "a=b  \t", "a", "b"},
      {"no value", "a", "a", ""},
      {"a trailing comment is part of the value", "tickTime=2000 # ms", "tickTime", "2000 # ms"},
      {"escapes", "a=x\\ty\\nz\\\\", "a", "x\ty\nz\\"},
      {"escaped separators in the key", "a\\=b\\:c\\ d=e", "a=b:c d", "e"},
      {"other escapes lose the back-slash", "dataDir=C:\\data", "dataDir", "C:data"},
      {"a character by number", "a=\\u00e9\\u20AC", "a", "\xC3\xA9\xE2\x82\xAC"},
      {"a surrogate pair is one character", "a=\\ud83d\\ude00", "a", "\xF0\x9F\x98\x80"},
      {"half a pair", "a=\\ud83dx", "a", "\xEF\xBF\xBDx"},
      {"ISO-8859-1 becomes UTF-8", "a=\xE9", "a", "\xC3\xA9"},
      {"continuation drops leading blanks", "a=b\\\n   c", "a", "bc"},
      {"an escaped back-slash does not continue", "a=b\\\\\nc=d", "a", "b\\"},
      {"a continued line is no comment", "a=b\\\n#c", "a", "b#c"},
      {"continuation over CR LF", "a=b\\\r\nc", "a", "bc"},
      {"a back-slash at the very end", "a=b\\", "a", "b"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    const PropertyText text = parse_properties(c.text);
    EXPECT_TRUE(text.faults.empty());
    ASSERT_FALSE(text.properties.empty());
    EXPECT_EQ(text.properties[0].key, c.key);
    EXPECT_EQ(text.properties[0].value, c.value);
  }
}

TEST(Properties, ABackSlashAloneIsNoLine) {
  for (const char* text : {"\\\n\na=b", "\\\n  \\\n\na=b", "a=b\n\\\n", "a=b\n\\"}) {
    SCOPED_TRACE(text);
    const PropertyText cut = parse_properties(text);
    ASSERT_EQ(cut.properties.size(), 1u);
    EXPECT_EQ(cut.properties[0].key, "a");
    EXPECT_EQ(cut.properties[0].value, "b");
  }
}

TEST(Properties, LinesAreNumberedByTheirFirst) {
  const PropertyText text = parse_properties("# comment\n\n  ! another\r\na=1\\\n 2\rb=3\n#x\\\nc=4");
  ASSERT_EQ(text.properties.size(), 3u);
  EXPECT_EQ(text.properties[0].line, 4);
  EXPECT_EQ(text.properties[0].value, "12");
  EXPECT_EQ(text.properties[1].line, 6);
  EXPECT_EQ(text.properties[2].key, "c");
  EXPECT_EQ(text.properties[2].line, 8);
}

TEST(Properties, MalformedNumbersAreFaultsOfTheirLine) {
  for (const char* bad : {"a=\\u12", "a=\\u12g4", "a=\\u+123", "\\uxyzw=1"}) {
    SCOPED_TRACE(bad);
    const PropertyText text = parse_properties("x=1\n" + std::string(bad) + "\ny=2");
    ASSERT_EQ(text.faults.size(), 1u);
    EXPECT_EQ(text.faults[0].line, 2);
    EXPECT_EQ(text.properties.size(), 2u);
  }
}

}  // namespace
}  // namespace quorate::config
