#pragma once
#include <string_view>

#include "wire/archive.h"

/// Vectors inside a record, kept as the validated bytes they arrived in and walked item by item on demand, so that
/// decoding never allocates. Item is std::string_view or a record with a static skip(Decoder&).
namespace quorate::wire {

/// A `vector<Item>`. Absent (count -1) and empty differ; every other count <= 0 is empty. Spec: client 1.1.
template <class Item>
class VectorView {
 public:
  VectorView() = default;

  /// Checks all items and steps over them; in.ok() turns false where they are cut short.
  static VectorView take(Decoder& in) {
    VectorView vector;
    const char* begin = in.position();
    const int32_t count = in.i32();
    vector.absent_ = count == -1;
    vector.count_ = count > 0 ? count : 0;
    for (int32_t i = 0; i < vector.count_ && in.ok(); ++i) Item::skip(in);
    if (!in.ok()) return VectorView();
    vector.raw_ = {begin, static_cast<size_t>(in.position() - begin)};
    return vector;
  }
  /// Over bytes made by this program: count and items.
  static VectorView trusted(std::string_view raw) {
    Decoder in(raw);
    return take(in);
  }

  bool absent() const { return absent_; }
  int32_t size() const { return count_; }
  /// Count and items as they stand on the wire. Compat: a negative count other than -1 stays as sent.
  std::string_view raw() const { return raw_.empty() ? std::string_view("\xff\xff\xff\xff", 4) : raw_; }

  /// Calls visit(Item) for each item in order.
  template <class Visit>
  void each(Visit&& visit) const {
    if (count_ == 0) return;
    Decoder in(raw_.substr(4));
    for (int32_t i = 0; i < count_; ++i) visit(Item::read(in));
  }

 private:
  std::string_view raw_;
  int32_t count_ = 0;
  bool absent_ = true;
};

/// The item of a vector<ustring>.
struct StringItem {
  std::string_view text;
  static void skip(Decoder& in) { in.view(); }
  static StringItem read(Decoder& in) { return {in.view()}; }
};

/// One entry of an access control list. Spec: client 3.3.
struct AclItem {
  int32_t perms = 0;
  std::string_view scheme;
  std::string_view id;

  static void skip(Decoder& in) {
    in.i32();
    in.view();
    in.view();
  }
  static AclItem read(Decoder& in) {
    AclItem item;
    item.perms = in.i32();
    item.scheme = in.view();
    item.id = in.view();
    return item;
  }
};

using StringVector = VectorView<StringItem>;
using AclVector = VectorView<AclItem>;

}  // namespace quorate::wire
