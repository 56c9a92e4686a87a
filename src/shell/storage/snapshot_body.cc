#include "shell/storage/snapshot_body.h"

#include <fmt/format.h>

#include "wire/archive.h"
#include "wire/record.h"

namespace quorate::storage {
namespace {

constexpr size_t kSessionBytes = 12;
constexpr size_t kStatBytes = 60;
constexpr size_t kTerminatorBytes = 5;
constexpr size_t kAclHeadBytes = 12;   // Id and count.
constexpr size_t kLeastAclBytes = 12;  // Permissions and two empty strings.

int32_t i32_at(std::string_view bytes, size_t at) { return static_cast<int32_t>(wire::load_be32(bytes.data() + at)); }
int64_t i64_at(std::string_view bytes, size_t at) { return static_cast<int64_t>(wire::load_be64(bytes.data() + at)); }

}  // namespace

std::unexpected<Error> SnapshotBody::bad(std::string_view what) const {
  return fail(Fault::Corrupt, fmt::format("{} at offset {}", what, offset_));
}

/// The bytes of a buffer whose length stands at `at`: 0 for an absent one.
Result<size_t> SnapshotBody::length_at(std::string_view bytes, size_t at) const {
  const int32_t length = i32_at(bytes, at);
  if (length == -1) return 0;
  if (length < 0 || static_cast<size_t>(length) > max_buffer_bytes_) {
    return bad(fmt::format("Unreasonable length = {}", length));
  }
  return static_cast<size_t>(length);
}

Result<size_t> SnapshotBody::take(std::string_view bytes) {
  size_t used = 0;
  while (!done() && bytes.size() - used >= wanted_) {
    auto size = item(bytes.substr(used));
    if (!size) return size;
    used += *size;
    offset_ += *size;
  }
  return used;
}

Result<size_t> SnapshotBody::item(std::string_view bytes) {
  switch (phase_) {
    case Phase::SessionCount:
      return count(bytes, Phase::Session, sessions_);
    case Phase::Session:
      return session(bytes);
    case Phase::AclCount:
      return count(bytes, Phase::Acl, acls_);
    case Phase::Acl:
      return acl(bytes);
    case Phase::Node:
      return node(bytes);
    case Phase::Done:
      break;
  }
  return 0;
}

void SnapshotBody::enter(Phase phase, int32_t items) {
  left_ = items;
  if (phase == Phase::Session && items == 0) phase = Phase::AclCount;
  if (phase == Phase::Acl && items == 0) phase = Phase::Node;
  phase_ = phase;
  constexpr size_t kLeast[] = {4, kSessionBytes, 4, kAclHeadBytes, kTerminatorBytes, 0};
  wanted_ = kLeast[static_cast<size_t>(phase)];
}

Result<size_t> SnapshotBody::count(std::string_view bytes, Phase next, size_t& total) {
  const int32_t items = i32_at(bytes, 0);
  if (items < 0) return bad(fmt::format("count {}", items));
  total = static_cast<size_t>(items);
  enter(next, items);
  return 4;
}

Result<size_t> SnapshotBody::session(std::string_view bytes) {
  receiver_.session({i64_at(bytes, 0)}, i32_at(bytes, 8));
  if (--left_ == 0) enter(Phase::AclCount);
  return kSessionBytes;
}

/// True when the whole list at the front is there.
Result<bool> SnapshotBody::measure_acl(std::string_view bytes) {
  if (parts_left_ < 0) {
    const int32_t items = i32_at(bytes, 8);
    if (items < 0) return bad("missing acl list");
    if (static_cast<size_t>(items) > max_buffer_bytes_ / kLeastAclBytes) {
      return bad(fmt::format("Unreasonable length = {} of an acl list", items));
    }
    parts_left_ = items * 2;
    measured_ = kAclHeadBytes;
  }
  while (parts_left_ > 0) {
    const size_t length_begin = measured_ + (parts_left_ % 2 == 0 ? 4 : 0);
    if (!has(bytes, length_begin + 4)) return false;
    auto length = length_at(bytes, length_begin);
    if (!length) return std::unexpected(length.error());
    measured_ = length_begin + 4 + *length;
    --parts_left_;
    if (measured_ > kAclHeadBytes + max_buffer_bytes_) return bad("Unreasonable length of an acl list");
  }
  return has(bytes, measured_);
}

Result<size_t> SnapshotBody::acl(std::string_view bytes) {
  auto whole = measure_acl(bytes);
  if (!whole) return std::unexpected(whole.error());
  if (!*whole) return 0;
  if (!receiver_.acl(tree::AclId{i64_at(bytes, 0)}, bytes.substr(8, measured_ - 8))) return bad(receiver_.why());
  parts_left_ = -1;
  wanted_ = kAclHeadBytes;
  if (--left_ == 0) enter(Phase::Node);
  return measured_;
}

Result<size_t> SnapshotBody::node(std::string_view bytes) {
  const int32_t path_head = i32_at(bytes, 0);
  if (path_head < 0) return bad("missing path");
  if (nodes_ == 0 && path_head != 0) return bad("Invalid Datatree, the first node is not the root");
  if (path_head == 1 && bytes[4] == '/') {
    enter(Phase::Done);
    return kTerminatorBytes;
  }
  auto path_length = length_at(bytes, 0);
  if (!path_length) return path_length;
  const size_t data_at = 4 + *path_length;
  if (!has(bytes, data_at + 4)) return 0;
  auto data_length = length_at(bytes, data_at);
  if (!data_length) return data_length;
  const size_t acl_at = data_at + 4 + *data_length;
  const size_t size = acl_at + 8 + kStatBytes;
  if (!has(bytes, size)) return 0;

  const bool absent = i32_at(bytes, data_at) == -1;
  const std::string_view data = absent ? wire::kAbsent : bytes.substr(data_at + 4, *data_length);
  wire::Decoder stat_bytes(bytes.substr(acl_at + 8, kStatBytes));
  wire::StatPersisted stat;
  wire::decode(stat_bytes, stat);
  if (!receiver_.node(bytes.substr(4, *path_length), data, tree::AclId{i64_at(bytes, acl_at)}, stat)) {
    return bad(receiver_.why());
  }
  ++nodes_;
  wanted_ = kTerminatorBytes;
  return size;
}

}  // namespace quorate::storage
