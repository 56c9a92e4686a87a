#include "core/replica/path_rule.h"

#include <gtest/gtest.h>

#include "core/replica/prepare.h"
#include "wire/archive.h"

namespace quorate::replica {
namespace {

// Spec: client 4.1.
TEST(PathRule, WritesTakeTheseAndNoOthers) {
  struct Case {
    const char* why;
    std::string_view path;
    bool valid;
  };
  using namespace std::string_view_literals;
  const Case cases[] = {
      {"root", "/", true},
      {"one name", "/a", true},
      {"two names", "/a/b", true},
      {"blank", "/a b", true},
      {"absent", wire::kAbsent, false},
      {"empty", "", false},
      {"relative", "a", false},
      {"relative with slash", "a/b", false},
      {"slash at the end", "/a/", false},
      {"two slashes first", "//a", false},
      {"two slashes inside", "/a//b", false},
      {"only slashes", "//", false},
      {"dot", "/.", false},
      {"dot inside", "/a/./b", false},
      {"dot at the end", "/a/.", false},
      {"two dots", "/..", false},
      {"two dots inside", "/../a", false},
      {"three dots", "/...", true},
      {"name with a dot first", "/.a", true},
      {"name with two dots first", "/..a", true},
      {"name with dots last", "/a../b", true},
      {"U+0000", "/a\0"sv, false},
      {"U+0000 first", "/\0"sv, false},
      {"U+0001", "/\x01", false},
      {"U+001F", "/a\x1f", false},
      {"U+0020", "/ ", true},
      {"U+007E", "/~", true},
      {"U+007F", "/a\x7f", false},
      {"U+0080", "/\xc2\x80", false},
      {"U+009F", "/\xc2\x9f", false},
      {"U+00A0", "/\xc2\xa0", true},
      {"U+07FF", "/\xdf\xbf", true},
      {"U+0800", "/\xe0\xa0\x80", true},
      {"U+D7FF", "/\xed\x9f\xbf", true},
      {"U+D800, a surrogate", "/\xed\xa0\x80", false},
      {"a pair of surrogates (CESU-8)", "/\xed\xa0\xbd\xed\xb8\x80", false},
      {"U+E000, private use", "/\xee\x80\x80", false},
      {"U+F8FF, private use", "/\xef\xa3\xbf", false},
      {"U+F900", "/\xef\xa4\x80", true},
      {"U+FEFF", "/\xef\xbb\xbf", true},
      {"U+FFEF", "/\xef\xbf\xaf", true},
      {"U+FFF0", "/\xef\xbf\xb0", false},
      {"U+FFFD", "/\xef\xbf\xbd", false},
      {"supplementary", "/\xf0\x9f\x98\x80", false},
      {"stray continuation", "/\x80", false},
      {"overlong slash", "/a\xc0\xaf", false},
      {"overlong three bytes", "/\xe0\x80\xaf", false},
      {"cut off after one of two", "/\xc3", false},
      {"cut off after two of three", "/\xe4\xb8", false},
      {"cut off by a slash", "/\xe4\xb8/a", false},
      {"cut off by a name", "/\xc3/", false},
      {"mixed", "/\xe4\xb8\xad\xe6\x96\x87/\xd0\xb4-1", true},
  };
  for (const Case& c : cases) EXPECT_EQ(valid_path(c.path), c.valid) << c.why;
}

// Spec: client 4.1, table; 11.1.
TEST(PathRule, DeleteAsksOnlyForASlashAndSparesTheSystemNodes) {
  for (const char* path : {"/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config", "", "a"}) {
    EXPECT_FALSE(may_delete(path)) << path;
  }
  EXPECT_FALSE(may_delete(std::string_view("/a\0", 3)));
  for (const char* path : {"/a", "/zookeeper/quota/a", "a/b", "/a/", "//"}) EXPECT_TRUE(may_delete(path)) << path;
}

TEST(PathRule, ParentIsWhatStandsBeforeTheLastSlash) {
  EXPECT_EQ(parent_path("/a"), "");
  EXPECT_EQ(parent_path("/a/b"), "/a");
  EXPECT_EQ(parent_path("/a/"), "/a");
  EXPECT_EQ(parent_path("/"), "");
}

}  // namespace
}  // namespace quorate::replica
