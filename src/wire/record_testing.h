#pragma once
#include <gtest/gtest.h>

#include <cctype>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_buffer.h"
#include "wire/client.h"
#include "wire/record.h"
#include "wire/txn.h"

/// For tests of records: a record as JSON in the form of the golden indexes, and bytes in memory of exactly their size,
/// so that the address sanitizer sees any step beyond their end.
namespace quorate::wire {

using Json = nlohmann::ordered_json;

/// A copy of bytes with nothing behind them.
class ExactBytes {
 public:
  explicit ExactBytes(std::string_view bytes) : size_(bytes.size()), data_(std::make_unique<char[]>(bytes.size())) {
    if (!bytes.empty()) std::memcpy(data_.get(), bytes.data(), bytes.size());
  }
  std::string_view view() const { return {data_.get(), size_}; }

 private:
  size_t size_;
  std::unique_ptr<char[]> data_;
};

inline std::string to_hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += {"0123456789abcdef"[static_cast<uint8_t>(c) >> 4], "0123456789abcdef"[c & 15]};
  return out;
}

inline std::string from_hex(std::string_view digits) {
  std::string out;
  for (size_t at = 0; at + 1 < digits.size(); at += 2) {
    out += static_cast<char>(std::stoi(std::string(digits.substr(at, 2)), nullptr, 16));
  }
  return out;
}

/// Printable ASCII as text, other bytes in hex, absent as null.
inline Json text_json(std::string_view view) {
  if (is_absent(view)) return nullptr;
  for (const char c : view) {
    if (c < 0x20 || c >= 0x7f) return {{"hex", to_hex(view)}};
  }
  return std::string(view);
}

inline Json item_json(const StringItem& item) { return text_json(item.text); }
inline Json item_json(const AclItem& item) {
  return {{"perms", item.perms}, {"scheme", text_json(item.scheme)}, {"id", text_json(item.id)}};
}
inline Json item_json(const TxnPart& part) { return {{"type", part.type}, {"data", text_json(part.data)}}; }

struct JsonField {
  Json& out;
  void operator()(const char* name, bool value) const { out[name] = value; }
  void operator()(const char* name, int32_t value) const { out[name] = value; }
  void operator()(const char* name, int64_t value) const { out[name] = value; }
  void operator()(const char* name, std::string_view value) const { out[name] = text_json(value); }
  void operator()(const char* name, SessionId value) const { out[name] = value.value; }
  void operator()(const char* name, Zxid value) const { out[name] = value.value; }
  template <class Item>
  void operator()(const char* name, const VectorView<Item>& value) const {
    Json items = value.absent() ? Json() : Json::array();
    value.each([&](const Item& item) { items.push_back(item_json(item)); });
    out[name] = items;
  }
  template <class Inner>
    requires std::is_class_v<Inner>
  void operator()(const char* name, const Inner& value) const {
    Json inner = Json::object();
    Inner::walk(value, JsonField{inner});
    out[name] = inner;
  }
};

template <class Record>
Json record_json(const Record& record) {
  Json out = Json::object();
  Record::walk(record, JsonField{out});
  return out;
}

template <class Record>
std::string encoded(const Record& record) {
  ByteBuffer bytes;
  Encoder out(bytes);
  encode(out, record);
  return std::string(bytes.view());
}

/// Takes a record off `in`; it must read as `fields` and encode to the bytes that it was read from.
template <class Record>
void expect_record(Decoder& in, const Json& fields) {
  const char* begin = in.position();
  Record record;
  ASSERT_TRUE(decode(in, record));
  EXPECT_EQ(record_json(record).dump(), fields.dump());
  EXPECT_EQ(to_hex(encoded(record)), to_hex({begin, static_cast<size_t>(in.position() - begin)}));
}

/// No prefix of a record's bytes may pass for the record, nor be read beyond its end.
template <class Record>
void expect_every_cut_fails(std::string_view bytes) {
  for (size_t length = 0; length < bytes.size(); ++length) {
    const ExactBytes cut(bytes.substr(0, length));
    Decoder in(cut.view());
    Record record;
    EXPECT_FALSE(decode(in, record)) << "cut to " << length << " of " << bytes.size();
    EXPECT_FALSE(in.ok());
    EXPECT_TRUE(in.rest().empty());
  }
}

/// A file of tests/golden.
inline std::string read_golden(const std::string& path) {
  std::ifstream file(std::string(QUORATE_GOLDEN "/") + path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

/// An entry of the index.json in a folder of tests/golden.
struct GoldenFile {
  std::string folder;
  Json entry;

  std::string name() const { return entry["file"]; }
  std::string bytes() const { return read_golden(folder + "/" + name()); }
  const Json& parts() const { return entry["parts"]; }
  friend void PrintTo(const GoldenFile& golden, std::ostream* out) { *out << golden.name(); }
};

inline std::vector<GoldenFile> golden_files(const std::string& folder) {
  std::vector<GoldenFile> files;
  for (const Json& entry : Json::parse(read_golden(folder + "/index.json"))) files.push_back({folder, entry});
  return files;
}

inline std::string golden_name(const testing::TestParamInfo<GoldenFile>& golden) {
  std::string name = golden.param.name();
  for (char& c : name) c = isalnum(c) ? c : '_';
  return name;
}

}  // namespace quorate::wire
