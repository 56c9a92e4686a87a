#include "shell/config/keys.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "shell/config/load.h"
#include "shell/config/reference.h"

namespace quorate::config {
namespace {

TEST(Keys, NamesAreUniqueAndExplained) {
  std::set<std::string_view> names;
  for (const Section& section : sections()) {
    for (const Key& key : section.keys) {
      SCOPED_TRACE(key.name);
      EXPECT_TRUE(names.insert(key.name).second);
      EXPECT_TRUE(key.help.ends_with('.') || key.help.ends_with(')') || key.help.ends_with("].")) << key.help;
      EXPECT_EQ(find_key(key.name), &key);
    }
  }
  for (const Alias& alias : aliases()) EXPECT_NE(find_key(alias.name), nullptr) << alias.name;
}

// What works has a place in Settings or a rule of its own; the rest says why it has no effect.
TEST(Keys, EveryKeyWorksOrSaysWhyNot) {
  const std::set<std::string_view> by_hand = {
      "server.", "group.", "weight.", "version", "peerType", "observer.syncEnabled", "authProvider."};
  for (const Section& section : sections()) {
    for (const Key& key : section.keys) {
      SCOPED_TRACE(key.name);
      const bool works = !std::holds_alternative<std::monostate>(key.field) || by_hand.contains(key.name);
      EXPECT_TRUE(works || key.verdict == Verdict::Refuse || !key.note.empty());
      EXPECT_FALSE(key.verdict == Verdict::Accept && key.note.empty());
    }
  }
}

void expect_same(const Field& field, Settings& a, Settings& b) {
  std::visit(
      [&](auto place) {
        if constexpr (!std::is_same_v<decltype(place), std::monostate>) {
          EXPECT_EQ(place(a), place(b));
        }
      },
      field);
}

// The defaults of the structs are those of the table.
TEST(Keys, StructDefaultsAgreeWithTheTable) {
  Settings loaded = load({"zoo.cfg", "dataDir=/d", ""}).settings;
  Settings fresh;
  fresh.storage.data_dir = fresh.storage.log_dir = "/d";
  fresh.storage.max_queue_poll = Millis{0};
  fresh.client_port.record_slack_bytes = 1048575;
  fresh.ensemble.election_read_timeout = Millis{0};
  EXPECT_EQ(loaded.storage, fresh.storage);
  EXPECT_EQ(loaded.admin, fresh.admin);
  EXPECT_EQ(loaded.client_port, fresh.client_port);
  for (const Section& section : sections()) {
    for (const Key& key : section.keys) {
      SCOPED_TRACE(key.name);
      // The two timeouts are two and twenty ticks in one and plain numbers in the other.
      if (!key.name.ends_with("SessionTimeout")) expect_same(key.field, loaded, fresh);
    }
  }
}

TEST(Keys, Secrets) {
  for (const char* name : {"ssl.keyStore.password", "ssl.trustStore.passwordPath", "myPASSWORD", "user_super",
                           "DigestAuthenticationProvider.superDigest", "SASLAuthenticationProvider.superPassword"}) {
    EXPECT_TRUE(is_secret(name)) << name;
  }
  for (const char* name : {"dataDir", "superUser", "digest.enabled"}) EXPECT_FALSE(is_secret(name)) << name;
}

// When this fails after a change of the table, write the output of print_key_reference() to the page.
TEST(Keys, ThePageIsTheTable) {
  std::ifstream page(std::string(QUORATE_GOLDEN) + "/../../docs/operations/configuration.md");
  std::stringstream text;
  text << page.rdbuf();
  EXPECT_EQ(text.str(), print_key_reference());
}

TEST(Keys, TheListNamesEachKey) {
  const std::string list = print_key_list();
  for (const Section& section : sections()) {
    for (const Key& key : section.keys) EXPECT_NE(list.find("  " + std::string(key.name)), std::string::npos);
  }
}

}  // namespace
}  // namespace quorate::config
