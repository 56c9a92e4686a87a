#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/ids.h"
#include "wire/archive.h"
#include "wire/vectors.h"

/// Records are declared once: a struct with a static walk() that names its fields in wire order. Decoding, encoding,
/// printing and fuzzing all derive from that one list.
///
///   struct SetDataRequest {
///     std::string_view path;
///     std::string_view data;
///     int32_t version = -1;
///     static void walk(auto& record, auto&& field) {
///       field("path", record.path);
///       field("data", record.data);
///       field("version", record.version);
///     }
///   };
namespace quorate::wire {

struct DecodeField {
  Decoder& in;
  void operator()(const char*, bool& value) const { value = in.boolean(); }
  void operator()(const char*, int32_t& value) const { value = in.i32(); }
  void operator()(const char*, int64_t& value) const { value = in.i64(); }
  void operator()(const char*, std::string_view& value) const { value = in.view(); }
  void operator()(const char*, SessionId& value) const { value.value = in.i64(); }
  void operator()(const char*, Zxid& value) const { value.value = in.i64(); }
  template <class Item>
  void operator()(const char*, VectorView<Item>& value) const {
    value = VectorView<Item>::take(in);
  }
  template <class Inner>
    requires std::is_class_v<Inner>
  void operator()(const char*, Inner& value) const {
    Inner::walk(value, *this);
  }
};

struct EncodeField {
  Encoder& out;
  void operator()(const char*, bool value) const { out.boolean(value); }
  void operator()(const char*, int32_t value) const { out.i32(value); }
  void operator()(const char*, int64_t value) const { out.i64(value); }
  void operator()(const char*, std::string_view value) const { out.view(value); }
  void operator()(const char*, SessionId value) const { out.i64(value.value); }
  void operator()(const char*, Zxid value) const { out.i64(value.value); }
  template <class Item>
  void operator()(const char*, const VectorView<Item>& value) const {
    out.raw(value.raw());
  }
  template <class Inner>
    requires std::is_class_v<Inner>
  void operator()(const char*, const Inner& value) const {
    Inner::walk(value, *this);
  }
};

/// Reads `record` from `in`. False (and in.ok() false) when the bytes are short or malformed; what follows the record
/// is left in `in`.
template <class Record>
bool decode(Decoder& in, Record& record) {
  Record::walk(record, DecodeField{in});
  return in.ok();
}

template <class Record>
void encode(Encoder& out, const Record& record) {
  Record::walk(record, EncodeField{out});
}

}  // namespace quorate::wire
