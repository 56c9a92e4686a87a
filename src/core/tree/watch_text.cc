#include "core/tree/watch_text.h"

#include <cstring>

#include "base/check.h"

namespace quorate::tree {

namespace {

constexpr size_t kLengthBytes = 2;

uint32_t units_for(size_t text_bytes, uint32_t unit) {
  return static_cast<uint32_t>((text_bytes + kLengthBytes + unit - 1) / unit);
}

}  // namespace

uint32_t WatchText::put(std::string_view text) {
  if (text.size() > (kClasses - 1) * kUnit - kLengthBytes) return put_alone(text);
  const uint32_t ref = take(units_for(text.size(), kUnit));
  const auto length = static_cast<uint16_t>(text.size());
  std::memcpy(at(ref), &length, kLengthBytes);
  if (length > 0) std::memcpy(at(ref) + kLengthBytes, text.data(), length);
  return ref;
}

std::string_view WatchText::get(uint32_t ref) const {
  if ((ref & kAlone) != 0) return alone_[ref & ~kAlone];
  uint16_t length;
  std::memcpy(&length, at(ref), kLengthBytes);
  return {at(ref) + kLengthBytes, length};
}

void WatchText::drop(uint32_t ref) {
  if ((ref & kAlone) == 0) return give_back(ref, units_for(get(ref).size(), kUnit));
  alone_bytes_ -= alone_[ref & ~kAlone].capacity();
  std::string().swap(alone_[ref & ~kAlone]);
  alone_free_.push_back(ref & ~kAlone);
}

uint32_t WatchText::take(uint32_t units) {
  if (free_[units] != 0) {
    const uint32_t ref = free_[units] - 1;
    std::memcpy(&free_[units], at(ref), sizeof(uint32_t));
    return ref;
  }
  if (limit_ - next_ < units) {
    if (limit_ > next_) give_back(next_, limit_ - next_);
    QUORATE_CHECK(limit_ < kAlone - kBlockUnits);
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(size_t{kBlockUnits} * kUnit));
    next_ = limit_;
    limit_ += kBlockUnits;
  }
  const uint32_t ref = next_;
  next_ += units;
  return ref;
}

void WatchText::give_back(uint32_t ref, uint32_t units) {
  std::memcpy(at(ref), &free_[units], sizeof(uint32_t));
  free_[units] = ref + 1;
}

uint32_t WatchText::put_alone(std::string_view text) {
  if (alone_free_.empty()) {
    alone_free_.push_back(static_cast<uint32_t>(alone_.size()));
    alone_.emplace_back();
  }
  const uint32_t slot = alone_free_.back();
  alone_free_.pop_back();
  alone_[slot] = std::string(text);
  alone_bytes_ += alone_[slot].capacity();
  return kAlone | slot;
}

size_t WatchText::resident_bytes() const {
  return blocks_.size() * kBlockUnits * kUnit + blocks_.capacity() * sizeof(blocks_[0]) +
         alone_.capacity() * sizeof(std::string) + alone_free_.capacity() * sizeof(uint32_t) + alone_bytes_;
}

}  // namespace quorate::tree
