#include "core/tree/acl_table.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <deque>
#include <string>

#include "base/check.h"

namespace quorate::tree {
namespace {

using namespace std::literals;

constexpr std::string_view kOpenRaw =
    "\0\0\0\x01\0\0\0\x1f\0\0\0\x05world\0\0\0\x06"
    "anyone"sv;
constexpr std::string_view kDenyRaw =
    "\0\0\0\x01\0\0\0\0\0\0\0\x05world\0\0\0\x06"
    "anyone"sv;
constexpr uint32_t kOpenSlot = 0;

struct Entry {
  AclId id{0};
  std::string raw;  // empty: the id is reserved, its list unknown
  size_t users = 0;
  bool shared = false;  // more than one id leads here
};

struct RawHash {
  HashKey key;
  size_t operator()(std::string_view raw) const { return sip_hash(key, raw); }
};

}  // namespace

struct AclTable::State {
  explicit State(HashKey key) : by_raw(0, RawHash{key}) {}

  std::deque<Entry> entries;  // by slot; deque, because by_raw looks into them
  std::vector<uint32_t> free_slots;
  boost::unordered_flat_map<int64_t, uint32_t> by_id;
  boost::unordered_flat_map<std::string_view, uint32_t, RawHash> by_raw;
  int64_t next_id = 1;

  /// A damaged snapshot may name the largest id of all, behind which there is none.
  void keep_free_of(AclId id) {
    if (id < AclId{INT64_MAX}) next_id = std::max(next_id, static_cast<int64_t>(id) + 1);
  }
  AclId unused_id() {
    while (by_id.contains(next_id)) next_id = next_id == INT64_MAX ? 1 : next_id + 1;
    return AclId{next_id};
  }

  const Entry* find(AclId id) const {
    const auto found = by_id.find(static_cast<int64_t>(id));
    return found == by_id.end() ? nullptr : &entries[found->second];
  }
  uint32_t add(AclId id, std::string_view raw);
  void forget(uint32_t slot);
};

uint32_t AclTable::State::add(AclId id, std::string_view raw) {
  uint32_t slot = static_cast<uint32_t>(entries.size());
  if (free_slots.empty()) {
    QUORATE_CHECK(entries.size() < UINT32_MAX);
    entries.emplace_back();
  } else {
    slot = free_slots.back();
    free_slots.pop_back();
  }
  Entry& entry = entries[slot];
  entry = {.id = id, .raw = std::string(raw)};
  by_id.emplace(static_cast<int64_t>(id), slot);
  if (!raw.empty()) by_raw.emplace(entry.raw, slot);
  keep_free_of(id);
  return slot;
}

void AclTable::State::forget(uint32_t slot) {
  Entry& entry = entries[slot];
  if (!entry.raw.empty()) by_raw.erase(entry.raw);
  by_id.erase(static_cast<int64_t>(entry.id));
  if (entry.shared) boost::unordered::erase_if(by_id, [slot](const auto& pair) { return pair.second == slot; });
  entry = Entry();
  free_slots.push_back(slot);
}

AclTable::AclTable(HashKey key) : state_(std::make_unique<State>(key)) {
  state_->add(kOpenAcl, kOpenRaw);
  state_->entries[kOpenSlot].users = 1;  // never forgotten
  state_->next_id = 1;
}

AclTable::~AclTable() = default;

AclId AclTable::intern(std::string_view raw) {
  // Compat: an absent list means the open one. Spec: disk 3.1.
  if (raw == kOpenRaw || raw == "\xff\xff\xff\xff"sv) return kOpenAcl;
  const auto found = state_->by_raw.find(raw);
  if (found != state_->by_raw.end()) return state_->entries[found->second].id;
  const AclId id = state_->unused_id();
  state_->add(id, raw);
  return id;
}

std::string_view AclTable::raw(AclId id) const {
  if (id == kOpenAcl) return kOpenRaw;
  const Entry* entry = state_->find(id);
  return entry == nullptr ? std::string_view() : std::string_view(entry->raw);
}

wire::AclVector AclTable::list(AclId id) const {
  const std::string_view bytes = raw(id);
  return wire::AclVector::trusted(bytes.empty() ? kDenyRaw : bytes);
}

void AclTable::add_user(AclId id) {
  if (id != kOpenAcl) ++state_->entries[slot_of(id)].users;
}

void AclTable::drop_user(AclId id) {
  if (id == kOpenAcl) return;
  const uint32_t slot = slot_of(id);
  Entry& entry = state_->entries[slot];
  QUORATE_CHECK(entry.users > 0);
  if (--entry.users == 0) state_->forget(slot);
}

size_t AclTable::users(AclId id) const {
  const Entry* entry = state_->find(id);
  return entry == nullptr ? 0 : entry->users;
}

uint32_t AclTable::slot_of(AclId id) {
  if (id == kOpenAcl) return kOpenSlot;
  const auto found = state_->by_id.find(static_cast<int64_t>(id));
  return found != state_->by_id.end() ? found->second : state_->add(id, {});
}

AclId AclTable::id_at(uint32_t slot) const { return slot == kOpenSlot ? kOpenAcl : state_->entries[slot].id; }

void AclTable::load(AclId id, std::string_view raw) {
  if (state_->find(id) != nullptr) return;
  const auto equal = state_->by_raw.find(raw);
  if (equal == state_->by_raw.end()) {
    state_->add(id, raw);
    return;
  }
  state_->by_id.emplace(static_cast<int64_t>(id), equal->second);
  state_->entries[equal->second].shared = true;
  state_->keep_free_of(id);
}

void AclTable::reserve(AclId id) { slot_of(id); }

void AclTable::drop_unused() {
  for (uint32_t slot = 0; slot < state_->entries.size(); ++slot) {
    const Entry& entry = state_->entries[slot];
    if (entry.id != AclId{0} && entry.users == 0) state_->forget(slot);
  }
}

std::vector<std::pair<AclId, std::string_view>> AclTable::entries() const {
  std::vector<std::pair<AclId, std::string_view>> all;
  for (const Entry& entry : state_->entries) {
    if (entry.id != kOpenAcl && !entry.raw.empty()) all.emplace_back(entry.id, entry.raw);
  }
  std::ranges::sort(all, {}, &std::pair<AclId, std::string_view>::first);
  return all;
}

}  // namespace quorate::tree
