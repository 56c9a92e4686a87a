#include "core/auth/auth.h"

#include <gtest/gtest.h>

#include "core/auth/digest.h"

namespace quorate::auth {
namespace {

const std::string kBob = "bob:ikIaKsbtGweaHnb/jKn7OHqbunM=";

Auth make(AuthSettings settings = {}) { return *Auth::make(std::move(settings)); }

std::string failure(AuthSettings settings) {
  const Result<Auth> auth = Auth::make(std::move(settings));
  return auth ? "" : auth.error().detail;
}

// Spec: operations 1.2 for the words, 1.7 for the algorithms.
TEST(AuthSettings, WhatCannotBeServedIsRefused) {
  EXPECT_EQ(failure({.digest_algorithm = "ROT13"}),
            "don't support this ACL digest algorithm: ROT13 in the current environment");
  EXPECT_EQ(failure({.enforce = true}),
            "zookeeper.enforce.auth.enabled is true zookeeper.enforce.auth.schemes must be  configured.");
  EXPECT_EQ(failure({.enforce = true, .enforce_schemes = {"digest", "foo"}}),
            "Authentication scheme foo is not available.");
  EXPECT_EQ(failure({.digest_enabled = false, .enforce = true, .enforce_schemes = {"digest"}}),
            "Authentication scheme digest is not available.");
  EXPECT_EQ(failure({.sasl_required = true}), "Authentication scheme sasl is not available.");
  EXPECT_EQ(failure({.enforce_schemes = {"foo"}}), "") << "not enforced, not looked at";
}

// Spec: client 10.3, appendix C.
TEST(Digest, AlgorithmsByTheirJavaNames) {
  struct Case {
    const char *name, *id;
  };
  const Case cases[] = {
      {"SHA1", "bob:ikIaKsbtGweaHnb/jKn7OHqbunM="},
      {"SHA-1", "bob:ikIaKsbtGweaHnb/jKn7OHqbunM="},
      {"sha-256", "bob:lXdkgIa9O1CDDWAryQ0pe9wUYi2LkG6M7Uocn/Vyn2g="},
      {"SHA-512", "bob:jQFpfQMlS0Fkelz3cdxBlcfmOOApGvKAjybCSpc/oHQD7ouOUKaAFXPlHr/2XpjmwJ0yssqB0Mh7gRRVqmyALQ=="},
      {"MD5", "bob:mFIN705h49CRioANaL/new=="},
      {"SHA3-256", "bob:W/mjsw4pvF0wVTGZI9EiUQDRnUt7BAezTWEy2LgNGUU="},
      {"SHA-512/256", "bob:A9N1joy8pAxXpZyuKoYHmry5YD7X6ES6VJn8WVyn8xY="},
  };
  for (const Case& c : cases) {
    const auto added = make({.digest_algorithm = c.name}).authenticate("digest", "bob:pw", "::1");
    ASSERT_TRUE(added) << c.name;
    EXPECT_EQ(*added, (Identities{{"digest", c.id}})) << c.name;
  }
  for (const char* name : {"", "SHA", "SHA-224", "SHA-384", "SHA3-512", "sha512/224"}) {
    EXPECT_EQ(find_digest(name) != nullptr, *name != '\0') << name;
  }
}

TEST(Digest, UserIsTheTextBeforeTheFirstColon) {
  struct Case {
    const char* why;
    std::string data, id;
  };
  const Case cases[] = {
      {"no colon", "x", "x:EfatjsUqKYSrqv18O1FlA3hcIHI="},
      {"empty", "", ":2jmj7l5rSw0yVb/vlWAYkK/YBwk="},
      {"broken UTF-8 is read as Java reads it", "u:\xE9", "u:NP+S9gihaPOxs49p+sWDO0/R0ac="},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(*make().authenticate("digest", c.data, "::1"), (Identities{{"digest", c.id}})) << c.why;
  }
}

TEST(Digest, IdsOfLists) {
  for (const char* good : {"a:b", ":b", "a:b:", "a:b:::"}) EXPECT_TRUE(digest_id_valid(good)) << good;
  for (const char* bad : {"", ":", "::", "a", "a:", "a::", "a:b:c", "a::b", "::b"}) {
    EXPECT_FALSE(digest_id_valid(bad)) << bad;
  }
}

// Spec: client 10.1, 10.2.
TEST(Authenticate, WhatEachSchemeSays) {
  const Auth auth = make({.super_digest = kBob});
  EXPECT_EQ(*auth.authenticate("digest", "bob:pw", "1.2.3.4"), (Identities{{"super", ""}, {"digest", kBob}}));
  EXPECT_EQ(auth.authenticate("digest", "bob:other", "1.2.3.4")->size(), 1u);
  EXPECT_EQ(*auth.authenticate("ip", "whatever", "1.2.3.4"), (Identities{{"ip", "1.2.3.4"}}));
  EXPECT_EQ(*auth.authenticate("ip", wire::kAbsent, "1.2.3.4"), (Identities{{"ip", "1.2.3.4"}}));
  EXPECT_FALSE(auth.authenticate("digest", wire::kAbsent, "1.2.3.4"));
  for (const std::string_view none : {"world", "auth", "super", "sasl", "x509", "", "Digest"}) {
    EXPECT_FALSE(auth.authenticate(none, "bob:pw", "1.2.3.4")) << none;
  }
  EXPECT_FALSE(auth.authenticate(wire::kAbsent, "bob:pw", "1.2.3.4"));
  EXPECT_EQ(auth.provider_names(), "ip digest ");
}

TEST(Authenticate, DigestCanBeSwitchedOff) {
  const Auth auth = make({.digest_enabled = false, .super_digest = kBob});
  EXPECT_FALSE(auth.has_provider("digest"));
  EXPECT_FALSE(auth.authenticate("digest", "bob:pw", "1.2.3.4"));
  EXPECT_EQ(auth.provider_names(), "ip ");
}

// Spec: client 10.5; operations 6.8: ip enforces nothing, as every connection has one.
TEST(Admitted, ByAnyOfTheEnforcedSchemes) {
  const Identities stranger = {{"ip", "1.2.3.4"}};
  const Identities bob = {{"ip", "1.2.3.4"}, {"digest", kBob}};
  EXPECT_TRUE(make().admitted(stranger));
  const Auth strict = make({.enforce = true, .enforce_schemes = {"digest"}});
  EXPECT_FALSE(strict.admitted(stranger));
  EXPECT_FALSE(strict.admitted({}));
  EXPECT_TRUE(strict.admitted(bob));
  EXPECT_TRUE(make({.enforce = true, .enforce_schemes = {"digest", "ip"}}).admitted(stranger));
}

// Spec: client 4.7, whoAmI.
TEST(UserName, AsTheProviderMakesIt) {
  const Auth auth = make();
  EXPECT_EQ(auth.user_name({"digest", kBob}), "bob");
  EXPECT_EQ(auth.user_name({"ip", "1.2.3.4"}), "1.2.3.4");
  EXPECT_EQ(auth.user_name({"super", "someone"}), "");
}

}  // namespace
}  // namespace quorate::auth
