#pragma once
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/byte_buffer.h"
#include "wire/record.h"
#include "wire/txn.h"

/// For tests of records: a record as text in the form of the golden indexes (compact JSON), and bytes in memory of
/// exactly their size, so that the address sanitizer sees any step beyond their end.
namespace quorate::wire {

/// A copy of bytes with nothing behind them.
class ExactBytes {
 public:
  explicit ExactBytes(std::string_view bytes) : bytes_(bytes.begin(), bytes.end()) {}
  std::string_view view() const { return {bytes_.data(), bytes_.size()}; }

 private:
  std::vector<char> bytes_;  // a string would keep a terminator behind them
};

std::string to_hex(std::string_view bytes);
std::string from_hex(std::string_view digits);

/// Printable ASCII in quotes, other bytes as {"hex":...}, absent as null.
std::string text_of(std::string_view view);

std::string text_of(const StringItem& item);
std::string text_of(const AclItem& item);
std::string text_of(const TxnPart& part);

struct TextField {
  std::string& out;

  void add(const char* name, const std::string& value) const {
    out += (out.empty() ? "\"" : ",\"") + std::string(name) + "\":" + value;
  }
  void operator()(const char* name, bool value) const { add(name, value ? "true" : "false"); }
  void operator()(const char* name, int32_t value) const { add(name, std::to_string(value)); }
  void operator()(const char* name, int64_t value) const { add(name, std::to_string(value)); }
  void operator()(const char* name, std::string_view value) const { add(name, text_of(value)); }
  void operator()(const char* name, SessionId value) const { add(name, std::to_string(value.value)); }
  void operator()(const char* name, Zxid value) const { add(name, std::to_string(value.value)); }
  template <class Item>
  void operator()(const char* name, const VectorView<Item>& value) const {
    std::string items;
    value.each([&](const Item& item) { items += (items.empty() ? "" : ",") + text_of(item); });
    add(name, value.absent() ? "null" : "[" + items + "]");
  }
  template <class Inner>
    requires std::is_class_v<Inner>
  void operator()(const char* name, const Inner& value) const {
    std::string inner;
    Inner::walk(value, TextField{inner});
    add(name, "{" + inner + "}");
  }
};

template <class Record>
std::string record_text(const Record& record) {
  std::string out;
  Record::walk(record, TextField{out});
  return "{" + out + "}";
}

template <class Record>
std::string encoded(const Record& record) {
  ByteBuffer bytes;
  Encoder out(bytes);
  encode(out, record);
  return std::string(bytes.view());
}

/// Takes a record off `in`; it must read as `text` and encode to the bytes that it was read from.
template <class Record>
void expect_record(Decoder& in, const std::string& text) {
  const char* begin = in.position();
  Record record;
  ASSERT_TRUE(decode(in, record));
  EXPECT_EQ(record_text(record), text);
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

/// One record inside of a golden file: its name and its fields as text.
struct GoldenPart {
  std::string record;
  std::string fields;
};

/// A file of tests/golden with its entry in the index.json of its folder.
struct GoldenFile {
  std::string name;
  std::string bytes;
  std::vector<GoldenPart> parts;
  std::vector<GoldenPart> inner;  ///< Of a multi txn.

  friend void PrintTo(const GoldenFile& golden, std::ostream* out) { *out << golden.name; }
};

std::vector<GoldenFile> golden_files(const std::string& folder);
std::string golden_name(const testing::TestParamInfo<GoldenFile>& golden);

}  // namespace quorate::wire
