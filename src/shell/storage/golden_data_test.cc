#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/tree/apply.h"
#include "shell/storage/golden_testing.h"
#include "shell/storage/log_reader.h"
#include "shell/storage/recovery.h"
#include "shell/storage/snapshot_file.h"

// Goal: every directory that Apache servers wrote is read as they read it, and where they refuse, our policy holds.
// Method: recover() on each case of tests/golden/data, compared with what Apache reported; each file by itself too.
namespace quorate::storage {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxBuffer = 2 * 1048575;

enum class Outcome : uint8_t {
  AsApache,  ///< Starts, in the state that Apache reports.
  Refused,
  Cut,  ///< Starts in the state of another case: what is damaged can never have been acknowledged.
};

struct Case {
  const char* name;
  Outcome outcome = Outcome::AsApache;
  const char* text = "";  ///< Refused: part of the message. Cut: the case whose state it must be.
};

const Case kCases[] = {
    {"all-ops-3.8.0"},
    {"all-ops-3.9.5"},
    {"bitflip-before-snapshot"},
    {"bitflip-middle", Outcome::Refused, "log.65 is damaged at offset"},
    {"empty-last-log"},
    {"ensemble-reconfig-s1"},
    {"ensemble-reconfig-s2"},
    {"ensemble-reconfig-s3"},
    {"fuzzy"},
    {"fuzzy-older-snapshot"},
    {"header-only-last-log"},
    {"length-huge", Outcome::Refused, "zxid 0x7b"},
    {"length-minus-one", Outcome::Refused, "zxid 0x7b"},
    {"missing-last-log"},
    {"no-digest"},
    {"no-prealloc"},
    {"no-snapshot", Outcome::Refused, "No snapshot found, but there are log entries. Something is broken!"},
    {"no-snapshot-trust-empty"},
    {"prealloc-64m"},
    {"rolled-logs"},
    {"separate-log-dir"},
    // Apache refuses a last file of 10 bytes; nothing in it can have been acknowledged. Spec: disk 2.6.
    {"short-header-last-log", Outcome::Cut, "rolled-logs"},
    {"snap-gzip"},
    {"snap-snappy"},
    {"snapshot-newest-bitflip"},
    {"snapshot-newest-truncated"},
    {"stray-files"},
    // As 3.9.5: the gap that the torn file leaves is noticed.
    {"torn-middle-log", Outcome::Refused, "zxid 0x65 at offset 16 is not the next one of 0x60"},
    // The zeros in the record are no whole sector, so that no power cut explains them.
    {"torn-tail-hole", Outcome::Refused, "log.65 is damaged at offset 2676 (zxid 0x7b)"},
    {"torn-tail-short"},
    {"torn-tail-zeroed"},
};

std::string name_of(const testing::TestParamInfo<Case>& param) {
  std::string name = param.param.name;
  for (char& c : name) c = isalnum(c) ? c : '_';
  return name;
}

std::string base64(std::string_view text) {
  std::string out;
  uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const char* alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char* at = c == '=' ? nullptr : strchr(alphabet, c);
    if (at == nullptr) break;
    bits = bits << 6 | static_cast<uint32_t>(at - alphabet);
    held += 6;
    if (held >= 8) out += static_cast<char>(bits >> (held -= 8));
  }
  return out;
}

int64_t hex(const Json& text) { return std::stoll(text.get<std::string>(), nullptr, 16); }
int64_t digest_of(const Json& number) { return static_cast<int64_t>(number.get<uint64_t>()); }

class GoldenData : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    unpack_golden(GetParam().name, disk_);
    expected_ = load(GetParam().name);
    settings_.data_directory = "/golden/data";
    settings_.data_log_directory = disk_.directories.contains("/golden/log") ? "/golden/log" : "/golden/data";
    settings_.snapshot_directory = settings_.data_directory + "/version-2";
    settings_.log_directory = settings_.data_log_directory + "/version-2";
    settings_.tree_options.extended_types = true;
    settings_.trust_empty = expected_["server_properties"].contains("zookeeper.snapshot.trust.empty");
    settings_.max_buffer_bytes = kMaxBuffer;
  }
  static Json load(const std::string& name) { return Json::parse(read_golden(name + "/expected.json")); }

  FakeDisk disk_;
  Json expected_;
  RecoverySettings settings_;
};

wire::Stat stat_of(const Json& j) {
  return {j["czxid"],    j["mzxid"],          j["ctime"],      j["mtime"],       j["version"], j["cversion"],
          j["aversion"], j["ephemeralOwner"], j["dataLength"], j["numChildren"], j["pzxid"]};
}

void expect_node(const tree::Tree& tree, const Json& node) {
  const std::string path = node["path"];
  SCOPED_TRACE(path);
  const tree::NodeRef ref = tree.find(path);
  ASSERT_NE(ref, tree::kNoNode);
  EXPECT_EQ(tree.path_of(ref), path);
  const std::string_view data = tree.data_of(ref);
  EXPECT_EQ(wire::is_absent(data), node["data"].is_null());
  if (!node["data"].is_null()) {
    EXPECT_TRUE(data == base64(node["data"].get<std::string>()));
  }
  const wire::Stat stat = tree.client_stat(ref);
  const wire::Stat wanted = stat_of(node["stat"]);
  EXPECT_EQ(stat, wanted) << "czxid " << stat.czxid << " mzxid " << stat.mzxid << " pzxid " << stat.pzxid
                          << " cversion " << stat.cversion << " children " << stat.num_children << " owner "
                          << stat.ephemeral_owner << " expected " << node["stat"].dump();
  Json acl = Json::array();
  tree.acls().list(tree.acl_of(ref)).each([&](const wire::AclItem& item) {
    acl.push_back({{"perms", item.perms}, {"scheme", item.scheme}, {"id", item.id}});
  });
  if (acl.empty() && tree.acl_of(ref) == tree::kOpenAcl)
    acl = Json::parse(R"([{"perms":31,"scheme":"world","id":"anyone"}])");
  EXPECT_EQ(acl, node["acl"]);
}

void expect_state(const Recovered& got, const Json& expected) {
  for (const Json& node : expected["nodes"]) expect_node(*got.tree, node);
  EXPECT_EQ(got.tree->node_count(), expected["nodes"].size());
  std::set<int64_t> sessions;
  for (const Json& session : expected["sessions"]) sessions.insert(hex(session));
  std::set<int64_t> ours;
  for (const auto& [id, timeout] : got.sessions.all()) ours.insert(id.value);
  EXPECT_EQ(ours, sessions);
  std::map<int64_t, std::set<std::string>> ephemerals;
  for (const auto& [session, paths] : expected["ephemerals"].items()) {
    for (const Json& path : paths) ephemerals[hex(session)].insert(path.get<std::string>());
  }
  std::map<int64_t, std::set<std::string>> owned;
  for (const SessionId session : got.tree->sessions_with_ephemerals()) {
    for (const std::string& path : got.tree->ephemerals_of(session)) owned[session.value].insert(path);
  }
  EXPECT_EQ(owned, ephemerals);
}

void expect_server(const Recovered& got, const Json& expected) {
  const Json& servers = expected["servers"];
  const Json& server = servers["3.9.5"]["starts"] == true ? servers["3.9.5"] : servers["3.8.0"];
  EXPECT_EQ(got.last_zxid.value, hex(server["zxid_after_start"]));
  EXPECT_EQ(got.tree->last_zxid(), got.last_zxid);
  EXPECT_EQ(got.tree->node_count() + 1, server["node_count"].get<size_t>());
  EXPECT_EQ(static_cast<int64_t>(got.tree->digest()), digest_of(server["tree_digest_after_load"]));
}

TEST_P(GoldenData, Recovers) {
  const Case& golden = GetParam();
  auto got = recover(disk_, settings_);
  if (golden.outcome == Outcome::Refused) {
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().fault, Fault::Corrupt);
    EXPECT_NE(got.error().detail.find(golden.text), std::string::npos) << got.error().detail;
    EXPECT_EQ(expected_["servers"]["3.9.5"]["starts"], false) << "Apache starts";
    return;
  }
  ASSERT_TRUE(got) << got.error().detail;
  const bool own = golden.outcome == Outcome::AsApache;
  const Json source = own ? expected_ : load(golden.text);
  expect_server(*got, source);
  expect_state(*got, source.contains("same_state_as") ? load(source["same_state_as"]) : source);
  EXPECT_EQ(got->digest_mismatches, 0u);
}

TEST_P(GoldenData, RecoversTheSameAgain) {
  auto first = recover(disk_, settings_);
  disk_.journal.clear();
  auto second = recover(disk_, settings_);
  if (!first) {  // a directory that is refused stays refused, for the same reason
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().detail, first.error().detail);
    return;
  }
  ASSERT_TRUE(second) << second.error().detail;
  EXPECT_EQ(second->tree->digest(), first->tree->digest());
  EXPECT_EQ(second->last_zxid, first->last_zxid);
  for (const std::string& line : disk_.journal) EXPECT_EQ(line.find("truncate"), line.npos) << line;
}

std::string type_name(int32_t type) {
  static const std::map<int32_t, std::string> names = {
      {-10, "createSession"},  {-11, "closeSession"}, {-1, "error"}, {1, "create"},           {15, "create2"},
      {19, "createContainer"}, {21, "createTTL"},     {2, "delete"}, {20, "deleteContainer"}, {5, "setData"},
      {16, "reconfig"},        {7, "setACL"},         {14, "multi"}};
  return names.contains(type) ? names.at(type) : std::to_string(type);
}

void expect_txn(const LogRecord& record, const Json& expected) {
  SCOPED_TRACE(expected.dump());
  tree::TxnView txn;
  std::string why;
  ASSERT_TRUE(tree::parse_txn(record.payload, txn, why)) << why;
  EXPECT_EQ(txn.header.zxid.value, hex(expected["zxid"]));
  EXPECT_EQ(txn.header.zxid, record.zxid);
  EXPECT_EQ(static_cast<uint64_t>(txn.header.client_id.value),
            std::stoull(expected["session"].get<std::string>(), nullptr, 16));
  EXPECT_EQ(static_cast<uint32_t>(txn.header.cxid), std::stoul(expected["cxid"].get<std::string>(), nullptr, 16));
  const std::string type = expected["type"] == "createTtl" ? "createTTL" : expected["type"];
  EXPECT_EQ(type_name(txn.header.type), type);
  wire::Decoder body(txn.body);
  if (!expected["path"].is_null()) {
    EXPECT_EQ(body.view(), expected["path"].get<std::string>());
  } else if (expected.contains("err")) {
    EXPECT_EQ(body.i32(), expected["err"].get<int32_t>());
  } else if (expected.contains("timeout")) {
    EXPECT_EQ(body.i32(), expected["timeout"].get<int32_t>());
  }
}

void expect_end(const LogFileEnd& end, const Json& expected, bool damaged) {
  const std::string reason = expected["end_reason"];
  if (damaged) {
    EXPECT_EQ(end.end, LogEnd::Damaged) << end.detail;
    EXPECT_TRUE(end.leftover);
    return;
  }
  const std::map<std::string, LogEnd> ends = {{"zero-len", LogEnd::Zeros},
                                              {"eof", LogEnd::EndOfFile},
                                              {"partial", LogEnd::Partial},
                                              {"header unreadable", LogEnd::BadHeader}};
  ASSERT_TRUE(ends.contains(reason)) << reason;
  EXPECT_EQ(end.end, ends.at(reason)) << end.detail;
  if (expected["end_of_data_offset"].is_number()) {
    EXPECT_EQ(end.data_bytes, expected["end_of_data_offset"].get<uint64_t>());
  }
}

// Where a case damages a log so that no crash explains it.
bool is_damaged(const Json& expected, const std::string& file) {
  const std::string name = expected["case"];
  if (name.starts_with("length-")) return file == "log.65";
  const bool says_so = expected.contains("damaged") && expected["damaged"]["file"] == file;
  return says_so && name != "torn-tail-short" && name != "torn-tail-zeroed";
}

TEST_P(GoldenData, LogsReadRecordByRecord) {
  for (const auto& [file, log] : expected_["logs"].items()) {
    SCOPED_TRACE(file);
    size_t at = 0;
    auto end = read_log_file(disk_, settings_.log_directory + "/" + file, kMaxBuffer, [&](const LogRecord& record) {
      EXPECT_LT(at, log["txns"].size());
      if (at < log["txns"].size()) expect_txn(record, log["txns"][at]);
      ++at;
      return true;
    });
    ASSERT_TRUE(end) << end.error().detail;
    EXPECT_EQ(end->file_bytes, log["file_size"].get<uint64_t>());
    size_t good = 0;
    while (good < log["txns"].size() && !log["txns"][good].contains("crc_error")) ++good;
    EXPECT_EQ(at, good);
    const bool damaged = is_damaged(expected_, file);
    expect_end(*end, log, damaged);
    if (damaged && expected_.contains("damaged")) {
      EXPECT_EQ(end->damaged_zxid.value, hex(expected_["damaged"]["zxid"]));
    }
  }
}

TEST_P(GoldenData, SnapshotsSayTheSame) {
  for (const auto& [file, snapshot] : expected_["snapshots"].items()) {
    SCOPED_TRACE(file);
    tree::Tree tree({}, settings_.tree_options);
    tree::SessionList sessions;
    auto facts = load_snapshot(disk_, settings_.snapshot_directory, file, kMaxBuffer, tree, sessions);
    auto verified = verify_snapshot(disk_, settings_.snapshot_directory, file, kMaxBuffer);
    ASSERT_EQ(facts.has_value(), verified.has_value());
    if (snapshot.contains("unreadable")) {
      EXPECT_FALSE(facts);
      continue;
    }
    ASSERT_TRUE(facts) << facts.error().detail;
    EXPECT_EQ(looks_complete(disk_, settings_.snapshot_directory + "/" + file), true);
    EXPECT_EQ(facts->nodes, snapshot["nodes"].get<size_t>());
    EXPECT_EQ(facts->acls, snapshot["acl_map_size"].get<size_t>());
    EXPECT_EQ(facts->body_end, snapshot["body_end_offset"].get<int64_t>());
    EXPECT_EQ(facts->uncompressed_size, snapshot["uncompressed_size"].get<int64_t>());
    EXPECT_EQ(verified->uncompressed_size, facts->uncompressed_size);
    EXPECT_EQ(static_cast<int64_t>(tree.digest()), digest_of(snapshot["computed_tree_digest"]));
    EXPECT_EQ(facts->has_digest, !snapshot["zxid_digest"].is_null());
    if (facts->has_digest) {
      EXPECT_EQ(facts->digest_zxid.value, snapshot["zxid_digest"]["zxid"].get<int64_t>());
      EXPECT_EQ(facts->digest, digest_of(snapshot["zxid_digest"]["digest"]));
      EXPECT_EQ(facts->digest_version, snapshot["zxid_digest"]["version"].get<int32_t>());
    }
    EXPECT_EQ(facts->has_last_zxid, !snapshot["last_processed_zxid"].is_null());
    if (facts->has_last_zxid) {
      EXPECT_EQ(facts->last_zxid.value, snapshot["last_processed_zxid"].get<int64_t>());
    }
    EXPECT_EQ(sessions.size(), snapshot["sessions"].size());
    for (const auto& [id, timeout] : snapshot["sessions"].items()) {
      const auto at = sessions.all().find(SessionId{std::stoll(id, nullptr, 0)});
      ASSERT_NE(at, sessions.all().end()) << id;
      EXPECT_EQ(at->second, timeout.get<int32_t>());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, GoldenData, testing::ValuesIn(kCases), name_of);

}  // namespace
}  // namespace quorate::storage
