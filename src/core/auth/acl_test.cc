#include <gtest/gtest.h>

#include <tuple>

#include "core/auth/acl_list.h"
#include "core/auth/auth.h"

namespace quorate::auth {
namespace {

using wire::Code;

struct Entry {
  int32_t perms = 0;
  std::string scheme;
  std::string id;
  bool no_scheme = false;
  bool no_id = false;
  friend bool operator==(const Entry&, const Entry&) = default;
};
using List = std::vector<Entry>;

/// A list in its wire form, with bytes that live as long as it does.
struct Sent {
  explicit Sent(const List& entries) {
    AclWriter writer(bytes);
    for (const Entry& entry : entries) {
      writer.add({entry.perms, entry.no_scheme ? wire::kAbsent : std::string_view(entry.scheme),
                  entry.no_id ? wire::kAbsent : std::string_view(entry.id)});
    }
    writer.finish();
    list = wire::AclVector::trusted(bytes.view());
  }
  ByteBuffer bytes;
  wire::AclVector list;
};

List read(std::string_view bytes) {
  List entries;
  wire::AclVector::trusted(bytes).each([&](const wire::AclItem& item) {
    entries.push_back({item.perms, std::string(item.scheme), std::string(item.id), wire::is_absent(item.scheme),
                       wire::is_absent(item.id)});
  });
  return entries;
}

const std::string kBob = "bob:ikIaKsbtGweaHnb/jKn7OHqbunM=";
const Identities kStranger = {{"ip", "10.1.2.3"}};
const Identities kKnown = {{"ip", "10.1.2.3"}, {"digest", kBob}, {"super", ""}, {"digest", "amy:x"}};

Auth make(AuthSettings settings = {}) { return *Auth::make(std::move(settings)); }

// Spec: client 10.6, in its order.
TEST(FixUp, AnswersAndLists) {
  struct Case {
    const char* why;
    List sent;
    Code code;
    List stored;
  };
  const Entry open{31, "world", "anyone"};
  const Entry broken{31, "", "x", true};
  const Case cases[] = {
      {"open", {open}, Code::Ok, {open}},
      {"world with other bits", {{1, "world", "anyone"}}, Code::Ok, {{1, "world", "anyone"}}},
      {"bits are not checked",
       {{-1, "ip", "::1"}, {0, "digest", "a:b"}, {255, "world", "anyone"}},
       Code::Ok,
       {{-1, "ip", "::1"}, {0, "digest", "a:b"}, {255, "world", "anyone"}}},
      {"duplicates go, the first stays",
       {{1, "ip", "::1"}, open, {1, "ip", "::1"}, {2, "ip", "::1"}},
       Code::Ok,
       {{1, "ip", "::1"}, open, {2, "ip", "::1"}}},
      {"empty", {}, Code::InvalidAcl, {}},
      {"null scheme", {broken}, Code::InvalidAcl, {}},
      {"null scheme and null id", {{31, "", "", true, true}}, Code::InvalidAcl, {}},
      {"null id of world", {{31, "world", "", false, true}}, Code::MarshallingError, {}},
      {"null id of digest", {{31, "digest", "", false, true}}, Code::MarshallingError, {}},
      {"null id of ip", {{31, "ip", "", false, true}}, Code::MarshallingError, {}},
      {"null id of an unknown scheme", {{31, "foo", "", false, true}}, Code::InvalidAcl, {}},
      {"null id of auth", {{4, "auth", "", false, true}}, Code::Ok, {{4, "digest", kBob}, {4, "digest", "amy:x"}}},
      {"the first fault decides", {{31, "ip", "", false, true}, broken}, Code::MarshallingError, {}},
      {"also the other way round", {broken, {31, "ip", "", false, true}}, Code::InvalidAcl, {}},
      {"world knows only anyone", {{31, "world", "x"}}, Code::InvalidAcl, {}},
      {"super is no scheme of lists", {{31, "super", ""}}, Code::InvalidAcl, {}},
      {"unknown scheme", {open, {31, "sasl", "x"}}, Code::InvalidAcl, {}},
      {"bad digest id", {{31, "digest", "bob"}}, Code::InvalidAcl, {}},
      {"bad address", {{31, "ip", "1.2.3.4/40"}}, Code::InvalidAcl, {}},
      {"auth becomes the authenticated ids, duplicates stay",
       {{5, "auth", "a"}, {5, "auth", "b"}},
       Code::Ok,
       {{5, "digest", kBob}, {5, "digest", "amy:x"}, {5, "digest", kBob}, {5, "digest", "amy:x"}}},
      {"texts come out as standard UTF-8",
       {{1, "digest", "\xED\xA0\xBD\xED\xB8\x80:\xFF"}},
       Code::Ok,
       {{1, "digest", "\xF0\x9F\x98\x80:\xEF\xBF\xBD"}}},
      {"duplicates once they are read",
       {{1, "digest", "a:\xFE"}, {1, "digest", "a:\xFF"}},
       Code::Ok,
       {{1, "digest", "a:\xEF\xBF\xBD"}}},
  };
  const Auth auth = make();
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    const Sent sent(c.sent);
    ByteBuffer out;
    out.append("head");
    EXPECT_EQ(auth.fix_up(sent.list, kKnown, out), c.code);
    if (c.code == Code::Ok) {
      EXPECT_EQ(read(out.view().substr(4)), c.stored);
    } else {
      EXPECT_EQ(out.view(), "head") << "nothing is left behind";
    }
  }
}

TEST(FixUp, AbsentListAndStrangersAuth) {
  ByteBuffer out;
  EXPECT_EQ(make().fix_up(wire::AclVector(), kKnown, out), Code::InvalidAcl);
  EXPECT_EQ(make().fix_up(Sent({{31, "auth", ""}}).list, kStranger, out), Code::InvalidAcl);
  EXPECT_EQ(make({.digest_enabled = false}).fix_up(Sent({{31, "auth", ""}}).list, kKnown, out), Code::InvalidAcl);
  EXPECT_TRUE(out.empty());
}

TEST(FixUp, OpenListIsTheConstant) {
  const Sent sent({{31, "world", "anyone"}});
  EXPECT_EQ(sent.list.raw(), kOpenList);
}

// A short request may not become a huge txn.
TEST(FixUp, ExpansionIsBounded) {
  Identities many;
  for (int i = 0; i < 1000; ++i) many.push_back({"digest", "user" + std::to_string(i) + ":hash"});
  List list;
  for (int i = 0; i < 10000; ++i) list.push_back({i, "auth", ""});
  ByteBuffer out;
  EXPECT_EQ(make().fix_up(Sent(list).list, many, out), Code::InvalidAcl);
  EXPECT_TRUE(out.empty());
  EXPECT_LE(out.capacity(), size_t{4} << 20);
}

// Spec: client 10.7.
TEST(Permits, WhoMayWhat) {
  struct Case {
    const char* why;
    List list;
    int32_t wanted;
    Identities who;
    bool granted;
  };
  const Case cases[] = {
      {"open", {{31, "world", "anyone"}}, wire::kPermAdmin, {}, true},
      {"open, but of nothing", {{31, "world", "anyone"}}, 32, {}, false},
      {"world with READ reads", {{1, "world", "anyone"}}, wire::kPermRead, {}, true},
      {"world with READ does not write", {{1, "world", "anyone"}}, wire::kPermWrite, kStranger, false},
      {"any bit is enough", {{1, "world", "anyone"}}, wire::kPermRead | wire::kPermAdmin, kStranger, true},
      {"digest of this user", {{31, "digest", kBob}}, wire::kPermWrite, kKnown, true},
      {"digest of another", {{31, "digest", "amy:y"}}, wire::kPermWrite, {{"digest", kBob}}, false},
      {"the same text under another scheme", {{31, "digest", "10.1.2.3"}}, wire::kPermRead, kStranger, false},
      {"ip prefix", {{1, "ip", "10.1.0.0/16"}}, wire::kPermRead, kStranger, true},
      {"ip prefix of others", {{1, "ip", "10.2.0.0/16"}}, wire::kPermRead, kStranger, false},
      {"a later entry grants", {{1, "digest", "a:b"}, {2, "ip", "10.1.2.3"}}, wire::kPermWrite, kStranger, true},
      {"bits of different entries do not add up to a holder",
       {{2, "digest", "a:b"}, {1, "ip", "10.1.2.3"}},
       wire::kPermWrite,
       kStranger,
       false},
      {"super", {{0, "digest", "a:b"}}, wire::kPermWrite, {{"super", ""}}, true},
      {"super by name", {{0, "digest", "a:b"}}, wire::kPermWrite, {{"super", "CN=root"}}, true},
      {"empty list", {}, wire::kPermWrite, {}, true},
      {"a scheme without provider", {{31, "sasl", "bob"}}, wire::kPermRead, {{"sasl", "bob"}}, false},
  };
  const Auth auth = make();
  const Auth skipping = make({.skip_acl = true});
  for (const Case& c : cases) {
    const Sent sent(c.list);
    EXPECT_EQ(auth.permits(sent.list, c.wanted, c.who), c.granted) << c.why;
    EXPECT_TRUE(skipping.permits(sent.list, c.wanted, c.who)) << c.why;
  }
  EXPECT_TRUE(auth.permits(wire::AclVector(), wire::kPermWrite, {}));
  EXPECT_FALSE(make({.digest_enabled = false}).permits(Sent({{31, "digest", kBob}}).list, 1, kStranger));
}

// Spec: client 10.7; operations 6.8 (CVE-2019-0201).
TEST(Mask, HidesHashes) {
  const Sent sent({{31, "digest", kBob}, {1, "ip", "::1"}, {1, "digest", "a:b\nc:d"}, {1, "digest", "plain"}});
  ByteBuffer out;
  make().mask(sent.list, out);
  EXPECT_EQ(read(out.view()),
            (List{{31, "digest", "bob:x"}, {1, "ip", "::1"}, {1, "digest", "a:x"}, {1, "digest", "plain"}}));
}

TEST(Mask, PassesOnOpenAndAbsentLists) {
  ByteBuffer out;
  make().mask(Sent({{31, "world", "anyone"}}).list, out);
  EXPECT_EQ(out.view(), kOpenList);
  out.clear();
  make().mask(wire::AclVector(), out);
  EXPECT_EQ(out.view(), "\xff\xff\xff\xff");
}

}  // namespace
}  // namespace quorate::auth
