#include "wire/quorum_config.h"

#include <gtest/gtest.h>

namespace quorate::wire {
namespace {

const std::string kForm =
    " does not have the form server_config or server_config;client_config where server_config is the pipe separated "
    "list of host:port:port or host:port:port:type and client_config is port or host:port";

// Spec: operations 1.4. Canonical text of what is accepted.
TEST(QuorumMember, CanonicalText) {
  struct Case {
    const char* value;
    const char* text;
  };
  const Case cases[] = {
      {"a:2888:3888", "server.7=a:2888:3888:participant"},
      {"a:2888:3888:OBSERVER", "server.7=a:2888:3888:observer"},
      {"a:2888:3888;2181", "server.7=a:2888:3888:participant;0.0.0.0:2181"},
      {"a:2888:3888;b:2181", "server.7=a:2888:3888:participant;b:2181"},
      {"a:2888:3888:participant;", "server.7=a:2888:3888:participant"},
      {"[::1]:2888:3888:observer;[::2]:2181", "server.7=[::1]:2888:3888:observer;[::2]:2181"},
      {"[fe80::1%eth0]:2888:3888", "server.7=[fe80::1%eth0]:2888:3888:participant"},
      {"[b-1.x_y]:2888:3888", "server.7=b-1.x_y:2888:3888:participant"},
      {"a:1:2|b:3:4:observer;5", "server.7=a:1:2|b:3:4:observer;0.0.0.0:5"},
      {"a:1:2:observer|[::b]:3:4", "server.7=a:1:2|[::b]:3:4:observer"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.value);
    const auto member = parse_member(7, c.value, true);
    ASSERT_TRUE(member) << member.error();
    EXPECT_EQ(to_text(*member), c.text);
    EXPECT_EQ(parse_member(7, to_text(*member).substr(9), true), *member);
  }
}

// Spec: operations 1.2, 1.4.
TEST(QuorumMember, ErrorsInApachesWords) {
  struct Case {
    const char* value;
    std::string error;
  };
  const Case cases[] = {
      {"host", "host" + kForm},
      {"host:1", "host:1" + kForm},
      {"a:1:2:observer:3", "a:1:2:observer:3" + kForm},
      {"a:1:2;b:3;4", "a:1:2;b:3;4" + kForm},
      {"a:1:2;b:3:4", "a:1:2;b:3:4" + kForm},
      {"::1:2888:3888", "::1:2888:3888" + kForm},
      {";2181", ";2181" + kForm},
      {"|", "|" + kForm},
      {";", ";" + kForm},
      {"", kForm},
      {"a:1:2:king", "Unrecognised peertype: king"},
      {"a:x:2", "Address unresolved: a:x"},
      {"a:1:2;z", "Address unresolved: 0.0.0.0:z"},
      {"a:1:99999999999999999999", "Address unresolved: a:99999999999999999999"},
      {"a:1:70000", "port out of range:70000"},
      {"a:-1:2", "port out of range:-1"},
      {"a:5:5", "Client and election port must be different! Please update the configuration file on server.1"},
      {"[::1:2:3", "[::1:2:3 starts with '[' but has no matching ']:'"},
      {"[::1]:", "[::1]: doesn't have a port after colon"},
      {"a:1:2:observer|b:3:4:participant", "Multiple addresses should have similar roles: observer vs participant"},
      {":1:2", "\"\" is not the name or address of a host"},
      {"[[x]:1:2", "\"[x\" is not the name or address of a host"},
      {"a b:1:2", "\"a b\" is not the name or address of a host"},
      {"a:1:2;a\nserver.2:3", "\"a\nserver.2\" is not the name or address of a host"},
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

// From captures of real servers: what they send comes out as the same bytes.
TEST(QuorumConfig, ApachesTexts) {
  const std::string two =
      "server.2=127.0.0.1:25282:25382:participant;127.0.0.1:25182\n"
      "server.3=127.0.0.1:25283:25383:participant;127.0.0.1:25183\n"
      "server.4=127.0.0.1:25284:25384:observer;127.0.0.1:25184\n";
  for (const std::string& text : {"server.1=127.0.0.1:25281:25381:participant;127.0.0.1:25181\n" + two + "version=0",
                                  two + "version=200000004"}) {
    const auto config = parse_quorum_config(text);
    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_EQ(to_text(*config), text);
  }
  const QuorumConfig config = parse_quorum_config(two + "version=200000004").value();
  EXPECT_EQ(config.version, 0x200000004);
  EXPECT_EQ(config.voters(), 2u);
  EXPECT_FALSE(config.hierarchical);
  EXPECT_EQ(config.find(1), nullptr);
  ASSERT_NE(config.find(4), nullptr);
  EXPECT_EQ(config.find(4)->role, Role::Observer);
  EXPECT_EQ(config.find(4)->addresses, (std::vector<PeerAddress>{{"127.0.0.1", 25284, 25384}}));
  EXPECT_EQ(config.find(4)->client, (ClientAddress{"127.0.0.1", 25184}));
}

// Lines come in the order of a hash table.
TEST(QuorumConfig, MembersAreSorted) {
  const auto config = parse_quorum_config("server.33=a:1:2\nserver.2=b:1:2\nserver.11=c:1:2\nversion=0");
  ASSERT_TRUE(config);
  EXPECT_EQ(to_text(*config),
            "server.2=b:1:2:participant\nserver.11=c:1:2:participant\nserver.33=a:1:2:participant\nversion=0");
}

// Spec: operations 1.6; order of the lines.
TEST(QuorumConfig, GroupsAndWeights) {
  const std::string text =
      "server.1=a:1:2:participant\nserver.2=b:1:2:participant\nserver.3=c:1:2:participant\nserver.4=d:1:2:observer\n"
      "group.1=1:3\ngroup.5=2\nweight.1=1\nweight.2=0\nweight.3=4\nversion=ff";
  const auto config = parse_quorum_config(text);
  ASSERT_TRUE(config) << config.error().detail;
  EXPECT_TRUE(config->hierarchical);
  EXPECT_EQ(config->find(1)->group, 1);
  EXPECT_EQ(config->find(1)->weight, 1);
  EXPECT_EQ(config->find(2)->group, 5);
  EXPECT_EQ(config->find(2)->weight, 0);
  EXPECT_EQ(config->find(4)->group, std::nullopt);
  EXPECT_EQ(to_text(*config), text);
}

// What Java's properties allow. Spec: quorum 6.1.
TEST(QuorumConfig, TheSyntaxIsThatOfProperties) {
  for (const char* text : {
           "server.1=a:1:2:participant\nversion=10",
           "server.1=a:1:2\nversion=10\n",
           "\r\n# a comment\r\n  ! another \\\r\nserver.1 = a:1:2\r\nversion : 10\r\n",
           "version 10\nserver.1 a:1:2",
           "server.1\\\n  =a:1\\\n\t:2  \nversion=\\\r\n10",
           "server.1=a\\:1\\:\\u0032\nversion=+10",
           "server.1=z:8:9\nserver.1=a:1:2\nversion=10",
           "\\\n\nserver.1=a:1:2\nversion=10\\",
           "ser\\ver.+1=a:1:2:Participant;\nversion=0010",
       }) {
    SCOPED_TRACE(text);
    const auto config = parse_quorum_config(text);
    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_EQ(to_text(*config), "server.1=a:1:2:participant\nversion=10");
  }
  const auto no_version = parse_quorum_config("server.1=a:1:2");
  ASSERT_TRUE(no_version);
  EXPECT_EQ(no_version->version, 0);
}

TEST(QuorumConfig, WrongTextsAreRefused) {
  struct Case {
    std::string text;
    const char* error;
  };
  const std::string one = "server.1=a:1:2\n";
  const Case cases[] = {
      {"", "no participant is named"},
      {"version=1", "no participant is named"},
      {"server.1=a:1:2:observer", "no participant is named"},
      {one + "clientPort=1", "clientPort=1: Unrecognised parameter: clientPort"},
      {one + "version=g", "version=g: For input string: \"g\""},
      {one + "version=-1", "version=-1: For input string: \"-1\""},
      {one + "version=8000000000000000", "version=8000000000000000: For input string: \"8000000000000000\""},
      {one + "version=", "version=: For input string: \"\""},
      {"server.=a:1:2", "server.=a:1:2: For input string: \"\""},
      {"server.+-1=a:1:2", "server.+-1=a:1:2: For input string: \"+-1\""},
      {one + "server.01=b:1:2", "server.1=a:1:2: server 1 has another line already"},
      {one + "group1=1", "group1=1: For input string: \"group1\""},
      {one + "group.1=1:1", "group.1=1:1: Server 1is in multiple groups"},
      {one + "group.1=1:x", "group.1=1:x: For input string: \"x\""},
      {one + "group.1=2", "group.1: server 2 is not a member"},
      {one + "weight.1=1", "server.1: Server 1is not in a group"},
      {one + "group.1=1\nweight.1=-1", "weight.1=-1: weight -1 is out of range"},
      {one + "group.1=1\nweight.1=3000000000", "weight.1=3000000000: weight 3000000000 is out of range"},
      {one + "group.1=1\nweight.1=", "weight.1=: For input string: \"\""},
      {one + "x=\\u12", "x=\\u12: Malformed \\uxxxx encoding."},
      {one + "x=\\u00e9", "x=\\u00e9: Malformed \\uxxxx encoding."},
      {"server.1=a\\nb:1:2", "server.1=a\nb:1:2: \"a\nb\" is not the name or address of a host"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.text);
    const auto config = parse_quorum_config(c.text);
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().detail, c.error);
    EXPECT_EQ(config.error().fault, Fault::Invalid);
  }
}

// A peer's text is taken whatever our own multiAddress key says.
TEST(QuorumConfig, SeveralAddressesAreAllowed) {
  const char* text = "server.1=a:1:2|[::1]:3:4:participant;5.6.7.8:9\nversion=0";
  const auto config = parse_quorum_config(text);
  ASSERT_TRUE(config);
  EXPECT_EQ(to_text(*config), text);
}

// Spec: quorum 6.1, "Equality of two configs".
TEST(QuorumConfig, AgreeByVersionOrByMembers) {
  const auto config = [](const char* text) { return parse_quorum_config(text).value(); };
  const QuorumConfig base = config("server.1=a:1:2\nversion=5");
  EXPECT_TRUE(agree(base, config("server.1=a:1:2\nversion=6")));
  EXPECT_TRUE(agree(base, config("server.1=b:1:2\nversion=5")));
  EXPECT_FALSE(agree(base, config("server.1=b:1:2\nversion=6")));
  EXPECT_FALSE(agree(base, config("server.1=a:1:2;3\nversion=6")));
  EXPECT_FALSE(agree(base, config("server.1=a:1:2\ngroup.1=1\nversion=5")));
  EXPECT_FALSE(agree(config("server.1=a:1:2\ngroup.1=1\nversion=5"),
                     config("server.1=a:1:2\ngroup.1=1\nweight.1=2\nversion=6")));
}

}  // namespace
}  // namespace quorate::wire
