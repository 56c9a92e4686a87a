#include "shell/config/ensemble.h"

#include <gtest/gtest.h>

namespace quorate::config {
namespace {

const std::string kForm =
    " does not have the form server_config or server_config;client_config where server_config is the pipe separated "
    "list of host:port:port or host:port:port:type and client_config is port or host:port";

// Spec: operations 1.4. Canonical text of what is accepted.
TEST(Member, CanonicalText) {
  struct Case {
    const char* value;
    const char* text;
  };
  const Case cases[] = {
      {"a:2888:3888", "server.7=a:2888:3888:participant"},
      {"a:2888:3888:OBSERVER", "server.7=a:2888:3888:observer"},
      {"a:2888:3888;2181", "server.7=a:2888:3888:participant;0.0.0.0:2181"},
      {"a:2888:3888;b:2181", "server.7=a:2888:3888:participant;b:2181"},
      {"a:2888:3888;", "server.7=a:2888:3888:participant"},
      {"[::1]:2888:3888:observer;[::2]:2181", "server.7=[::1]:2888:3888:observer;[::2]:2181"},
      {"a:1:2|b:3:4:observer;5", "server.7=a:1:2|b:3:4:observer;0.0.0.0:5"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.value);
    const auto member = parse_member(7, c.value, true);
    ASSERT_TRUE(member) << member.error();
    EXPECT_EQ(member_text(*member), c.text);
    EXPECT_EQ(parse_member(7, member_text(*member).substr(9), true), *member);
  }
}

// Spec: operations 1.2, 1.4.
TEST(Member, ErrorsInApachesWords) {
  struct Case {
    const char* value;
    std::string error;
  };
  const Case cases[] = {
      {"host", "host" + kForm},
      {"host:1", "host:1" + kForm},
      {"a:1:2:observer:3", "a:1:2:observer:3" + kForm},
      {"a:1:2;b:3;4", "a:1:2;b:3;4" + kForm},
      {"::1:2888:3888", "::1:2888:3888" + kForm},
      {"a:1:2:king", "Unrecognised peertype: king"},
      {"a:x:2", "Address unresolved: a:x"},
      {"a:1:2;z", "Address unresolved: 0.0.0.0:z"},
      {"a:1:70000", "port out of range:70000"},
      {"a:5:5", "Client and election port must be different! Please update the configuration file on server.1"},
      {"[::1:2:3", "[::1:2:3 starts with '[' but has no matching ']:'"},
      {"[::1]:", "[::1]: doesn't have a port after colon"},
      {"a:1:2:observer|b:3:4:participant", "Multiple addresses should have similar roles: observer vs participant"},
      {"", kForm},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.value);
    const auto member = parse_member(1, c.value, true);
    ASSERT_FALSE(member);
    EXPECT_EQ(member.error(), c.error);
  }
  EXPECT_EQ(parse_member(1, "a:1:2|b:3:4", false).error(),
            "Multiple address feature is disabled, but multiple addresses were specified for sid 1");
}

TEST(Ensemble, DistributedNeedsVotersAndMoreThanOneUnlessAskedFor) {
  EnsembleSettings ensemble;
  EXPECT_FALSE(ensemble.distributed());
  ensemble.members.push_back(*parse_member(1, "a:1:2", false));
  EXPECT_FALSE(ensemble.distributed());
  ensemble.standalone_enabled = false;
  EXPECT_TRUE(ensemble.distributed());
  ensemble.standalone_enabled = true;
  ensemble.members.push_back(*parse_member(2, "b:1:2:observer", false));
  EXPECT_FALSE(ensemble.distributed());
  ensemble.members.push_back(*parse_member(3, "c:1:2", false));
  EXPECT_TRUE(ensemble.distributed());
}

}  // namespace
}  // namespace quorate::config
