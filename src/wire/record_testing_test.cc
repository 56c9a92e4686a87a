#include "wire/record_testing.h"

#include <cctype>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace quorate::wire {
namespace {

using Json = nlohmann::ordered_json;

std::string read_golden(const std::string& path) {
  std::ifstream file(std::string(QUORATE_GOLDEN "/") + path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<GoldenPart> parts_of(const Json& parts) {
  std::vector<GoldenPart> out;
  for (const Json& part : parts) out.push_back({part["record"], part["fields"].dump()});
  return out;
}

}  // namespace

std::string to_hex(std::string_view bytes) {
  const char* digits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) out += {digits[static_cast<uint8_t>(c) >> 4], digits[c & 15]};
  return out;
}

std::string from_hex(std::string_view digits) {
  std::string out;
  for (size_t at = 0; at + 1 < digits.size(); at += 2) {
    out += static_cast<char>(std::stoi(std::string(digits.substr(at, 2)), nullptr, 16));
  }
  return out;
}

std::string text_of(std::string_view view) {
  if (is_absent(view)) return "null";
  std::string out = "\"";
  for (const char c : view) {
    if (c < 0x20 || c >= 0x7f) return "{\"hex\":\"" + to_hex(view) + "\"}";
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string text_of(const StringItem& item) { return text_of(item.text); }

std::string text_of(const AclItem& item) {
  std::string out;
  const TextField field{out};
  field("perms", item.perms);
  field("scheme", item.scheme);
  field("id", item.id);
  return "{" + out + "}";
}

std::string text_of(const TxnPart& part) {
  std::string out;
  const TextField field{out};
  field("type", part.type);
  field("data", part.data);
  return "{" + out + "}";
}

std::vector<GoldenFile> golden_files(const std::string& folder) {
  std::vector<GoldenFile> files;
  const std::string path = folder + "/";
  for (const Json& entry : Json::parse(read_golden(path + "index.json"))) {
    const std::string name = entry["file"];
    files.push_back(
        {name, read_golden(path + name), parts_of(entry["parts"]), parts_of(entry.value("inner", Json::array()))});
  }
  return files;
}

std::string golden_name(const testing::TestParamInfo<GoldenFile>& golden) {
  std::string name = golden.param.name;
  for (char& c : name) c = isalnum(c) ? c : '_';
  return name;
}

// The texts are compared with what a JSON library prints, so they must be what it would print.
TEST(RecordTesting, TextsAreCompactJson) {
  const std::string odd = "a\"b\\c/d ~";
  EXPECT_EQ(text_of(odd), Json(odd).dump());
  EXPECT_EQ(text_of("\xc3\xa9"), Json({{"hex", "c3a9"}}).dump());
  EXPECT_EQ(text_of(kAbsent), Json().dump());
  EXPECT_EQ(text_of(""), Json("").dump());
  TxnDigest digest;
  digest.tree_digest = INT64_MIN;
  EXPECT_EQ(record_text(digest), Json({{"version", 0}, {"treeDigest", INT64_MIN}}).dump());
}

}  // namespace quorate::wire
